"""Family registration: employers and the enrolment of persons."""

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
)
from ingestion.seeds import Seeds

EMPLOYER = ("employer.registered", "employer.closed")
ENROLLMENT = ("enrollment.started", "enrollment.changed", "enrollment.ended")

VERSION_1 = Version(
    number=1,
    columns=(
        Column("employer_no"),
        Column("employer_credit_code", Kind.CREDIT_CODE),
        Column("employer_name", is_free=True),
        listed("employer_type", "enterprise", "public_institution", "government", "unemployment_fund", "other"),
        Column("person_no"),
        Column("certificate_no", Kind.CERTIFICATE, stored_as="certificate_pseudonym"),
        Column("birth_date", Kind.DATE),
        listed("sex", "F", "M"),
        INSURANCE_TYPE,
        ENROLLMENT_CATEGORY,
        listed("worker_group", "new_form", "migrant"),
        amount("contribution_base"),
        listed("reason", "left_employer", "retired", "died", "transferred_out", "other"),
        *ORIGINAL,
    ),
    required=(
        Required("employer_no", EMPLOYER),
        Required("employer_type", ("employer.registered",)),
        Required("person_no", ENROLLMENT),
        Required("insurance_type", ENROLLMENT),
        Required("enrollment_category", ENROLLMENT),
        Required("employer_no", ENROLLMENT, (When("enrollment_category", ("employee",)),)),
    ),
)
FAMILY = Family("registration", EMPLOYER + ENROLLMENT, (VERSION_1,))


def rules(seeds: Seeds) -> tuple[Rule, ...]:
    """Birth date and sex must be those of the identity number, which validation has read beforehand."""
    assert seeds is not None
    return (
        Rule("E-VALUE-BIRTH-DATE", ("birth_date",), pl.col("birth_date") != pl.col("certificate_no|birth_date")),
        Rule("E-VALUE-SEX", ("sex",), pl.col("sex") != pl.col("certificate_no|sex")),
    )
