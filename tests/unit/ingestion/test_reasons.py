"""What the sender of a refused row is told, and what can be read back from it."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.errors import CODES
from ingestion.profiles import Feed, parse_profile
from ingestion.reasons import VALUE_LENGTH_MAX, columns, names, one_line, parts, told
from reporting.items import row_message

PROFILE = """
source_system: s
feeds:
  - family: registration
    pattern: "*"
    columns:
      业务流水号: source_event_key
      出生日期: birth_date
      证件号码: certificate_no
      birth_date: reason
    ignore: [姓名]
    constants: {event_type: enrollment.started}
"""


@pytest.fixture(scope="module")
def feed() -> Feed:
    return parse_profile(PROFILE.encode(), "s").feed_of("x")


def _tell(feed: Feed, code: str, *about: str, **values: str | None) -> str:
    (message,) = told([(code, about)], json.dumps(values), feed, "a.csv:7")
    return message


def test_the_value_stands_beside_the_source_column(feed: Feed) -> None:
    message = _tell(feed, "E-TYPE-DATE", "birth_date", 出生日期="19x0-01-02")
    assert message == f"a.csv:7 E-TYPE-DATE {CODES['E-TYPE-DATE'].zh} [出生日期=19x0-01-02] / {CODES['E-TYPE-DATE'].en}"


def test_the_reader_names_source_columns_itself(feed: Feed) -> None:
    assert "[birth_date=#REF!]" in _tell(feed, "E-SCHEMA-CELL-ERROR", "birth_date", birth_date="#REF!", 出生日期="x")


def test_what_the_profile_fixes_and_what_is_empty(feed: Feed) -> None:
    assert "[event_type=enrollment.started]" in _tell(feed, "E-SCHEMA-EVENT-TYPE", "event_type")
    assert "[出生日期]" in _tell(feed, "E-SCHEMA-REQUIRED", "birth_date", 出生日期=None)
    assert "[person_no]" in _tell(feed, "E-SCHEMA-REQUIRED", "person_no")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("a\x00b\u202eb\u3000c", "a\\x00b\\u202eb\\u3000c"),
        ("1,234", "1,234"),
        ("a, 姓名=b", "a,␠姓名=b"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 59 + "…"),
        ("\x00" * 30, "\\x00" * 14 + "\\x0…"),
        ("=cmd|' /C calc'!A0", "=cmd|' /C calc'!A0"),
    ],
)
def test_a_value_is_one_short_line(text: str, shown: str) -> None:
    assert one_line(text) == shown


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_no_value_breaks_its_message(text: str) -> None:
    line = one_line(text)
    assert len(line) <= VALUE_LENGTH_MAX
    assert line.isprintable()
    feed = parse_profile(PROFILE.encode(), "s").feed_of("x")
    message = _tell(feed, "E-TYPE-DATE", "birth_date", "source_event_key", 出生日期=text, 业务流水号="K1")
    assert columns("E-TYPE-DATE", message, feed) == {"出生日期", "业务流水号"}


@given(st.text(alphabet=string.printable + "张三，、=]/[", min_size=1, max_size=80))
@settings(max_examples=200, deadline=None)
def test_the_page_shows_the_columns_and_none_of_their_values(text: str) -> None:
    feed = parse_profile(PROFILE.encode(), "s").feed_of("x")
    message = _tell(feed, "E-TYPE-DATE", "birth_date", "source_event_key", 出生日期=text, 业务流水号="K1")
    assert row_message(message) == (
        f"a.csv:7 E-TYPE-DATE {CODES['E-TYPE-DATE'].zh} [出生日期, 业务流水号] / {CODES['E-TYPE-DATE'].en}"
    )


def test_parts_of_a_message_and_of_one_that_is_none() -> None:
    entry = CODES["E-TYPE-DATE"]
    message = f"a.csv:7 E-TYPE-DATE {entry.zh} [出生日期=a], b] / {entry.en}"
    assert parts("E-TYPE-DATE", message) == (entry.zh, entry.en, "出生日期=a], b")
    assert parts("E-TYPE-DATE", f"a.csv:7 E-TYPE-DATE {entry.zh} / {entry.en}") == (entry.zh, entry.en, "")
    for code, text in (("E-TYPE-DATE", "worded otherwise"), ("E-GONE", f"E-GONE {entry.zh}")):
        assert parts(code, text) == (text, text, "")


def test_columns_of_checks_against_the_log_and_of_older_messages(feed: Feed) -> None:
    assert columns("E-CONFLICT", "anything", feed) == {"业务流水号"}
    entry = CODES["E-TYPE-DATE"]
    assert columns("E-TYPE-DATE", f"E-TYPE-DATE {entry.zh} [birth_date] / {entry.en}", feed) == {"birth_date"}
    assert columns("E-TYPE-DATE", f"E-TYPE-DATE {entry.zh} [source_event_key] / {entry.en}", feed) == {"业务流水号"}
    assert columns("E-TYPE-DATE", f"E-TYPE-DATE {entry.zh} [gone] / {entry.en}", feed) == frozenset()
    assert names("") == []
