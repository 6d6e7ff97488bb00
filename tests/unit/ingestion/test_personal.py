"""Identity numbers in columns that are not for them, and what is shown of a row when it is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from ingestion.contracts import FAMILIES
from ingestion.contracts.columns import SHARED, Kind
from ingestion.identity import half_width
from ingestion.mapping import RAW_FIELD_LENGTH_MAX, raw_texts
from ingestion.profiles import CanonicalProfile, parse_profile
from ingestion.settings import REPOSITORY
from tests.unit.ingestion.valid_rows import FAMILY_OF, codes_of, csv_text, examine_text, sound_row

NUMBER = "11010519491231002X"
SOURCES = sorted((REPOSITORY / "ingestion" / "sources").glob("*.yml"))
TEXT_COLUMNS = [
    (next(name for name, of in FAMILY_OF.items() if of == family.name), column.name)
    for family in FAMILIES.values()
    for column in (*SHARED, *family.columns)
    if column.kind is Kind.TEXT and column.name != "event_type"
]
# What a source column with a person's name is called: Chinese, pinyin and the interface names of the health insurance.
NAMES_OF_PERSONS = ("姓名", "参保人", "联系人", "经办人", "法人", "法定代表人", "xm", "psn_name", "name", "person_name")
NAMES_OF_OTHERS = ("单位名称", "emp_name", "employer_name", "opp_name")


@pytest.mark.parametrize(("event_type", "column"), TEXT_COLUMNS)
def test_no_text_column_takes_an_identity_number(event_type: str, column: str, tmp_path: Path) -> None:
    assert "E-VALUE-PERSONAL" in codes_of(sound_row(event_type, **{column: NUMBER}), tmp_path)
    assert "E-VALUE-PERSONAL" in codes_of(sound_row(event_type, **{column: f"张三 {NUMBER.lower()}"}), tmp_path)


@pytest.mark.parametrize(("event_type", "column"), TEXT_COLUMNS)
def test_a_business_number_of_the_same_form_is_taken(event_type: str, column: str, tmp_path: Path) -> None:
    """Region, date and serial; the check digits of both are right."""
    for number in ("320100201911150001", "320100201911010009"):
        codes = codes_of(sound_row(event_type, **{column: number}), tmp_path)
        assert "E-VALUE-PERSONAL" not in codes


def test_a_key_that_holds_an_identity_number_is_shown_masked(tmp_path: Path) -> None:
    keys = ["K1", NUMBER, "320100201911150001", "11 0105 1949 1231 002 X", "K-１１０１０５１９４９１２３１００２Ｘ"]
    rows = [sound_row("claim.paid", source_event_key=key, payee_type="nobody") for key in keys]
    examined = examine_text(csv_text(rows), "claim", tmp_path)
    shown = examined.frame["source_event_key"].to_list()
    assert shown[0] == "K1"
    assert shown[1] == "110***********002X"
    assert shown[2] == "320100201911150001"
    assert shown[3] == "11 0***********002 X"
    assert half_width(shown[4]) == "K-110***********002X"
    assert [any(code == "E-VALUE-PERSONAL" for code, _ in examined.reasons[row]) for row in range(5)] == [
        False, True, False, True, True,
    ]  # fmt: skip


def test_the_column_of_identity_numbers_is_shown_masked_whatever_it_holds() -> None:
    feed = CanonicalProfile(()).feed_of("a.registration.1.csv")
    frame = pl.DataFrame(
        {
            "person_no": ["P1", "P2", f"x{NUMBER}", "y" * (RAW_FIELD_LENGTH_MAX - 9) + NUMBER],
            "certificate_no": [NUMBER, "张三", "110105194913310021", None],
        }
    )
    raw = raw_texts(frame, feed).to_list()
    assert raw[0] == '{"person_no":"P1","certificate_no":"110***********002X"}'
    assert raw[1] == '{"person_no":"P2","certificate_no":"***"}'
    assert raw[2] == '{"person_no":"x110***********002X","certificate_no":"110***********0021"}'
    assert "110105" not in raw[3]
    assert '"certificate_no":null' in raw[3]
    assert frame["person_no"][2] == f"x{NUMBER}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_profile_takes_names_of_persons_in(path: Path) -> None:
    profile = parse_profile(path.read_bytes(), path.stem)
    assert profile.feeds
    for _, feed in profile.feeds:
        for column in feed.columns:
            name = column.source.lower()
            assert name in NAMES_OF_OTHERS or not (name in NAMES_OF_PERSONS or name.endswith(("姓名", "_name"))), name


def test_shipped_profiles_do_meet_names_of_persons() -> None:
    """Both city systems send them: the test above would pass on profiles that know of none."""
    ignored = {
        path.stem: {name for feed in yaml.safe_load(path.read_bytes())["feeds"] for name in feed.get("ignore", [])}
        for path in SOURCES
    }
    assert "psn_name" in ignored["nanjing"]
    assert "姓名" in ignored["huainan"]


def test_no_canonical_column_is_for_a_persons_name() -> None:
    names = {column.name for family in FAMILIES.values() for column in (*SHARED, *family.columns)}
    assert {name for name in names if "name" in name} == {"employer_name"}
