"""The frame of the site's pages: what stands around the content of each, and the list of pages that all show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from reporting.content_policy import POLICY
from reporting.names import Name
from reporting.overview import Clock
from reporting.page import environment
from reporting.quality import Run

# The two rows of the navigation: whether the books can be trusted, and what the policy asks for beyond them.
Part = Literal["books", "policy"]
PARTS: dict[Part, Name] = {"books": Name("账务", "Books"), "policy": Name("政策执行", "Policy")}

# Compiled once for all pages.
_templates = cache(environment)


@dataclass(frozen=True)
class Entry:
    """A page in the navigation: its key, the file that the navigation leads to, its title, and the row it stands in."""

    key: str
    file: str
    title: Name
    part: Part = "books"


@dataclass(frozen=True)
class Frame:
    """What all pages of one writing have in common."""

    clock: Clock
    run: Run | None
    pages: Sequence[Entry]
    policy: str = POLICY

    @property
    def rows(self) -> list[tuple[Name, list[Entry]]]:
        """The navigation row by row; a row without pages is left out."""
        found = [(title, [entry for entry in self.pages if entry.part == part]) for part, title in PARTS.items()]
        return [row for row in found if row[1]]

    @property
    def run_name(self) -> str:
        """Number of the newest run, or that there is none."""
        return self.run.run_id if self.run else "无 none"

    def html(self, template: str, key: str, /, **content: object) -> str:
        """The HTML of the page `key`: a template that extends `layout.html.j2`, with its content.

        `name` among the content is what this file is called where a page has several.
        """
        page = next(entry for entry in self.pages if entry.key == key)
        return _templates().get_template(template).render(frame=self, page=page, **content)
