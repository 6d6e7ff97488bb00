"""Notes are recorded with their file, and tell the same rows whichever way they are written."""

from __future__ import annotations

from contextlib import closing

import polars as pl
import psycopg2
import pytest

from ingestion.database import connect
from ingestion.notes import NAME_LENGTH_MAX, SEPARATOR, Noted
from ingestion.readers import Chunk
from tests.integration.ingestion_support import files, land_rows, quarantined, run, select
from tests.unit.ingestion.valid_rows import sound_row

PLAIN = sound_row("interest.credited", amount="1000.00")
WIDE = sound_row("interest.credited", source_event_key="Ｋ１", occurred_on="２０１９－１１－１５", amount="１.０Ｅ+３")


@pytest.mark.usefixtures("migrated_warehouse")
def test_notes_stand_with_their_file_and_a_row_is_the_same_however_written() -> None:
    land_rows("a.treasury.1.csv", PLAIN)
    land_rows("b.treasury.1.csv", WIDE, WIDE | {"source_event_key": "3.20102E+17"}, WIDE | {"amount": "１万"})
    results = run()
    assert files()["b.treasury.1.csv"][2:6] == (3, 0, 1, 2)
    assert quarantined() == {
        ("b.treasury.1.csv", 3): {"E-SCHEMA-CELL-DIGITS"},
        ("b.treasury.1.csv", 4): {"E-TYPE-AMOUNT"},
    }
    assert select("SELECT raw::jsonb ->> 'amount' FROM events.quarantine WHERE line_no = 4") == [("１万",)]
    assert select(
        "SELECT file_name, note_code, column_name, row_count, first_line_no FROM events.file_note"
        " INNER JOIN events.file_registry USING (file_id) ORDER BY 2, 3"
    ) == [
        ("b.treasury.1.csv", "N-EXPONENT", "amount", 2, 2),
        ("b.treasury.1.csv", "N-HALF-WIDTH", "amount", 3, 2),
        ("b.treasury.1.csv", "N-HALF-WIDTH", "occurred_on", 3, 2),
        ("b.treasury.1.csv", "N-HALF-WIDTH", "source_event_key", 2, 2),
    ]
    told = next(result for result in results if result.get("file_name") == "b.treasury.1.csv")["notes"]
    assert told[0].startswith("N-EXPONENT [amount: 2, 2] 科学计数法")


@pytest.mark.usefixtures("migrated_warehouse")
def test_columns_whose_long_names_begin_alike_are_noted_as_one() -> None:
    noted = Noted()
    names = [f"{'列' * NAME_LENGTH_MAX}{end}" for end in "ab"]
    marked = {f"{name}{SEPARATOR}EXPONENT": [True, True] for name in names}
    noted.add(pl.DataFrame(marked), Chunk(pl.DataFrame(), [2, 3]))
    land_rows("a.treasury.1.csv", PLAIN)
    run()
    (file_id,) = select("SELECT max(file_id) FROM events.file_registry")[0]
    with closing(connect()) as connection, connection.cursor() as cursor:
        noted.save(cursor, file_id)
        cursor.execute("SELECT column_name, row_count, first_line_no FROM events.file_note")
        assert cursor.fetchall() == [("列" * NAME_LENGTH_MAX, 4, 2)]
    assert len(noted.messages()) == 1


def test_what_has_been_noted_stays(migrated_warehouse: str) -> None:
    land_rows("b.treasury.1.csv", WIDE)
    run()
    connection = psycopg2.connect(migrated_warehouse)
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.RestrictViolation):
        cursor.execute("DELETE FROM events.file_note")
    connection.close()
