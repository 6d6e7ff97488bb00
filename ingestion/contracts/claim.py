"""Family claim: benefits settled, paid, corrected, and advances to institutions."""

from __future__ import annotations

import polars as pl

from ingestion.contracts.columns import (
    BENEFIT_ITEM,
    GENERAL_MEDICAL,
    INSURANCE_TYPE,
    MATERNITY_CASH,
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

CLAIM = ("claim.settled", "claim.paid", "claim.reversed", "claim.recovered")
ADVANCE = ("advance.paid", "advance.offset", "advance.returned")
WITH_ITEM = (*CLAIM, "advance.offset")
NOT_YEARLY = When("settlement_kind", (None, "case", "monthly", "per_capita", "deposit_release"))
PARTS = (
    "pooled_amount",
    "personal_account_amount",
    "personal_cash_amount",
    "institution_borne_amount",
    "other_funds_amount",
)

_COLUMNS = (
    Column("claim_no"),
    listed("settlement_kind", "case", "monthly", "per_capita", "annual_clearing", "deposit_release"),
    Column("person_no"),
    Column("account_holder_no"),
    Column("employer_no"),
    Column("institution_code"),
    INSURANCE_TYPE,
    BENEFIT_ITEM,
    listed("payment_method", "per_disease", "per_capita", "per_unit", "fee_for_service", "drg", "dip", "fixed_amount"),
    listed("payee_type", "institution", "employer", "person"),
    Column("admitted_on", Kind.DATE),
    Column("discharged_on", Kind.DATE),
    Column("service_on", Kind.DATE),
    Column("birth_count", Kind.INTEGER),
    Column("leave_days", Kind.INTEGER),
    amount("allowance_daily_base"),
    Column("gestation_weeks", Kind.INTEGER),
    amount("medical_fee_total"),
    amount("pooled_amount"),
    amount("personal_account_amount"),
    amount("personal_cash_amount"),
    amount("institution_borne_amount"),
    amount("other_funds_amount"),
    amount("deposit_withheld_amount"),
    listed("pay_account", "expenditure", "special_demand", "cash"),
    listed("deposit_account", "special", "special_demand", "expenditure"),
    Column("payment_no"),
)
_REQUIRED = (
    Required("claim_no", CLAIM + ADVANCE),
    Required("insurance_type", CLAIM + ADVANCE),
    Required("benefit_item", WITH_ITEM),
    Required("person_no", CLAIM, (When("settlement_kind", (None, "case")),)),
    Required("institution_code", ADVANCE),
    Required("institution_code", CLAIM, (When("payee_type", ("institution",)),)),
    Required("payee_type", ("claim.paid",)),
    Required("payment_no", ("claim.paid",)),
    Required("pooled_amount", ("advance.paid", "advance.returned")),
    Required("original_event_key", ("claim.reversed", "advance.offset", "advance.returned")),
    Required("original_event_key", ("claim.recovered",), (NOT_YEARLY,)),
    Required(
        "service_on",
        ("claim.recovered",),
        (When("settlement_kind", ("annual_clearing",)), When("original_event_key", (None,))),
    ),
)
VERSION_1 = Version(number=1, columns=(*_COLUMNS, *ORIGINAL), required=_REQUIRED)
# The day on which the claimant or the provider applied: time limits for deciding are counted from it.
VERSION_2 = Version(number=2, columns=(*_COLUMNS, Column("applied_on", Kind.DATE), *ORIGINAL), required=_REQUIRED)
FAMILY = Family("claim", CLAIM + ADVANCE, (VERSION_1, VERSION_2))


def rules(seeds: Seeds) -> tuple[Rule, ...]:
    """Which items an insurance type pays, and that a settlement adds up."""
    assert seeds is not None
    event_type, item = pl.col("event_type"), pl.col("benefit_item")
    maternity = pl.col("insurance_type") == "510"
    # A recovery from the yearly clearing has no original: its service date stands for the day of the benefit.
    yearly = (event_type == "claim.recovered") & ~pl.col("original_event_key|given")
    benefit_day = pl.when(yearly).then(pl.col("service_on")).otherwise(pl.col("occurred_on"))
    separate = (pl.col("insurance_type") == "310") & (benefit_day < pl.col("merger_date"))
    unpaid = (maternity & item.is_in(GENERAL_MEDICAL)) | (separate & item.is_in(MATERNITY_CASH))
    case = ~pl.col("settlement_kind|given") | (pl.col("settlement_kind") == "case")
    readable = pl.all_horizontal(~pl.col(f"{n}|given") | pl.col(n).is_not_null() for n in (*PARTS, "medical_fee_total"))
    total = pl.sum_horizontal(zero_if_null(name) for name in PARTS)
    return (
        Rule("E-VALUE-SERVICE-DATE", ("service_on",), yearly & (pl.col("service_on") > pl.col("occurred_on"))),
        Rule("E-VALUE-BIRTH-COUNT", ("birth_count",), pl.col("birth_count") == 0),
        Rule("E-MATERNITY-ITEM", ("benefit_item", "insurance_type"), event_type.is_in(WITH_ITEM) & unpaid),
        Rule(
            "E-MATERNITY-PA",
            ("personal_account_amount",),
            item.is_in(MATERNITY_CASH) & (pl.col("personal_account_amount") > 0),
        ),
        Rule(
            "E-CLAIM-SUM",
            ("medical_fee_total", *PARTS),
            (event_type == "claim.settled")
            & case
            & ~item.is_in(MATERNITY_CASH)
            & readable
            & (total != zero_if_null("medical_fee_total")),
        ),
    )
