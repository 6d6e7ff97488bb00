"""The least that gives the journal lines of `money_events`: one INSERT … SELECT that knows those events alone.

No table of rules, no look-up of an original, of a period or of a merger, no sums, no closing: each kind of event has
its lines written out, and every event is looked at once.
"""

from __future__ import annotations

_EMPLOYEE = "e.event_type = 'contribution.collected' AND e.enrollment_category = 'employee'"
_FLEXIBLE = "e.event_type = 'contribution.collected'"
_REFUND = "e.event_type = 'contribution.refunded'"
_PAID = "e.event_type = 'claim.paid'"
_REVERSED = "e.event_type = 'claim.reversed'"
_RECOVERED = "e.event_type = 'claim.recovered'"
_FEE = "e.late_fee > 0"
_PERSONAL = "e.personal_account_amount > 0"

# Accounts and rules of a payment by its item: pooled, personal.
_ITEMS = {
    "inpatient": ("50010101", "50010202", "PAID-01", "PAID-02"),
    "outpatient": ("50010102", "50010201", "PAID-03", "PAID-04"),
    "pharmacy": ("50010102", "50010203", "PAID-05", "PAID-06"),
    "delivery_normal": ("5001010301", "50010201", "PAID-07", "PAID-08"),
    "prenatal": ("5001010301", "50010201", "PAID-07", "PAID-08"),
    "maternity_allowance": ("5001010302", "50010201", "PAID-09", "PAID-10"),
}


def _texts(*values: str) -> str:
    return f"'{{{','.join(values)}}}'::text[]"


def _by_item(with_personal: bool, made: str) -> str:
    """CASE over the items; `made`: accounts or rules."""
    cases = []
    for item, (pooled, personal, pooled_rule, personal_rule) in _ITEMS.items():
        if made == "accounts":
            value = _texts(pooled, personal, "1004") if with_personal else _texts(pooled, "1004")
        elif with_personal:
            value = _texts(pooled_rule, personal_rule, f"{pooled_rule} {personal_rule}")
        else:
            value = _texts(pooled_rule, pooled_rule)
        cases.append(f"WHEN '{item}' THEN {value}")
    return f"CASE e.benefit_item {' '.join(cases)} END"


def _choice(*cases: tuple[str, str], otherwise: str) -> str:
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in cases)} ELSE {otherwise} END"


def _rules(prefix: str, first: int, fee: bool) -> str:
    """Rules of a premium or refund: all of them on the account of money, then one a line."""
    single = [f"{prefix}-0{first + place}" for place in range(4 if fee else 3)]
    return _texts(" ".join(single), *single)


