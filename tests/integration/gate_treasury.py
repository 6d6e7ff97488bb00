"""Outside statements on the hand-made books of region 320100, and the corruptions that checks T01-T06 exist for.

By hand, fund EMI at the end of month N (January 2020): the expenditure account holds 5,000 - 5 + 70 (merger) - 200 - 300 =
4,565. Collected in the month: 880 + 40 = 920. The fiscal side paid nothing, and got back 50 of this year's benefits; the
agency spent 200 + 300 - 50 = 450, out of 500 that left the expenditure account.
"""

# ruff: noqa: E501 - one corruption a row reads better than wrapped SQL

from __future__ import annotations

from tests.integration.gate_mutations import Mutation

_R = "region_code = '320100'"

LEFT_ON_EXPENDITURE, COLLECTED, FUNDED, PAID_TO_H1 = "4565.00", "920.00", "0.00", "300.00"


def stated(
    kind: str, amount: str, *, account: str = "null", day: str = "2020-01-31", month: str = "'2020-01-01'"
) -> str:
    """The last event of the increment becomes what an outside party states of fund EMI."""
    institution = "'H1'" if kind == "institution_settled" else "null"
    return f"""
        update events.event set event_type = 'balance.stated', family = 'treasury', claim_no = null, insurance_type = null,
            pooled_amount = null, fund_code = 'EMI', statement_kind = '{kind}', account = {account}, amount = {amount},
            institution_code = {institution}, occurred_on = '{day}', accounting_month = {month} where {_R} and seq = 14;
    """


def balance(amount: str) -> str:
    """The bank states the expenditure account at the end of month N."""
    return stated("bank_balance", amount, account="'expenditure'")


def corrected_balance() -> str:
    """A wrong balance, taken back by the right one."""
    wrong = balance("1.00").replace("seq = 14", "seq = 13")
    return wrong + balance(LEFT_ON_EXPENDITURE) + f"""
        update events.event set original_event_key = null, original_seq = null where {_R} and seq = 13;
        update events.event set original_event_key = 'K13' where {_R} and seq = 14;
        delete from ledger.journal_line where {_R} and event_seq = 13;
    """  # fmt: skip


# What another kind of statement names as its original is taken back by nothing.
NAMED_BY_ANOTHER_KIND = f"""
    {stated("tax_collected", "920.01", account="'treasury'").replace("seq = 14", "seq = 13")} {balance(LEFT_ON_EXPENDITURE)}
    update events.event set original_event_key = null, original_seq = null where {_R} and seq = 13;
    update events.event set original_event_key = 'K13' where {_R} and seq = 14;
"""
# A balance of December, published, is taken back by one of March.
TAKEN_BACK_LATER = balance("1.00").replace("seq = 14", "seq = 5").replace("2020-01", "2019-12") + balance("2.00").replace(
    "2020-01", "2020-03"
) + f"update events.event set original_event_key = 'K5' where {_R} and seq = 14;"  # fmt: skip

# The payment of seq 10 goes to an institution.
TO_H1 = f"""
    update events.event set payee_type = 'institution', institution_code = 'H1' where {_R} and seq = 10;
    update ledger.journal_line set institution_code = 'H1' where {_R} and event_seq = 10;
"""
# The payment of seq 10 is made by the fiscal side itself.
PAID_DIRECTLY = f"""
    update events.event set pay_account = 'special_demand' where {_R} and seq = 10;
    update ledger.journal_line set account_code = '100301' where {_R} and event_seq = 10 and account_code = '1004';
    update ledger.account_turnover set credit_amount = credit_amount - 300 where {_R} and batch_id = 2 and fund_code = 'EMI'
        and account_code = '1004' and entry_kind = 'normal';
    update ledger.account_turnover set credit_amount = credit_amount + 300 where {_R} and batch_id = 2 and fund_code = 'EMI'
        and account_code = '100301' and entry_kind = 'normal';
"""
_WITHIN_TWENTY_DAYS = (
    "update policy.policy_threshold set excessive_above = 20, yellow_above = 20 where indicator_code = '{}';"
)
# The payment of seq 10 is posted as an advance.
_ADVANCE = f"""
    update ledger.journal_line set account_code = '1101', sub_fund = 'shared' where {_R} and event_seq = 10 and line_no = 1;
    update ledger.account_turnover set account_code = '1101', sub_fund = 'shared' where {_R} and account_code = '5001010302';
"""
_DECEMBER_TOO = (
    balance("4995.00").replace("seq = 14", "seq = 13").replace("2020-01", "2019-12")
    + f"""
    update events.event set original_event_key = null, original_seq = null where {_R} and seq = 13;
"""
)
_COMPARES_NOTHING = """
    do $$
    declare columns text := pg_get_function_result('ledger.candidate_tie_out_items(text, date, text)'::regprocedure);
    begin
        alter function ledger.candidate_tie_out_items(text, date, text) rename to right_items;
        execute format('create function ledger.candidate_tie_out_items(r text, m date, k text) returns %s language sql stable'
            ' as ''select * from ledger.right_items(r, m, k) where false''', columns);
    end
    $$;
"""

