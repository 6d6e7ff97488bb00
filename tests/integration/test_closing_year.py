"""The year end as part of the close of December, worked by hand, and what comes after it."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime

import pytest
from closing_books import (
    APPROVER,
    DECEMBER,
    JANUARY,
    NOVEMBER,
    REGION,
    ask,
    asked,
    closed,
    closings,
    paid,
    publish,
    recovered,
    statement,
    take_in,
    trial_balance,
)

from closing import records
from closing.figures import figures
from ingestion.control import close_year
from ingestion.database import connect

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.usefixtures("november")
def test_december_closes_its_year_and_late_facts_post_to_january() -> None:
    files = dict(ask("SELECT file_name, sha256 FROM signoff.signed_file"))
    hashes = ask("SELECT ledger_sha256 FROM marts.closed_period ORDER BY accounting_month")
    assert closed(asked(DECEMBER)).accounting_month == DECEMBER
    assert closings() == [("period.closed", "2020-11"), ("year.closed", "2020-12"), ("period.closed", "2020-12")]
    december = trial_balance(DECEMBER)
    assert {key: figures_[3] for key, figures_ in december.items() if key[0][0] in "45"} == dict.fromkeys(
        [key for key in december if key[0][0] in "45"], "0.00"
    )
    assert december["3001", "pooled"] == ("-70000.00", "4640.50", "1042.00", "-66401.50")
    assert december["3002", "personal"] == ("-30000.00", "0.00", "480.00", "-30480.00")
    assert statement(DECEMBER)["I90"] == ("786.00", "1522.00")
    assert statement(DECEMBER)["E90"] == ("1000.00", "4640.50")
    assert statement(DECEMBER)["S30"] == ("96881.50", "96881.50")

    take_in({
        "8.claim.1.csv": [paid("K7", "2020-12-28", "200.00"), recovered("R1", "2021-01-15", "300.00", "K3")],
    })  # fmt: skip
    publish("january")
    january = trial_balance(JANUARY)
    assert {key: figures_[0] for key, figures_ in january.items() if key[0][0] in "45" and figures_[0] != "0.00"} == {}
    assert january["490102", "pooled"] == ("0.00", "0.00", "300.00", "-300.00")
    assert january["50010101", "pooled"][1:] == ("200.00", "0.00", "200.00")
    assert statement(JANUARY)["S20"] == ("96881.50", "96881.50")
    late = ask(
        "SELECT to_char(accounting_month, 'YYYY-MM'), to_char(original_month, 'YYYY-MM'), posting_date::text"
        " FROM marts.general_ledger WHERE claim_no = 'SK7' AND account_code LIKE '5%%'"
    )
    assert late == [("2021-01", "2020-12", "2021-01-01")]
    assert ask("SELECT ledger_sha256 FROM marts.closed_period ORDER BY accounting_month")[:1] == hashes
    assert dict(ask("SELECT file_name, sha256 FROM signoff.signed_file WHERE accounting_month = %s", NOVEMBER)) == files
    with closing(connect("auditor")) as connection:
        (head,) = ask("SELECT seq FROM marts.published_head")[0]
        told = {month: figures(connection, REGION, month, head).ledger_sha256 for month in (NOVEMBER, DECEMBER)}
    assert list(told.values()) == [
        row[0] for row in ask("SELECT ledger_sha256 FROM marts.closed_period ORDER BY accounting_month")
    ]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("november")
def test_a_december_that_moved_after_its_year_was_closed_is_closed_by_a_second_year_end() -> None:
    made_ = asked(DECEMBER)
    approval = records.Decision("approved", APPROVER, datetime.now(UTC), None, "os:x")
    close_year(records.closing_event(made_.request, approval, None))
    again = close_year(records.closing_event(made_.request, approval, None))
    assert not again.is_new
    take_in({"8.claim.1.csv": [paid("K8", "2020-12-29", "40.50")]})
    publish("later")
    assert closed(asked(DECEMBER)).accounting_month == DECEMBER
    assert [row[0] for row in closings()].count("year.closed") == 2
    assert trial_balance(DECEMBER)["3001", "pooled"] == ("-70000.00", "4681.00", "1042.00", "-66361.00")
