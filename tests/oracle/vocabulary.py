"""Event types, columns and lists of values of the contract (E3)."""

from __future__ import annotations

from .accounts import BENEFIT_ITEMS, MONEY

SHARED = ("event_type", "source_event_key", "occurred_on", "region_code")

EVENT_TYPES: dict[str, tuple[str, ...]] = {
    "registration": (
        "employer.registered",
        "employer.closed",
        "enrollment.started",
        "enrollment.changed",
        "enrollment.ended",
    ),
    "contribution": ("contribution.assessed", "contribution.collected", "contribution.refunded"),
    "claim": (
        "claim.settled",
        "claim.paid",
        "claim.reversed",
        "claim.recovered",
        "advance.paid",
        "advance.offset",
        "advance.returned",
    ),
    "treasury": (
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
    ),
}
FAMILY = {event_type: family for family, types in EVENT_TYPES.items() for event_type in types}

# "`original_source_system` may stand beside `original_event_key` in every family."
_ENVELOPE = (*SHARED, "schema_version", "original_source_system", "original_event_key")
COLUMNS: dict[str, frozenset[str]] = {
    "registration": frozenset(
        [
            *_ENVELOPE,
            *["employer_no", "employer_credit_code", "employer_name", "employer_type", "person_no", "certificate_no"],
            *[
                "birth_date",
                "sex",
                "insurance_type",
                "enrollment_category",
                "worker_group",
                "contribution_base",
                "reason",
            ],
        ]
    ),
    "contribution": frozenset(
        [
            *_ENVELOPE,
            *["employer_no", "person_no", "insurance_type", "enrollment_category", "contribution_month"],
            *["contribution_base", "employer_amount", "personal_amount", "personal_account_credit", "late_fee"],
            *["receipt_no", "tax_voucher_no", "tax_authority_code", "deposit_account"],
        ]
    ),
    "claim": frozenset(
        [
            *_ENVELOPE,
            *["claim_no", "settlement_kind", "person_no", "account_holder_no", "employer_no", "institution_code"],
            *[
                "insurance_type",
                "benefit_item",
                "payment_method",
                "payee_type",
                "admitted_on",
                "discharged_on",
                "service_on",
            ],
            *[
                "birth_count",
                "leave_days",
                "allowance_daily_base",
                "gestation_weeks",
                "medical_fee_total",
                "pooled_amount",
            ],
            *["personal_account_amount", "personal_cash_amount", "institution_borne_amount", "other_funds_amount"],
            *["deposit_withheld_amount", "pay_account", "deposit_account", "payment_no", "applied_on"],
        ]
    ),
    "treasury": frozenset(
        [
            *_ENVELOPE,
            *["fund_code", "sub_fund", "benefit_item", "person_no", "institution_code", "account", "from_account"],
            *["to_account", "amount", "identified_as", "counterparty", "statement_kind", "accounting_month"],
        ]
    ),
}

# E3 "schema_version … fixes the allowed columns": published versions, and columns that only some of them have.
VERSIONS = {"registration": ("1",), "contribution": ("1", "2"), "claim": ("1", "2"), "treasury": ("1",)}
OF_VERSION = {"receipt_no": "1", "tax_voucher_no": "2", "tax_authority_code": "2", "applied_on": "2"}
# What a version calls by a new name: (version, new name) -> name in the version before.
RENAMED = {("2", "tax_voucher_no"): "receipt_no"}

AMOUNTS = frozenset(
    [
        "contribution_base",
        "employer_amount",
        "personal_amount",
        "personal_account_credit",
        "late_fee",
        "allowance_daily_base",
        "medical_fee_total",
        "pooled_amount",
        "personal_account_amount",
        "personal_cash_amount",
        "institution_borne_amount",
        "other_funds_amount",
        "deposit_withheld_amount",
        "amount",
    ]
)
DATES = frozenset(["occurred_on", "birth_date", "admitted_on", "discharged_on", "service_on", "applied_on"])
MONTHS = frozenset(["contribution_month", "accounting_month"])
INTEGERS = frozenset(["birth_count", "leave_days", "gestation_weeks"])

LISTS: dict[tuple[str, str], frozenset[str]] = {
    ("registration", "employer_type"): frozenset(
        ["enterprise", "public_institution", "government", "unemployment_fund", "other"]
    ),
    ("registration", "sex"): frozenset("FM"),
    ("registration", "insurance_type"): frozenset(["310", "510"]),
    ("registration", "enrollment_category"): frozenset(["employee", "flexible", "retiree"]),
    ("registration", "worker_group"): frozenset(["new_form", "migrant"]),
    ("registration", "reason"): frozenset(["left_employer", "retired", "died", "transferred_out", "other"]),
    ("contribution", "insurance_type"): frozenset(["310", "510"]),
    ("contribution", "enrollment_category"): frozenset(["employee", "flexible", "retiree"]),
    ("contribution", "deposit_account"): frozenset(["treasury", "special", "income", "temporary_receipt"]),
    ("claim", "settlement_kind"): frozenset(["case", "monthly", "per_capita", "annual_clearing", "deposit_release"]),
    ("claim", "insurance_type"): frozenset(["310", "510"]),
    ("claim", "benefit_item"): BENEFIT_ITEMS,
    ("claim", "payment_method"): frozenset(
        ["per_disease", "per_capita", "per_unit", "fee_for_service", "drg", "dip", "fixed_amount"]
    ),
    ("claim", "payee_type"): frozenset(["institution", "employer", "person"]),
    ("claim", "pay_account"): frozenset(["expenditure", "special_demand", "cash"]),
    ("claim", "deposit_account"): frozenset(["special", "expenditure"]),
    ("treasury", "fund_code"): frozenset(["EMI", "MAT"]),
    ("treasury", "sub_fund"): frozenset(["pooled", "personal"]),
    ("treasury", "benefit_item"): BENEFIT_ITEMS,
    ("treasury", "account"): frozenset(MONEY) - {"special"},
    ("treasury", "from_account"): frozenset(MONEY) - {"special"},
    ("treasury", "to_account"): frozenset(MONEY) - {"special"},
    ("treasury", "statement_kind"): frozenset(
        ["bank_balance", "tax_collected", "fiscal_expenditure", "institution_settled"]
    ),
}

# Corrections and identifications that must find their original (E3 `original_event_key`, E4).
ORIGINAL_TYPES: dict[str, tuple[str, ...]] = {
    "contribution.refunded": ("contribution.collected",),
    "claim.reversed": ("claim.paid", "advance.offset"),
    "claim.recovered": ("claim.paid", "advance.offset"),
    "advance.offset": ("advance.paid",),
    "advance.returned": ("advance.paid",),
    "receipt.identified": ("receipt.unidentified",),
    "payment.returned": ("claim.paid",),
    "payment.reissued": ("payment.returned",),
    "return.written_back": ("payment.returned",),
    "outofarea.cleared": ("outofarea.advanced",),
    "outofarea.reimbursed": ("outofarea.paid_for_others",),
}

# L2, by the pair of a treasury fact: debit `account`, credit the income account of the row's sub-fund …
RECEIPTS = {
    "interest.credited": "4201",
    "subsidy.received": "4101",
    "superior.received": "4401",
    "subordinate.received": "4402",
    "transfer.received": "4301",
    "other.received": "490109",
}
# … and debit the expenditure account, credit `account`.
PAYMENTS = {
    "remitted.up": "5302",
    "subsidised.down": "5301",
    "transfer.sent": "5201",
    "catastrophic.transferred": "5101",
    "other.paid": "5901",
}
