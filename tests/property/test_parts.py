"""What becomes of a file does not depend on the size of the parts in which it is read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion import readers
from tests.conftest import WarehouseFactory, isolate
from tests.integration.ingestion_support import files, land_rows, payment, person, premium, run, select
from tests.property.test_ingestion_properties import examples
from tests.unit.ingestion.valid_rows import Row, sound_row

KEYS = st.sampled_from([f"K{n}" for n in range(6)])
ORIGINALS = st.sampled_from([f"K{n}" for n in range(7)])  # one of which never comes
REGIONS = st.sampled_from(["320100", "320100", "340400"])
AMOUNTS = st.sampled_from(["10.00", "60.00", "100.00"])


@st.composite
def claims(draw: st.DrawFn) -> Row:
    """A payment, or what takes from one or from an advance; keys come again, also with other content."""
    kind = draw(st.sampled_from(["paid", "paid", "reversed", "recovered", "advance", "offset"]))
    key, region, amount = draw(KEYS), draw(REGIONS), draw(AMOUNTS)
    if kind == "paid":
        return payment(key, region_code=region, pooled_amount=amount)
    if kind == "advance":
        return sound_row("advance.paid", source_event_key=key, region_code=region, pooled_amount=amount)
    changes = {"original_event_key": draw(ORIGINALS), "region_code": region}
    if kind == "reversed":
        return sound_row("claim.reversed", source_event_key=key, **changes)
    event_type = "claim.recovered" if kind == "recovered" else "advance.offset"
    return sound_row(event_type, source_event_key=key, pooled_amount=amount, **changes)


@st.composite
def premiums(draw: st.DrawFn) -> Row:
    """A collection whose credit is to be computed, of somebody known or not, or a refund."""
    key, who = draw(KEYS), draw(st.sampled_from(["P1", "P1", "P2", "nobody"]))
    if draw(st.booleans()):
        return premium(key, person_no=who, **draw(st.sampled_from([{}, {"personal_account_credit": "1.00"}])))
    original = {"original_event_key": draw(ORIGINALS), "employer_amount": draw(st.sampled_from(["72.00", "720.00"]))}
    return sound_row("contribution.refunded", source_event_key=key, person_no=who, **original)


@pytest.mark.exhaustive
@examples(12)
@given(st.lists(claims(), min_size=1, max_size=14), st.lists(premiums(), max_size=8), st.integers(1, 4))
def test_the_log_does_not_depend_on_the_size_of_the_parts(
    warehouse_factory: WarehouseFactory,
    tmp_path_factory: pytest.TempPathFactory,
    claimed: list[Row],
    paid: list[Row],
    size: int,
) -> None:
    whole, parted = (
        _taken(warehouse_factory, tmp_path_factory.mktemp("parts"), claimed, paid, rows_a_part)
        for rows_a_part in (1000, size)
    )
    assert whole == parted
    assert whole["files"]


def _taken(
    warehouse_factory: WarehouseFactory, local: Path, claimed: list[Row], paid: list[Row], size: int
) -> dict[str, object]:
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, local)
        patch.setenv("FUND_DATABASE_URL", warehouse_factory(migrated=True))
        patch.setattr(readers, "chunks", partial(_parts, readers.chunks, size))
        land_rows("a.registration.1.csv", person(), person("P2", birth_date="1950-01-01"))
        land_rows("b.claim.1.csv", *claimed)
        land_rows("c.contribution.1.csv", *paid, sound_row("contribution.assessed", source_event_key="last"))
        run()
        return {
            "files": files(),
            "events": select("SELECT to_jsonb(e) - 'recorded_at' FROM events.event AS e ORDER BY e.region_code, e.seq"),
            "quarantine": select(
                "SELECT f.file_name, q.line_no, q.error_codes, q.messages, q.raw, q.canonical, q.amount"
                " FROM events.quarantine AS q INNER JOIN events.file_registry AS f USING (file_id) ORDER BY 1, 2"
            ),
            "resolved": select(
                "SELECT f.file_name, q.line_no, r.resolution, r.resolved_by_seq FROM events.quarantine_resolution AS r"
                " INNER JOIN events.quarantine AS q USING (quarantine_id)"
                " INNER JOIN events.file_registry AS f USING (file_id) ORDER BY 1, 2"
            ),
        }


def _parts(chunks: object, size: int, path: Path, feed: object) -> Iterator[object]:
    assert callable(chunks)
    parts = list(chunks(path, feed, size))
    assert all(part.rows <= size for part in parts)
    return iter(parts)
