"""The commands that decide on findings: `python -m expectations accept|reject|dismiss|confirm|withdraw|list`."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from decimal import Decimal, InvalidOperation

from expectations import decisions
from expectations.decisions import By, Item, Limits, Listed
from ingestion.control import Place
from ingestion.errors import FindingRefused

EXIT_USAGE = 2
COMMANDS = ("accept", "reject", "dismiss", "confirm", "withdraw", "list")
_LAPSES = {
    "withdrawn": "接受已撤回 / acceptance withdrawn",
    "rejected": "确认须更正 / has to be corrected",
    "expired": "接受已到期 / acceptance expired",
    "over_budget": "超过接受上限 / beyond what was accepted",
    "failing": "不通过，接受无效 / fails, which nothing accepts",
    "facts_changed": "排除后事实有变 / facts have changed since it was dismissed",
}
_DECIDE = {
    "reject": decisions.reject,
    "dismiss": decisions.dismiss,
    "confirm": decisions.confirm,
    "withdraw": decisions.withdraw,
}
_STATUSES = {"open": "待处理 / open", "accepted": "已接受 / accepted", "resolved": "已解决 / resolved"}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parsers of the commands."""
    accepting = commands.add_parser("accept", help="在期限和上限内接受一项提示 / accept a warning for a time")
    _add_item(accepting, "问题项目，* 为该检查的全部提示 / key of the item, * for every warning of the check")
    accepting.add_argument(
        "--until", required=True, type=date.fromisoformat, help="有效期至 / last day, YYYY-MM-DD, within a year"
    )
    accepting.add_argument("--amount-max", type=_amount, help="金额上限（元） / amount in yuan beyond which it lapses")
    accepting.add_argument(
        "--rows-max", type=int, help="行数上限，仅用于 * / rows beyond which it lapses; with * only, and needed there"
    )
    rejecting = commands.add_parser("reject", help="确认问题须更正 / confirm that a finding has to be corrected")
    _add_item(rejecting, "问题项目 / key of the item")
    dismissing = commands.add_parser(
        "dismiss",
        help="排除政策审视、智能监控发现的问题，金额和所涉结算不变则一直有效"
        " / dismiss a finding of the review, for as long as its amount and claims stay the same",
    )
    _add_item(dismissing, "问题项目 / key of the item")
    confirming = commands.add_parser(
        "confirm",
        help="确认政策审视、智能监控发现的问题属实，追回后自动解决"
        " / confirm a finding of the review; it stays open until the money has come back",
    )
    _add_item(confirming, "问题项目 / key of the item")
    withdrawing = commands.add_parser("withdraw", help="撤回决定 / withdraw a decision")
    _add_item(withdrawing, "问题项目或 * / key of the item, or *")
    for parser in (accepting, rejecting, dismissing, confirming, withdrawing):
        parser.add_argument("--by", required=True, help="决定人 / who decides")
        parser.add_argument("--reason", required=True, help="理由 / why")
    listing = commands.add_parser("list", help="列出问题及其现状 / list findings as they stand")
    listing.add_argument("--region", help="统筹区代码，缺省为全部 / region, all by default")
    listing.add_argument("--code", help="检查代码 / check")
    listing.add_argument("--status", choices=sorted(_STATUSES), help="缺省为未解决的 / by default what is not resolved")


def run(options: argparse.Namespace) -> int:
    """Exit code 0, or 2 when the decision is refused."""
    if options.command == "list":
        statuses = (options.status,) if options.status else ("open", "accepted")
        found = decisions.listed(options.region, options.code, statuses)
        print("\n".join(map(_line, found)) or "没有问题 / no findings")
        return 0
    try:
        place = _decide(options)
    except FindingRefused as refusal:
        print(refusal, file=sys.stderr)
        return EXIT_USAGE
    said = "已记入日志 / recorded" if place.is_new else "此前已记入 / recorded before"
    print(f"{options.region} {options.code} {options.item}: {said}, seq {place.seq}")
    return 0


def _decide(options: argparse.Namespace) -> Place:
    item = Item(options.region, options.code, options.item)
    by = By(options.by.strip(), options.reason.strip())
    if options.command == "accept":
        return decisions.accept(item, by, Limits(options.until, options.amount_max, options.rows_max))
    return _DECIDE[options.command](item, by)


def _add_item(parser: argparse.ArgumentParser, item: str) -> None:
    parser.add_argument("--region", required=True, help="统筹区代码 / code of the region")
    parser.add_argument("--code", required=True, help="检查代码 / code of the check")
    parser.add_argument("--item", required=True, help=item)


def _amount(text: str) -> Decimal:
    """Yuan with at most two places; ValueError for anything else, which argparse reports."""
    try:
        amount = Decimal(text)
        exact = amount.quantize(Decimal("0.01"))
    except InvalidOperation:
        raise ValueError(text) from None
    if exact != amount:
        raise ValueError(text)
    return exact


def _line(finding: Listed) -> str:
    money = "" if finding.amount is None else f" · {finding.amount:,.2f} 元 / yuan"
    limit = "" if finding.accepted_amount_max is None else f", ≤ {finding.accepted_amount_max:,.2f}"
    accepted = (
        f" · {finding.accepted_by} → {finding.accepted_until}{limit}: {finding.accepted_reason}"
        if finding.accepted_by
        else ""
    )
    lapse = f" · {_LAPSES[finding.lapse]}" if finding.lapse else ""
    mark = "✗" if finding.severity == "fail" else "!"
    return (
        f"{mark} {finding.region_code} {finding.code} {finding.key} · {_status(finding)}{money}"
        f" · {finding.age_days} 天 / days · 责任岗位 / owner {finding.owner}{accepted}{lapse}"
    )


def _status(finding: Listed) -> str:
    """Dismissed and confirmed are told by name; both follow from decisions."""
    if finding.status == "accepted" and finding.decision == "dismissed":
        return "已排除 / dismissed"
    if finding.status == "open" and finding.lapse == "rejected":
        return "属实，待处理 / confirmed, open"
    return _STATUSES[finding.status]
