"""The tie-out of a region's newest months, of which only those are computed again that something has moved.

Comparing a month with its statements costs by the lines of that month; a month that nothing has moved since is taken
from what the last writing has kept beside the pages. Yuan; differences are ours minus theirs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from ingestion.database import Connection
from reporting.books import rows
from reporting.files import replace_file
from reporting.names import Name
from reporting.statements.month import month_before
from reporting.tie_out.reading import Figure, Item, figures

# Months that are compared; what is older is in the database.
MONTHS = 12
# Of the items of one figure, the largest.
ITEMS_OF_FIGURE = 30

Key = tuple[str, str, str, str, str, date]
_Kind = TypeVar("_Kind", Figure, Item)


@dataclass(frozen=True)
class MonthTieOut:
    """All figures stated for a month, and of each the largest items that differ."""

    month: date
    figures: Sequence[Figure]
    items: Sequence[Item]

    def items_of(self, figure: Figure) -> list[Item]:
        """The listed items of a figure."""
        return [item for item in self.items if key_of(item) == key_of(figure)]


_MONTHS = """
    SELECT DISTINCT accounting_month FROM marts.outside_statement WHERE region_code = %s ORDER BY 1 DESC LIMIT %s
"""
_MOVED = """
    SELECT accounting_month, md5(string_agg(row::text, E'\\n' ORDER BY row::text)) AS digest FROM (
        SELECT accounting_month, fund_code, account_code, entry_kind, max(last_seq) AS last_seq,
            sum(line_count) AS line_count, sum(debit_amount) AS debit_amount, sum(credit_amount) AS credit_amount
        FROM marts.account_turnover WHERE region_code = %s GROUP BY 1, 2, 3, 4
    ) AS row
    GROUP BY accounting_month ORDER BY accounting_month
"""
_STATED = """
    SELECT accounting_month, concat(count(*), '|', max(event_seq), '|', sum(amount)) AS digest
    FROM marts.outside_statement WHERE region_code = %s GROUP BY accounting_month ORDER BY accounting_month
"""
# Numbers of payments and receipts stay in the database: entry, event, or file and line lead to an item.
_ITEMS = """
    SELECT fund_code, statement_kind, account_code, institution_code, stated_on, status, item_date, amount, difference,
        entry_id, entry_count, candidate_count, voucher_no, event_seq, source_file, source_line,
        stated_source_file, stated_source_line, matched_by, scope
    FROM (
        SELECT *, row_number() OVER (
            PARTITION BY fund_code, statement_kind, scope, account_code, institution_code, stated_on
            ORDER BY abs(difference) DESC, item_date, event_seq, stated_seq
        ) AS place
        FROM marts.tie_out_item
        WHERE region_code = %s AND accounting_month = %s AND status <> 'matched'
    ) AS placed
    WHERE place <= %s
    ORDER BY fund_code, statement_kind, account_code, institution_code, scope, stated_on, place
"""


def key_of(of: Figure | Item) -> Key:
    """What a figure is of, the same for its items."""
    return (
        of.fund_code,
        of.statement_kind,
        of.scope,
        of.account_code or "",
        of.institution_code or "",
        of.stated_on,
    )


def newest_months(connection: Connection, region_code: str, folder: Path | None, code: str) -> list[MonthTieOut]:
    """The newest months that anything is stated for, newest first.

    `folder`: where months are kept from one writing to the next; `code`: a hash of the code that reads them.
    """
    months = [row["accounting_month"] for row in rows(connection, _MONTHS, (region_code, MONTHS))]
    states = _states(connection, region_code, months, code)
    kept = _load(folder, region_code)
    found = [
        _decoded(month, kept[states[month]]) if states[month] in kept else _read(connection, region_code, month)
        for month in months
    ]
    if folder is not None and set(states.values()) != set(kept):
        _keep(folder, region_code, {states[month.month]: _encoded(month) for month in found})
    return found


def _read(connection: Connection, region_code: str, month: date) -> MonthTieOut:
    stated = figures(connection, region_code, month)
    differing = any(figure.item_count for figure in stated)
    items = rows(connection, _ITEMS, (region_code, month, ITEMS_OF_FIGURE)) if differing else []
    return MonthTieOut(month, stated, [Item(**row) for row in items])


def _states(connection: Connection, region_code: str, months: Sequence[date], code: str) -> dict[date, str]:
    """What the comparison of each month depends on: entries to two months after it, statements to one month after."""
    moved, stated = (rows(connection, query, (region_code,)) for query in (_MOVED, _STATED))
    found = {}
    for month in months:
        ours, theirs = _until(moved, month_before(month, -2)), _until(stated, month_before(month, -1))
        found[month] = sha256(f"{code}|{month}|{ours}|{theirs}".encode()).hexdigest()
    return found


def _until(digests: Sequence[Mapping[str, Any]], last: date) -> list[str]:
    return [f"{row['accounting_month']}={row['digest']}" for row in digests if row["accounting_month"] <= last]


def _place(folder: Path, region_code: str) -> Path:
    return folder / f".reconciliation_{region_code}.json"


def _load(folder: Path | None, region_code: str) -> dict[str, dict[str, Any]]:
    """What was kept, by state; nothing where it can't be read: then it is computed again."""
    if folder is None:
        return {}
    try:
        kept = json.loads(_place(folder, region_code).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(folder: Path, region_code: str, months: Mapping[str, dict[str, Any]]) -> None:
    replace_file(_place(folder, region_code), json.dumps(months, ensure_ascii=False, default=str).encode())


def _encoded(month: MonthTieOut) -> dict[str, Any]:
    return {"figures": [asdict(figure) for figure in month.figures], "items": [asdict(item) for item in month.items]}


def _decoded(month: date, kept: Mapping[str, Any]) -> MonthTieOut:
    return MonthTieOut(
        month,
        [_made(Figure, values) for values in kept["figures"]],
        [_made(Item, values) for values in kept["items"]],
    )


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _made(kind: type[_Kind], values: Mapping[str, Any]) -> _Kind:
    parsers: dict[str, Callable[[Any], Any]] = {"date": _day, "Decimal": Decimal, "Name": lambda pair: Name(*pair)}
    parse = {field.name: parsers.get(str(field.type), _same) for field in fields(kind)}
    return kind(**{name: parse[name](value) for name, value in values.items()})


def _same(value: Any) -> Any:  # noqa: ANN401 - texts, numbers and None stay as they are
    return value
