"""docs/postings.md is executed: every example runs in a region of its own, and its books come out as it says."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import postings_document as document
import pytest
from posting_log import PostingLog
from postings_document import Balance, DocumentError, Example, Fact, Line

from ingestion.database import connect
from runtime import dbt

SEEDS = dbt.PROJECT / "seeds" / "accounts"
_LINES = """
    select event_seq, entry_no, fund_code, to_char(accounting_month, 'YYYY-MM'),
        coalesce(to_char(original_month, 'YYYY-MM'), ''), entry_kind, account_code, sub_fund,
        debit_amount, credit_amount, rule_ids
    from ledger.journal_line where region_code = %s order by event_seq, entry_no, line_no
"""
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def examples() -> list[Example]:
    return document.examples()


@pytest.fixture(scope="module")
def books(
    examples: list[Example],
    warehouse_factory: Callable[..., str],
    deployed_template: tuple[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, tuple[str, dict[int, str]]]]:
    """All examples in one log each, built at once. Example -> (region, number of the fact at each seq)."""
    template, parsed = deployed_template
    local = tmp_path_factory.mktemp("postings")
    shutil.copytree(parsed / "dbt" / "target", local / "dbt" / "target")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FUND_DATABASE_URL", warehouse_factory(template=template))
        patch.setenv("FUND_LOCAL_DIR", str(local))
        regions = {example.name: f"99{place:04}" for place, example in enumerate(examples, start=1)}
        placed = {example.name: (regions[example.name], record(regions[example.name], example)) for example in examples}
        dbt.build("postings")
        yield placed


def record(region_code: str, example: Example) -> dict[int, str]:
    """Put an example's facts into its region's log; returns the number of the fact at each seq."""
    with closing(connect(role="fund_transform")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into policy.policy_region (region_code, name_zh, name_en, merger_date, known_from)"
            " values (%s, '算例', 'Example', %s, '2018-01-01')",
            (region_code, example.merger_date),
        )
    seqs = {fact.number: place for place, fact in enumerate(example.facts, start=1)}
    PostingLog(region_code).add(*(columns_of(fact, seqs, example.name) for fact in example.facts))
    return {seq: number for number, seq in seqs.items()}


def columns_of(fact: Fact, seqs: dict[str, int], name: str) -> dict[str, Any]:
    columns: dict[str, Any] = {
        column: f"{value}-01" if column.endswith("_month") else value for column, value in fact.columns.items()
    }
    if "original" in columns:
        if columns["original"] not in seqs:
            raise DocumentError(f"{name}: {fact.number} refers to {columns['original']}, which is not there")
        columns["original"] = seqs[columns["original"]]
    family = {"employer": "registration", "enrollment": "registration", "finding": "control", "rules": "control"}
    subject = fact.event_type.partition(".")[0]
    if subject in family:
        columns["family"] = family[subject]
    return {"event_type": fact.event_type, "occurred_on": fact.occurred_on, **columns}


def test_every_example_gives_its_entries_and_balances(
    examples: list[Example], books: dict[str, tuple[str, dict[int, str]]]
) -> None:
    differing = [text for example in examples for text in differences(example, *books[example.name])]
    assert not differing, f"{len(differing)} differences\n" + "\n".join(differing)


def differences(example: Example, region_code: str, numbers: dict[int, str]) -> Iterator[str]:
    """What the books and the example disagree on, both ways, to the cent."""
    lines = journal(region_code, numbers)
    given = {fact.number for fact in example.events}
    earlier = [line for line in lines if line.entry.partition("-")[0] not in given]
    yield from compare(example.name, "before", example.before, balances(earlier))
    yield from compare(
        example.name, "entries", example.entries, [line for line in lines if line.entry.partition("-")[0] in given]
    )
    yield from compare(example.name, "after", example.after, balances(lines))


def compare(name: str, table: str, wanted: Sequence[Any], found: Sequence[Any]) -> Iterator[str]:
    missing, surplus = list(wanted), []
    for row in found:
        if row in missing:
            missing.remove(row)
        else:
            surplus.append(row)
    yield from (f"{name}, {table}: in the document only: {row}" for row in missing)
    yield from (f"{name}, {table}: in the books only: {row}" for row in surplus)


def journal(region_code: str, numbers: dict[int, str]) -> list[Line]:
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute(_LINES, (region_code,))
        return [Line(f"{numbers[row[0]]}-{row[1]}", *row[2:]) for row in cursor.fetchall()]


def balances(lines: Sequence[Line]) -> list[Balance]:
    totals: dict[tuple[str, str, str], Decimal] = {}
    for line in lines:
        key = (line.fund_code, line.account_code, line.sub_fund)
        totals[key] = totals.get(key, Decimal(0)) + line.debit - line.credit
    return [Balance(*key, amount) for key, amount in sorted(totals.items()) if amount]


def test_every_entry_of_the_document_balances(examples: list[Example]) -> None:
    for example in examples:
        sums: dict[tuple[str, str], Decimal] = {}
        for line in example.entries:
            key = (line.entry, line.fund_code)
            sums[key] = sums.get(key, Decimal(0)) + line.debit - line.credit
        assert not any(sums.values()), example.name


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_rule_stands_in_an_example(examples: list[Example]) -> None:
    shown = {rule for example in examples for line in example.entries for rule in line.rules.split()}
    assert {rule["rule_id"] for rule in seed("posting_rules") if rule["posting_variant"] != "no_entry"} == shown


def test_every_event_type_stands_in_an_example(examples: list[Example]) -> None:
    shown = {fact.event_type for example in examples for fact in example.events}
    assert {row["event_type"] for row in seed("event_type")} == shown


@pytest.mark.usefixtures("books")
def test_staging_gives_every_case_that_has_rules_and_no_other() -> None:
    """Both ways: no case of an event without rules, no rules for a case that no event comes to."""
    with closing(connect()) as connection, connection.cursor() as cursor:
        cursor.execute("select distinct event_type, posting_variant from staging.stg_event_posting")
        reached = set(cursor.fetchall())
        cursor.execute("select region_code, event_seq, problem from ledger.unposted_event")
        assert cursor.fetchall() == []
    assert reached == {(rule["event_type"], rule["posting_variant"]) for rule in seed("posting_rules")}


def test_out_of_area_advances_are_kept_by_the_other_side(books: dict[str, tuple[str, dict[int, str]]]) -> None:
    with closing(connect()) as connection, connection.cursor() as cursor:
        for example, other in (
            ("outofarea-own", "320000"),
            ("outofarea-before", "320000"),
            ("outofarea-others", "340400"),
        ):
            cursor.execute(
                "select distinct claim_no from ledger.journal_line where region_code = %s and account_code = '1101'",
                (books[example][0],),
            )
            assert cursor.fetchall() == [(other,)], example


def test_accounts_are_named_as_in_the_chart() -> None:
    names = {row["account_code"]: f"{row['name_zh']} / {row['name_en']}" for row in seed("chart_of_accounts")}
    sections = document._sections(document.DOCUMENT.read_text("utf-8").splitlines())
    cells = {
        cell
        for section in sections
        for table, column in ((document.BEFORE, 1), (document.ENTRIES, 4), (document.AFTER, 1))
        for _, row in document._rows(section, table)
        for cell in [row[column]]
    }
    assert {cell for cell in cells if cell != f"{document._code(cell)} {names[document._code(cell)]}"} == set()


def test_a_wrong_figure_is_found(examples: list[Example], books: dict[str, tuple[str, dict[int, str]]]) -> None:
    example = examples[0]
    first = example.entries[0]
    wrong = replace(example, entries=(replace(first, debit=first.debit + Decimal("0.01")), *example.entries[1:]))
    assert len(list(differences(wrong, *books[example.name]))) == 2
    short = replace(example, entries=example.entries[1:])
    (found,) = differences(short, *books[example.name])
    assert found.startswith(f"{example.name}, entries: in the books only: Line(entry='1-1'")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("### Collect · 征缴 / Contributions", "a title reads"),
        ("### a · 甲 / A\n\n**之后 / Afterwards**", "a, line 3: no such table"),
        ("### a · 甲 / A\n\n| x |", "a, line 3: a table without a heading"),
        ("### a · 甲 / A\n\n**事件 / Events**", "a: tables must be"),
    ],
)
def test_what_is_not_as_agreed_is_named(tmp_path: Path, wrong: str, message: str) -> None:
    path = tmp_path / "postings.md"
    path.write_text(wrong, encoding="utf-8")
    with pytest.raises(DocumentError, match=message):
        document.examples(path)
