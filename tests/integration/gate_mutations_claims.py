"""The smallest corruption that each of the checks C07 to C10 exists for, on region 320100 of the hand-made books."""

# ruff: noqa: E501 - one corruption a row reads better than wrapped SQL

from __future__ import annotations

from tests.integration.gate_books import CLAIM_SEQS
from tests.integration.gate_mutation import Mutation

_R = "region_code = '320100'"
_JANUARY = "2020-01-01"


def _key(kind: str, claim: str) -> str:
    """Key of a finding about the settlement of a claim."""
    return f"{kind}/{CLAIM_SEQS[claim]}"


def _settlement(claim: str) -> str:
    return f"event_type = 'claim.settled' and claim_no = '{claim}' and {_R}"


def _settled_otherwise(claim: str, column: str, amount: str) -> str:
    """A settlement of another amount, in the log and in the deltas alike."""
    delta = {"pooled_amount": "settled_pooled_amount", "personal_account_amount": "settled_personal_amount"}[column]
    return (
        f"update events.event set {column} = {amount} where {_settlement(claim)};"
        f" update ledger.claim_turnover set {delta} = {amount} where {_R} and claim_no = '{claim}' and {delta} > 0;"
    )


def _settled_as(claim: str, other: str) -> str:
    """A settlement under another claim's number, in the log and in the deltas alike."""
    return f"""
        insert into ledger.claim_turnover select (jsonb_populate_record(claim, jsonb_build_object('claim_no', '{other}', 'paid_pooled_amount', 0,
            'paid_personal_amount', 0, 'unpaid_change', settled_pooled_amount + settled_personal_amount))).* from ledger.claim_turnover as claim
            where {_R} and claim_no = '{claim}' and settled_seq is not null;
        update ledger.claim_turnover set settled_seq = null, settled_month = null, settled_pooled_amount = 0, settled_personal_amount = 0
            where {_R} and claim_no = '{claim}';
        update events.event set claim_no = '{other}' where {_settlement(claim)};
    """


_UNPAID_C4 = f"""
    update events.event set deposit_withheld_amount = 0 where {_settlement("C4")};
    update ledger.claim_turnover set withheld_amount = 0, unpaid_change = 999 where {_R} and claim_no = 'C4';
"""
_OPEN_C4 = f"""
    insert into ledger.claim_unpaid (region_code, settled_month, institution_code, batch_id, last_seq, unpaid_change)
    select region_code, settled_month, institution_code, batch_id, last_seq, unpaid_change from ledger.claim_turnover
    where {_R} and claim_no = 'C4';
"""

UNPAID_CLAIM = _UNPAID_C4 + _OPEN_C4

CLAIM_MUTATIONS = (
    Mutation("C07", "an employer's assessment lost on its way to the arrears", f"delete from ledger.contribution_turnover where {_R}"
             f" and employer_no = 'E2' and contribution_month = '{_JANUARY}'", "arrears/E2/2020-01-01/310/employee", severity="warn"),
    Mutation("C07", "a premium collected that no arrears know of", f"update events.event set employer_amount = employer_amount + 0.01 where {_R}"
             " and seq = 11", "arrears/E1/2020-01-01/310/employee", severity="warn"),
    Mutation("C07", "an assessment counted twice", f"update ledger.contribution_turnover set assessed_change = 2 * assessed_change where {_R}"
             f" and employer_no = 'E2' and contribution_month = '{_JANUARY}'", "arrears/E2/2020-01-01/310/employee", severity="warn"),
    Mutation("C07", "an employer left out of the month's assessment", f"""
        update events.event set event_type = 'contribution.refunded', employer_amount = 0, personal_amount = 0 where {_R}
            and event_type = 'contribution.assessed' and employer_no = 'E2' and contribution_month = '{_JANUARY}';
        update ledger.contribution_turnover set assessed_change = 0 where {_R} and employer_no = 'E2' and contribution_month = '{_JANUARY}';
    """, "missing/E2/2020-01-01", severity="warn"),
    Mutation("C08", "a settled claim that was never paid", UNPAID_CLAIM, _key("settled", "C4"), severity="warn"),
    Mutation("C08", "a claim of a hospital that was never paid", _UNPAID_C4
             + f"update ledger.claim_turnover set institution_code = 'H1' where {_R} and claim_no = 'C4';" + _OPEN_C4, _key("settled", "C4"), severity="warn"),
    Mutation("C08", "an unpaid claim that its month does not tell of", _UNPAID_C4, "open/2020-01-01"),
    Mutation("C09", "a claim paid a fen above its settlement", _settled_otherwise("C3", "pooled_amount", "299.99"), _key("above", "C3")),
    Mutation("C09", "a personal part paid above its settlement", _settled_otherwise("C1", "personal_account_amount", "4.99"), _key("above", "C1")),
    Mutation("C09", "a payment without a settlement", _settled_as("C3", "C9"), "without/10", severity="warn"),
    Mutation("C09", "a payment of an earlier publication, still without a settlement", _settled_as("C1", "C8"), "without/4", severity="warn"),
    Mutation("C09", "a payment that the totals of its claim do not hold", f"delete from ledger.claim_turnover where {_R} and claim_no = 'C3'",
             _key("differs", "C3")),
    Mutation("C09", "an unpaid amount that is not what was settled less what was paid", f"update ledger.claim_turnover set unpaid_change = 1"
             f" where {_R} and claim_no = 'C3'", _key("unpaid", "C3")),
    Mutation("C10", "a claim of a person who is not enrolled", f"update events.event set person_no = 'P9' where {_R} and seq = 9",
             "enrollment/9", severity="warn"),
    Mutation("C10", "a claim before the enrolment", f"update events.event set admitted_on = '2019-01-02', discharged_on = '2019-01-09' where"
             f" {_settlement('C3')}; update events.event set service_on = '2019-01-05' where {_R} and seq = 10", "enrollment/10", severity="warn"),
    Mutation("C10", "a premium of an employer that was never registered", f"update events.event set employer_no = 'E9' where {_R} and seq = 12",
             "employer/E9", severity="warn"),
    Mutation("C10", "a personal account charged that nobody has", f"update events.event set account_holder_no = 'P8' where {_settlement('C1')}",
             _key("person", "C1"), severity="warn"),
    Mutation("C10", "an employer of an earlier publication, still not registered", f"update events.event set employer_no = 'E7' where {_R}"
             " and event_type = 'employer.registered' and employer_no = 'E1'", "employer/E1", severity="warn"),
)  # fmt: skip