_PREMIUM_ACCOUNTS = ("1005", "400101", "400102", "400103")
_ACCOUNTS = _choice(
    (_EMPLOYEE, f"CASE WHEN {_FEE} THEN {_texts(*_PREMIUM_ACCOUNTS, '490101')} ELSE {_texts(*_PREMIUM_ACCOUNTS)} END"),
    (_PAID, f"CASE WHEN {_PERSONAL} THEN {_by_item(True, 'accounts')} ELSE {_by_item(False, 'accounts')} END"),
    (
        _FLEXIBLE,
        f"CASE WHEN {_FEE} THEN {_texts('1005', '400104', '400104', '490101')}"
        f" ELSE {_texts('1005', '400104', '400104')} END",
    ),
    (_REFUND, f"CASE WHEN {_FEE} THEN {_texts(*_PREMIUM_ACCOUNTS, '490101')} ELSE {_texts(*_PREMIUM_ACCOUNTS)} END"),
    (
        _REVERSED,
        f"CASE WHEN {_PERSONAL} THEN {_texts('50010101', '50010202', '1004')} ELSE {_texts('50010101', '1004')} END",
    ),
    (
        _RECOVERED,
        f"CASE WHEN {_PERSONAL} THEN {_texts('100301', '50010101', '50010202')}"
        f" ELSE {_texts('100301', '50010101')} END",
    ),
    ("e.event_type = 'cash.transferred'", _texts("1004", "100301")),
    ("e.event_type = 'subsidy.received'", _texts("100301", "4101")),
    ("e.event_type = 'interest.credited'", _texts("100301", "4201")),
    otherwise="NULL",
)
_SUB_FUNDS = _choice(
    (_EMPLOYEE, _texts("shared", "pooled", "personal", "personal", "pooled")),
    (
        _PAID,
        f"CASE WHEN {_PERSONAL} THEN {_texts('pooled', 'personal', 'shared')} ELSE {_texts('pooled', 'shared')} END",
    ),
    (_FLEXIBLE, _texts("shared", "personal", "pooled", "pooled")),
    (_REFUND, _texts("shared", "pooled", "personal", "personal", "pooled")),
    (
        _REVERSED,
        f"CASE WHEN {_PERSONAL} THEN {_texts('pooled', 'personal', 'shared')} ELSE {_texts('pooled', 'shared')} END",
    ),
    (_RECOVERED, _texts("shared", "pooled", "personal")),
    ("e.event_type = 'cash.transferred'", _texts("shared", "shared")),
    otherwise=_texts("shared", "pooled"),
)
_DEBITS = _choice(
    (_EMPLOYEE, "ARRAY[e.employer_amount + e.personal_amount + coalesce(e.late_fee, 0), 0, 0, 0, 0]"),
    (
        _PAID,
        f"CASE WHEN {_PERSONAL} THEN ARRAY[e.pooled_amount, e.personal_account_amount, 0]"
        " ELSE ARRAY[e.pooled_amount, 0] END",
    ),
    (_FLEXIBLE, "ARRAY[e.personal_amount + coalesce(e.late_fee, 0), 0, 0, 0]"),
    (_REFUND, "ARRAY[0, 0, 0, 0, 0]::numeric[]"),
    (
        _REVERSED,
        f"CASE WHEN {_PERSONAL} THEN ARRAY[-e.pooled_amount, -e.personal_account_amount, 0]"
        " ELSE ARRAY[-e.pooled_amount, 0] END",
    ),
    (
        _RECOVERED,
        "ARRAY[e.pooled_amount + e.personal_account_amount, -e.pooled_amount, -e.personal_account_amount]",
    ),
    otherwise="ARRAY[e.amount, 0]",
)
_CREDITS = _choice(
    (
        _EMPLOYEE,
        "ARRAY[0, e.employer_amount - e.personal_account_credit, e.personal_account_credit,"
        " e.personal_amount, e.late_fee]",
    ),
    (
        _PAID,
        f"CASE WHEN {_PERSONAL} THEN ARRAY[0, 0, e.pooled_amount + e.personal_account_amount]"
        " ELSE ARRAY[0, e.pooled_amount] END",
    ),
    (
        _FLEXIBLE,
        "ARRAY[0, e.personal_account_credit, e.personal_amount - e.personal_account_credit, e.late_fee]",
    ),
    (
        _REFUND,
        "ARRAY[e.employer_amount + e.personal_amount + coalesce(e.late_fee, 0),"
        " e.personal_account_credit - e.employer_amount, -e.personal_account_credit, -e.personal_amount, -e.late_fee]",
    ),
    (
        _REVERSED,
        f"CASE WHEN {_PERSONAL} THEN ARRAY[0, 0, -e.pooled_amount - e.personal_account_amount]"
        " ELSE ARRAY[0, -e.pooled_amount] END",
    ),
    (_RECOVERED, "ARRAY[0, 0, 0]::numeric[]"),
    otherwise="ARRAY[0, e.amount]",
)
_RULE_IDS = _choice(
    (_EMPLOYEE, f"CASE WHEN {_FEE} THEN {_rules('COLL', 1, True)} ELSE {_rules('COLL', 1, False)} END"),
    (_PAID, f"CASE WHEN {_PERSONAL} THEN {_by_item(True, 'rules')} ELSE {_by_item(False, 'rules')} END"),
    (
        _FLEXIBLE,
        f"CASE WHEN {_FEE} THEN {_texts('COLL-05 COLL-06 COLL-07', 'COLL-06', 'COLL-05', 'COLL-07')}"
        f" ELSE {_texts('COLL-05 COLL-06', 'COLL-06', 'COLL-05')} END",
    ),
    (_REFUND, f"CASE WHEN {_FEE} THEN {_rules('REFD', 1, True)} ELSE {_rules('REFD', 1, False)} END"),
    (
        _REVERSED,
        f"CASE WHEN {_PERSONAL} THEN {_texts('REVS-01', 'REVS-02', 'REVS-01 REVS-02')}"
        f" ELSE {_texts('REVS-01', 'REVS-01')} END",
    ),
    (
        _RECOVERED,
        f"CASE WHEN {_PERSONAL} THEN {_texts('RECV-01 RECV-02', 'RECV-01', 'RECV-02')}"
        f" ELSE {_texts('RECV-01', 'RECV-01')} END",
    ),
    ("e.event_type = 'cash.transferred'", _texts("CASH-01", "CASH-01")),
    ("e.event_type = 'subsidy.received'", _texts("SUBS-01", "SUBS-01")),
    otherwise=_texts("INTC-01", "INTC-01"),
)
_BUSINESS = (
    "CASE e.family WHEN 'contribution' THEN 'collection' WHEN 'claim' THEN 'benefit'"
    " ELSE CASE e.event_type WHEN 'cash.transferred' THEN 'transfer' WHEN 'subsidy.received' THEN 'subsidy'"
    " ELSE 'interest' END END"
)

