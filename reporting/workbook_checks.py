"""What the gate's checks said at the publication, and the items they listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from expectations.impersonal import impersonal
from expectations.record import FINDINGS_MAX
from reporting.items import in_words, item_of
from reporting.names import OWNERS, SUITE_NAMES, Name, name_of
from reporting.quality import CUT_OFF, CheckResult, Finding
from reporting.workbook_cells import COUNT, Book, Ref, Style, Sum
from reporting.workbook_grid import money_width
from reporting.workbook_page import (
    HEAD_ROWS,
    LATIN,
    Frame,
    Layout,
    beijing,
    finish,
    head_cell,
    heading,
    lines_needed,
    note,
    open_sheet,
    row_heights,
)

FINDINGS_MOST = 2_000
_HIGHEST_ROW = 400.0
_ON_ONE_PAGE = 30
RESULTS_TITLE = Name("数据质量检查结果", "Results of the Quality Checks")
FINDINGS_TITLE = Name("检查问题明细", "Items Listed by the Checks")
_EFFECTS = {"fail": Name("不通过不发布", "refuses"), "warn": Name("提示", "warns")}
_RESULT_HEADS = (
    Name("类别", "Suite"),
    Name("编码", "Code"),
    Name("检查内容", "Check"),
    Name("性质", "Effect"),
    Name("结论", "Result"),
    Name("检查行数", "Examined"),
    Name("问题行数", "Items"),
    Name("问题金额（元）", "Amount (yuan)"),
    Name("首次发现", "First seen"),
    Name("责任岗位", "Owner"),
    Name("依据", "Basis"),
)
_FINDING_HEADS = (
    Name("编码", "Code"),
    Name("内容", "Item"),
    Name("状态", "Status"),
    Name("责任岗位", "Owner"),
    Name("金额（元）", "Amount (yuan)"),
    Name("首次发现", "First seen"),
    Name("天数", "Days"),
    Name("首次发现的运行", "First seen by run"),
)
_RESULTS_NOTE = Name(
    "注：此处为账簿发布时那次运行的检查结果；此后的检查见总览页。“不通过不发布”类检查均已通过，账簿方得发布；“提示”不影响发布。",
    "Note: results of the publishing run as of the publication; for later checks see the overview page. Every check"
    " that refuses had passed; warnings don't hinder a publication.",
)
_REFUSING_NOTE = Name(
    "注意：上表有“不通过不发布”类检查未通过，不应据此签章，请联系数据运维。",
    "Attention: a check that refuses has not passed. Don't sign on this basis; ask data operations.",
)
_NO_RESULTS_NOTE = Name(
    "注意：该次发布无检查记录，不应据此签章，请联系数据运维。",
    "Attention: no results of checks are recorded for this publication. Don't sign on this basis; ask data operations.",
)
_FINDINGS_NOTE = Name(
    "注：此处为账簿发布时列出的问题，不列个人信息，可凭分录、事件序号或文件行号在系统内查询；此后的检查（含未予发布的）见总览页。",
    "Note: what had been listed at the publication, without personal data: entry, event, or file and line lead to it."
    " For later checks, also those that refused, see the overview page.",
)
_CUT_OFF_NOTE = Name("清单已截断：每项检查至多记录", "list cut off, recorded per check at most")
_REST = Name("其余在已列问题处理后由下次检查列出", "the next check lists the rest once these are settled")
_REST_OF_QUARANTINE = Name("其余见 quality.quarantine_open", "for the rest see quality.quarantine_open")
_QUARANTINE_CHECK = "C05"
_PASSED, _WARNED, _FAILED = Name("通过", "passed"), Name("提示", "warning"), Name("不通过", "not passed")
_OPEN, _ACCEPTED = Name("未处理", "open"), Name("已接受", "accepted")
_LISTED_TOTAL = Name("所列合计", "Total of what is listed")
_COLOURS = {_WARNED: "#B45F06", _FAILED: "#C00000"}
_CELL: Style = {"border": 1, "text_wrap": True}


def results_sheet(book: Book, frame: Frame, name: str, results: Sequence[CheckResult]) -> None:
    """What each check of the run that published said, passes too."""
    amounts = [result.unexpected_amount or Decimal(0) for result in results]
    widths = (11.0, 6.0, 62.0, 9.0, 8.0, 10.0, 8.0, money_width(amounts), 11.0, 10.0, 30.0)
    layout = Layout(name, widths, repeated=HEAD_ROWS - 1, one_page=len(results) <= _ON_ONE_PAGE)
    _open(book, frame, layout, RESULTS_TITLE, _RESULT_HEADS)
    for place, result in enumerate(results):
        _result_row(book, layout, HEAD_ROWS - 1 + place, result)
    row = HEAD_ROWS - 1 + len(results)
    refusing = any(_verdict(result) is _FAILED for result in results)
    if results and not refusing:
        row = note(book, layout, row, _RESULTS_NOTE)
    else:
        attention = _REFUSING_NOTE if refusing else _NO_RESULTS_NOTE
        row = note(book, layout, row, attention, font_color=_COLOURS[_FAILED])
    finish(book, layout, row)


def _verdict(result: CheckResult) -> Name:
    if result.success:
        return _PASSED
    if result.is_accepted:
        return _ACCEPTED
    return _WARNED if result.severity == "warn" else _FAILED


def _result_row(book: Book, layout: Layout, row: int, result: CheckResult) -> None:
    verdict = _verdict(result)
    texts = {
        0: name_of(SUITE_NAMES, result.suite).zh,
        1: result.code,
        2: f"{result.title_zh}\n{result.title_en}",
        3: name_of(_EFFECTS, result.severity).zh,
        4: verdict.zh,
        8: beijing(result.first_seen_at) if result.first_seen_at else "",
        9: name_of(OWNERS, result.owner).zh,
        10: result.clause,
    }
    for column, text in texts.items():
        coloured = column == 4 and verdict in _COLOURS
        marked: Style = {"font_color": _COLOURS[verdict], "bold": True} if coloured else {}
        book.text(Ref(layout.name, row, column), text, **_CELL, **marked)
    for column, count in ((5, result.rows_examined), (6, result.unexpected_count)):
        book.figure(Ref(layout.name, row, column), count, num_format=COUNT, border=1, font_name=LATIN)
    _amount(book, Ref(layout.name, row, 7), result.unexpected_amount)
    _fit_row(book, layout, row, texts)


def _fit_row(book: Book, layout: Layout, row: int, texts: Mapping[int, str]) -> None:
    """A row as high as its longest text needs, up to what a spreadsheet takes."""
    needed = max(
        sum(lines_needed(part, layout.widths[column]) for part in text.split("\n")) for column, text in texts.items()
    )
    row_heights(book, layout.name, range(row, row + 1), min(13.5 * needed + 2, _HIGHEST_ROW))


@dataclass(frozen=True)
class Standing:
    """How findings stood at the publication: owners by check; decisions that accepted items, by check and key."""

    owners: Mapping[str, str] = field(default_factory=dict)
    accepted: Mapping[tuple[str, str], int] = field(default_factory=dict)


def findings_sheet(
    book: Book, frame: Frame, name: str, findings: Sequence[Finding], recorded: int, standing: Standing = Standing()
) -> None:
    """The items that the checks listed, at most the first 2,000 of all recorded; where the others are is said."""
    amounts = [finding.amount or Decimal(0) for finding in findings]
    widths = (8.0, 78.0, 15.0, 11.0, money_width([*amounts, sum(map(abs, amounts), Decimal(0))]), 20.0, 8.0, 36.0)
    layout = Layout(name, widths, repeated=HEAD_ROWS - 1)
    _open(book, frame, layout, FINDINGS_TITLE, _FINDING_HEADS)
    row = HEAD_ROWS - 1
    for finding in findings:
        _finding_row(book, layout, row, finding, standing)
        row += 1
    if findings:
        _findings_total(book, layout, row, findings)
        row += 1
    if recorded > len(findings):
        row = note(book, layout, row, _left_out(frame, recorded - len(findings)), font_color=_COLOURS[_FAILED])
    if not findings:
        row = note(book, layout, row, Name("无。", "None."))
    finish(book, layout, note(book, layout, row, _FINDINGS_NOTE))


def _left_out(frame: Frame, count: int) -> Name:
    place = f"quality.finding（run_id = '{frame.head.run_id}'，region_code = '{frame.region.region_code}'）"
    return Name(f"另有 {count:,} 条未列出，见数据库 {place}。", f"{count:,} more are recorded there.")


def _findings_total(book: Book, layout: Layout, row: int, findings: Sequence[Finding]) -> None:
    """The amounts that are listed, added up; an item found by several checks counts once a check."""
    style: Style = {"border": 1, "bold": True, "bg_color": "#F2F2F2"}
    for column in range(len(layout.widths)):
        book.text(Ref(layout.name, row, column), "", **style)
    book.text(Ref(layout.name, row, 0), f"{_LISTED_TOTAL.zh} {_LISTED_TOTAL.en}", (row, 3), **style)
    first = row - len(findings)
    amounts = [
        (1, Ref(layout.name, first + place, 4)) for place, each in enumerate(findings) if each.amount is not None
    ]
    if amounts:
        formula = Sum(tuple(amounts))
        book.figure(Ref(layout.name, row, 4), book.total(formula), formula, font_name=LATIN, **style)


def _status(finding: Finding, standing: Standing) -> str:
    decided = standing.accepted.get((finding.code, finding.key))
    return f"{_OPEN.zh}\n{_OPEN.en}" if decided is None else f"{_ACCEPTED.zh} seq {decided:,}\n{_ACCEPTED.en}"


def _finding_row(book: Book, layout: Layout, row: int, finding: Finding, standing: Standing) -> None:
    known = impersonal(finding.item)
    item = in_words(replace(item_of(replace(finding, item=known)), key=str(known.get("item") or "")))
    if finding.key == CUT_OFF:
        rest = _REST_OF_QUARANTINE if finding.code == _QUARANTINE_CHECK else _REST
        zh, en = (f"{cut} {FINDINGS_MAX}, {then}" for cut, then in zip(_CUT_OFF_NOTE, rest, strict=True))
        item = f"（{zh} / {en}） {item}"
    texts = {
        **{0: finding.code, 1: item, 2: _status(finding, standing)},
        3: name_of(OWNERS, standing.owners.get(finding.code)).zh,
        **{5: beijing(finding.first_seen_at), 7: finding.first_seen_run},
    }
    for column, text in texts.items():
        book.text(Ref(layout.name, row, column), text, **_CELL)
    _amount(book, Ref(layout.name, row, 4), finding.amount)
    book.figure(Ref(layout.name, row, 6), finding.age_days, num_format=COUNT, border=1, font_name=LATIN)
    _fit_row(book, layout, row, texts)


def _amount(book: Book, ref: Ref, amount: Decimal | None) -> None:
    if amount is None:
        book.text(ref, "", border=1)
    else:
        book.figure(ref, amount, border=1, font_name=LATIN)


def _open(book: Book, frame: Frame, layout: Layout, title: Name, heads: Sequence[Name]) -> None:
    sheet = open_sheet(book, frame, layout)
    heading(book, frame, layout, title, None)
    sheet.set_row(HEAD_ROWS - 2, 28)
    for column, head in enumerate(heads):
        head_cell(book, Ref(layout.name, HEAD_ROWS - 2, column), head)
