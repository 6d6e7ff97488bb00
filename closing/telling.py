"""A checklist in words: for the approver's form, for the page that is signed, and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import ROUND_HALF_UP, Decimal

from closing.records import Item, Request
from reporting.names import FUNDS, Name, name_of
from reporting.page import css_string, environment
from reporting.workbook_page import beijing, month_zh

OUTCOMES = {
    "ok": Name("符合", "met"),
    "attention": Name("注意", "look"),
    "waivable": Name("须说明原因", "needs a reason"),
    "blocked": Name("不得关账", "stands against"),
    "info": Name("参考", "for information"),
}
_LIGHTS = {"ok": "green", "attention": "amber", "waivable": "amber", "blocked": "red", "info": "grey"}
_PERCENT = Decimal("0.01")
_LISTED_IN_FORM = 40


def percent(amount: Decimal | None, compared: Decimal | None) -> str:
    """How much an amount is above or below another, in percent of it; a dash where there is nothing to compare with."""
    if amount is None or not compared:
        return "—"
    share = ((amount - compared) / abs(compared) * 100).quantize(_PERCENT, ROUND_HALF_UP)
    return f"{share:+}%"


def difference(amount: Decimal | None, compared: Decimal | None) -> Decimal | None:
    """An amount less another; None where one is missing."""
    return None if amount is None or compared is None else amount - compared


def page(request: Request, region_name: str, items: Sequence[Item], workbook_sha256: str) -> bytes:
    """The page of a request: a static HTML file that says what the approver approves."""
    return (
        environment("closing")
        .get_template("close.html.j2")
        .render(
            request=request,
            region_name=region_name,
            month=month_zh(request.accounting_month),
            requirements=[item for item in items if item.kind == "requirement"],
            attentions=[item for item in items if item.kind == "attention"],
            comparisons=[item for item in items if item.kind == "comparison"],
            workbook_sha256=workbook_sha256,
            outcomes=OUTCOMES,
            lights=_LIGHTS,
            percent=percent,
            difference=difference,
            beijing=beijing,
            css_string=css_string,
            fund_name=lambda code: name_of(FUNDS, code) if code else Name("", ""),
        )
        .encode()
    )


def form(request: Request, region_name: str, items: Sequence[Item], links: Sequence[tuple[str, str]]) -> str:
    """The body of the approver's form, in Markdown."""
    return "\n".join(_form(request, region_name, items, links))


def plain(request: Request, items: Sequence[Item]) -> str:
    """The checklist for a terminal."""
    head = f"{request.request_id}  制表 prepared by {request.prepared_by}  seq {request.checked_seq}"
    return "\n".join([head, *(f"  {_plain_line(item)}" for item in items)])


def _form(request: Request, region_name: str, items: Sequence[Item], links: Sequence[tuple[str, str]]) -> Iterator[str]:
    yield f"**{region_name}（{request.region_code}）{month_zh(request.accounting_month)}关账**"
    yield f"Closing of {request.accounting_month:%Y-%m}, region {request.region_code}"
    yield ""
    yield f"制表 prepared by: {_cell(request.prepared_by)} · {beijing(request.prepared_at)}（北京时间 Beijing）"
    yield f"检查至 checked up to: seq {request.checked_seq} · 运行 run {_cell(request.checks_run_id)}"
    yield ""
    for name, url in links:
        yield f"- [{name}]({url})"
    yield ""
    yield f"报表摘要 report sha256: `{request.report_sha256}`  "
    yield f"账簿摘要 ledger sha256: `{request.ledger_sha256}`"
    yield ""
    yield from _requirement_table([item for item in items if item.kind != "comparison"])
    yield ""
    yield from _comparison_table([item for item in items if item.kind == "comparison"])
    yield ""
    yield "批准人不得为制表人。须说明原因的项目，请在下方写明放行原因。"
    yield "Who approves may not be the preparer. Items that need a reason are waived by the reason given below."


def _requirement_table(items: Sequence[Item]) -> Iterator[str]:
    yield "| 结果 outcome | 项目 item | 条数 items | 金额（元）yuan |"
    yield "|---|---|---:|---:|"
    for item in items[:_LISTED_IN_FORM]:
        outcome = OUTCOMES[item.outcome]
        title = f"{item.code} {item.title.zh} / {item.title.en} {item.fund_code or ''} {item.detail or ''}"
        count = "" if item.item_count is None else f"{item.item_count:,}"
        yield f"| {outcome.zh} {outcome.en} | {_cell(title.strip())} | {count} | {_money(item.amount)} |"
    if len(items) > _LISTED_IN_FORM:
        yield f"\n另有 {len(items) - _LISTED_IN_FORM} 项见页面 / the others are on the page"


def _comparison_table(items: Sequence[Item]) -> Iterator[str]:
    yield "| 基金 fund | 项目 line | 本月 month | 比上月 on last month | % | 比上年同月 on last year | % |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for item in items:
        before, year_ago = item.amount_last_month, item.amount_last_year
        yield (
            f"| {item.fund_code} | {item.code} {item.title.zh} / {item.title.en} | {_money(item.amount)}"
            f" | {_money(difference(item.amount, before))} | {percent(item.amount, before)}"
            f" | {_money(difference(item.amount, year_ago))} | {percent(item.amount, year_ago)} |"
        )


def _plain_line(item: Item) -> str:
    outcome = OUTCOMES[item.outcome]
    parts = [f"[{outcome.zh} {outcome.en}]", item.code, item.fund_code or "", f"{item.title.zh} / {item.title.en}"]
    if item.item_count is not None:
        parts.append(f"({item.item_count:,})")
    if item.amount is not None:
        parts.append(f"{item.amount:,.2f} 元")
    if item.kind == "comparison":
        parts.append(f"上月 last month {percent(item.amount, item.amount_last_month)}")
        parts.append(f"上年 last year {percent(item.amount, item.amount_last_year)}")
    return " ".join([*filter(None, parts), item.detail or ""]).rstrip()


def _money(amount: Decimal | None) -> str:
    return "—" if amount is None else f"{amount:,.2f}"


def _cell(text: str) -> str:
    """A text inside a Markdown table: nothing in it ends the cell or becomes markup."""
    return "".join(f"\\{mark}" if mark in "\\`*_[]<>|#!" else mark for mark in text.replace("\n", " "))
