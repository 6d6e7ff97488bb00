"""What people decide on the books, as schema `signoff` keeps it: rows are added, never changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion.control import Closing
from ingestion.errors import PeriodRefused
from reporting.names import Name

PARTS = ("journal_sha256", "trial_balance_sha256", "statement_sha256", "balance_sheet_sha256")


@dataclass(frozen=True)
class Hashes:
    """sha256, in hexadecimal, of a month's canonical figures by part, and over the four."""

    journal_sha256: str
    trial_balance_sha256: str
    statement_sha256: str
    balance_sheet_sha256: str
    ledger_sha256: str


@dataclass(frozen=True)
class Item:
    """One item of a checklist. Amounts are yuan; a comparison has those of last month and of the year before beside."""

    kind: str
    code: str
    outcome: str
    title: Name
    fund_code: str | None = None
    detail: str | None = None
    item_count: int | None = None
    amount: Decimal | None = None
    amount_last_month: Decimal | None = None
    amount_last_year: Decimal | None = None


@dataclass(frozen=True)
class Request:
    """A request to close a month of a region, with what was checked and the hashes of what the approver reads."""

    request_id: str
    region_code: str
    accounting_month: date
    attempt_no: int
    prepared_by: str
    requested_by: str
    prepared_at: datetime
    checks_run_id: str
    checked_seq: int
    batch_hash: str
    rules_sha256: str
    report_sha256: str
    journal_sha256: str
    trial_balance_sha256: str
    statement_sha256: str
    balance_sheet_sha256: str
    ledger_sha256: str

    @property
    def hashes(self) -> Hashes:
        """The month's figures at `checked_seq`."""
        return Hashes(**{part: getattr(self, part) for part in (*PARTS, "ledger_sha256")})


@dataclass(frozen=True)
class Decision:
    """A decision on a request: approved, rejected, timed_out or void."""

    decision: str
    decided_by: str | None
    decided_at: datetime
    reason: str | None
    account: str


@dataclass(frozen=True)
class Signed:
    """A month whose close is complete."""

    region_code: str
    accounting_month: date
    request_id: str
    closed_seq: int
    published_seq: int
    batch_hash: str
    report_sha256: str
    ledger_sha256: str
    signed_at: datetime


_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('merged_fund.signoff.' || %s, 0))"


def _columns(of: type[Request] | type[Signed]) -> str:
    """The columns of a record, hashes in bytes as hexadecimal digits."""
    names = (field.name for field in fields(of))
    return ", ".join("encode(batch_hash, 'hex')" if name == "batch_hash" else name for name in names)


_REQUEST, _SIGNED = _columns(Request), _columns(Signed)
_ITEM = (
    "request_id, item_no, kind, code, fund_code, outcome, title_zh, title_en, detail, item_count, amount,"
    " amount_last_month, amount_last_year"
)


def lock(cursor: Cursor, region: str) -> None:
    """Keep others from deciding on this region until the transaction ends."""
    cursor.execute(_LOCK, (region,))


def add_request(cursor: Cursor, request: Request, items: Sequence[Item], files: Mapping[str, bytes]) -> None:
    """Store a request with its checklist and the files that the approver reads."""
    values = {**asdict(request), "batch_hash": bytes.fromhex(request.batch_hash)}
    cursor.execute(
        f"INSERT INTO signoff.close_request ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})",
        list(values.values()),
    )
    execute_values(
        cursor,
        f"INSERT INTO signoff.checklist_item ({_ITEM}) VALUES %s",
        [_item_row(request.request_id, place, item) for place, item in enumerate(items, start=1)],
    )
    execute_values(
        cursor,
        "INSERT INTO signoff.draft_report (request_id, file_name, content, sha256) VALUES %s",
        [(request.request_id, name, content, sha256(content).hexdigest()) for name, content in files.items()],
    )


def request(cursor: Cursor, request_id: str) -> Request:
    """A request by its number; PeriodRefused E-PERIOD-UNKNOWN."""
    cursor.execute(f"SELECT {_REQUEST} FROM signoff.close_request WHERE request_id = %s", (request_id,))
    row = cursor.fetchone()
    if row is None:
        raise PeriodRefused("E-PERIOD-UNKNOWN", request_id)
    return Request(*row)


def requests(cursor: Cursor, region: str, month: date) -> list[Request]:
    """The requests for a month, newest first."""
    query = f"SELECT {_REQUEST} FROM signoff.close_request WHERE region_code = %s AND accounting_month = %s"
    cursor.execute(f"{query} ORDER BY attempt_no DESC", (region, month))
    return [Request(*row) for row in cursor.fetchall()]


def items(cursor: Cursor, request_id: str) -> list[Item]:
    """The checklist of a request, in order."""
    cursor.execute(f"SELECT {_ITEM} FROM signoff.checklist_item WHERE request_id = %s ORDER BY item_no", (request_id,))
    return [
        Item(kind, code, outcome, Name(zh, en), fund, detail, *rest)
        for _, _, kind, code, fund, outcome, zh, en, detail, *rest in cursor.fetchall()
    ]


