"""A landing root small enough to work out by hand."""

from __future__ import annotations

from pathlib import Path

REGISTRATION = """\
event_type,source_event_key,occurred_on,region_code,employer_no,employer_name,employer_type,person_no,insurance_type,enrollment_category,birth_date,sex,contribution_base
employer.registered,R1,2020-02-03,320100,E01,Jinling Bearings,enterprise,,,,,,
enrollment.started,R2,2020-02-03,320100,E01,,,P01,310,employee,1990-05-06,F,10000.00
"""
# 10,000.00 of base: the employer 9.8 % (8.8 % medical and 1 % maternity, merged), the person 2 %.
CONTRIBUTION = """\
event_type,source_event_key,occurred_on,region_code,employer_no,person_no,insurance_type,enrollment_category,contribution_month,contribution_base,employer_amount,personal_amount,personal_account_credit,receipt_no,deposit_account
contribution.collected,C1,2020-03-10,320100,E01,P01,310,employee,2020-03,10000.00,980.00,200.00,50.00,T1,treasury
"""
CLAIM = """\
event_type,source_event_key,occurred_on,region_code,claim_no,person_no,insurance_type,benefit_item,payee_type,pooled_amount,personal_account_amount,payment_no
claim.paid,K1,2020-03-20,320100,S1,P01,310,delivery_normal,person,3000.00,0.00,Z1
claim.paid,K2,2020-03-20,320100,S2,P01,310,maternity_allowance,person,640.50,0.00,Z2
"""
# What the three files make of March 2020. Of the employer's 980.00, 50.00 are credited to the personal account.
STATEMENT = {
    "I10": "1180.00",
    "I11": "980.00",
    "I12": "200.00",
    "E113": "3640.50",
    "E1131": "3000.00",
    "E1132": "640.50",
}

# One of two rows cannot be booked: no such kind of payment; with it more than 5 % of the rows are in quarantine.
BAD = """\
event_type,source_event_key,occurred_on,region_code,claim_no,person_no,insurance_type,benefit_item,payee_type,pooled_amount,personal_account_amount,payment_no
claim.paid,K3,2020-04-02,320100,S3,P01,310,inpatient,person,100.00,0.00,Z3
claim.paid,K4,2020-04-02,320100,S4,P01,310,inpatient,neighbour,900.00,0.00,Z4
"""


def land(landing: Path, **files: str) -> None:
    """Write canonical files `<name>.<family>.1.csv` of the source `demo`; the keyword is `<name>_<family>`."""
    folder = landing / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name.replace('_', '.')}.1.csv").write_text(text, encoding="utf-8")


def land_good(landing: Path) -> None:
    """The three good files."""
    land(landing, a_registration=REGISTRATION, a_contribution=CONTRIBUTION, a_claim=CLAIM)


def land_bad(landing: Path) -> None:
    """The file with a row that no rule accepts."""
    land(landing, b_claim=BAD)
