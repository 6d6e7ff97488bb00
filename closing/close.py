"""Deciding on a request, and closing: year, month, publication, signature. Every step may be repeated.

What has been done is told by the log and by schema `signoff` alone: whoever calls a step again, after whatever has
ended the first try, finds what is there and goes on behind it.
"""

from __future__ import annotations

import unicodedata
from contextlib import closing
from datetime import UTC, date, datetime

from psycopg2.extensions import cursor as Cursor

from closing import pack, records
from closing.checklist import DECEMBER
from closing.prepare import month_hashes
from closing.records import Decision, Hashes, Request, Signed
from expectations.freeze import frozen_regions
from expectations.gate import GateRefusedError, check
from expectations.gate import publish as publish_checked
from expectations.publication import HEAD_MOVED
from ingestion import control, heads
from ingestion.database import Connection, connect
from ingestion.errors import PeriodRefused
from ingestion.settings import Settings
from runtime import dbt

_TRIES = 3  # a build of somebody else may move the head between check and publication


def approve(
    request_id: str,
    approved_by: str,
    reason: str | None,
    account: str,
    at: datetime | None = None,
    settings: Settings | None = None,
) -> None:
    """Record an approval. Of the same person again: nothing.

    PeriodRefused: E-PERIOD-APPROVER and E-PERIOD-REASON make the request void; E-PERIOD-DECIDED: somebody was first.
    """
    with closing(connect("fund_publisher", settings=settings)) as connection:
        with connection, connection.cursor() as cursor:
            request = _locked(cursor, request_id)
            told = Decision("approved", approved_by, at or datetime.now(UTC), reason or None, account)
            earlier = records.decision(cursor, request_id)
            if earlier is not None:
                if (earlier.decision, earlier.decided_by) == ("approved", approved_by):
                    return
                raise PeriodRefused("E-PERIOD-DECIDED", _said(request_id, earlier))
            refused = _refusal(cursor, request, told)
            records.decide(cursor, request_id, told if refused is None else _void(told, refused))
        if refused is not None:
            raise refused


def reject(
    request_id: str,
    rejected_by: str | None,
    reason: str | None,
    account: str,
    at: datetime | None = None,
    settings: Settings | None = None,
) -> None:
    """Record that a request was turned down; nobody named: that its time has run out. The month stays open.

    PeriodRefused E-PERIOD-DECIDED when it was decided before.
    """
    if rejected_by and not (reason or "").strip():
        reason = "未写明 / none given"
    decision = "rejected" if rejected_by else "timed_out"
    with closing(connect("fund_publisher", settings=settings)) as connection, connection, connection.cursor() as cursor:
        _locked(cursor, request_id)
        earlier = records.decision(cursor, request_id)
        if earlier is not None:
            if (earlier.decision, earlier.decided_by) == (decision, rejected_by):
                return
            raise PeriodRefused("E-PERIOD-DECIDED", _said(request_id, earlier))
        records.decide(
            cursor, request_id, Decision(decision, rejected_by, at or datetime.now(UTC), reason or None, account)
        )


def close(request_id: str, run_id: str, settings: Settings | None = None) -> int:
    """Close the month of an approved request in the log; returns the seq of `period.closed`.

    December is closed after its year, whose lines are posted and published first. PeriodRefused: E-PERIOD-DECIDED when
    there is no valid approval; E-PERIOD-MOVED, E-PERIOD-ORDER and E-PERIOD-DIFFERS make it void.
    """
    settings = settings or Settings.from_env()
    request, approval = _approved(request_id, settings)
    try:
        with closing(connect("auditor", settings=settings)) as connection, connection.cursor() as cursor:
            found = control.closed_period(cursor, request.region_code, request.accounting_month)
            frozen = _frozen_why(connection, request.region_code)
        if found is not None and found.report_sha256 == request.report_sha256:
            return found.seq
        if frozen is not None:
            raise PeriodRefused("E-PERIOD-CHECKS", frozen)
        if request.accounting_month.month == DECEMBER:
            hashes, seq = _close_year(request, approval, run_id, settings)
        else:
            hashes, seq = request.hashes, request.checked_seq
            _refuse_other(request, _hashes(request, seq, settings), request.hashes)
        _refuse_other(request, _stored_figures(request, seq, hashes, settings), hashes)
        place = control.close_period(records.closing_event(request, approval, hashes.ledger_sha256), settings)
    except PeriodRefused as refused:
        _make_void(request_id, approval, refused, settings)
        raise
    heads.record(settings)
    return place.seq


