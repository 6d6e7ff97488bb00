"""Codes of the chart of accounts and lists of values, as the contract prints them (L1, E3)."""

from __future__ import annotations

# E3 treasury, `account`; L1 gives the codes. `special` is `special_demand` (E3 contribution).
MONEY = {
    "cash": "1001",
    "income": "1002",
    "special": "100301",
    "special_demand": "100301",
    "special_time": "100302",
    "expenditure": "1004",
    "treasury": "1005",
    "temporary_payment": "1101",
    "bond": "1201",
    "temporary_receipt": "2001",
    "loan": "2101",
    "personal_balance": "3002",
}

# E3: money may only take these paths.
PATHS = {
    ("treasury", "special_demand"),
    ("income", "special_demand"),
    ("special_demand", "special_time"),
    ("special_time", "special_demand"),
    ("special_demand", "bond"),
    ("bond", "special_demand"),
    ("special_demand", "expenditure"),
    ("expenditure", "cash"),
    ("cash", "expenditure"),
    ("expenditure", "special_demand"),
}

# L2, claim.paid: "maternity medical items".
MATERNITY_MEDICAL = frozenset(
    [
        "prenatal",
        "delivery_normal",
        "delivery_assisted",
        "delivery_caesarean",
        "miscarriage",
        "family_planning",
        "maternity_complication",
    ]
)
ALLOWANCE = "maternity_allowance"
NUTRITION = "nutrition_subsidy"
MATERNITY = MATERNITY_MEDICAL | {ALLOWANCE, NUTRITION}
ORDINARY = frozenset(["inpatient", "outpatient", "outpatient_chronic", "pharmacy"])
BENEFIT_ITEMS = MATERNITY | ORDINARY

# L2: a correction of a MAT fact dated on/after the merger.
SUCCESSOR = {
    "400110": "400101",
    "50011001": "5001010301",
    "50011002": "5001010302",
    "50011003": "5001010303",
}

# L1: accounts a line may stand on (leaves).
LEAVES = frozenset(
    [
        "1001",
        "1002",
        "100301",
        "100302",
        "1004",
        "1005",
        "1101",
        "1201",
        "2001",
        "2101",
        "3001",
        "3002",
        "400101",
        "400102",
        "400103",
        "400104",
        "400110",
        "4101",
        "4201",
        "4301",
        "4401",
        "4402",
        "490101",
        "490102",
        "490109",
        "50010101",
        "50010102",
        "5001010301",
        "5001010302",
        "5001010303",
        "50010201",
        "50010202",
        "50010203",
        "50011001",
        "50011002",
        "50011003",
        "5101",
        "5201",
        "5301",
        "5302",
        "5901",
    ]
)


def account_class(account: str) -> str:
    """First digit of a code (L1): 1 asset, 2 liability, 3 net assets, 4 income, 5 expenditure."""
    return account[0]


def is_shared(account: str) -> bool:
    """L, preamble: money accounts and liabilities are shared by the two sub-funds."""
    return account_class(account) in "12"
