"""The frame around what Great Expectations renders: our page, and its templates for everything within."""

from __future__ import annotations

from pathlib import Path

from great_expectations.render.view import DefaultJinjaPageView  # type: ignore[attr-defined]
from jinja2 import ChoiceLoader, FileSystemLoader

_TEMPLATES = Path(__file__).parent / "templates"


class LedgerPageView(DefaultJinjaPageView):
    """A page without script that loads nothing but the style beside it; where ours has a template, ours counts."""

    _template = "ledger_page.j2"

    def __init__(self, custom_styles_directory: str | None = None, custom_views_directory: str | None = None) -> None:
        super().__init__(custom_styles_directory, custom_views_directory)
        stock = self.env.loader
        assert stock is not None
        self.env.loader = ChoiceLoader([FileSystemLoader(_TEMPLATES), stock])
