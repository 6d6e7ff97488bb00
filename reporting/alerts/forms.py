"""A digest in the forms that the channels take: HTML, JSON, and the Markdown of group bots."""

from __future__ import annotations

import json
from html import escape

from reporting.alerts.digest import Digest, line_words, region_words, subject

# Longest Markdown message that a bot of each kind takes, in bytes of UTF-8.
_BOT_BYTES_MAX = {"wecom": 4096, "dingtalk": 20000}
_MORE = "\n…"


def text(digest: Digest, link: str) -> str:
    """Plain text, also read as Markdown."""
    lines = [subject(digest), "", *([f"**{_audit(digest)}**", ""] if digest.audit else [])]
    for part in digest.parts:
        lines += [f"**{region_words(part)}**", *(f"- {line_words(line)}" for line in part.lines), ""]
    return "\n".join([*lines, f"{link}", f"run {digest.run_id}"])


def html(digest: Digest, link: str) -> str:
    """The body of an e-mail; styles stand in the elements, for mail programs drop the others."""
    parts = "".join(
        f"<h3>{escape(region_words(part))}</h3><ul>"
        + "".join(f"<li>{escape(line_words(line))}</li>" for line in part.lines)
        + "</ul>"
        for part in digest.parts
    )
    audit = f"<p><strong>{escape(_audit(digest))}</strong></p>" if digest.audit else ""
    where = f'<a href="{escape(link, quote=True)}">总览页 / overview page</a>' if "://" in link else escape(link)
    return (
        '<div style="font-family:sans-serif;font-size:14px;line-height:1.6">'
        f"<h2>{escape(subject(digest))}</h2>{audit}{parts}<p>{where}</p>"
        f'<p style="color:#666">run {escape(digest.run_id)}</p></div>'
    )


def body(digest: Digest, link: str, form: str) -> dict[str, object]:
    """JSON for a webhook: `json` (figures and text), `wecom` or `dingtalk` (Markdown, cut to what the bot takes)."""
    said = text(digest, link)
    if form == "wecom":
        return {"msgtype": "markdown", "markdown": {"content": _cut(said, _BOT_BYTES_MAX[form])}}
    if form == "dingtalk":
        markdown = {"title": subject(digest), "text": _cut(said.replace("\n", "\n\n"), _BOT_BYTES_MAX[form])}
        return {"msgtype": "markdown", "markdown": markdown}
    return {
        "run_id": digest.run_id,
        "subject": subject(digest),
        "text": said,
        "link": link,
        "audit_zh": digest.audit.zh if digest.audit else None,
        "audit_en": digest.audit.en if digest.audit else None,
        "regions": [
            {
                "region_code": part.state.region_code,
                "name_zh": part.state.name.zh,
                "name_en": part.state.name.en,
                "light": part.state.light,
                "verdict_zh": part.state.badge.zh,
                "verdict_en": part.state.badge.en,
                "reasons": list(part.state.reasons),
                "checks": [
                    {
                        "code": line.code,
                        "title_zh": line.title.zh,
                        "title_en": line.title.en,
                        "severity": line.severity,
                        "owner": line.owner,
                        "rows": line.rows,
                        "amount": None if line.amount is None else f"{line.amount:.2f}",
                        "first_seen_on": line.first_seen_on.isoformat(),
                        "new": line.new,
                        "returned": line.returned,
                        "aged": line.aged,
                    }
                    for line in part.lines
                ],
            }
            for part in digest.parts
        ],
    }


def _audit(digest: Digest) -> str:
    return " / ".join(digest.audit) if digest.audit else ""


def encoded(payload: dict[str, object]) -> bytes:
    """The bytes that are sent."""
    return json.dumps(payload, ensure_ascii=False).encode()


def _cut(said: str, most: int) -> str:
    """The text, or as many of its lines as fit."""
    if len(said.encode()) <= most:
        return said
    kept, room = [], most - len(_MORE.encode())
    for line in said.split("\n"):
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept) + _MORE