TREASURY_MUTATIONS = (
    Mutation("T01", "a benefit paid out of the income account", f"update ledger.journal_line set account_code = '1002' where {_R}"
             " and event_seq = 10 and line_no = 2", "320100-10-1/1002/out"),
    Mutation("T01", "a premium collected into the expenditure account", f"update ledger.journal_line set account_code = '1004'"
             f" where {_R} and event_seq = 11 and line_no = 1", "320100-11-1/1004/in"),
    Mutation("T01", "money sent to the income account", f"update ledger.journal_line set account_code = '1002' where {_R}"
             " and event_seq = 10 and line_no = 1", "320100-10-1/1004>1002"),
    Mutation("T01", "an allowed path taken by a payment", f"update ledger.journal_line set account_code = '100301' where {_R}"
             " and event_seq = 10 and line_no = 1", "320100-10-1/1004>100301"),
    Mutation("T02", "the bank has a fen less", balance("4564.99"), "EMI/2020-01-31/balance/1004/amount_differs/stated 14"),
    Mutation("T02", "a payment lost from the ledger", balance(LEFT_ON_EXPENDITURE) + f"delete from ledger.journal_line where {_R}"
             " and event_seq = 10", "EMI/2020-01-31/balance/1004/amount_differs/stated 14"),
    Mutation("T02", "a payment that the bank has not booked yet", balance("4865.00"),
             "EMI/2020-01-31/balance/1004/missing_there/320100-10-1", severity="warn"),
    Mutation("T02", "a payment that the bank has not booked for too long", balance("4865.00")
             + _WITHIN_TWENTY_DAYS.format("in_transit_days"), "EMI/2020-01-31/balance/1004/missing_there/320100-10-1"),
    Mutation("T02", "a statement that nothing was compared with", balance(LEFT_ON_EXPENDITURE) + _COMPARES_NOTHING,
             "not compared/14"),
    Mutation("T02", "a statement compared with nothing, unlike that of the month before", balance(LEFT_ON_EXPENDITURE) + _DECEMBER_TOO
             + _COMPARES_NOTHING.replace("where false", "where m <> make_date(2020, 1, 1)"), "not compared/14"),
    Mutation("T03", "the tax office has a fen more in the month", stated("tax_collected", "920.01", account="'treasury'"),
             "EMI/2020-01-31/month/1005/amount_differs/stated 14"),
    Mutation("T03", "the tax office has less on the day", stated("tax_collected", "800.00", account="'treasury'", day="2020-01-05",
             month="null"), "EMI/2020-01-05/day/1005/amount_differs/stated 14"),
    Mutation("T03", "a total that a balance names as its original", NAMED_BY_ANOTHER_KIND,
             "EMI/2020-01-31/month/1005/amount_differs/stated 13"),
    Mutation("T03", "a collection lost from the ledger", stated("tax_collected", COLLECTED, account="'treasury'")
             + f"delete from ledger.journal_line where {_R} and event_seq = 12", "EMI/2020-01-31/month/1005/amount_differs/stated 14"),
    Mutation("T04", "the fiscal side has paid what nobody received", stated("fiscal_expenditure", "100.00"),
             "EMI/2020-01-31/month/100301/amount_differs/stated 14"),
    Mutation("T04", "expenditure of the turnover raised", stated("fiscal_expenditure", FUNDED) + "update ledger.account_turnover set"
             f" debit_amount = debit_amount + 1 where {_R} and account_code = '5001010302'", "identity/EMI/2020-01-01"),
    Mutation("T04", "a benefit spent out of nothing", stated("fiscal_expenditure", FUNDED) + "update ledger.account_turnover set"
             f" credit_amount = credit_amount - 1 where {_R} and batch_id = 2 and fund_code = 'EMI' and account_code = '1004'"
             " and entry_kind = 'normal'", "identity/EMI/2020-01-01"),
    Mutation("T05", "the institution has received less", TO_H1 + stated("institution_settled", "299.00"),
             "EMI/2020-01-31/month/H1/amount_differs/stated 14", severity="warn"),
    Mutation("T06", "an advance that nobody settles", _ADVANCE + _WITHIN_TWENTY_DAYS.format("temporary_payment_days"), "1101/10",
             severity="warn"),
    Mutation("T06", "turnover of temporary receipts without a line", "update ledger.account_turnover set account_code = '2001'"
             f" where {_R} and account_code = '1005' and batch_id = 2", "nothing-examined"),
)  # fmt: skip
