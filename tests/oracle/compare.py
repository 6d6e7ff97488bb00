"""Differences between what the contract asks for and what the system shows, one readable line each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from decimal import Decimal
from typing import Any

from .oracle import Expected

Rows = list[tuple[Any, ...]]
Table = dict[tuple[Any, ...], tuple[Any, ...]]


@dataclass(frozen=True)
class Shown:
    """Rows of the relations that the contract names, values after keys."""

    files: Rows
    quarantine: Rows
    quarantine_open: Rows
    general_ledger: Rows
    trial_balance: Rows
    income_expenditure_statement: Rows
    balance_sheet: Rows
    maternity_expenditure: Rows
    personal_account_balance: Rows
    contribution_arrears: Rows
    institution_settlement: Rows


def differences(expected: Expected, shown: Shown) -> list[str]:
    """Empty when they agree to the cent, row for row."""
    return [
        *_compare("file", _files(expected), _table(shown.files, 2)),
        *_compare("quarantine", _quarantine(expected, only_open=False), _groups(shown.quarantine)),
        *_compare("quarantine_open", _quarantine(expected, only_open=True), _groups(shown.quarantine_open)),
        *_compare("general_ledger", _ledger(expected), _table(shown.general_ledger, 9)),
        *_compare("trial_balance", _trial(expected), _table(shown.trial_balance, 5)),
        *_compare("statement", expected.income_expenditure_statement, _table(shown.income_expenditure_statement, 5)),
        *_compare("balance_sheet", expected.balance_sheet, _table(shown.balance_sheet, 5)),
        *_compare("maternity", _maternity(expected), _table(shown.maternity_expenditure, 5)),
        *_compare("account", expected.personal_account_balance, _table(shown.personal_account_balance, 4)),
        *_compare("arrears", expected.contribution_arrears, _table(shown.contribution_arrears, 5)),
        *_compare("institution", _institutions(expected), _table(shown.institution_settlement, 3)),
    ]


# Where a row of zeroes may as well be absent: the contract asks for zero rows of statement lines only.
_ZERO_MAY_LACK = {"trial_balance", "maternity", "balance_sheet"}


def _compare(name: str, expected: Mapping[Any, Any], got: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted({*expected, *got}, key=str):
        wanted, found = expected.get(key), got.get(key)
        if wanted == found or (name in _ZERO_MAY_LACK and is_zero(wanted or ()) and is_zero(found or ())):
            continue
        yield f"{name} {' '.join(map(str, key))}: expected {_say(wanted)}, got {_say(found)}"


def _say(values: Sequence[object] | None) -> str:
    return "no row" if values is None else f"({', '.join(map(str, values))})"


def _table(rows: Rows, keys: int) -> Table:
    table = {row[:keys]: row[keys:] for row in rows}
    assert len(table) == len(rows), "two rows of one grain"
    return table


def _groups(rows: Rows) -> Table:
    """Code groups of quarantined rows: readers rely on the prefix only."""
    return {(source, name, line): tuple(sorted({_group(c) for c in codes})) for source, name, line, codes in rows}


def _group(code: str) -> str:
    return "-".join(code.split("-")[:2])


def _files(expected: Expected) -> Table:
    counts = ("rows", "loaded", "duplicate", "quarantined")
    return {
        (file.source_system, file.file_name): (
            file.state,
            "FILE" if file.error_group else None,
            *(file.counts[count] for count in counts),
            file.now_loaded,
        )
        for file in expected.files
    }


def _quarantine(expected: Expected, *, only_open: bool) -> Table:
    return {
        (entry.file.source_system, entry.file.file_name, entry.row.line_no): tuple(sorted(entry.groups))
        for entry in expected.quarantine
        if entry.still_open or not only_open
    }


def _trial(expected: Expected) -> Table:
    rows = expected.trial_balance.items()
    return {key: (row.opening, row.debit, row.credit, row.closing) for key, row in rows}


def _ledger(expected: Expected) -> Table:
    """Sums by source line, book, month, kind and account: every line leads to one file and one line (L6.4)."""
    names = {file.file_id: (file.source_system, file.file_name) for file in expected.files}
    sums: dict[tuple[Any, ...], tuple[Decimal, Decimal]] = {}
    for line in expected.lines:
        place = (line.region, *names[line.event.file_id], line.event.row.line_no)
        key = (*place, line.fund, line.month, line.kind, line.account, line.sub_fund)
        debit, credit = sums.get(key, (Decimal(0), Decimal(0)))
        sums[key] = (debit + line.debit, credit + line.credit)
    return sums


def _maternity(expected: Expected) -> Table:
    return {key: (amount,) for key, amount in expected.maternity_expenditure.items()}


def _institutions(expected: Expected) -> Table:
    return {key: astuple(row) for key, row in expected.institution_settlement.items()}


def is_zero(values: Sequence[object]) -> bool:
    """A row of zeroes says the same as no row."""
    return all(isinstance(value, Decimal) and value == 0 for value in values)
