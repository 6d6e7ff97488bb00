"""A certificate that comes again under another key of pseudonyms: what is the same, and what is a conflict."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.identity import key_id, pseudonym
from ingestion.settings import Settings, SettingsError
from tests.integration.ingestion_support import CERTIFICATE, files, land, land_rows, person, quarantined, run, select
from tests.unit.ingestion.valid_rows import Row, csv_text

OLD, NEW, NEWER = "a" * 64, "b" * 64, "c" * 64
SAME_BIRTH_AND_SEX = "110105194912310281"
OTHER_SEX = "110105194912310273"
pytestmark = pytest.mark.usefixtures("migrated_warehouse")


def known(**changes: str) -> Row:
    """A registration with a certificate; birth date and sex are left to be told by it."""
    return {name: text for name, text in (person(certificate_no=CERTIFICATE, birth_date="") | changes).items() if text}


def first_taken(patch: pytest.MonkeyPatch, *rows: Row) -> None:
    patch.setenv("FUND_PSEUDONYM_KEY", OLD)
    land_rows("a.registration.1.csv", *rows)
    run()
    assert files()["a.registration.1.csv"][0] == "loaded"


def again(patch: pytest.MonkeyPatch, *rows: Row, key: str = NEW, retired: str = "", name: str = "b") -> tuple[int, int]:
    """(duplicate, quarantined) of rows sent again under another key."""
    patch.setenv("FUND_PSEUDONYM_KEY", key)
    patch.setenv("FUND_PSEUDONYM_KEYS_RETIRED", retired)
    land(f"{name}.registration.2.csv", csv_text(list(rows)) + "\n" * len(name))  # blank lines: not the same bytes
    run()
    state, _, _, loaded, duplicate, refused, _ = files()[f"{name}.registration.2.csv"]
    assert (state, loaded) == ("loaded", 0)
    return duplicate, refused


@pytest.mark.parametrize("retired", ["", OLD, f"{NEWER}\n{OLD}\n", NEWER])
def test_a_certificate_sent_again_under_a_new_key_is_a_duplicate(monkeypatch: pytest.MonkeyPatch, retired: str) -> None:
    row = known(contribution_base="8000.50", worker_group="migrant", original_event_key="O1")
    first_taken(monkeypatch, row)
    assert again(monkeypatch, row, retired=retired) == (1, 0)
    assert select("SELECT certificate_pseudonym, pseudonym_key_id FROM events.event") == [
        (pseudonym(CERTIFICATE, OLD), key_id(OLD))
    ]


@pytest.mark.parametrize("retired", ["", OLD])
@pytest.mark.parametrize(
    "changes",
    [
        {"contribution_base": "8000.51"},
        {"person_no": "P2"},
        {"occurred_on": "2019-01-02"},
        {"employer_no": "U2"},
        {"contribution_base": ""},
        {"birth_date": "1949-12-31"},  # told by the sender now: not the same content under the same key either
        {"certificate_no": ""},
        {"certificate_no": OTHER_SEX},
        {"certificate_no": "110105194812310022"},
    ],
)
def test_anything_else_that_differs_is_a_conflict(monkeypatch: pytest.MonkeyPatch, retired: str, changes: Row) -> None:
    row = known(contribution_base="8000.50")
    first_taken(monkeypatch, row)
    changed = {name: text for name, text in (row | changes).items() if text}
    assert again(monkeypatch, changed, retired=retired) == (0, 1)
    assert quarantined() == {("b.registration.2.csv", 2): {"E-CONFLICT"}}


def test_another_person_of_the_same_birth_date_and_sex_shows_while_the_old_key_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first_taken(monkeypatch, known())
    other = known(certificate_no=SAME_BIRTH_AND_SEX)
    assert again(monkeypatch, other, retired=OLD, name="kept") == (0, 1)
    assert again(monkeypatch, other, name="missing", key=NEWER) == (1, 0)


def test_a_new_certificate_is_a_conflict_under_any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    first_taken(monkeypatch, person())
    assert again(monkeypatch, person(certificate_no="320100198006150015"), retired=OLD) == (0, 1)


def test_many_rows_under_several_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every row knows its own key: the log holds rows of three keys, and all of them are known again."""
    rows = [known() | {"source_event_key": f"K{n}", "person_no": f"P{n}"} for n in range(6)]
    monkeypatch.setenv("FUND_PSEUDONYM_KEY", OLD)
    for n, key in enumerate((OLD, NEW, NEWER)):
        monkeypatch.setenv("FUND_PSEUDONYM_KEY", key)
        land_rows(f"{n}.registration.1.csv", *rows[2 * n : 2 * n + 2])
        run()
    changed = rows[3] | {"employer_no": "U9"}
    assert again(monkeypatch, *rows[:3], changed, *rows[4:], key=NEWER, retired=f"{OLD} {NEW}") == (5, 1)
    assert quarantined() == {("b.registration.2.csv", 5): {"E-CONFLICT"}}
    ((message,),) = select("SELECT messages[1] FROM events.quarantine")
    assert "retired" not in message
    assert key_id(OLD) not in message


def test_within_one_file_the_same_key_twice_is_compared_under_the_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    first_taken(monkeypatch, known())
    row = known()
    assert again(monkeypatch, row, row, row | {"employer_no": "U2"}, retired=OLD) == (2, 1)


def test_retired_keys_come_from_a_file_like_the_other_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert Settings.from_env().retired_pseudonym_keys == ()
    secret = tmp_path / "retired"
    secret.write_text(f"{OLD}\n{NEW}\n")
    monkeypatch.setenv("FUND_PSEUDONYM_KEYS_RETIRED_FILE", str(secret))
    assert Settings.from_env().retired_pseudonym_keys == (OLD, NEW)
    assert OLD not in repr(Settings.from_env())
    monkeypatch.setenv("FUND_PSEUDONYM_KEYS_RETIRED", OLD)
    with pytest.raises(SettingsError, match="both set"):
        Settings.from_env()
