"""The old settlement platform of maternity insurance, kept until it migrates: one hospital's births and its totals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from runtime.samples import native
from runtime.samples.log import CityLog, Row, day_of, fen, text
from runtime.samples.source_file import SourceFile
from runtime.samples.values import Fen, Month


def is_from_platform(log: CityLog, row: Row) -> bool:
    """Whether a fact of the city is reported by the platform and not by the city's own system."""
    return log.city.platform is not None and row.get("institution_code") == log.city.platform_institution


def files(log: CityLog) -> Iterator[SourceFile]:
    """One file a quarter of claims, and one of what the platform states of each month."""
    claims = sorted((row for row in log.rows["claim"] if is_from_platform(log, row)), key=day_of)
    yield from _quarterly(log, "claim", claims)
    yield from _quarterly(log, "treasury", list(_statements(log, claims)))


def _quarterly(log: CityLog, family: str, rows: list[Row]) -> Iterator[SourceFile]:
    quarters: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        quarters[max(Month.of(day_of(row)).quarter, "2019Q4")].append(row)
    for quarter, own in quarters.items():
        assert log.city.platform is not None
        source = log.city.platform.source_system
        content = native.to_csv(log.city, family, own, source_system=source)
        yield SourceFile(source, f"{log.city.prefix.lower()}sy_{family}_{quarter}.csv", content)


def _statements(log: CityLog, claims: list[Row]) -> Iterator[Row]:
    """Per month and fund what the hospital received; a patient's own account is of the medical fund."""
    totals: dict[tuple[Month, str], Fen] = defaultdict(Fen)
    for row in claims:
        if row["event_type"] == "claim.paid":
            month = Month.of(day_of(row))
            totals[month, log.city.fund_of(text(row, "insurance_type"), day_of(row))] += fen(row, "pooled_amount")
            totals[month, "EMI"] += fen(row, "personal_account_amount")
    for (month, fund), amount in sorted(totals.items()):
        if amount:
            yield _statement(log, month, fund, amount)


def _statement(log: CityLog, month: Month, fund: str, amount: Fen) -> Row:
    platform = log.city.platform
    assert platform is not None
    return {
        "event_type": "balance.stated",
        "source_event_key": f"{log.city.prefix}SY-{month.year}{month.month:02d}-{fund}",
        "occurred_on": month.last,
        "region_code": log.city.region_code,
        "fund_code": fund,
        "statement_kind": "institution_settled",
        "institution_code": log.city.platform_institution,
        "counterparty": platform.title,
        "accounting_month": month,
        "amount": amount,
    }
