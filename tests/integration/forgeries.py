"""What a superuser with all guards off might do to the log of `sealed_log`, and what has to be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from tests.integration.sealed_log import HUAINAN, NANJING, rehash

_EVENT_COLUMNS = """
SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = 'events.event'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> ALL (%s)
"""


@dataclass(frozen=True)
class Forgery:
    """A forgery and the first finding that it must give; `coarse`: where a verifier that names batches only begins."""

    name: str
    seq: int | None
    kind: str
    do: Callable[[Cursor], None]
    region: str = HUAINAN
    coarse: int | None = None
    last_seq: int | None = None

    def __str__(self) -> str:
        return self.name


def _sql(*statements: str) -> Callable[[Cursor], None]:
    def run(cursor: Cursor) -> None:
        for statement in statements:
            cursor.execute(statement)

    return run


def _event(seq: int, change: str, region: str = HUAINAN) -> str:
    return f"UPDATE events.event SET {change} WHERE region_code = '{region}' AND seq = {seq}"


def _batch(batch_id: int, change: str, region: str = HUAINAN) -> str:
    return f"UPDATE events.batch SET {change} WHERE region_code = '{region}' AND batch_id = {batch_id}"


def _delete(condition: str, *tables: str) -> tuple[str, ...]:
    return tuple(f"DELETE FROM events.{table} WHERE region_code = '{HUAINAN}' AND {condition}" for table in tables)


def _altered(name: str, seq: int, kind: str, *changes: str, region: str = HUAINAN) -> Forgery:
    return Forgery(name, seq, kind, _sql(*(_event(seq, change, region) for change in changes)), region)


def _insert(seq: int, like: int, **columns: str) -> Callable[[Cursor], None]:
    """A copy of an event under another seq and key, with a content hash of its own."""
    changed = {"seq": str(seq), "source_event_key": f"'forged-{seq}'"} | columns

    def run(cursor: Cursor) -> None:
        cursor.execute(_EVENT_COLUMNS, (list(changed),))
        ((rest,),) = cursor.fetchall()
        cursor.execute(
            f"INSERT INTO events.event ({', '.join(changed)}, {rest}) SELECT {', '.join(changed.values())}, {rest}"
            f" FROM events.event WHERE region_code = '{HUAINAN}' AND seq = {like}"
        )
        cursor.execute(_event(seq, "content_hash = events.content_hash(event)"))

    return run


def _then(*steps: Callable[[Cursor], None]) -> Callable[[Cursor], None]:
    def run(cursor: Cursor) -> None:
        for step in steps:
            step(cursor)

    return run


def _swap(one: int, other: int, *kept: str) -> Callable[[Cursor], None]:
    """Two events trade places; the columns `kept` stay where they were."""

    def run(cursor: Cursor) -> None:
        cursor.execute(f"SELECT {', '.join(kept) or 'NULL'} FROM events.event WHERE region_code = '{HUAINAN}'"
                       f" AND seq IN ({one}, {other}) ORDER BY seq")  # fmt: skip
        values = cursor.fetchall()
        for old, new in ((one, -1), (other, one), (-1, other)):
            cursor.execute(_event(old, f"seq = {new}"))
        for seq, row in zip((one, other), values, strict=True):
            for name, value in zip(kept, row, strict=False):
                cursor.execute(_event(seq, f"{name} = %s"), (value,))

    return _then(_sql("ALTER TABLE events.event DROP CONSTRAINT event_seq_check"), run)


def _shift_in(seq: int) -> Callable[[Cursor], None]:
    """Everything from `seq` on moves up by one and makes room for a forged event."""
    move = f"UPDATE events.event SET seq = %s WHERE region_code = '{HUAINAN}' AND %s"
    return _then(
        _sql("ALTER TABLE events.event DROP CONSTRAINT event_seq_check"),
        _sql(move % ("-seq - 1", f"seq >= {seq}"), move % ("-seq", "seq < 0")),
        _insert(seq, seq - 1, line_no="2"),
    )


def _rewrite(change: str, from_batch: int, region: str = HUAINAN) -> Callable[[Cursor], None]:
    return _then(_sql(change), lambda cursor: rehash(cursor, region, from_batch))


def _of_version(name: str, seq: int, kind: str, change: str) -> Forgery:
    """An event altered by who has dropped the check on the columns of its version."""
    return Forgery(name, seq, kind, _sql(_NO_VERSION_CHECK, _event(seq, change)))


_ZEROS = "'\\x" + "00" * 32 + "'"
_NO_FAMILY_CHECK = "ALTER TABLE events.event DROP CONSTRAINT event_family_check"
_NO_VERSION_CHECK = "ALTER TABLE events.event DROP CONSTRAINT event_columns_of_version"
_NO_TREASURY_CHECK = "ALTER TABLE events.event DROP CONSTRAINT event_numbers_of_treasury"
_LATE = "recorded_at = recorded_at + interval '1 microsecond'"

OF_EVENTS = (
    _altered("an amount", 9, "content", "pooled_amount = pooled_amount + 0.01"),
    _altered("an amount that is none", 9, "content", "pooled_amount = 'NaN'"),
    _altered("a date", 10, "content", "occurred_on = occurred_on + 1"),
    _altered("a service date", 8, "content", "admitted_on = admitted_on - 1"),
    _altered("a date without end", 8, "content", "admitted_on = 'infinity'"),
    _altered("a day inside a month", 5, "content", "contribution_month = contribution_month + 14"),
    _altered("a text", 11, "content", "payment_no = '乙'"),
    _altered("a text by a space", 3, "content", "employer_name = employer_name || ' '"),
    _altered("a key", 2, "content", "source_event_key = 'another'"),
    _altered("null to empty", 8, "content", "account_holder_no = ''"),
    _altered("null to a value", 7, "content", "personal_cash_amount = 0"),
    _altered("a value to null", 12, "content", "admitted_on = NULL"),
    _altered("a value to empty", 12, "content", "payment_no = ''"),
    _altered("a value that the family does not have", 9, "stray_value", "amount = 1"),
    _altered("a birth date where none was sent", 3, "derived_columns", "birth_date = '1970-01-01'"),
    _altered("an event type", 9, "content", "event_type = 'claim.settled'"),
    Forgery("a family", 9, "stray_value", _sql(_NO_TREASURY_CHECK, _event(9, "family = 'treasury'"))),
    Forgery("no family", 9, "family", _sql(_NO_FAMILY_CHECK, _event(9, "family = 'none'"))),
    _altered("a schema version", 9, "content", "schema_version = 2"),
    _of_version("a column of a later version", 5, "stray_value", "tax_voucher_no = 'T1'"),
    _of_version("another column of a later version", 4, "stray_value", "tax_authority_code = ''"),
    _of_version("a column of a later version of another family", 9, "stray_value", "tax_voucher_no = 'T1'"),
    _of_version("a later version", 5, "stray_value", "schema_version = 2"),
    _of_version("a later version and its column", 5, "content",
                "(schema_version, tax_voucher_no, receipt_no) = (2, receipt_no, NULL)"),
    _altered("a source", 9, "content", "source_system = 'elsewhere'"),
    _altered("who approved", 25, "content", "approved_by = '乙'", region=NANJING),
    _altered("when approved", 25, "content", "approved_at = 'infinity'", region=NANJING),
    _altered("an event's time", 9, "recorded_at", _LATE),
    _altered("an event's batch", 9, "batch_id", "batch_id = 4"),
    Forgery("a content hash", 9, "content_hash", _sql(_event(9, f"content_hash = {_ZEROS}")), coarse=7),
    Forgery("a line", 9, "line_no", _sql(_event(9, "line_no = 400")), coarse=7),
    Forgery("a line that fits", 7, "batch", _sql(_event(12, "line_no = 14")), last_seq=12),
    _altered("a list of computed columns taken away", 4, "derived_columns", "derived_columns = NULL"),
    Forgery("a sent value called computed", 6, "derived_columns",
            _sql(_event(6, "derived_columns = '{personal_account_credit}'")), coarse=4),
    _altered("a list within a list", 1, "derived_columns", "derived_columns = '{{birth_date,sex}}'"),
)  # fmt: skip

OF_WHAT_WAS_ADDED = (
    Forgery("a computed value", 4, "derived", _sql(_event(5, "personal_account_credit = 1")), last_seq=6),
    Forgery("a computed sex", 1, "derived", _sql(_event(1, "sex = 'M'")), last_seq=3),
    Forgery("a computed sub-fund", 15, "derived", _sql(_event(17, "sub_fund = 'personal'")), last_seq=19),
    Forgery("the key of a pseudonym", 1, "derived", _sql(_event(1, "pseudonym_key_id = 'k'")), last_seq=3),
    Forgery("the place of an original", 14, "original_seq", _sql(_event(14, "original_seq = 8")), coarse=13),
    Forgery("no place of an original", 13, "derived", _sql(_event(14, "original_seq = NULL")), last_seq=14),
    Forgery("a place where none was", 20, "original_seq", _sql(_event(20, "original_seq = 7")), coarse=20),
    Forgery("a derived hash", 4, "derived", _sql(_batch(2, f"derived_hash = {_ZEROS}")), last_seq=6),
    Forgery("a derived hash taken away", 4, "derived_removed", _sql(_batch(2, "derived_hash = NULL"))),
    Forgery("all derived hashes taken away", 1, "head_derived_differs",
            _sql(_batch(0, "derived_hash = NULL").replace("batch_id = 0", "true"))),
    Forgery("a computed value with its hashes", 1, "head_derived_differs",
            _rewrite(_event(5, "personal_account_credit = 1"), 2), last_seq=12),
)  # fmt: skip

OF_BATCHES = (
    Forgery("a batch's time", 7, "batch_recorded_at", _sql(_batch(3, _LATE)), last_seq=12),
    Forgery("a batch's time with its events'", 7, "batch",
            _sql(_batch(3, _LATE), *(_event(seq, _LATE) for seq in range(7, 13))), last_seq=12),
    Forgery("a batch's file hash", 7, "file_sha256", _sql(_batch(3, f"file_sha256 = '{'0' * 64}'"))),
    Forgery("a batch's file", 7, "file", _sql(_batch(3, "file_id = 1"))),
    Forgery("no file", 7, "file", _sql(_batch(3, "file_id = NULL"))),
    Forgery("a previous hash", 13, "prev_batch_hash", _sql(_batch(4, f"prev_batch_hash = {_ZEROS}")), last_seq=14),
    Forgery("a batch hash", 13, "batch_hash", _sql(_batch(4, f"batch_hash = {_ZEROS}")), last_seq=14),
    Forgery("the last batch hash", 20, "batch", _sql(_batch(6, f"batch_hash = {_ZEROS}"))),
    Forgery("a range that begins late", 7, "batch_range", _sql(_batch(3, "first_seq = 8"))),
    Forgery("a range that ends late", 7, "head_differs", _sql(_batch(3, "last_seq = 13")), coarse=1),
    Forgery("a batch's number", 7, "batch_missing", _sql(_batch(3, "batch_id = 9")), coarse=1),
    Forgery("a batch rewritten", 13, "rewritten",
            _then(_sql(_event(14, "pooled_amount = 1")), lambda cursor: _rehash_one(cursor, 4)), last_seq=14,
            coarse=15),
    Forgery("history rewritten to the end", 13, "head_differs",
            _rewrite(_event(17, "amount = 1"), 5), last_seq=19),
    Forgery("all history rewritten", 1, "head_differs", _rewrite(_event(1, "reason = 'died'"), 1), last_seq=12),
)  # fmt: skip

OF_PLACES = (
    Forgery("the last event deleted", 24, "missing", _sql(*_delete("seq = 24", "event")), coarse=20),
    Forgery("the first event deleted", 1, "missing", _sql(*_delete("seq = 1", "event"))),
    Forgery("a middle event deleted", 9, "missing", _sql(*_delete("seq = 9", "event")), coarse=7),
    Forgery("events of a whole batch deleted", 7, "missing", _sql(*_delete("batch_id = 3", "event")), last_seq=12),
    Forgery("a batch deleted with its events", 13, "batch_missing",
            _sql(*_delete("batch_id = 4", "event", "batch")), last_seq=14),
    Forgery("the first batch deleted", 1, "batch_missing",
            _sql(*_delete("batch_id = 1", "event", "batch")), last_seq=3),
    Forgery("the end cut off", 20, "truncated", _sql(*_delete("batch_id = 6", "event", "batch")), last_seq=24),
    Forgery("everything deleted", 1, "truncated", _sql(*_delete("true", "event", "batch")), last_seq=24),
    Forgery("an event inserted after the end", 25, "outside_batch", _insert(25, 24)),
    Forgery("an event inserted far away", 1000, "outside_batch", _insert(1000, 24)),
    Forgery("an event inserted before the first", 0, "outside_batch",
            _then(_sql("ALTER TABLE events.event DROP CONSTRAINT event_seq_check"), _insert(0, 24))),
    Forgery("an event inserted into a gap", 7, "batch",
            _then(_sql(*_delete("seq = 9", "event")), _insert(9, 10, line_no="10")), last_seq=12),
    Forgery("an event inserted between others", 9, "line_no", _shift_in(9), coarse=7),
    Forgery("two events swapped", 8, "line_no", _swap(8, 11), coarse=7),
    Forgery("two neighbours swapped", 8, "line_no", _swap(8, 9), coarse=7),
    Forgery("two events swapped but for their lines", 7, "batch", _swap(8, 11, "line_no"), last_seq=12),
    Forgery("two events of different batches swapped", 9, "batch_id", _swap(9, 22), coarse=7),
)  # fmt: skip


def _rehash_one(cursor: Cursor, batch_id: int) -> None:
    """Recompute a batch's own hashes and leave those after it."""
    after = "SELECT batch_id, prev_batch_hash, batch_hash, derived_hash FROM events.batch WHERE region_code = %s"
    cursor.execute(f"{after} AND batch_id > %s", (HUAINAN, batch_id))
    kept = cursor.fetchall()
    rehash(cursor, HUAINAN, batch_id)
    for number, *hashes in kept:
        cursor.execute(_batch(number, "(prev_batch_hash, batch_hash, derived_hash) = (%s, %s, %s)"), hashes)


ALL = (*OF_EVENTS, *OF_WHAT_WAS_ADDED, *OF_BATCHES, *OF_PLACES)
