"""Pieces of content in the form in which Great Expectations takes them: texts, links, states, tables.

Its templates do not escape what stands in a table or a tooltip: every text goes through here and is escaped here.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any, Literal

from great_expectations.render.components import (
    CollapseContent,
    RenderedHeaderContent,
    RenderedStringTemplateContent,
    RenderedTableContent,
)

from reporting.names import Name

State = Literal["passed", "warned", "failed"]

_STATES: dict[State, tuple[str, Name]] = {
    "passed": ("text-success", Name("通过", "passed")),
    "warned": ("text-warning", Name("提示", "warning")),
    "failed": ("text-danger", Name("不通过", "failed")),
}


def text(content: object) -> str:
    """Plain text in a cell."""
    return html.escape(str(content))


def both(name: Name) -> str:
    """Chinese, and English after it."""
    return f'{text(name.zh)} <span lang="en">{text(name.en)}</span>' if name.en else text(name.zh)


def state(of: State) -> str:
    """A shape and a word beside it: the state shows without colour as well."""
    colour, name = _STATES[of]
    return f'<span class="state {colour}"><i class="shape {of}" aria-hidden="true"></i>{both(name)}</span>'


def link(content: str, path: str) -> str:
    """A link with content that is escaped already."""
    return f'<a href="{html.escape(path)}">{content}</a>'


def heading(title: str, below: str = "") -> RenderedHeaderContent:
    """A heading and a line below it, both escaped already."""
    return RenderedHeaderContent(
        header=_raw(title, "h2"),
        subheader=_raw(below, "p") if below else None,
        styling={"classes": ["col-12"], "header": {"classes": ["heading"]}},
    )


def table(head: Sequence[Name], rows: Sequence[Sequence[Any]], *classes: str) -> RenderedTableContent:
    """A table; cells are escaped already, or blocks."""
    return RenderedTableContent(
        table=[list(row) for row in rows],
        header_row=[both(name) for name in head],
        styling={"classes": ["col-12", "table-responsive"], "body": {"classes": ["table", "table-sm", *classes]}},
    )


def folded(title: Name, content: Any) -> CollapseContent:  # noqa: ANN401 - any block
    """A block behind a line that opens it."""
    return CollapseContent(collapse_toggle_link=both(title), collapse=[content])


def code(content: str) -> RenderedStringTemplateContent:
    """Text as it stands, line by line."""
    return RenderedStringTemplateContent(
        string_template={"template": "$content", "params": {"content": content}, "tag": "pre"}
    )


def _raw(content: str, tag: str) -> RenderedStringTemplateContent:
    return RenderedStringTemplateContent(
        # The name of the parameter is one that the view takes as it is.
        string_template={"template": "$html_success_icon", "params": {"html_success_icon": content}, "tag": tag}
    )
