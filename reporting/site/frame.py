"""The frame of the site's pages: what stands around the content of each, and the list of pages that all show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from reporting.content_policy import POLICY
from reporting.names import Name
from reporting.overview import Clock
from reporting.page import environment
from reporting.quality import Run

# Compiled once for all pages.
_templates = cache(environment)


@dataclass(frozen=True)
class Entry:
    """A page in the navigation: its key, the file that the navigation leads to, and its title."""

    key: str
    file: str
    title: Name


@dataclass(frozen=True)
class Frame:
    """What all pages of one writing have in common."""

    clock: Clock
    run: Run | None
    pages: Sequence[Entry]
    policy: str = POLICY

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
