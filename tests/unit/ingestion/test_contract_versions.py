"""Versions of event types: what is published stays, and how one version is read as another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingestion.canonical import hashed_columns
from ingestion.contracts import FAMILIES, upcast
from ingestion.contracts.columns import Column, Family, Version

CONTRIBUTION = FAMILIES["contribution"]
THREE = Family(
    "f",
    ("f.happened",),
    (
        Version(1, (Column("a"), Column("b")), ()),
        Version(2, (Column("a"), Column("c"), Column("d")), (), renamed={"c": "b"}),
        Version(3, (Column("a"), Column("e"), Column("d")), (), renamed={"e": "c"}),
    ),
)


def test_version_1_of_the_contributions_is_what_it_was() -> None:
    assert hashed_columns("contribution", 1) == (
        "region_code", "event_type", "family", "schema_version", "source_system", "source_event_key", "occurred_on",
        "employer_no", "person_no", "insurance_type", "enrollment_category", "contribution_month", "contribution_base",
        "employer_amount", "personal_amount", "personal_account_credit", "late_fee", "receipt_no", "deposit_account",
        "original_event_key", "original_source_system",
    )  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_versions_are_numbered_from_one_and_rename_what_there_was(family: Family) -> None:
    assert family.numbers == tuple(range(1, len(family.versions) + 1))
    for older, newer in zip(family.versions, family.versions[1:], strict=False):
        assert set(newer.renamed) <= newer.names - older.names
        assert set(newer.renamed.values()) <= older.names - newer.names
    for version in family.versions:
        assert {entry.column for entry in version.required} <= version.names


def test_a_name_is_followed_through_all_versions_in_both_directions() -> None:
    assert upcast.restated(THREE, 1, 3) == {"a": "a", "e": "b"}
    assert upcast.restated(THREE, 2, 3) == {"a": "a", "e": "c", "d": "d"}
    assert upcast.restated(THREE, 3, 1) == {"a": "a", "b": "e"}
    assert upcast.restated(THREE, 2, 2) == {"a": "a", "c": "c", "d": "d"}
    assert (upcast.unsaid(THREE, 3, 1), upcast.unsaid(THREE, 3, 2), upcast.unsaid(THREE, 1, 3)) == (["d"], [], [])
    assert upcast.varying(THREE) == ["b", "c", "d", "e"]


def test_the_view_shows_a_renamed_column_under_its_newest_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upcast.FAMILIES, "f", THREE)
    assert upcast.view_query(["seq", "b", "c", "e", "d"]).split("\n    ")[1:] == [
        "e.seq,",
        "coalesce(e.e, e.c, e.b) AS e,",
        "e.d\nFROM events.event AS e",
    ]


def test_a_name_given_up_by_one_family_is_no_other_familys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(upcast.FAMILIES, "f", THREE)
    monkeypatch.setitem(upcast.FAMILIES, "g", replace(THREE, name="g", versions=THREE.versions[:1]))
    with pytest.raises(AssertionError, match="renamed elsewhere, yet a column of g: b"):
        upcast.view_query(["seq"])


def test_what_a_version_adds_can_not_be_said_in_the_one_before() -> None:
    assert upcast.unsaid(CONTRIBUTION, 2, 1) == ["tax_authority_code"]
    assert upcast.restated(CONTRIBUTION, 2, 1)["receipt_no"] == "tax_voucher_no"
