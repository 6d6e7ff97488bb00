"""Family contribution: premiums assessed, collected and refunded."""

from __future__ import annotations

import polars as pl

from ingestion.contracts.columns import (
    ENROLLMENT_CATEGORY,
    INSURANCE_TYPE,
    ORIGINAL,
    Column,
    Family,
    Kind,
    Required,
    Rule,
    Version,
    When,
    amount,
    listed,
    zero_if_null,
)
from ingestion.seeds import Seeds

ALL = ("contribution.assessed", "contribution.collected", "contribution.refunded")
MONEY = ("contribution.collected", "contribution.refunded")

_PREMIUM = (
    Column("employer_no"),
    Column("person_no"),
    INSURANCE_TYPE,
    ENROLLMENT_CATEGORY,
    Column("contribution_month", Kind.MONTH),
    amount("contribution_base"),
    amount("employer_amount"),
    amount("personal_amount"),
    amount("personal_account_credit"),
    amount("late_fee"),
)
_DEPOSIT_ACCOUNT = listed("deposit_account", "treasury", "special", "special_demand", "income", "temporary_receipt")
_REQUIRED = (
    Required("person_no", ALL),
    Required("employer_no", ALL, (When("enrollment_category", ("employee",)),)),
    Required("insurance_type", ALL),
    Required("enrollment_category", ALL),
    Required("contribution_month", ALL),
    Required("contribution_base", ("contribution.assessed",)),
)
_REQUIRED_OF_MONEY = (
    Required("deposit_account", MONEY),
    Required("original_event_key", ("contribution.refunded",)),
    Required("original_event_key", ("contribution.collected",), (When("deposit_account", ("temporary_receipt",)),)),
)

VERSION_1 = Version(
    number=1,
    columns=(*_PREMIUM, Column("receipt_no"), _DEPOSIT_ACCOUNT, *ORIGINAL),
    required=(*_REQUIRED, Required("receipt_no", MONEY), *_REQUIRED_OF_MONEY),
)
# Premiums are collected by the tax authorities: the receipt is the electronic tax voucher, and its issuer is told.
VERSION_2 = Version(
    number=2,
    columns=(*_PREMIUM, Column("tax_voucher_no"), _DEPOSIT_ACCOUNT, Column("tax_authority_code"), *ORIGINAL),
    required=(*_REQUIRED, Required("tax_voucher_no", MONEY), *_REQUIRED_OF_MONEY),
    renamed={"tax_voucher_no": "receipt_no"},
)
FAMILY = Family("contribution", ALL, (VERSION_1, VERSION_2))


def earns_credit(employer_amount: pl.Expr) -> pl.Expr:
    """Collections of which a part goes to the personal account; `employer_amount` is 0 when empty."""
    return (
        (pl.col("event_type") == "contribution.collected")
        & (pl.col("insurance_type") == "310")
        & (pl.col("enrollment_category") == "employee")
        & (employer_amount > 0)
    )


def computes_credit() -> pl.Expr:
    """Rows whose personal-account credit is left to be computed from the base."""
    return earns_credit(zero_if_null("employer_amount")) & ~pl.col("personal_account_credit|given")


def rules(seeds: Seeds) -> tuple[Rule, ...]:
    """Maternity contributions end with the merger; amounts and the personal-account credit make sense."""
    assert seeds is not None
    maternity = pl.col("insurance_type") == "510"
    employee = pl.col("enrollment_category") == "employee"
    limit = zero_if_null("employer_amount") + pl.when(employee).then(0).otherwise(zero_if_null("personal_amount"))
    nothing = pl.all_horizontal(zero_if_null(name) == 0 for name in ("employer_amount", "personal_amount", "late_fee"))
    unreadable = pl.any_horizontal(
        pl.col(f"{name}|given") & pl.col(name).is_null() for name in ("employer_amount", "personal_amount", "late_fee")
    )
    return (
        Rule(
            "E-VALUE-AMOUNT",
            ("employer_amount", "personal_amount", "late_fee"),
            (pl.col("event_type") == "contribution.collected") & nothing & ~unreadable,
        ),
        Rule(
            "E-MATERNITY-MONTH",
            ("contribution_month",),
            maternity & (pl.col("contribution_month") >= pl.col("merger_month")),
        ),
        Rule("E-MATERNITY-CATEGORY", ("enrollment_category",), maternity & ~employee),
        Rule("E-MATERNITY-PERSONAL", ("personal_amount",), maternity & (pl.col("personal_amount") > 0)),
        Rule("E-VALUE-BASE", ("contribution_base",), computes_credit() & ~pl.col("contribution_base|given")),
        Rule("E-VALUE-CREDIT", ("personal_account_credit",), ~unreadable & (pl.col("personal_account_credit") > limit)),
    )
