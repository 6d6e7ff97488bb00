"""From lines to what finance staff query: trial balance, statements, maternity expenditure (L5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from .accounts import account_class
from .posting import Line, month_of

ZERO = Decimal(0)
SUB_FUNDS = ("pooled", "personal")
Book = tuple[str, str]  # region, fund

# L5, lines of the income and expenditure statement: accounts by code prefix …
_INCOME = {"I11": ("400101", "400102", "400110"), "I12": ("400103",), "I13": ("400104",), "I20": ("4101",)}
_INCOME |= {"I30": ("4201",), "I40": ("4301",), "I50": ("4901",), "I70": ("4401",), "I80": ("4402",)}
_EXPENDITURE = {"E111": ("50010101",), "E112": ("50010102",), "E1131": ("5001010301", "50011001")}
_EXPENDITURE |= {"E1132": ("5001010302", "5001010303", "50011002", "50011003")}
_EXPENDITURE |= {"E1133": ("5001010303", "50011003"), "E12": ("500102",), "E20": ("5101",), "E30": ("5201",)}
_EXPENDITURE |= {"E40": ("5901",), "E60": ("5301",), "E70": ("5302",)}
# … and sums of lines; "of which" lines (E1133) stay outside sums.
_SUMS = {
    "I10": ("I11", "I12", "I13"),
    "I60": ("I10", "I20", "I30", "I40", "I50"),
    "I90": ("I60", "I70", "I80"),
    "E113": ("E1131", "E1132"),
    "E11": ("E111", "E112", "E113"),
    "E10": ("E11", "E12"),
    "E50": ("E10", "E20", "E30", "E40"),
    "E90": ("E50", "E60", "E70"),
}
STATEMENT_LINES = (
    "I10",
    "I11",
    "I12",
    "I13",
    "I20",
    "I30",
    "I40",
    "I50",
    "I60",
    "I70",
    "I80",
    "I90",
    "E10",
    "E11",
    "E111",
    "E112",
    "E113",
    "E1131",
    "E1132",
    "E1133",
    "E12",
    "E20",
    "E30",
    "E40",
    "E50",
    "E60",
    "E70",
    "E90",
    "S10",
    "S20",
    "S25",
    "S30",
)
# L5, lines of the balance sheet.
_ASSETS = {"A10": ("1001",), "A20": ("1005",), "A30": ("1002",), "A41": ("100301",), "A42": ("100302",)}
_ASSETS |= {"A50": ("1004",), "A60": ("1101",), "A70": ("1201",)}
_LIABILITIES = {"L10": ("2001",), "L20": ("2101",)}


@dataclass(frozen=True)
class TrialRow:
    """Debit positive; opening + debit - credit = closing."""

    opening: Decimal
    debit: Decimal
    credit: Decimal
    closing: Decimal


TrialBalance = dict[tuple[str, str, date, str, str], TrialRow]  # region, fund, month, account, sub_fund
Statement = dict[tuple[str, str, date, str, str], tuple[Decimal, Decimal]]  # … line, sub_fund: two amounts
Maternity = dict[tuple[str, str, date, str, str], Decimal]  # … benefit_item, payment_method


def calendars(lines: Iterable[Line], merger_dates: dict[str, date]) -> dict[Book, list[date]]:
    """L5: from a fund's first event that carries money to the region's latest month; MAT ends with its merger.

    A merger that came when its month was closed posts to a later one, and MAT ends with that.
    """
    first: dict[Book, date] = {}
    last: dict[Book, date] = {}
    latest: dict[str, date] = {}
    for line in lines:
        book = (line.region, line.fund)
        first[book] = min(first.get(book, line.month), line.month)
        last[book] = max(last.get(book, line.month), line.month)
        latest[line.region] = max(latest.get(line.region, line.month), line.month)
    ends = {
        (region, fund): min(latest[region], max(month_of(merger_dates[region]), last[region, fund]))
        if fund == "MAT"
        else latest[region]
        for region, fund in first
    }
    return {book: months_between(first[book], ends[book]) for book in first}


def months_between(first: date, last: date) -> list[date]:
    """Both included."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [add_months(first, number) for number in range(count)]


