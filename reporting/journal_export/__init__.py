"""The published journal of a region as plain text for other accounting programs: beancount, ledger, hledger.

What these programs compute from it owes nothing to this project's own statements.
"""

from __future__ import annotations

from reporting.journal_export.export import FORMATS, NothingPublishedError, export, pieces

__all__ = ["FORMATS", "NothingPublishedError", "export", "pieces"]
