"""Whatever bytes arrive, no run fails and no row is lost; how rows are split over files and runs does not matter."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ingestion.contracts import FAMILIES
from ingestion.errors import FileRejected
from ingestion.mapping import canonical_texts, raw_texts
from ingestion.profiles import CanonicalProfile
from ingestion.readers import chunks
from ingestion.validation import examine
from tests.integration.ingestion_support import files, land, payment, person, premium, run, select
from tests.unit.ingestion.valid_rows import FAMILY_OF, VALID, Row, csv_text, rulebook, sound_row


def examples(count: int) -> settings:
    """So many examples, the same ones each time; the fixtures are shared by all. No shrinking: a run takes a second."""
    shared = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    phases = (Phase.explicit, Phase.generate)
    return settings(max_examples=count, deadline=None, derandomize=True, suppress_health_check=shared, phases=phases)


FIELD = st.one_of(
    st.sampled_from(
        ["", "320100", "340400", "2019-11-15", "2019-11", "12.50", "-1", "1e999", "１２", "510", "K1", "claim.paid"]
    ),
    st.text(max_size=12),
    st.text(alphabet='",\n\r\x00 0aé淮', max_size=8),
)


@st.composite
def damaged_files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A canonical file of some family: sound rows, rows of arbitrary fields, arbitrary text; sometimes cut or torn."""
    family = draw(st.sampled_from(sorted(FAMILIES)))
    types = FAMILIES[family].event_types
    names = list(FAMILIES[family].allowed_names)
    rows: list[Row] = []
    for _ in range(draw(st.integers(0, 4))):
        changes = draw(st.dictionaries(st.sampled_from(names), FIELD, max_size=3))
        rows.append({**sound_row(draw(st.sampled_from(types))), **changes})
    text = csv_text(rows, header=names) + draw(st.one_of(st.just(""), st.text(max_size=60)))
    content = text.encode("utf-8", "surrogatepass") if draw(st.booleans()) else text.encode("gb18030", "replace")
    content = content[: draw(st.integers(0, len(content)))] if draw(st.booleans()) else content
    return family, content


@examples(300)
@given(damaged_files())
def test_reading_and_checking_keep_every_row(tmp_path: Path, drawn: tuple[str, bytes]) -> None:
    family, content = drawn
    path = tmp_path / f"t.{family}.1.csv"
    path.write_bytes(content)
    feed = CanonicalProfile(()).feed_of(path.name)
    lines: list[int] = []
    try:
        for chunk in chunks(path, feed, size=3):
            examined = examine(canonical_texts(chunk.frame, feed), feed, rulebook(family))
            assert examined.frame.height == len(chunk.line_nos) == len(raw_texts(chunk.frame, feed))
            lines += [*chunk.line_nos, *(misfit.line_no for misfit in chunk.misfits)]
    except FileRejected:
        return
    assert len(set(lines)) == len(lines)


@pytest.mark.usefixtures("migrated_warehouse")
@examples(25)
@given(damaged_files(), st.booleans())
def test_no_bytes_stop_a_run_and_every_row_is_accounted_for(drawn: tuple[str, bytes], packed: bool) -> None:
    family, content = drawn
    suffix = ".gz" if packed else ""
    land(f"t.{family}.1.csv{suffix}", gzip.compress(content) if packed else content)
    run()
    assert select("SELECT count(*) FROM events.file WHERE rows <> loaded + duplicate + quarantined") == [(0,)]
    assert select(
        "SELECT count(*) FROM events.file AS f WHERE quarantined <> (SELECT count(*) FROM events.quarantine AS q"
        " WHERE q.file_id = f.file_id)"
    ) == [(0,)]
    assert select("SELECT count(*) FROM events.event AS e WHERE content_hash <> events.content_hash(e)") == [(0,)]


STORY: list[Row] = [
    person(),
    person("P2", region="340400"),
    premium("C1"),
    premium("C2", region_code="340400", person_no="P2"),
    sound_row("contribution.refunded", source_event_key="R1", original_event_key="C1", employer_amount="100.00"),
    sound_row("receipt.unidentified", source_event_key="U1", amount="900.00"),
    premium("C3", deposit_account="temporary_receipt", original_event_key="U1"),
    payment("P1"),
    payment("P2", region_code="340400"),
    sound_row("claim.recovered", source_event_key="V1", original_event_key="P1", pooled_amount="40.00"),
    sound_row("payment.returned", source_event_key="T1", original_event_key="P1", amount="60.00"),
    sound_row("payment.reissued", source_event_key="X1", original_event_key="T1", amount="20.00"),
    sound_row("return.written_back", source_event_key="B1", original_event_key="T1", amount="40.00", sub_fund=""),
    sound_row("advance.paid", source_event_key="A1"),
    sound_row("advance.offset", source_event_key="O1", original_event_key="A1"),
    sound_row("claim.reversed", source_event_key="V2", original_event_key="O1"),
    *(sound_row(name, source_event_key=name) for name in ("cash.transferred", "loan.received", "fund.merged")),
]
CONTENT = """
SELECT region_code, family, source_event_key, encode(content_hash, 'hex'),
       personal_account_credit, sub_fund, derived_columns
FROM events.event
"""


@st.composite
def splittings(draw: st.DrawFn) -> list[list[list[Row]]]:
    """The story in any order, over up to three runs of up to three files a family."""
    rows = draw(st.permutations(STORY))
    places = draw(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=len(rows), max_size=len(rows)))
    return [[[r for r, place in zip(rows, places, strict=True) if place == (n, f)] for f in range(3)] for n in range(3)]


@pytest.mark.exhaustive
@examples(8)
@given(splittings())
def test_the_log_holds_the_same_however_the_rows_are_split(
    warehouse_factory: Callable[..., str],
    fund_environment: Path,
    monkeypatch: pytest.MonkeyPatch,
    split: list[list[list[Row]]],
) -> None:
    monkeypatch.setenv("FUND_DATABASE_URL", warehouse_factory(migrated=True))
    for number, parts in enumerate(split):
        for part, rows in enumerate(parts):
            for family in FAMILIES:
                own = [row for row in rows if FAMILY_OF[row["event_type"]] == family]
                if own:
                    land(f"{number}.{family}.{part}.csv", csv_text(own), source=fund_environment.parent.name)
        run()
    for path in fund_environment.rglob("*.csv"):
        path.unlink()
    assert select("SELECT count(*) FROM events.quarantine_open") == [(0,)], files()
    found = {tuple(map(str, row)) for row in select(CONTENT)}
    expected = _EXPECTED.setdefault("log", found)
    assert found == expected
    assert len(found) == len(STORY)


_EXPECTED: dict[str, set[tuple[str, ...]]] = {}


def test_the_story_tells_of_every_family() -> None:
    assert {FAMILY_OF[row["event_type"]] for row in STORY} == set(FAMILIES)
    assert {row["event_type"] for row in STORY} <= set(VALID)