def _frozen_why(connection: Connection, region: str) -> str | None:
    """Why nothing of the region may be closed now; None when it may."""
    frozen = frozen_regions(connection).get(region)
    return None if frozen is None else f"{region}: 已暂停发布 / frozen by {frozen.frozen_by}: {frozen.reason}"


def publish(region: str, run_id: str, settings: Settings | None = None) -> None:
    """Post, check and publish what the log has; the checks of all regions are run, this one has to be published.

    PeriodRefused E-PERIOD-CHECKS when the gate refuses the region.
    """
    dbt.deploy(run_id)
    for attempt in range(1, _TRIES + 1):
        dbt.build(run_id)
        check(run_id, settings)
        reasons = _refused(region, run_id, settings)
        if not reasons:
            return
        if reasons != (HEAD_MOVED,) or attempt == _TRIES:
            raise PeriodRefused("E-PERIOD-CHECKS", f"{region}: {', '.join(reasons)}")


def sign(region: str, month: date, settings: Settings | None = None) -> Signed:
    """Complete the close of a month that is closed and published: keep the signed files, and write them out.

    PeriodRefused: E-PERIOD-UNKNOWN when it is not closed, E-PERIOD-BEHIND when the close is not published,
    E-PERIOD-DIFFERS when the published figures are not those of the close.
    """
    settings = settings or Settings.from_env()
    with closing(connect("fund_publisher", settings=settings)) as connection, connection, connection.cursor() as cursor:
        records.lock(cursor, region)
        if records.signed(cursor, region, month) is None:
            closed = control.closed_period(cursor, region, month)
            if closed is None:
                raise PeriodRefused("E-PERIOD-UNKNOWN", f"{region} {month:%Y-%m}")
            cursor.execute("SELECT seq FROM marts.published_head WHERE region_code = %s", (region,))
            (published,) = cursor.fetchone() or (0,)
            if published < closed.seq:
                raise PeriodRefused("E-PERIOD-BEHIND", f"{region}: {published} < {closed.seq}")
            now = month_hashes(connection, region, month, published)
            if now.ledger_sha256 != closed.ledger_sha256:
                raise PeriodRefused("E-PERIOD-DIFFERS", f"{closed.ledger_sha256} ≠ {now.ledger_sha256}")
            request = _of_report(records.requests(cursor, region, month), str(closed.report_sha256))
            records.sign(cursor, request, closed.seq, now.ledger_sha256)
        signed = records.signed(cursor, region, month)
        files = records.signed_files(cursor, region, month)
    assert signed is not None
    pack.write(pack.signed_folder(settings.reports_dir, region, month), files, read_only=True)
    return signed


def finish(region: str, month: date, run_id: str, settings: Settings | None = None) -> Signed:
    """Publish and sign a month that the log has closed, from wherever an interrupted close has got to."""
    settings = settings or Settings.from_env()
    with closing(connect("auditor", settings=settings)) as connection, connection.cursor() as cursor:
        closed = control.closed_period(cursor, region, month)
        signed = records.signed(cursor, region, month)
        cursor.execute("SELECT seq FROM marts.published_head WHERE region_code = %s", (region,))
        (published,) = cursor.fetchone() or (0,)
    if closed is None:
        raise PeriodRefused("E-PERIOD-UNKNOWN", f"{region} {month:%Y-%m}")
    if signed is None and published < closed.seq:
        publish(region, run_id, settings)
    heads.record(settings)
    return sign(region, month, settings)


def conclude(request_id: str | None, settings: Settings | None = None) -> str:
    """The last word of a run: the month is closed and signed, or it is said why not.

    PeriodRefused E-PERIOD-DECIDED when the month has not been closed by this request, with who decided so and why.
    """
    if request_id is None:
        raise PeriodRefused("E-PERIOD-CHECKS", "未能申请，见上一任务 / not asked for: see the task before")
    with closing(connect("auditor", settings=settings)) as connection, connection.cursor() as cursor:
        request = records.request(cursor, request_id)
        signed = records.signed(cursor, request.region_code, request.accounting_month)
        decision = records.decision(cursor, request_id)
    if signed is not None and signed.request_id == request_id:
        return f"{signed.region_code} {signed.accounting_month:%Y-%m}: seq {signed.closed_seq} {signed.report_sha256}"
    raise PeriodRefused("E-PERIOD-DECIDED", _said(request_id, decision))


def _locked(cursor: Cursor, request_id: str) -> Request:
    request = records.request(cursor, request_id)
    records.lock(cursor, request.region_code)
    return request