INSERT = f"""
INSERT INTO reference_line (
    region_code, event_seq, entry_no, line_no, entry_id, entry_kind, fund_code, accounting_month, posting_date,
    account_code, sub_fund, debit_amount, credit_amount, reverses_entry_id,
    person_no, employer_no, institution_code, benefit_item, payment_method, claim_no, receipt_no,
    event_type, business_type, batch_id, rule_ids)
SELECT l.region_code, l.seq, 1, l.line_no, l.entry_id, 'normal', 'EMI', date_trunc('month', l.occurred_on)::date,
    l.occurred_on, l.account_code, l.sub_fund, l.debit_amount, l.credit_amount, l.reverses_entry_id,
    l.person_no, l.employer_no, l.institution_code, l.benefit_item, l.payment_method, l.claim_no, l.receipt_no,
    l.event_type, l.business_type, l.batch_id, l.rule_ids
FROM (
    SELECT e.region_code, e.seq, e.region_code || '-' || e.seq || '-1' AS entry_id, e.occurred_on,
        CASE WHEN e.original_seq IS NOT NULL THEN e.region_code || '-' || e.original_seq || '-1' END
            AS reverses_entry_id,
        e.person_no, e.employer_no, e.institution_code, e.benefit_item, e.payment_method, e.claim_no, e.receipt_no,
        e.event_type, {_BUSINESS} AS business_type, e.batch_id,
        unnest('{{1,2,3,4,5}}'::integer[]) AS line_no,
        unnest({_ACCOUNTS}) AS account_code,
        unnest({_SUB_FUNDS}) AS sub_fund,
        unnest({_DEBITS}) AS debit_amount,
        unnest({_CREDITS}) AS credit_amount,
        unnest({_RULE_IDS}) AS rule_ids
    FROM events.event AS e
    WHERE e.family <> 'control'
) AS l
WHERE l.account_code IS NOT NULL
"""

# What the two sides must not differ in: every column of every line but those of the year ends.
DIFFERENCE = """
SELECT count(*) FROM (
    (SELECT * FROM ledger.journal_line WHERE entry_kind <> 'closing' EXCEPT SELECT * FROM reference_line)
    UNION ALL
    (SELECT * FROM reference_line EXCEPT SELECT * FROM ledger.journal_line)
) AS different
"""
