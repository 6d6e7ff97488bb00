"""Tie-out of the books against outside statements: bank, tax office, fiscal side, institutions."""

from __future__ import annotations

from reporting.tie_out.reading import Figure, Item, figures, items, newest_month

__all__ = ["Figure", "Item", "figures", "items", "newest_month"]