def _refusal(cursor: Cursor, request: Request, told: Decision) -> PeriodRefused | None:
    """Why this person may not approve, or not without a reason: neither name nor account may have asked."""
    asked = {_same_person(request.prepared_by), _same_person(request.requested_by)}
    if asked & {_same_person(str(told.decided_by)), _same_person(told.account)}:
        return PeriodRefused("E-PERIOD-APPROVER", f"{request.request_id}: {told.decided_by} ({told.account})")
    items = records.items(cursor, request.request_id)
    if blocked := sorted({item.code for item in items if item.outcome == "blocked"}):
        return PeriodRefused("E-PERIOD-CHECKS", f"{request.request_id}: {', '.join(blocked)}")
    waived = sorted({item.code for item in items if item.outcome == "waivable"})
    if waived and not (told.reason or "").strip():
        return PeriodRefused("E-PERIOD-REASON", f"{request.request_id}: {', '.join(waived)}")
    return None


def _same_person(name: str) -> str:
    """A name as it is compared: neither case nor blanks nor the account's kind make another person."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(folded.rpartition(":")[2].split())


def _approved(request_id: str, settings: Settings) -> tuple[Request, Decision]:
    with closing(connect("auditor", settings=settings)) as connection, connection.cursor() as cursor:
        request = records.request(cursor, request_id)
        decision = records.decision(cursor, request_id)
    if decision is None or decision.decision != "approved":
        raise PeriodRefused("E-PERIOD-DECIDED", _said(request_id, decision))
    return request, decision


def _close_year(request: Request, approval: Decision, run_id: str, settings: Settings) -> tuple[Hashes, int]:
    """Close the year and publish it: the statements must be those approved, the trial balance has the closing lines."""
    control.close_year(records.closing_event(request, approval, None), settings)
    heads.record(settings)
    publish(request.region_code, run_id, settings)
    with closing(connect("auditor", settings=settings)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT seq FROM marts.published_head WHERE region_code = %s", (request.region_code,))
        (seq,) = cursor.fetchone() or (0,)
    found = _hashes(request, seq, settings)
    statements = (found.statement_sha256, found.balance_sheet_sha256)
    if statements != (request.statement_sha256, request.balance_sheet_sha256):
        raise PeriodRefused("E-PERIOD-DIFFERS", f"{request.request_id}: seq {seq}")
    return found, seq


def _hashes(request: Request, seq: int, settings: Settings) -> Hashes:
    with closing(connect("auditor", settings=settings)) as connection:
        return month_hashes(connection, request.region_code, request.accounting_month, seq)


def _stored_figures(request: Request, seq: int, hashes: Hashes, settings: Settings) -> Hashes:
    with closing(connect("fund_publisher", settings=settings)) as connection, connection, connection.cursor() as cursor:
        return records.closing_figures(cursor, request, seq, hashes)


def _refuse_other(request: Request, found: Hashes, wanted: Hashes) -> None:
    if found != wanted:
        told = f"{request.request_id}: {wanted.ledger_sha256} ≠ {found.ledger_sha256}"
        raise PeriodRefused("E-PERIOD-DIFFERS", told)


def _refused(region: str, run_id: str, settings: Settings | None) -> tuple[str, ...]:
    """Why the gate refuses the region in this run; nothing when it is published. Other regions are their own affair."""
    try:
        decisions = publish_checked(run_id, settings)
    except GateRefusedError as refused:
        decisions = refused.decisions
    return next(one.failed_checks for one in decisions if one.region_code == region)


def _make_void(request_id: str, approval: Decision, refused: PeriodRefused, settings: Settings) -> None:
    with closing(connect("fund_publisher", settings=settings)) as connection, connection, connection.cursor() as cursor:
        _locked(cursor, request_id)
        newest = records.decision(cursor, request_id)
        if newest is not None and newest.decision == "approved":
            records.decide(cursor, request_id, _void(approval, refused))


def _void(approval: Decision, refused: PeriodRefused) -> Decision:
    return Decision("void", approval.decided_by, datetime.now(UTC), str(refused), approval.account)


def _of_report(requests: list[Request], report_sha256: str) -> Request:
    for request in requests:
        if request.report_sha256 == report_sha256:
            return request
    raise PeriodRefused("E-PERIOD-UNKNOWN", report_sha256)


def _said(request_id: str, decision: Decision | None) -> str:
    if decision is None:
        return f"{request_id}: 尚无决定 / not decided"
    by = decision.decided_by or "–"
    return f"{request_id}: {decision.decision}, {by}, {decision.decided_at.isoformat()}, {decision.reason or '–'}"
