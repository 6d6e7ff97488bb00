"""Family treasury: money of the fund as a whole, and what outside parties state."""

from __future__ import annotations

import polars as pl

from ingestion.contracts.columns import (
    BENEFIT_ITEM,
    GENERAL_MEDICAL,
    MATERNITY_CASH,
    ORIGINAL,
    Column,
    Family,
    Kind,
    Required,
    Rule,
    Version,
    amount,
    listed,
)
from ingestion.seeds import Seeds

MONEY_ACCOUNTS = ("cash", "treasury", "income", "special_demand", "special_time", "expenditure")
OTHER_ACCOUNTS = ("temporary_payment", "temporary_receipt", "bond", "loan")
ANY_ACCOUNT = (*MONEY_ACCOUNTS, *OTHER_ACCOUNTS, "personal_balance")

INCOME = (
    "interest.credited",
    "subsidy.received",
    "superior.received",
    "subordinate.received",
    "transfer.received",
    "other.received",
)
EXPENDITURE = ("remitted.up", "subsidised.down", "transfer.sent", "catastrophic.transferred", "other.paid")
MOVERS = ("transfer.received", "transfer.sent")
WITH_ORIGINAL = (
    "receipt.identified",
    "payment.returned",
    "payment.reissued",
    "return.written_back",
    "outofarea.cleared",
    "outofarea.reimbursed",
)
NOT_OF_MATERNITY = ("catastrophic.transferred", "interest.allocated", "account.credited", "account.paid_out")
ONLY_TEMPORARY = ("receipt.unidentified", "payment.returned", "payment.reissued")
LOANS = ("loan.received", "loan.repaid")
ON_ACCOUNT = (*INCOME, *EXPENDITURE, *LOANS, "account.paid_out", "receipt.unidentified", "payment.returned")
WITHOUT_SUB_FUND = (
    "cash.transferred",
    "balance.opened",
    "balance.stated",
    "fund.merged",
    "interest.allocated",
    "account.credited",
    *LOANS,
    *ONLY_TEMPORARY,
)
ALL = (
    "cash.transferred",
    "interest.credited",
    "interest.allocated",
    "subsidy.received",
    "superior.received",
    "subordinate.received",
    "remitted.up",
    "subsidised.down",
    "transfer.received",
    "transfer.sent",
    "receipt.unidentified",
    "receipt.identified",
    "payment.returned",
    "payment.reissued",
    "return.written_back",
    "other.received",
    "other.paid",
    "catastrophic.transferred",
    "loan.received",
    "loan.repaid",
    "account.credited",
    "account.paid_out",
    "outofarea.advanced",
    "outofarea.cleared",
    "outofarea.paid_for_others",
    "outofarea.reimbursed",
    "balance.opened",
    "balance.stated",
    "fund.merged",
)

_COLUMNS = (
    listed("fund_code", "EMI", "MAT"),
    listed("sub_fund", "pooled", "personal"),
    BENEFIT_ITEM,
    Column("person_no"),
    Column("institution_code"),
    listed("account", *ANY_ACCOUNT),
    listed("from_account", *ANY_ACCOUNT),
    listed("to_account", *ANY_ACCOUNT),
    amount("amount"),
    Column("identified_as"),
    Column("counterparty", is_free=True),
    listed("statement_kind", "bank_balance", "tax_collected", "fiscal_expenditure", "institution_settled"),
    Column("accounting_month", Kind.MONTH),
)
_REQUIRED = (
    Required("fund_code", ALL),
    Required("amount", tuple(name for name in ALL if name != "fund.merged")),
    Required("sub_fund", (*INCOME, *EXPENDITURE, "outofarea.cleared")),
    Required("account", (*ON_ACCOUNT, "balance.opened")),
    Required("from_account", ("cash.transferred",)),
    Required("to_account", ("cash.transferred",)),
    Required("benefit_item", ("outofarea.cleared",)),
    Required("identified_as", ("receipt.identified",)),
    Required("original_event_key", WITH_ORIGINAL),
)
VERSION_1 = Version(number=1, columns=(*_COLUMNS, *ORIGINAL), required=_REQUIRED)
# The number of a single movement, so that an outside statement can be tied out movement by movement.
VERSION_2 = Version(
    number=2,
    columns=(*_COLUMNS, Column("payment_no"), Column("tax_voucher_no"), *ORIGINAL),
    required=_REQUIRED,
)
FAMILY = Family("treasury", ALL, (VERSION_1, VERSION_2))