def draft_files(cursor: Cursor, request_id: str) -> dict[str, bytes]:
    """The files that the approver reads, by name."""
    cursor.execute(
        "SELECT file_name, content FROM signoff.draft_report WHERE request_id = %s ORDER BY file_name", (request_id,)
    )
    return {name: bytes(content) for name, content in cursor.fetchall()}


def decision(cursor: Cursor, request_id: str) -> Decision | None:
    """The newest decision on a request."""
    cursor.execute(
        "SELECT decision, decided_by, decided_at, reason, account FROM signoff.decision"
        " WHERE request_id = %s ORDER BY decision_no DESC LIMIT 1",
        (request_id,),
    )
    row = cursor.fetchone()
    return None if row is None else Decision(*row)


def decide(cursor: Cursor, request_id: str, told: Decision) -> None:
    """Add a decision; the newest counts."""
    cursor.execute(
        "INSERT INTO signoff.decision (request_id, decision_no, decision, decided_by, decided_at, reason, account)"
        " SELECT %s, coalesce(max(decision_no), 0) + 1, %s, %s, %s, %s, %s"
        " FROM signoff.decision WHERE request_id = %s",
        (request_id, told.decision, told.decided_by, told.decided_at, told.reason, told.account, request_id),
    )


def closing_figures(cursor: Cursor, wanted: Request, seq: int, hashes: Hashes) -> Hashes:
    """Store the figures at the close before the event names them; returns those stored, which a rerun finds again."""
    values = {
        "request_id": wanted.request_id,
        "region_code": wanted.region_code,
        "accounting_month": wanted.accounting_month,
        "figures_seq": seq,
        **asdict(hashes),
    }
    cursor.execute(
        f"INSERT INTO signoff.closing_figures ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})"
        " ON CONFLICT (request_id) DO NOTHING",
        list(values.values()),
    )
    cursor.execute(
        f"SELECT {', '.join(PARTS)}, ledger_sha256 FROM signoff.closing_figures WHERE request_id = %s",
        (wanted.request_id,),
    )
    return Hashes(*cursor.fetchone())


def signed(cursor: Cursor, region: str, month: date) -> Signed | None:
    """The signed report of a month; None while its close is not complete."""
    query = f"SELECT {_SIGNED} FROM signoff.signed_report WHERE region_code = %s AND accounting_month = %s"
    cursor.execute(query, (region, month))
    row = cursor.fetchone()
    return None if row is None else Signed(*row)


def signed_reports(cursor: Cursor, region: str | None) -> list[Signed]:
    """Signed reports, of one region or of all, by region and month."""
    cursor.execute(
        f"SELECT {_SIGNED} FROM signoff.signed_report WHERE %s IS NULL OR region_code = %s ORDER BY 1, 2",
        (region, region),
    )
    return [Signed(*row) for row in cursor.fetchall()]


def signed_files(cursor: Cursor, region: str, month: date) -> dict[str, bytes]:
    """The signed files of a month, by name."""
    cursor.execute(
        "SELECT file_name, content FROM signoff.signed_file"
        " WHERE region_code = %s AND accounting_month = %s ORDER BY file_name",
        (region, month),
    )
    return {name: bytes(content) for name, content in cursor.fetchall()}


def sign(cursor: Cursor, wanted: Request, closed_seq: int, ledger_sha256: str) -> None:
    """Complete the close: one row, and the files of the request as they are. Nothing when it is complete already."""
    cursor.execute(
        "INSERT INTO signoff.signed_report (region_code, accounting_month, request_id, closed_seq, published_seq,"
        " batch_hash, report_sha256, ledger_sha256)"
        " SELECT %s, %s, %s, %s, head.seq, head.batch_hash, %s, %s FROM marts.published_head AS head"
        " WHERE head.region_code = %s ON CONFLICT DO NOTHING",
        (
            wanted.region_code,
            wanted.accounting_month,
            wanted.request_id,
            closed_seq,
            wanted.report_sha256,
            ledger_sha256,
            wanted.region_code,
        ),
    )
    if cursor.rowcount:
        cursor.execute(
            "INSERT INTO signoff.signed_file SELECT %s, %s, file_name, content, sha256 FROM signoff.draft_report"
            " WHERE request_id = %s",
            (wanted.region_code, wanted.accounting_month, wanted.request_id),
        )


def closing_event(wanted: Request, approval: Decision, ledger_sha256: str | None) -> Closing:
    """What the log is told of an approved request."""
    return Closing(
        region_code=wanted.region_code,
        month=wanted.accounting_month,
        prepared_by=wanted.prepared_by,
        approved_by=str(approval.decided_by),
        approved_at=approval.decided_at,
        reason=approval.reason,
        checks_run_id=wanted.checks_run_id,
        checked_seq=wanted.checked_seq,
        report_sha256=wanted.report_sha256,
        rules_sha256=wanted.rules_sha256,
        ledger_sha256=ledger_sha256,
    )


def _item_row(request_id: str, place: int, item: Item) -> tuple[object, ...]:
    return (
        request_id,
        place,
        item.kind,
        item.code,
        item.fund_code,
        item.outcome,
        item.title.zh,
        item.title.en,
        item.detail,
        item.item_count,
        item.amount,
        item.amount_last_month,
        item.amount_last_year,
    )