def add_months(month: date, number: int) -> date:
    """First of the month so many months later."""
    index = month.year * 12 + month.month - 1 + number
    return date(index // 12, index % 12 + 1, 1)


def trial_balance(lines: list[Line], calendar: dict[Book, list[date]]) -> TrialBalance:
    """Each (account, sub_fund) from its first month with movement; closing entries included."""
    moved: dict[tuple[Book, str, str], dict[date, list[Decimal]]] = defaultdict(lambda: defaultdict(lambda: [ZERO] * 2))
    for line in lines:
        sums = moved[(line.region, line.fund), line.account, line.sub_fund][line.month]
        sums[0] += line.debit
        sums[1] += line.credit
    result: TrialBalance = {}
    for (book, account, sub_fund), by_month in moved.items():
        balance = ZERO
        for month in [m for m in calendar[book] if m >= min(by_month)]:
            debit, credit = by_month.get(month, [ZERO, ZERO])
            result[*book, month, account, sub_fund] = TrialRow(balance, debit, credit, balance + debit - credit)
            balance += debit - credit
    return result


def income_expenditure_statement(lines: list[Line], calendar: dict[Book, list[date]]) -> Statement:
    """Month and year to date never include closing entries (L2 year end)."""
    flows = _flows(lines)
    result: Statement = {}
    for book, months in calendar.items():
        for sub_fund in SUB_FUNDS:
            _fill_statement(result, book, months, sub_fund, flows)
        _add_totals(result, book, months, STATEMENT_LINES)
    return result


_Flows = dict[tuple[Book, date, str, str], Decimal]


def _flows(lines: list[Line]) -> _Flows:
    """Credit minus debit by account and month; openings and merger lines of net assets under `S25`."""
    flows: _Flows = defaultdict(Decimal)
    for line in lines:
        account = line.account
        if account_class(account) == "3" and line.kind in ("opening", "merger"):
            account = "S25"
        elif account_class(account) not in "45" or line.kind == "closing":
            continue
        flows[(line.region, line.fund), line.month, account, line.sub_fund] += line.credit - line.debit
    return flows


def _fill_statement(result: Statement, book: Book, months: list[date], sub_fund: str, flows: _Flows) -> None:
    in_year: dict[str, Decimal] = {}
    carried = carried_year = ZERO
    for month in months:
        if month.month == 1 or not in_year:
            in_year = dict.fromkeys(STATEMENT_LINES, ZERO)
            carried_year = carried
        of_month = _month_amounts({a: v for (b, m, a, s), v in flows.items() if (b, m, s) == (book, month, sub_fund)})
        of_month["S20"], of_month["S30"] = carried, carried + of_month["S10"] + of_month["S25"]
        in_year = {code: in_year[code] + of_month[code] for code in STATEMENT_LINES}
        in_year["S20"], in_year["S30"] = carried_year, of_month["S30"]
        for code in STATEMENT_LINES:
            result[*book, month, code, sub_fund] = (of_month[code], in_year[code])
        carried = of_month["S30"]


def _month_amounts(flows: dict[str, Decimal]) -> dict[str, Decimal]:
    amounts = {code: _sum(flows, prefixes) for code, prefixes in _INCOME.items()}
    amounts |= {code: -_sum(flows, prefixes) for code, prefixes in _EXPENDITURE.items()}
    for code, parts in _SUMS.items():
        amounts[code] = sum((amounts[part] for part in parts), ZERO)
    amounts["S10"] = amounts["I90"] - amounts["E90"]
    amounts["S25"] = flows.get("S25", ZERO)
    return amounts


def _sum(flows: dict[str, Decimal], prefixes: tuple[str, ...]) -> Decimal:
    return sum((amount for account, amount in flows.items() if account.startswith(prefixes)), ZERO)


def _add_totals(result: Statement, book: Book, months: list[date], codes: Iterable[str]) -> None:
    for month in months:
        for code in codes:
            pooled, personal = (result[*book, month, code, sub_fund] for sub_fund in SUB_FUNDS)
            result[*book, month, code, "total"] = (pooled[0] + personal[0], pooled[1] + personal[1])


def balance_sheet(lines: list[Line], calendar: dict[Book, list[date]]) -> Statement:
    """Opening and closing of each month; net assets include the surplus not yet closed."""
    result: Statement = {}
    moved: dict[tuple[Book, date], list[Line]] = defaultdict(list)
    for line in lines:
        moved[(line.region, line.fund), line.month].append(line)
    for book, months in calendar.items():
        opening = _sheet({})
        balances: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for month in months:
            for line in moved[book, month]:
                balances[line.account, line.sub_fund] += line.debit - line.credit
            closing = _sheet(balances)
            for code, sub_fund in closing:
                result[*book, month, code, sub_fund] = (opening[code, sub_fund], closing[code, sub_fund])
            opening = closing
    return result


def _sheet(balances: dict[tuple[str, str], Decimal]) -> dict[tuple[str, str], Decimal]:
    def held(prefixes: tuple[str, ...], sub_funds: tuple[str, ...] = (*SUB_FUNDS, "shared")) -> Decimal:
        chosen = (v for (a, s), v in balances.items() if a.startswith(prefixes) and s in sub_funds)
        return sum(chosen, ZERO)

    sheet = {(code, "total"): held(prefixes) for code, prefixes in _ASSETS.items()}
    sheet |= {(code, "total"): -held(prefixes) for code, prefixes in _LIABILITIES.items()}
    sheet["A40", "total"] = sheet["A41", "total"] + sheet["A42", "total"]
    sheet["A90", "total"], sheet["L90", "total"] = held(("1",)), -held(("2",))
    net = {sub_fund: -held(("3", "4", "5"), (sub_fund,)) for sub_fund in SUB_FUNDS}
    sheet["N10", "pooled"] = sheet["N10", "total"] = sheet["N90", "pooled"] = net["pooled"]
    sheet["N20", "personal"] = sheet["N20", "total"] = sheet["N90", "personal"] = net["personal"]
    sheet["N10", "personal"] = sheet["N20", "pooled"] = ZERO
    sheet["N90", "total"] = net["pooled"] + net["personal"]
    sheet["T90", "total"] = sheet["L90", "total"] + sheet["N90", "total"]
    assert sheet["A90", "total"] == sheet["T90", "total"]  # L6.1
    return sheet


def maternity_expenditure(lines: list[Line]) -> Maternity:
    """Pooled maternity payments by item and payment method; closing entries are none of it."""
    result: Maternity = defaultdict(Decimal)
    for line in lines:
        if line.account.startswith(("50010103", "500110")) and line.kind == "normal":
            result[line.region, line.fund, line.month, line.item, line.method] += line.debit - line.credit
    return dict(result)
