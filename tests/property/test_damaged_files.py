"""Files of every format, damaged: they are refused or read, and every row that is read is accounted for."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.errors import FileRejected, ReadingInterrupted
from ingestion.mapping import canonical_texts, raw_texts
from ingestion.notes import Noted
from ingestion.readers import chunks
from ingestion.validation import examine
from tests.integration.ingestion_support import land, run, select
from tests.property.test_four_formats import FORMATS, TABLES, Rows
from tests.unit.ingestion.valid_rows import rulebook
from tests.unit.ingestion.workbooks import feed

HOW = feed('date_formats: ["%Y-%m-%d", excel]')
PROFILE = """
source_system: messy
feeds:
{}
"""
FEED = """
  - family: treasury
    pattern: "*.{form}*"
    format: {form}
    columns: {{type: source_event_key, id: counterparty, day: occurred_on, sum: amount}}
    ignore: [region]
    constants: {{event_type: interest.credited, region_code: "320100", fund_code: EMI, sub_fund: pooled,
      account: special_demand}}
"""


def bounded(examples: int) -> Callable[..., Callable[..., None]]:
    """So many examples, the same ones each time."""
    phases = (Phase.explicit, Phase.generate)
    return settings(
        max_examples=examples, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=phases
    )


@st.composite
def damaged(draw: st.DrawFn, form: str) -> bytes:
    """A sound file of the format, some of its bytes changed, taken out, put in or cut off; or any bytes at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    content = bytearray(FORMATS[form](draw(TABLES)))
    for _ in range(draw(st.integers(0, 4))):
        # A share of the length, which is not always the same: a workbook tells when it was made.
        at = len(content) * draw(st.integers(0, 999_999)) // 1_000_000
        match draw(st.sampled_from(["change", "take", "put", "cut", "repeat"])):
            case "change":
                content[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case "take":
                del content[at : at + draw(st.integers(1, 8))]
            case "put":
                content[at:at] = draw(st.binary(max_size=8))
            case "repeat":
                content[at:at] = content[at : at + draw(st.integers(1, 64))]
            case _:
                del content[at:]
    return bytes(content)


def read_through(path: Path, form: str) -> None:
    """Every row that is read has a line of its own, and is examined, shown and noted."""
    how = replace(HOW, format=form)
    lines: list[int] = []
    noted = Noted()
    for chunk in chunks(path, how, 3):
        texts = canonical_texts(chunk.frame, how)
        noted.add(texts, chunk)
        examined = examine(texts, how, rulebook(how.family))
        assert examined.frame.height == len(chunk.line_nos) == len(raw_texts(chunk.frame, how))
        assert set(chunk.faults) <= set(range(len(chunk.line_nos)))
        assert chunk.rows <= 3
        lines += [*chunk.line_nos, *(misfit.line_no for misfit in chunk.misfits)]
    assert len(set(lines)) == len(lines)


def try_damaged(form: str, content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with suppress(FileRejected):
        read_through(path, form)


@pytest.mark.parametrize(("form", "examples"), [("csv", 60), ("jsonl", 60), ("xlsx", 60), ("parquet", 6)])
def test_a_damaged_file_is_read_or_refused(form: str, examples: int, tmp_path: Path) -> None:
    @bounded(examples)
    @given(damaged(form))
    def try_one(content: bytes) -> None:
        try_damaged(form, content, tmp_path / "x")

    try_one()


@pytest.mark.exhaustive
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("form", "examples"), [("csv", 3000), ("jsonl", 3000), ("xlsx", 3000), ("parquet", 400)])
def test_many_damaged_files_are_read_or_refused(form: str, examples: int, tmp_path: Path) -> None:
    test_a_damaged_file_is_read_or_refused(form, examples, tmp_path)


@pytest.fixture
def messy_source(migrated_warehouse: str, fund_environment: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A source system that sends all four formats."""
    folder = fund_environment / "sources"
    folder.mkdir()
    feeds = "".join(FEED.format(form=form) for form in FORMATS)
    (folder / "messy.yml").write_text(PROFILE.format(feeds))
    monkeypatch.setenv("FUND_SOURCES_DIR", str(folder))
    return migrated_warehouse


@pytest.mark.usefixtures("messy_source")
@bounded(12)
@given(st.data())
def test_every_row_of_any_file_is_in_the_log_or_the_quarantine(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(sorted(FORMATS)))
    content = data.draw(damaged(form))
    packed = form in ("csv", "jsonl") and data.draw(st.booleans())
    land(f"t.{form}{'.gz' if packed else ''}", gzip.compress(content, mtime=0) if packed else content, "messy")
    try:
        run()
    except ReadingInterrupted:
        pytest.fail("the trial ended for no reason of the file's")
    assert select("SELECT count(*) FROM events.file WHERE state NOT IN ('loaded', 'rejected', 'duplicate_file')") == [
        (0,)
    ]
    assert select("SELECT count(*) FROM events.file WHERE rows <> loaded + duplicate + quarantined") == [(0,)]
    assert select(
        "SELECT sum(loaded) - (SELECT count(*) FROM events.event),"
        " sum(quarantined) - (SELECT count(*) FROM events.quarantine) FROM events.file"
    ) == [(0, 0)]


@pytest.mark.usefixtures("messy_source")
def test_the_files_that_are_damaged_would_load() -> None:
    rows: Rows = [
        ("x1", "甲", date(2019, 11, 15), "", Decimal("12.50")),
        ("x2", "", date(2019, 11, 16), "", Decimal(-1)),
    ]
    for form, write in FORMATS.items():
        land(f"t.{form}", write([(f"{key}{form}", *rest) for key, *rest in rows]), "messy")
    run()
    assert select("SELECT count(*), sum(loaded), sum(quarantined) FROM events.file") == [(4, 4, 4)]
