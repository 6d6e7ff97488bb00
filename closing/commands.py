"""The commands of a close without Airflow's user interface: the same functions, the same rows."""

from __future__ import annotations

import argparse
import getpass
import json
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TypeAlias

from closing import close as closes
from closing import prepare as preparing
from closing import records, telling
from closing.review import VoucherNumber, review
from ingestion.control import open_month
from ingestion.database import connect
from ingestion.errors import PeriodRefused

_Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_commands(commands: _Commands) -> None:
    """prepare, approve, reject, finish, status, sign-list and review."""
    one = _command(commands, "prepare", "check a month and ask for its close; tells the checklist and the request")
    _add_month(one)
    one.add_argument("--prepared-by", metavar="NAME", help="the preparer; default: the login of this machine")
    one.set_defaults(command=_prepare)
    one = _command(commands, "approve", "approve a request, close the month, publish and sign; may be repeated")
    _add_decision(one, "who approves, not the preparer")
    one.set_defaults(command=_approve)
    one = _command(commands, "reject", "turn a request down; the month stays open")
    _add_decision(one, "who rejects")
    one.set_defaults(command=_reject)
    one = _command(
        commands, "finish", "complete the close of a month that an interruption has left closed and not signed"
    )
    _add_month(one)
    one.set_defaults(command=_finish)
    one = _command(commands, "status", "the open month and the requests of a region; with --request its checklist")
    one.add_argument("--region", help="six digits; default: all")
    one.add_argument("--request", help="number of a request")
    one.set_defaults(command=_status)
    one = _command(commands, "sign-list", "the signed months with their hashes")
    one.add_argument("--region", help="six digits; default: all")
    one.set_defaults(command=_sign_list)
    one = _command(commands, "review", "review a voucher under the account that FUND_DATABASE_URL names")
    one.add_argument("--voucher", required=True, type=VoucherNumber.parse, metavar="340400/EMI/2020-06/17")
    one.add_argument("--objected", action="store_true", help="the voucher is objected to; needs a reason")
    one.add_argument("--reason", help="needed for an objection and for a second review")
    one.set_defaults(command=_review)


def month_of(text: str) -> date:
    """A month YYYY-MM as its first day."""
    return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no zone


def _command(commands: _Commands, name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=text)


def _add_month(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--region", required=True, help="six digits")
    parser.add_argument("--month", required=True, type=month_of, metavar="YYYY-MM", help="accounting month")


def _add_decision(parser: argparse.ArgumentParser, who: str) -> None:
    parser.add_argument("--request", required=True, help="number of the request, as prepare tells it")
    parser.add_argument("--by", metavar="NAME", help=f"{who}; default: the login of this machine")
    parser.add_argument("--reason", help="needed to reject, and to waive an item of the checklist")


def _prepare(options: argparse.Namespace) -> int:
    login = getpass.getuser()
    made = preparing.prepare(options.region, options.month, options.prepared_by or login, f"os:{login}")
    print(telling.plain(made.request, made.items))
    return 0


def _approve(options: argparse.Namespace) -> int:
    login = getpass.getuser()
    closes.approve(options.request, options.by or login, options.reason, f"os:{login}")
    closes.close(options.request, _run_id())
    request = preparing.prepared(options.request).request
    return _say(asdict(closes.finish(request.region_code, request.accounting_month, _run_id())))


def _reject(options: argparse.Namespace) -> int:
    login = getpass.getuser()
    if not (options.reason or "").strip():
        raise PeriodRefused("E-PERIOD-REASON", options.request)
    closes.reject(options.request, options.by or login, options.reason, f"os:{login}")
    return _say({"request_id": options.request, "decision": "rejected"})


def _finish(options: argparse.Namespace) -> int:
    return _say(asdict(closes.finish(options.region, options.month, _run_id())))


def _status(options: argparse.Namespace) -> int:
    if options.request:
        found = preparing.prepared(options.request)
        print(telling.plain(found.request, found.items))
        return 0
    with closing(connect("auditor")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT region_code FROM marts.published_head ORDER BY 1")
        for (region,) in cursor.fetchall():
            if options.region not in (None, region):
                continue
            due = open_month(cursor, region)
            asked = [] if due is None else records.requests(cursor, region, due)
            told = [
                {"request_id": each.request_id, "decision": decided.decision if decided else None}
                for each in asked
                for decided in [records.decision(cursor, each.request_id)]
            ]
            _say({"region_code": region, "open_month": due and f"{due:%Y-%m}", "requests": told})
    return 0


def _sign_list(options: argparse.Namespace) -> int:
    with closing(connect("auditor")) as connection, connection.cursor() as cursor:
        for signed in records.signed_reports(cursor, options.region):
            _say(asdict(signed))
    return 0


def _review(options: argparse.Namespace) -> int:
    return _say(asdict(review(options.voucher, options.reason, objected=options.objected)))


def _run_id() -> str:
    return f"close__{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"


def _say(what: object) -> int:
    print(json.dumps(what, ensure_ascii=False, default=str))
    return 0
