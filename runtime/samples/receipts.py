"""What hospitals of a city say they have received: one statement a month, sent through the city's own platform."""

from __future__ import annotations

from collections import defaultdict

from runtime.samples.log import CityLog, Row, day_of, fen, text
from runtime.samples.values import MONTHS, Fen, Month

_HOSPITALS = (0, 1, 2)

Received = dict[tuple[Month, str, str], int]


def record(log: CityLog) -> None:
    """A statement a month, hospital and fund in which money was received, dated the month's last day."""
    received = _received(log)
    for month in MONTHS:
        for institution in map(log.city.institution, _HOSPITALS):
            for fund in ("EMI", "MAT"):
                if amount := received[month, institution, fund]:
                    log.treasury(
                        "balance.stated",
                        month.last,
                        fund,
                        statement_kind="institution_settled",
                        institution_code=institution,
                        accounting_month=month,
                        amount=Fen(amount),
                        counterparty="定点医疗机构",
                    )


def _received(log: CityLog) -> Received:
    """Payments to institutions less those the bank never made, by month, institution and fund."""
    received: Received = defaultdict(int)
    paid = {row["source_event_key"]: row for row in log.of_type("claim.paid")}
    for row in paid.values():
        _add(received, log, row, row, 1)
    for row in log.of_type("claim.reversed"):
        _add(received, log, row, paid[row["original_event_key"]], -1)
    return received


def _add(received: Received, log: CityLog, row: Row, payment: Row, sign: int) -> None:
    if payment["payee_type"] == "institution":
        month, institution = Month.of(day_of(row)), text(payment, "institution_code")
        fund = log.city.fund_of(text(row, "insurance_type"), day_of(row))
        received[month, institution, fund] += sign * fen(row, "pooled_amount")
        received[month, institution, "EMI"] += sign * fen(row, "personal_account_amount")
