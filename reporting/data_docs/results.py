"""The page of one result: what Great Expectations says of each check, the failed ones first, with the listed rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from great_expectations.render.components import RenderedDocumentContent, RenderedSectionContent, RenderedTableContent
from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer

from expectations.document import SAMPLE_ROWS
from expectations.impersonal import impersonal
from reporting.data_docs import blocks
from reporting.data_docs.index import state_of
from reporting.data_docs.stored import Page
from reporting.items import in_words, item_of
from reporting.names import OWNERS, Name, name_of
from reporting.quality import Finding
from reporting.verdict import moment, money

_CHECK_HEADS = (Name("结论", "Status"), Name("检查", "Expectation"), Name("查出行数", "Observed value"))
_ROW_HEADS = (Name("项目", "Item"), Name("金额（元）", "Amount, yuan"))
_FACTS = (
    ("evaluated_expectations", Name("检查项数", "Evaluated expectations")),
    ("successful_expectations", Name("通过", "Successful")),
    ("unsuccessful_expectations", Name("未通过", "Unsuccessful")),
    ("success_percent", Name("通过率（%）", "Success percent")),
)
_ORDER: dict[blocks.State, int] = {"failed": 0, "warned": 1, "passed": 2}


class ResultsRenderer(ValidationResultsPageRenderer):
    """Makes the document of one result; `pages` know the run and the names, by suite name and run id."""

    def __init__(self, pages: Mapping[tuple[str, str], Page], data_context: Any = None) -> None:  # noqa: ANN401
        super().__init__(data_context=data_context)
        self._pages = pages

    def render(self, validation_results: Any, suite_parameters: Any = None) -> RenderedDocumentContent:  # noqa: ANN401
        """Overview and checks."""
        del suite_parameters
        run_name, _ = self._parse_run_values(validation_results)
        page = self._pages[validation_results.suite_name, run_name]
        return RenderedDocumentContent(
            renderer_type="ValidationResultsPageRenderer",
            page_title=f"{page.title.zh} · {page.region.zh} · {page.run_id}",
            expectation_suite_name=page.suite_name,
            sections=[_overview(page, validation_results), _checks(page, validation_results)],
            utm_medium="validation-results-page",
        )


def _overview(page: Page, validated: Any) -> RenderedSectionContent:  # noqa: ANN401
    meta = validated.meta
    facts = [[blocks.both(name), blocks.text(validated.statistics[key])] for key, name in _FACTS]
    told = {
        Name("运行编号", "Run"): page.run_id,
        Name("检查时间", "Validated at"): moment(page.run_at),
        Name("候选序号", "Candidate seq"): f"{page.head_seq:,}",
        Name("所检查的数据", "Batch"): meta.get("batch_spec", {}).get("query", ""),
        Name("Great Expectations 版本", "version"): meta.get("great_expectations_version", ""),
    }
    title = f"{blocks.both(page.title)} <small>{blocks.both(page.region)} {blocks.text(page.region_code)}</small>"
    return RenderedSectionContent(
        section_name="Overview",
        content_blocks=[
            blocks.heading(title, blocks.state(state_of(page))),
            _facts(facts),
            _facts([[blocks.both(name), blocks.text(value)] for name, value in told.items()]),
        ],
    )


def _facts(rows: Sequence[Sequence[str]]) -> RenderedTableContent:
    return RenderedTableContent(
        table=[list(row) for row in rows],
        styling={"classes": ["col-md-6", "table-responsive"], "body": {"classes": ["table", "table-sm", "facts"]}},
    )


def _checks(page: Page, validated: Any) -> RenderedSectionContent:  # noqa: ANN401
    ordered = sorted(validated.results, key=lambda result: (_ORDER[_state(result)], _meta(result).get("code", "")))
    return RenderedSectionContent(
        section_name="检查 Checks",
        content_blocks=[
            blocks.heading(blocks.both(Name("检查", "Expectations"))),
            blocks.table(_CHECK_HEADS, [_check(page, result) for result in ordered], "checks"),
        ],
    )


def _state(result: Any) -> blocks.State:  # noqa: ANN401
    """A check warns when all its rows do; one that raised an exception has failed."""
    if result.success:
        return "passed"
    rows = _listed(result)
    return "failed" if not rows or rows[0]["any_fail"] else "warned"


def _check(page: Page, result: Any) -> list[Any]:  # noqa: ANN401
    config, meta, rows = result.expectation_config, _meta(result), _listed(result)
    owner = name_of(OWNERS, meta.get("owner"))
    examined = f"{meta.get('rows_examined', 0):,}"
    told = (
        f'<p class="told">{blocks.text(meta.get("clause", ""))}</p><p class="told">{blocks.both(owner)} · 检查行数'
        f' <span lang="en">rows examined</span> {examined}</p>'
    )
    cell: list[Any] = [f"<strong>{blocks.text(config.description)}</strong>{told}"]
    cell += [_raised(message) for message in _messages(result)]
    if rows:
        cell.append(blocks.table(_ROW_HEADS, [_row(page, meta.get("code", ""), row) for row in rows], "rows"))
    if (left := result.result.get("observed_value", 0) - len(rows)) > 0 and rows:
        cell.append(_more(left, str(meta.get("code", "")), page))
    cell.append(blocks.folded(Name("查询语句", "Query"), blocks.code(config.kwargs["unexpected_rows_query"].strip())))
    return [blocks.state(_state(result)), cell, blocks.text(f"{result.result.get('observed_value', 0):,}")]


def _row(page: Page, code: str, row: Mapping[str, Any]) -> list[str]:
    """What the overview shows of an item, in one line; personal data is left out here once more."""
    details = impersonal({**row["details"], "item": row["item"]})
    amount = None if row.get("amount") is None else Decimal(row["amount"])
    finding = Finding(page.region_code, code, str(details["item"]), details, amount, page.run_id, page.run_at, 0)
    return [blocks.text(in_words(item_of(finding))), "" if amount is None else blocks.text(money(amount))]


def _more(left: int, code: str, page: Page) -> str:
    where = f"quality.finding（run_id = '{page.run_id}'，region_code = '{page.region_code}'，code = '{code}'）"
    return (
        f'<p class="told">列出至多 {SAMPLE_ROWS} 行，另有 {left:,} 行，见 {blocks.text(where)}。'
        f' <span lang="en">{left:,} more rows are recorded there.</span></p>'
    )


def _raised(message: str) -> str:
    said = blocks.both(Name("检查未能执行", "the check could not be run"))
    return f'<p class="text-danger">{said}</p><pre>{blocks.text(message)}</pre>'


def _messages(result: Any) -> list[str]:  # noqa: ANN401
    information = result.exception_info or {}
    raised = [information] if "raised_exception" in information else list(information.values())
    return [str(one["exception_message"]) for one in raised if one.get("raised_exception")]


def _listed(result: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    return list(result.result.get("details", {}).get("unexpected_rows") or ())


def _meta(result: Any) -> dict[str, Any]:  # noqa: ANN401
    return dict(result.expectation_config.meta or {})