def rules(seeds: Seeds) -> tuple[Rule, ...]:
    """Money keeps to its paths; funds, sub-funds and accounts fit the event; the merger is where it belongs."""
    return (*_fund_rules(), *_account_rules(seeds), *_identification_rules(seeds), _cleared_item_rule())


def _fund_rules() -> tuple[Rule, ...]:
    event_type, separate = pl.col("event_type"), pl.col("fund_code") == "MAT"
    merged, sub_fund = event_type == "fund.merged", pl.col("sub_fund")
    without_sub_fund = event_type.is_in(WITHOUT_SUB_FUND) & pl.col("sub_fund|given")
    pooled_only = (event_type == "account.paid_out") & (sub_fund == "pooled")
    # Personal accounts and the catastrophic scheme belong to the employee medical fund alone.
    not_of_maternity = separate & event_type.is_in(NOT_OF_MATERNITY)
    return (
        Rule("E-VALUE-FUND", ("fund_code",), (merged & (pl.col("fund_code") == "EMI")) | not_of_maternity),
        Rule("E-VALUE-MERGER-DATE", ("occurred_on",), merged & (pl.col("occurred_on") != pl.col("merger_date"))),
        Rule("E-VALUE-NO-AMOUNT", ("amount",), merged & (pl.col("amount") > 0)),
        Rule(
            "E-VALUE-SUB-FUND",
            ("sub_fund",),
            without_sub_fund | pooled_only | (separate & (sub_fund == "personal") & ~event_type.is_in(MOVERS)),
        ),
        Rule(
            "E-TREASURY-MERGED",
            ("fund_code", "occurred_on"),
            ~merged & separate & (pl.col("occurred_on") >= pl.col("merger_date")),
        ),
        Rule(
            "E-TREASURY-TRANSFER",
            ("fund_code", "sub_fund"),
            event_type.is_in(MOVERS) & (separate | (sub_fund == "pooled")),
        ),
    )


def _account_rules(seeds: Seeds) -> tuple[Rule, ...]:
    event_type, account = pl.col("event_type"), pl.col("account")
    pair = pl.concat_str("from_account", pl.lit(">"), "to_account")
    no_money = event_type.is_in(ON_ACCOUNT) & ~account.is_in(MONEY_ACCOUNTS)
    opened_for_persons = (event_type == "balance.opened") & (pl.col("fund_code") == "EMI")
    return (
        Rule("E-VALUE-ACCOUNT", ("account",), no_money | ((account == "personal_balance") & ~opened_for_persons)),
        Rule(
            "E-TREASURY-PATH",
            ("from_account", "to_account"),
            (event_type == "cash.transferred") & ~pair.is_in([f"{a}>{b}" for a, b in seeds.cash_paths]),
        ),
    )


def _identification_rules(seeds: Seeds) -> tuple[Rule, ...]:
    """`identified_as` is a posting account of the row's fund; one of income or expenditure needs its sub-fund."""
    identified = pl.col("event_type") == "receipt.identified"
    key = pl.concat_str("fund_code", pl.lit(":"), "identified_as")
    valid = [f"{fund}:{code}" for fund in ("EMI", "MAT") for code in seeds.identifiable_accounts(fund)]
    bound = {code: row.sub_fund for code, row in seeds.chart.items() if row.is_result}
    kept_by = pl.col("identified_as").replace_strict(bound, default=None, return_dtype=pl.String)
    result = pl.col("identified_as").is_in(list(bound))
    return (
        Rule("E-VALUE-ACCOUNT-CODE", ("identified_as",), identified & ~key.is_in(valid)),
        Rule("E-SCHEMA-REQUIRED", ("sub_fund",), identified & result & ~pl.col("sub_fund|given")),
        Rule("E-VALUE-SUB-FUND", ("sub_fund",), identified & (kept_by != "") & (pl.col("sub_fund") != kept_by)),
    )


def _cleared_item_rule() -> Rule:
    """Out-of-area care is cleared to the expenditure of its item, which must be one that the fund pays on that day."""
    item, separate = pl.col("benefit_item"), pl.col("fund_code") == "MAT"
    before = pl.col("occurred_on") < pl.col("merger_date")
    unpaid = (separate & item.is_in(GENERAL_MEDICAL)) | (~separate & before & item.is_in(MATERNITY_CASH))
    return Rule(
        "E-MATERNITY-ITEM", ("benefit_item", "fund_code"), (pl.col("event_type") == "outofarea.cleared") & unpaid
    )
