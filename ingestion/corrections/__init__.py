"""Corrections: open rows go back to their sender as a workbook and come back, corrected, like any other file.

This module holds what both ways share: the file's name, its sheet, and the columns beside those of the source.
"""

from __future__ import annotations

import re
from datetime import datetime

from ingestion.contracts import FAMILIES

SHEET = "更正 Corrections"
NUMBER = "隔离编号 / Number"
REASON_ZH = "原因（中文）"
REASON_EN = "Reason (English)"
FILE = "原文件 / Original file"
LINE = "原行号 / Original line"
ADDED = (NUMBER, REASON_ZH, REASON_EN, FILE, LINE)

_FAMILIES = "|".join(FAMILIES)


def file_name(source_system: str, family: str, feed_no: int, written_at: datetime, part: int) -> str:
    """Name of a workbook with rows of one feed, counted from 1; `meant` reads it."""
    return f"corrections.{source_system}.{family}.{feed_no}.{written_at:%Y%m%dT%H%M%S}-{part}.xlsx"


def meant(name: str, source_system: str) -> tuple[str, int] | None:
    """(family, feed number) of a file of corrections of this source system; None for every other file.

    What stands between the number and `.xlsx` is free: people rename what they have worked on.
    """
    found = re.fullmatch(
        rf"corrections\.{re.escape(source_system)}\.({_FAMILIES})\.([1-9][0-9]{{0,3}})\..*\.xlsx", name, re.DOTALL
    )
    return (found[1], int(found[2])) if found else None
