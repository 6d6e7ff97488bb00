"""The index of the site: a table a run, the newest first, a line a region and suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from great_expectations.render.components import RenderedDocumentContent, RenderedSectionContent
from great_expectations.render.renderer.site_index_page_renderer import SiteIndexPageRenderer

from reporting.data_docs import blocks
from reporting.data_docs.stored import Page
from reporting.names import Name
from reporting.verdict import moment

_HEADS = (
    Name("结论", "Verdict"),
    Name("统筹区", "Region"),
    Name("套件", "Suite"),
    Name("检查项数", "Checks"),
    Name("不通过", "Failed"),
    Name("提示", "Warned"),
    Name("候选序号", "Candidate seq"),
)


class IndexRenderer(SiteIndexPageRenderer):
    """Makes the index of the links that the index builder has gathered, with what `pages` know beside them."""

    def __init__(self, pages: Sequence[Page]) -> None:
        super().__init__()
        self._pages = {f"{page.suite_name}/{page.run_id}": page for page in pages}

    def render(self, index_links_dict: Mapping[str, Any]) -> RenderedDocumentContent:  # type: ignore[override]
        """The document of the index."""
        listed = [
            (self._pages[f"{link['expectation_suite_name']}/{link['run_name']}"], link["filepath"])
            for link in index_links_dict["validations_links"]
        ]
        sections = [
            _section(run_id, list(of_run)) for run_id, of_run in groupby(listed, key=lambda entry: entry[0].run_id)
        ]
        return RenderedDocumentContent(
            renderer_type="SiteIndexPageRenderer",
            utm_medium="index-page",
            page_title=index_links_dict["site_name"],
            sections=sections,
        )


def _section(run_id: str, listed: Sequence[tuple[Page, str]]) -> RenderedSectionContent:
    at = moment(min(page.run_at for page, _ in listed))
    title = f"{blocks.text(at)} <small>{blocks.text(run_id)}</small>"
    return RenderedSectionContent(
        section_name=run_id,
        content_blocks=[blocks.heading(title), blocks.table(_HEADS, [_row(*entry) for entry in listed], "index")],
    )


def _row(page: Page, path: str) -> list[str]:
    numbers = (page.checks, page.failed, page.warned, page.head_seq)
    return [
        blocks.state(state_of(page)),
        f"{blocks.both(page.region)} {blocks.text(page.region_code)}",
        blocks.link(blocks.both(page.title), path),
        *(f"{number:,}" for number in numbers),
    ]


def state_of(page: Page) -> blocks.State:
    """The worst of a page's checks."""
    if page.failed:
        return "failed"
    return "warned" if page.warned else "passed"
