"""Two versions of one event type side by side: booked alike, recognised across versions, hashed each by its own."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest
from psycopg2 import errors

from ingestion import runs
from ingestion.contracts import FAMILIES, upcast
from ingestion.database import connect
from runtime import dbt
from tests.integration.ingestion_support import files, land, land_rows, person, premium, quarantined, run, select
from tests.unit.ingestion.valid_rows import IN_VERSION_2, Row, csv_text, sound_row

OFFICE = {"tax_authority_code": "13201060000"}


def premium_2(key: str, **changes: str) -> Row:
    """`premium` said in version 2."""
    return premium(key, **{**IN_VERSION_2, **changes})


def refund(key: str, original: str, **changes: str) -> Row:
    return sound_row("contribution.refunded", source_event_key=key, original_event_key=original, **changes)


def stored() -> dict[str, tuple[object, ...]]:
    """key -> (version, receipt, voucher, authority) of the contributions."""
    found = select(
        "SELECT source_event_key, schema_version, receipt_no, tax_voucher_no, tax_authority_code"
        " FROM events.event WHERE family = 'contribution'"
    )
    return {key: tuple(rest) for key, *rest in found}


def wrongly_hashed() -> list[tuple[object, ...]]:
    return select("SELECT seq FROM events.event AS e WHERE content_hash IS DISTINCT FROM events.content_hash(e)")


@pytest.mark.usefixtures("migrated_warehouse")
def test_rows_of_both_versions_load_and_the_database_recomputes_their_hashes() -> None:
    land_rows("a.registration.1.csv", person())
    land_rows("a.contribution.1.csv", premium("K1"), premium_2("K2", **OFFICE), premium("K3", schema_version="1"))
    land_rows("b.contribution.1.csv", refund("R1", "K2", employer_amount="1.00"), refund("R2", "K1", **IN_VERSION_2))
    run()
    assert {name: state[3:6] for name, state in files().items()} == {
        "a.registration.1.csv": (1, 0, 0),
        "a.contribution.1.csv": (3, 0, 0),
        "b.contribution.1.csv": (2, 0, 0),
    }
    assert stored() == {
        "K1": (1, "T1", None, None),
        "K2": (2, None, "T1", "13201060000"),
        "K3": (1, "T1", None, None),
        "R1": (1, "T1", None, None),
        "R2": (2, None, "T1", None),
    }
    assert wrongly_hashed() == []
    credits = select(
        "SELECT DISTINCT personal_account_credit::text FROM events.event WHERE event_type LIKE '%collected'"
    )
    assert credits == [("80.00",)], "what is left out is computed in every version"


@pytest.mark.usefixtures("migrated_warehouse")
def test_the_view_shows_every_event_in_the_newest_version() -> None:
    land_rows("a.registration.1.csv", person(), sound_row("employer.registered", source_event_key="U1"))
    land_rows("a.contribution.1.csv", premium("K1"), premium_2("K2", **OFFICE))
    land_rows("a.treasury.1.csv", sound_row("interest.credited"))
    run()
    changed = ["receipt_no", "tax_voucher_no", "tax_authority_code"]
    for one, other in (("event", "event_current"), ("event_current", "event")):
        query = "SELECT to_jsonb(t) - %s::text[] FROM events.{} AS t"
        rest = select(f"{query.format(one)} EXCEPT {query.format(other)}", changed, changed)
        assert rest == [], f"{one} shows what {other} does not"
    vouchers = "SELECT source_event_key, tax_voucher_no, tax_authority_code FROM events.event_current"
    assert select(f"{vouchers} WHERE family = 'contribution' ORDER BY 1") == [
        ("K1", "T1", None),
        ("K2", "T1", "13201060000"),
    ]
    with pytest.raises(errors.UndefinedColumn):
        select("SELECT receipt_no FROM events.event_current")


@pytest.mark.usefixtures("migrated_warehouse")
def test_the_view_is_the_one_that_the_contracts_say() -> None:
    columns = select(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'events.event'::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum"
    )
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMP VIEW said AS {upcast.view_query([name for (name,) in columns])}")
        cursor.execute("SELECT pg_get_viewdef('pg_temp.said'::regclass), pg_get_viewdef(%s::regclass)", (upcast.VIEW,))
        said, made = cursor.fetchone()
    assert made == said


@pytest.mark.usefixtures("migrated_warehouse")
def test_the_view_is_planned_like_the_log_itself() -> None:
    pending = (
        "SELECT seq, amount FROM {} WHERE (region_code = '320100' AND seq > 5 AND seq <= 9)"
        " OR (region_code = '340400' AND seq > 7 AND seq <= 8)"
    )
    plans = [select(f"EXPLAIN (COSTS OFF) {pending.format(name)}") for name in ("events.event", upcast.VIEW)]
    assert any("Index Cond" in line for (line,) in plans[0]), plans[0]
    assert [line.replace(" on event e", " on event") for (line,) in plans[1]] == [line for (line,) in plans[0]]


@pytest.mark.usefixtures("migrated_warehouse")
@pytest.mark.parametrize("first", ["1", "2"])
def test_the_same_fact_in_the_other_version_is_a_duplicate(first: str) -> None:
    """In later files and in the same one, of rows that depend on others and of rows that do not."""
    old = [premium("K1"), premium("K2"), refund("R1", "K1")]
    new = [premium_2("K1"), premium_2("K2"), refund("R1", "K1", **IN_VERSION_2)]
    earlier, later = (old, new) if first == "1" else (new, old)
    land_rows("a.registration.1.csv", person())
    land_rows("a.contribution.1.csv", *earlier, *later)
    run()
    land_rows("b.contribution.1.csv", *later)
    run()
    assert files()["a.contribution.1.csv"] == ("loaded", None, 6, 3, 3, 0, 3)
    assert files()["b.contribution.1.csv"] == ("loaded", None, 3, 0, 3, 0, 0)
    assert {version for version, *_ in stored().values()} == {int(first)}
    assert wrongly_hashed() == []


@pytest.mark.usefixtures("migrated_warehouse")
def test_what_the_stored_version_can_not_say_is_a_conflict() -> None:
    land_rows("a.registration.1.csv", person())
    land_rows("a.contribution.1.csv", premium("K1"), premium("K2"), premium_2("K3", **OFFICE), premium("K4"))
    run()
    land_rows(
        "b.contribution.1.csv",
        premium_2("K1", **OFFICE),  # more than version 1 can say
        premium_2("K2", tax_voucher_no="T2"),  # another voucher
        premium("K3"),  # less than what is stored
        premium_2("K4", employer_amount="721.00"),
        premium("K5"),
        premium_2("K5", **OFFICE),  # the first line of the file wins
        premium_2("K1"),
    )
    run()
    assert files()["b.contribution.1.csv"] == ("loaded", None, 7, 1, 1, 5, 1)
    assert quarantined() == {("b.contribution.1.csv", line): {"E-CONFLICT"} for line in (2, 3, 4, 5, 7)}
    ((told,),) = select("SELECT messages[1] FROM events.quarantine WHERE line_no = 2")
    assert '"receipt_no": "T1"' in told
    assert '"tax_voucher_no": "T1"' in told
    assert '"tax_authority_code": "13201060000"' in told


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_row_of_a_wrong_or_unknown_version_is_set_aside_and_a_correction_in_another_settles_it() -> None:
    land_rows("a.registration.1.csv", person(), person("P2", schema_version="2"))
    land_rows(
        "a.contribution.1.csv",
        premium("K1", **OFFICE),
        premium("K2", schema_version="2"),
        premium("K3", schema_version="3"),
        premium("K4"),
    )
    run()
    assert quarantined(only_open=True) == {
        ("a.registration.1.csv", 3): {"E-SCHEMA-VERSION"},
        ("a.contribution.1.csv", 2): {"E-SCHEMA-VERSION-COLUMN"},
        ("a.contribution.1.csv", 3): {"E-SCHEMA-VERSION-COLUMN", "E-SCHEMA-REQUIRED"},
        ("a.contribution.1.csv", 4): {"E-SCHEMA-VERSION"},
    }
    land_rows("b.contribution.1.csv", premium_2("K1", **OFFICE), premium_2("K2"), premium("K3"))
    run()
    assert quarantined(only_open=True) == {("a.registration.1.csv", 3): {"E-SCHEMA-VERSION"}}


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_waiting_row_keeps_its_version() -> None:
    land_rows("a.contribution.1.csv", premium_2("K1", **OFFICE), premium("K2"), refund("R1", "K9", **IN_VERSION_2))
    run()
    assert {frozenset(codes) for codes in quarantined().values()} == {
        frozenset({"E-REF-PERSON"}),
        frozenset({"E-REF-ORIGINAL"}),
    }
    land_rows("b.registration.1.csv", person())
    land_rows("b.contribution.1.csv", premium("K9"))
    run()
    assert quarantined(only_open=True) == {}
    assert {key: row[0] for key, row in stored().items()} == {"K1": 2, "K2": 1, "R1": 2, "K9": 1}
    assert wrongly_hashed() == []


@pytest.mark.usefixtures("migrated_warehouse")
def test_the_database_refuses_columns_of_another_version() -> None:
    land_rows("a.registration.1.csv", person())
    land_rows("a.contribution.1.csv", premium("K1"), premium_2("K2", **OFFICE))
    run()
    for changes in (
        "jsonb_build_object('seq', 99, 'source_event_key', 'new', 'tax_voucher_no', 'T9')",
        "jsonb_build_object('seq', 99, 'source_event_key', 'new', 'schema_version', 2)",
    ):
        with (
            closing(connect("fund_ingest")) as connection,
            connection.cursor() as cursor,
            pytest.raises(errors.CheckViolation, match="event_columns_of_version"),
        ):
            cursor.execute(
                "INSERT INTO events.event SELECT (jsonb_populate_record(e, " + changes + ")).*"
                " FROM events.event AS e WHERE source_event_key = 'K1'"
            )


@pytest.mark.usefixtures("migrated_warehouse")
def test_columns_of_no_version_still_refuse_the_file() -> None:
    land("a.contribution.1.csv", csv_text([premium("K1") | {"voucher": "T1"}]))
    run()
    assert files()["a.contribution.1.csv"][:2] == ("rejected", "E-FILE-COLUMNS")


@pytest.mark.usefixtures("migrated_warehouse")
def test_a_file_refused_for_columns_of_a_version_to_come_is_taken_once_it_is_published(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    land_rows("a.registration.1.csv", person())
    land_rows("a.contribution.1.csv", premium_2("K1"))
    contribution = FAMILIES["contribution"]
    with monkeypatch.context() as before:
        before.setitem(FAMILIES, "contribution", replace(contribution, versions=contribution.versions[:1]))
        run()
        assert files()["a.contribution.1.csv"][:2] == ("rejected", "E-FILE-COLUMNS")
        assert runs.discover() == []
    run()
    assert files()["a.contribution.1.csv"] == ("loaded", None, 1, 1, 0, 0, 1)


@pytest.mark.exhaustive
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("deployed_warehouse")
def test_both_versions_are_booked_alike() -> None:
    """Nanjing sends version 1, Huainan the same in version 2: but for the region the journal is the same."""
    there = {"region_code": "340400", "person_no": "P2"}
    land_rows("a.registration.1.csv", person(), person("P2", region="340400"))
    land_rows("a.contribution.1.csv", premium("K1", late_fee="3.00"), refund("R1", "K1", employer_amount="20.00"))
    land_rows(
        "b.contribution.1.csv",
        premium_2("K1", late_fee="3.00", personal_account_credit="80.00", **OFFICE, **there),
        refund("R1", "K1", employer_amount="20.00", personal_account_credit="2.22", **IN_VERSION_2, **there),
        source="other",
    )
    run()
    assert quarantined() == {}
    dbt.build("versions")
    lines = (
        "SELECT event_seq - min(event_seq) OVER (), entry_no, line_no, entry_kind, fund_code, accounting_month,"
        " account_code, sub_fund, debit_amount, credit_amount, receipt_no, event_type"
        " FROM ledger.journal_line WHERE region_code = %s ORDER BY 1, 2, 3"
    )
    nanjing, huainan = select(lines, "320100"), select(lines, "340400")
    assert len(nanjing) >= 6
    assert huainan == nanjing
    assert {row[10] for row in nanjing} == {"T1"}
    sent = "SELECT DISTINCT region_code, schema_version FROM events.event WHERE family = 'contribution' ORDER BY 1"
    assert select(sent) == [("320100", 1), ("340400", 2)]
