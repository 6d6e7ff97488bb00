"""What stores tell of an object, each in its own words, becomes a size and a time that differ when versions do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingestion.object_storage import _shape

NOON = datetime(2020, 7, 1, 12, tzinfo=UTC)
SECOND = int(NOON.timestamp())
INFOS: list[dict[str, Any]] = [
    {"size": 7, "LastModified": NOON, "ETag": '"9b2c"'},  # s3
    {"size": 7, "last_modified": NOON, "etag": "0x8D"},  # abfs
    {"size": 7, "updated": "2020-07-01T12:00:00Z", "etag": "CKih"},  # gcs
    {"size": 7, "mtime": NOON},  # sftp
    {"size": 7, "mtime": SECOND},  # smb
    {"size": 7, "created": NOON.replace(tzinfo=None)},  # memory
]


@pytest.mark.parametrize("told", INFOS)
def test_size_and_second_are_read(told: dict[str, Any]) -> None:
    shape = _shape(told)
    assert shape.size_bytes == 7
    assert shape.modified_ns // 10**9 == SECOND


@pytest.mark.parametrize("mark", ["ETag", "etag", "e_tag", "generation", "md5Hash"])
def test_versions_of_one_second_are_told_apart_by_their_mark(mark: str) -> None:
    told = {"size": 7, "LastModified": NOON}
    assert len({_shape(told | {mark: version}) for version in ("1", "2", '"3"')}) == 3
    assert _shape(told | {mark: '"a"'}) == _shape({"size": 7, "LastModified": NOON, mark: "a"})


def test_a_time_in_parts_of_seconds_counts_where_there_is_no_mark_and_only_there() -> None:
    later = NOON + timedelta(milliseconds=1)
    assert _shape({"size": 7, "mtime": NOON}) != _shape({"size": 7, "mtime": later})
    assert _shape({"size": 7, "LastModified": NOON, "ETag": "a"}) == _shape(
        {"size": 7, "LastModified": later, "ETag": "a"}
    )


def test_a_store_that_tells_nothing_is_not_held_against_the_object() -> None:
    assert _shape({"size": None}) == _shape({})
    assert _shape({"size": 1, "updated": "yesterday"}).modified_ns < 10**9
