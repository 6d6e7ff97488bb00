"""Whatever single column of whatever event is altered: it is found. Whatever texts were recorded: nothing is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import cursor as Cursor

from ingestion.settings import Settings
from ingestion.verification import verify_snapshot
from ingestion.verification.findings import Kind
from tests.conftest import WarehouseFactory
from tests.integration import sealed_log
from tests.integration.sealed_log import HUAINAN, NANJING, forging

_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
_NAMES = st.sampled_from(["birth_date", "sex", "personal_account_credit", "sub_fund", "employer_no"])
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": _TEXT | st.sampled_from(["", "NULL", "\\N", '"', "-", "0:", "\n", "K1", "310"]),
    "numeric": st.decimals(min_value=0, max_value=10**9, places=2) | st.just("NaN"),
    "date": st.dates(min_value=date(1800, 1, 1)) | st.sampled_from(["infinity", "-infinity", "0044-03-15 BC"]),
    "timestamp with time zone": st.datetimes(datetime(1900, 1, 1), timezones=st.just(UTC)) | st.just("infinity"),  # noqa: DTZ001
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "bytea": st.binary(min_size=32, max_size=32),
    "text[]": st.lists(_NAMES, max_size=3) | st.lists(_TEXT, max_size=2),
}
_COLUMNS = """
SELECT attname, CASE WHEN typname = 'numeric' THEN 'numeric' ELSE format_type(atttypid, atttypmod) END, attnotnull
FROM pg_attribute INNER JOIN pg_type ON pg_type.oid = atttypid
WHERE attrelid = 'events.event'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL ('{region_code,seq}')
ORDER BY attnum
"""


@pytest.fixture(scope="module")
def forger(
    warehouse_factory: WarehouseFactory, tmp_path_factory: pytest.TempPathFactory, postgres_url: str
) -> Iterator[tuple[Cursor, Settings, list[tuple[str, str, bool]]]]:
    with (
        sealed_log.made(warehouse_factory, tmp_path_factory.mktemp("sealed")) as sealed,
        forging(sealed_log.as_superuser(sealed, postgres_url)) as cursor,
    ):
        for check in (
            "event_family_check",
            "event_columns_of_version",
            "event_numbers_of_treasury",
            "event_columns_of_decision",
            "event_columns_of_application",
        ):
            cursor.execute(f"ALTER TABLE events.event DROP CONSTRAINT {check}")
        # A key that stands there already is an alteration like any other, for whoever can lift the constraints.
        cursor.execute("DROP INDEX events.event_identity")
        cursor.execute(_COLUMNS)
        yield cursor, sealed, list(cursor.fetchall())


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_altered_column_is_found(
    data: st.DataObject, forger: tuple[Cursor, Settings, list[tuple[str, str, bool]]]
) -> None:
    cursor, sealed, columns = forger
    region = data.draw(st.sampled_from([NANJING, HUAINAN]))
    seq = data.draw(st.integers(1, 24 if region == HUAINAN else 25))
    name, type_name, required = data.draw(st.sampled_from(columns))
    value = data.draw(_VALUES[type_name] if required else _VALUES[type_name] | st.none())
    cursor.execute("SAVEPOINT sound")
    try:
        new = f"CAST(%(value)s AS {type_name})"
        cursor.execute(
            f"UPDATE events.event SET {name} = {new}"
            f" WHERE region_code = %(region)s AND seq = %(seq)s AND {name} IS DISTINCT FROM {new}",
            {"value": value, "region": region, "seq": seq},
        )
        assume(cursor.rowcount == 1)
        (report, *_) = verify_snapshot(cursor, sealed, [region])
    finally:
        cursor.execute("ROLLBACK TO SAVEPOINT sound")
    assert report.found, f"{name} of {region}/{seq} set to {value!r}"
    ends = [(f.seq, f.last_seq) for f in report.findings if f.seq is not None and f.last_seq is not None]
    assert any(first <= seq <= last for first, last in ends)


@given(texts=st.lists(_TEXT | _VALUES["text"] | st.none(), min_size=6, max_size=6))
@settings(max_examples=40, deadline=None)
def test_whatever_texts_a_log_holds_it_verifies(
    texts: list[str | None], forger: tuple[Cursor, Settings, list[tuple[str, str, bool]]]
) -> None:
    cursor, sealed, _ = forger
    cursor.execute("SAVEPOINT sound")
    try:
        for seq, text in enumerate(texts, start=7):
            cursor.execute(
                "UPDATE events.event SET payment_no = %s, account_holder_no = %s WHERE region_code = %s AND seq = %s",
                (text, texts[0], HUAINAN, seq),
            )
        sealed_log.rehash(cursor, HUAINAN, 3)
        (report, *_) = verify_snapshot(cursor, replace(sealed, heads_dir=sealed.heads_dir / "none"), [HUAINAN])
    finally:
        cursor.execute("ROLLBACK TO SAVEPOINT sound")
    assert [finding.kind for finding in report.findings] == [Kind.NO_HEADS]
