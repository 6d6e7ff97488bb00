"""A swap may repair a closed month, never change what was signed: no reason lets that through."""

from __future__ import annotations

from contextlib import closing

import pytest
from closing_books import NOVEMBER, REGION

from closing.figures import figures
from ingestion.database import connect
from runtime.replay import Outcome, Request, replay
from tests.integration import replay_support as books
from tests.integration.replay_support import ask

TO_OTHER_ACCOUNT = "UPDATE policy.posting_rules SET debit_account = '{}' WHERE rule_id = '{}'"
TAMPERED = """
    UPDATE ledger.account_turnover SET debit_amount = debit_amount + 5
    WHERE accounting_month = '2020-11-01' AND account_code = '100301' AND debit_amount > 0
"""
ACCEPTED = Request(swap=True, accepted_reason="the rule was wrong, says the accountant")
DECEMBER_BENEFITS = (
    "SELECT account_code, sum(debit_amount)::text FROM marts.general_ledger"
    " WHERE accounting_month = '2020-12-01' AND event_type = 'claim.paid' AND debit_amount > 0 GROUP BY 1"
)


def signed() -> str:
    (seq,) = ask("SELECT checked_seq FROM events.event WHERE event_type = 'period.closed'")[0]
    with closing(connect("auditor")) as connection:
        return figures(connection, REGION, NOVEMBER, seq).ledger_sha256


@pytest.mark.exhaustive
@pytest.mark.timeout(1200)
@pytest.mark.usefixtures("november")
def test_a_closed_month_is_repaired_but_not_changed() -> None:
    (at_close,) = ask("SELECT ledger_sha256 FROM signoff.closing_figures")[0]
    journal = books.relation_oid("ledger.journal_line")

    # Deliveries were paid in November, which is closed.
    books.as_owner(TO_OTHER_ACCOUNT.format("50010101", "PAID-07"))
    ending = replay("other rule", ACCEPTED)
    assert ending.outcome is Outcome.REFUSED
    (told,) = [note for note in ending.notes if note.startswith("R-")]
    assert told.startswith("R-CLOSED: 统筹区 340400 2020-11 ")
    assert told.endswith(": journal, trial_balance, statement")
    assert (books.relation_oid("ledger.journal_line"), signed()) == (journal, at_close)

    # An inpatient was paid in December, which is open; and somebody has altered November in the live books.
    books.as_owner(TO_OTHER_ACCOUNT.format("5001010301", "PAID-07"))
    books.as_owner(TO_OTHER_ACCOUNT.format("50010102", "PAID-01"))
    books.as_owner(TAMPERED)
    assert signed() != at_close
    assert replay("repaired", ACCEPTED).outcome is Outcome.SWAPPED
    assert signed() == at_close
    assert ask(DECEMBER_BENEFITS) == [("50010102", "1000.00")]
