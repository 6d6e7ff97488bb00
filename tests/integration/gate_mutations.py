"""The smallest corruption that each check exists for, on region 320100 of the hand-made books, and the item it must name."""

# ruff: noqa: E501 - one corruption a row reads better than wrapped SQL

from __future__ import annotations

from tests.integration.gate_books import HEAD
from tests.integration.gate_mutation import Mutation
from tests.integration.gate_mutations_claims import CLAIM_MUTATIONS

_R = "region_code = '320100'"

# Replaces a candidate view by a wrong one: the wrong figure must come out of the view, not of the tables below it.
_WRONG_VIEW = """
    alter view ledger.{view} rename to {view}_right;
    create view ledger.{view} as select {columns} from ledger.{view}_right;
    grant select on ledger.{view} to fund_quality;
"""
_STATEMENT = "candidate_income_expenditure_statement"
_STATEMENT_COLUMNS = "region_code, fund_code, accounting_month, line_code, line_name, sub_fund, {month} as amount_month, {year} as amount_year_to_date"
_SHEET_COLUMNS = "region_code, fund_code, accounting_month, line_code, line_name, sub_fund, {opening} as opening_amount, {closing} as closing_amount"


def _wrong_statement(where: str, month: str = "amount_month + 1", year: str = "amount_year_to_date + 1") -> str:
    return _WRONG_VIEW.format(
        view=_STATEMENT,
        columns=_STATEMENT_COLUMNS.format(
            month=f"case when {where} then {month} else amount_month end",
            year=f"case when {where} then {year} else amount_year_to_date end",
        ),
    )


def _wrong_sheet(where: str, opening: str = "opening_amount", closing: str = "closing_amount + 1") -> str:
    return _WRONG_VIEW.format(
        view="candidate_balance_sheet",
        columns=_SHEET_COLUMNS.format(
            opening=f"case when {where} then {opening} else opening_amount end",
            closing=f"case when {where} then {closing} else closing_amount end",
        ),
    )


_QUARANTINE = """
    insert into events.quarantine (quarantine_id, file_id, line_no, region_code, family, source_system, source_event_key, error_codes,
        messages, amount, quarantined_at)
    values (1, 2, 77, {region}, 'claim', 'source_320100', 'Q1', array['E-TYPE-AMOUNT'], array['x'], {amount}, '2020-02-02T01:00:00Z');
    update events.file_outcome set rows = rows + 1, quarantined = 1, declared_rows = rows + 1 where file_id = 2;
"""

# The increment closes month M, which was published before: seq 14 becomes the event, on figures as the books have them.
CLOSE_MONTH_M = """
    update events.event set event_type = 'period.closed', family = 'control', accounting_month = '2019-12-01', claim_no = null,
        insurance_type = null, pooled_amount = null where region_code = '320100' and seq = 14;
    insert into signoff.closing_figures
    select 'by hand', month.region_code, month.accounting_month, 13, repeat('0', 64), month.trial_balance_sha256, month.statement_sha256,
        month.balance_sheet_sha256, encode(sha256(convert_to(concat_ws(e'\\n', repeat('0', 64), month.trial_balance_sha256,
            month.statement_sha256, month.balance_sheet_sha256), 'UTF8')), 'hex')
    from ledger.candidate_closed_month as month;
    update events.event set ledger_sha256 = (select ledger_sha256 from signoff.closing_figures) where region_code = '320100' and seq = 14;
"""
_CLOSED_MONTH_MUTATIONS = (
    Mutation("B08", "an amount of a closed month changed on both sides", CLOSE_MONTH_M + f"""
        update ledger.account_turnover set debit_amount = debit_amount + 1
            where {_R} and accounting_month = '2019-12-01' and account_code = '1004' and fund_code = 'EMI' and debit_amount > 0;
        update ledger.account_turnover set credit_amount = credit_amount + 1
            where {_R} and accounting_month = '2019-12-01' and account_code = '100301' and fund_code = 'EMI' and credit_amount > 0;
    """, "2019-12/trial_balance"),
    Mutation("B08", "a month closed on figures that nobody has", CLOSE_MONTH_M + "delete from signoff.closing_figures;", "2019-12/statement"),
    Mutation("B08", "a line posted to a month after its close", CLOSE_MONTH_M + f"""
        update events.event set seq = 80 where {_R} and seq = 8; update events.event set seq = 8 where {_R} and seq = 14;
        update events.event set seq = 14 where {_R} and seq = 80;
        update ledger.journal_line set accounting_month = '2019-12-01' where {_R} and event_seq = 9;
    """, "320100-9-1/1"),
)  # fmt: skip

_GAP = """
    insert into ledger.enrollment_coverage
        (region_code, person_no, batch_id, last_seq, gap_kind, employer_no, gap_from, gap_until, contribution_base)
    values ('320100', 'P1', 2, 9, {kind}, 'E1', {begins}, null, 8000);
"""
_PLATFORM = """
    insert into policy.policy_settlement_platform
        (region_code, source_system, title_zh, title_en, migrated_on, known_from, status, source)
    values ('320100', 'source_320100', '平台', 'platform', {migrated_on}, '2018-01-01', 'assumed', 'by hand');
"""
_STATED_BY_PLATFORM = f"""
    update events.event set event_type = 'balance.stated', family = 'treasury', statement_kind = 'institution_settled', fund_code = 'EMI',
        accounting_month = '2020-01-01', amount = 999, claim_no = null where {_R} and seq = 14;
"""
# Another month's total, taken back by a statement of this month on which nothing was paid.
TAKEN_BACK_BY_PLATFORM = (
    _PLATFORM.format(migrated_on="null")
    + _STATED_BY_PLATFORM.replace("seq = 14", "seq = 13")
    + _STATED_BY_PLATFORM
    + f"""
    update events.event set original_event_key = null, original_seq = null, accounting_month = '2019-12-01' where {_R} and seq = 13;
    update events.event set original_event_key = 'K13', amount = 0 where {_R} and seq = 14;
    update events.event set person_no = null, employer_no = null, institution_code = null where {_R} and seq in (13, 14);
"""
)
# Fifteen weeks after the source's last batch, as its calendar has it.
SILENT = (
    "insert into events.source_calendar values ('source_320100', 'claim', 'monthly day 10', '2019-12-01', '320100');"
)
READ_SINCE = (
    SILENT
    + """
    insert into events.file_outcome select file_id, 2, state, error_code, error_message, family, 3, 0, 3, 0, 3, reader_key, null, '2020-04-01'
    from events.file_outcome where file_id = 2;
"""
)
MIGRATED_SINCE = SILENT + _PLATFORM.format(migrated_on="'2020-04-01'")
_MATERNITY_LINE_MUTATIONS = (
    Mutation("M04", "an employee without maternity insurance before the merger", _GAP.format(kind="'310_without_510'", begins="'2019-12-01'"),
             "310_without_510/E1/2019-12", severity="warn"),
    Mutation("M04", "an employee without medical insurance before the merger", _GAP.format(kind="'510_without_310'", begins="'2019-12-01'"),
             "510_without_310/E1/2019-12", severity="warn"),
    Mutation("M04", "an enrolment in maternity insurance alone after the merger", _GAP.format(kind="'510_after_merger'", begins="'2020-01-05'"),
             "510_after_merger/E1", severity="warn"),
    Mutation("M04", "an enrolment that nobody looked at", f"delete from ledger.enrollment_coverage where {_R}",
             "nothing-examined"),
    Mutation("M05", "a merged rate that is not the sum", "update policy.policy_rate set employer_rate = 0.0970"
             f" where {_R} and effective_from = '2020-01-01'", "employee/*"),
    Mutation("M05", "individuals charged for maternity by the merged rate", "update policy.policy_rate set personal_rate = 0.0210"
             f" where {_R} and effective_from = '2020-01-01'", "employee/*"),
    Mutation("M05", "no rate on the day of the merger", f"delete from policy.policy_rate where {_R} and effective_from = '2020-01-01'",
             "employee/*"),
    Mutation("M05", "no rate of maternity insurance before it", f"delete from policy.policy_rate where {_R} and insurance_type = '510'",
             "employee/*"),
    Mutation("M05", "a rate of maternity insurance left in force", "update policy.policy_rate set effective_to = null"
             f" where {_R} and insurance_type = '510'", "employee/*"),
    Mutation("M05", "flexible workers charged another rate", f"update policy.policy_rate set effective_to = '2019-12-31'"
             f" where {_R} and enrollment_category = 'flexible' and effective_from = '2016-01-01'", "flexible/*"),
    Mutation("M07", "a delivery paid by unit", f"update events.event set payment_method = 'per_unit' where {_R} and seq = 9", "event/9",
             severity="warn"),
    Mutation("M07", "a delivery paid by no method", f"update events.event set payment_method = null where {_R} and seq = 9", "event/9",
             severity="warn"),
    Mutation("M07", "an item that the region does not know", f"delete from policy.policy_payment_method where {_R}"
             " and benefit_item = 'delivery_caesarean'", "event/9", severity="warn"),
    Mutation("M08", "an allowance a fen too high", f"update events.event set pooled_amount = 300.01 where {_R} and seq = 10",
             "overpaid/maternity_allowance/event/10", severity="warn"),
    Mutation("M08", "an allowance a fen too low", f"update events.event set pooled_amount = 299.99 where {_R} and claim_no = 'C3'",
             "underpaid/maternity_allowance/event/10", severity="warn"),
    Mutation("M08", "a day too many", f"update events.event set leave_days = 21 where {_R} and seq = 10", "stated/maternity_allowance/event/10",
             severity="warn"),
    Mutation("M08", "no weeks to compute by", f"update events.event set gestation_weeks = null where {_R} and seq = 14",
             "not_computable/maternity_allowance/event/10", severity="warn"),
    Mutation("M08", "an allowance a fen too high, published before its birth came", f"""
        update events.event set seq = 500 where {_R} and seq = 5;
        update events.event set seq = 5, pooled_amount = 300.01 where {_R} and seq = 10;
        delete from events.event where {_R} and seq > 7 and benefit_item = 'maternity_allowance';
    """, "overpaid/maternity_allowance/event/5", severity="warn"),
    Mutation("M08", "an allowance paid to the person before it was allowed", f"update events.event set payee_type = 'person' where {_R}"
             " and seq = 10", "payee/maternity_allowance/event/10", severity="warn"),
    Mutation("M09", "a fact of the platform after its migration", _PLATFORM.format(migrated_on="'2020-01-21'"), "event/14"),
    Mutation("M09", "a total that is not what was paid", _PLATFORM.format(migrated_on="null") + _STATED_BY_PLATFORM,
             "total/source_320100/2020-01"),
    Mutation("M09", "a statement without a month, after the migration", _PLATFORM.format(migrated_on="'2020-01-21'") + f"""
        {_STATED_BY_PLATFORM} update events.event set accounting_month = null, occurred_on = '2020-02-03' where {_R} and seq = 14;
    """, "event/14"),
    Mutation("M09", "a day's total that is not what was paid", _PLATFORM.format(migrated_on="null") + f"""
        {_STATED_BY_PLATFORM} update events.event set accounting_month = null where {_R} and seq = 14;
    """, "total/source_320100/2020-01"),
    Mutation("M09", "rows of the platform under another name", _PLATFORM.format(migrated_on="null")
             + f"update events.event set source_system = 'other' where {_R} and seq > 7", "nothing-examined"),
    Mutation("M09", "a month for which the platform states nothing", _PLATFORM.format(migrated_on="null") + """
        insert into ledger.maternity_source_turnover values ('320100', 'source_320100', '2019-12-01', 2, 9, 1, 200);
    """, "total/source_320100/2019-12"),
)  # fmt: skip

MUTATIONS = (
    Mutation("B01", "a debit raised by a fen", f"update ledger.journal_line set debit_amount = debit_amount + 0.01 where {_R} and event_seq = 9"
             " and line_no = 1", "320100-9-1/EMI"),
    Mutation("B01", "a leg lost", f"delete from ledger.journal_line where {_R} and event_seq = 9 and line_no = 2", "320100-9-1/EMI"),
    Mutation("B02", "turnover of one account raised by a fen", f"update ledger.account_turnover set debit_amount = debit_amount + 0.01"
             f" where {_R} and fund_code = 'EMI' and account_code = '1004' and batch_id = 2 and entry_kind = 'normal'", "EMI/2020-01-01"),
    Mutation("B03", "total assets off by one", _wrong_sheet(f"{_R} and line_code = 'A90' and accounting_month = '2020-01-01'"), "A90"),
    Mutation("B03", "two assets exchanged", f"update ledger.account_turnover set account_code = '1001'"
             f" where {_R} and fund_code = 'EMI' and account_code = '100301' and batch_id = 2", "A10"),
    Mutation("B04", "opening of a month changed", _wrong_statement(f"{_R} and line_code = 'S20' and accounting_month = '2020-01-01'"
             " and sub_fund = 'pooled'", year="amount_year_to_date"), "statement/EMI/2020-01-01/pooled"),
    Mutation("B04", "year to date begins wrongly", _wrong_statement(f"{_R} and line_code = 'S20' and accounting_month = '2020-01-01'"
             " and sub_fund = 'pooled'", month="amount_month"), "year to date/EMI/2020-01-01/pooled"),
    Mutation("B04", "net assets differ from the closing balance", _wrong_sheet(f"{_R} and line_code = 'N90' and sub_fund = 'total'"
             " and accounting_month = '2020-01-01'"), "net assets/EMI/2020-01-01/total"),
    Mutation("B05", "a line of the statement off by one", _wrong_statement(f"{_R} and line_code = 'E112' and sub_fund = 'pooled'"
             " and accounting_month = '2020-01-01'"), "EMI/2020-01-01/E112/pooled"),
    Mutation("B05", "a row of the statement missing", f"""
        alter view ledger.{_STATEMENT} rename to right_view;
        create view ledger.{_STATEMENT} as select * from ledger.right_view
        where not ({_R} and line_code = 'I40' and sub_fund = 'total' and accounting_month = '2020-01-01');
        grant select on ledger.{_STATEMENT} to fund_quality;
    """, "EMI/2020-01-01/I40/total/row"),
    Mutation("B05", "an expenditure posted to an account of no line", f"update ledger.journal_line set account_code = '5909'"
             f" where {_R} and event_seq = 9 and line_no = 1", "320100-9-1/1"),
    Mutation("B06", "total is not pooled plus personal", _wrong_statement(f"{_R} and line_code = 'I12' and sub_fund = 'total'"
             " and accounting_month = '2020-01-01'"), "EMI/2020-01-01/I12/month"),
    Mutation("B07", "a remainder left in the maternity fund", f"update ledger.account_turnover set credit_amount = credit_amount - 1"
             f" where {_R} and fund_code = 'MAT' and account_code = '1005' and batch_id = 2", "MAT/1005/shared"),
    Mutation("B07", "a payment posted to the maternity fund after its merger",
             f"update ledger.journal_line set fund_code = 'MAT' where {_R} and event_seq = 9", "320100-9-1/1"),
    *_CLOSED_MONTH_MUTATIONS,
    Mutation("B07", "a maternity fact of the increment, and no turnover of its fund", f"update events.event set occurred_on = '2019-12-20'"
             f" where {_R} and seq = 12; delete from ledger.account_turnover where {_R} and fund_code = 'MAT'", "nothing-examined"),
    Mutation("B09", "money left in the income account", f"update ledger.account_turnover set account_code = '1002'"
             f" where {_R} and fund_code = 'EMI' and account_code = '1005' and batch_id = 2 and entry_kind = 'normal'",
             "EMI/2020-01-01", severity="warn"),
    Mutation("B10", "an overdrawn account", f"update ledger.account_turnover set credit_amount = credit_amount + 9999"
             f" where {_R} and fund_code = 'EMI' and account_code = '1004' and batch_id = 2 and entry_kind = 'normal'",
             "EMI/1004/2020-01-01", severity="warn"),
    Mutation("B11", "a personal account raised by a fen", f"update ledger.personal_account_turnover set credited_amount = credited_amount + 0.01"
             f" where {_R} and batch_id = 2", "EMI/2020-01-01"),
    Mutation("B11", "a person's movement lost", f"delete from ledger.personal_account_turnover where {_R} and batch_id = 2", "EMI/2020-01-01"),
    Mutation("B11", "a movement shown in a month without books", f"update ledger.personal_account_turnover set accounting_month = '2020-02-01'"
             f" where {_R} and batch_id = 2", "EMI/2020-02-01"),
    Mutation("B12", "a payment before the opening of the books", f"update events.event set event_type = 'balance.opened', occurred_on = '2020-01-04'"
             f" where {_R} and seq = 6", "event/9"),
    Mutation("B12", "books opened late, after facts of the published log", f"update events.event set event_type = 'balance.opened',"
             f" amount = 50 where {_R} and seq = 13", "event/2"),
    Mutation("C01", "a file whose manifest declares another number", "update events.file_outcome set declared_rows = 9 where file_id = 2",
             "320100.2020-01.csv"),
    Mutation("C01", "a row of the file neither loaded nor set aside", "update events.file_outcome set rows = 9, loaded = 8 where file_id = 2",
             "320100.2020-01.csv"),
    Mutation("C01", "a row of the file gone from the log", f"delete from events.event where {_R} and seq = 10", "320100.2020-01.csv"),
    Mutation("C02", "an event removed", f"delete from events.event where {_R} and seq = 10", "seq/10"),
    Mutation("C02", "the last event removed", f"delete from events.event where {_R} and seq = {HEAD}", f"head/{HEAD}"),
    Mutation("C02", "overlapping batches", f"update events.batch set first_seq = 7 where {_R} and batch_id = 2", "batch/2"),
    Mutation("C03", "a payment without lines", f"delete from ledger.journal_line where {_R} and event_seq = 10", "event/10"),
    Mutation("C03", "an event posted twice", f"update ledger.journal_line set debit_amount = debit_amount * 2,"
             f" credit_amount = credit_amount * 2 where {_R} and event_seq = 10", "event/10"),
    Mutation("C03", "lines of an event that carries no money", f"update ledger.journal_line set event_seq = 14 where {_R} and event_seq = 10",
             "event/14"),
    Mutation("C03", "a line of another type than its event", f"update ledger.journal_line set event_type = 'claim.recovered'"
             f" where {_R} and event_seq = 10 and line_no = 2", "type/10/1/2"),
    Mutation("C03", "a line of another batch than its event", f"update ledger.journal_line set batch_id = 1"
             f" where {_R} and event_seq = 10 and line_no = 2", "type/10/1/2"),
    Mutation("C03", "two rule sets for one event", f"update ledger.journal_line set rule_ids = 'PAID-09,PAID-07' where {_R} and event_seq = 10",
             "rule/10"),
    Mutation("C04", "a due file that has not come", "insert into events.source_calendar values"
             " ('source_320100', 'claim', 'monthly day 10 until 2020-02', '2019-12-01', null)", "source_320100/claim/202002"),
    Mutation("C04", "a due file that may still come", "insert into events.source_calendar values"
             " ('source_320100', 'claim', 'quarterly day 31 until 2020Q1', '2020-03-01', '320100')", "source_320100/claim/2020Q1",
             severity="warn"),
    Mutation("C04", "a rule nobody can read", "insert into events.source_calendar values ('source_320100', 'claim', 'sometimes', '2020-01-01',"
             " '320100')", "source_320100/claim/sometimes"),
    Mutation("F01", "a source long silent", "insert into events.source_calendar values"
             " ('source_320100', 'claim', 'monthly day 10', '2019-12-01', null)", "source_320100"),
    Mutation("F01", "a source that is about to be late", "insert into events.source_calendar values"
             " ('source_320100', 'claim', 'monthly day 25', '2019-12-01', '320100'); update events.batch set recorded_at = '2020-02-07'"
             f" where {_R} and batch_id = 2", "source_320100", severity="warn"),
    Mutation("F01", "a source that never sent anything", "insert into events.source_calendar values"
             " ('nobody', 'claim', 'monthly day 10', '2020-01-01', '320100')", "nobody"),
    Mutation("C05", "one row in eight set aside", _QUARANTINE.format(region="'320100'", amount="0"), "320100.2020-01.csv/77"),
    Mutation("C05", "few rows, much money", f"update events.batch set first_seq = -900 where {_R} and batch_id = 2;"
             + _QUARANTINE.format(region="'320100'", amount="100"), "320100.2020-01.csv/77"),
    Mutation("C05", "within the threshold", f"update events.batch set first_seq = -900 where {_R} and batch_id = 2;"
             + _QUARANTINE.format(region="'320100'", amount="1"), "320100.2020-01.csv/77", severity="warn"),
    Mutation("C05", "a row of no readable region", _QUARANTINE.format(region="null", amount="null"), "320100.2020-01.csv/77/no region",
             severity="warn"),
    Mutation("C06", "turnover of a batch lost", f"delete from ledger.account_turnover where {_R} and batch_id = 2 and account_code = '400102'",
             "turnover/2/EMI/2020-01-01/400102"),
    Mutation("C06", "a whole batch not built", f"delete from ledger.journal_line where {_R} and batch_id = 2;"
             f" delete from ledger.account_turnover where {_R} and batch_id = 2", "batch/2"),
    *CLAIM_MUTATIONS,
    Mutation("M01", "a maternity income line in the merged fund", f"update ledger.journal_line set account_code = '400110'"
             f" where {_R} and event_seq = 12 and line_no = 2", "320100-12-1/2"),
    Mutation("M02", "a maternity payment shown as inpatient", f"update ledger.journal_line set account_code = '50010101'"
             f" where {_R} and event_seq = 9 and line_no = 1; update ledger.account_turnover set account_code = '50010101'"
             f" where {_R} and account_code = '5001010301'", "log/EMI/2020-01-01"),
    Mutation("M02", "E113 is not the sum of its parts", _wrong_statement(f"{_R} and line_code = 'E1132' and sub_fund = 'total'"
             " and accounting_month = '2020-01-01'"), "sum/EMI/2020-01-01"),
    Mutation("M02", "a payment missing in the maternity detail", f"update ledger.journal_line set entry_kind = 'opening'"
             f" where {_R} and event_seq = 10", "detail/EMI/2020-01-01"),
    Mutation("M03", "a maternity benefit from the personal account", f"update ledger.journal_line set sub_fund = 'personal'"
             f" where {_R} and event_seq = 10 and line_no = 1", "320100-10-1/1"),
    *_MATERNITY_LINE_MUTATIONS,
    Mutation("M06", "a person charged for maternity", f"update events.event set personal_amount = 1 where {_R} and seq = 12", "event/12"),
    Mutation("M06", "a maternity premium booked to the personal account", f"update ledger.journal_line set sub_fund = 'personal'"
             f" where {_R} and event_seq = 12 and line_no = 2", "320100-12-1/2"),
    Mutation("H01", "a batch hash rewritten", f"update events.batch set batch_hash = decode(repeat('ab', 32), 'hex') where {_R}"
             " and batch_id = 2", "batch/2"),
    Mutation("H01", "a line number of the increment changed", f"update events.event set line_no = 99 where {_R} and seq = 9", "batch/2"),
    Mutation("H01", "history rewritten with a chain that fits", f"""
        update events.batch set file_sha256 = repeat('0', 64) where {_R} and batch_id = 1;
        update events.batch set batch_hash = events.batch_hash(region_code, batch_id) where {_R} and batch_id = 1;
        update events.batch set prev_batch_hash = (select b.batch_hash from events.batch as b where b.{_R} and b.batch_id = 1)
            where {_R} and batch_id = 2;
        update events.batch set batch_hash = events.batch_hash(region_code, batch_id) where {_R} and batch_id = 2;
        update ledger.built_head as h set batch_hash = b.batch_hash from events.batch as b
            where b.region_code = h.region_code and b.batch_id = h.batch_id;
        update ledger.publication as h set batch_hash = b.batch_hash from events.batch as b
            where b.region_code = h.region_code and b.batch_id = h.batch_id;
    """, "recorded/2"),
    Mutation("H02", "an amount of the log changed", f"update events.event set pooled_amount = 201 where {_R} and seq = 9", "event/9"),
    Mutation("H04", "an event recorded before the one in front of it", f"update events.event set recorded_at = '2020-01-15Z'"
             f" where {_R} and seq = 11", "event/11"),
)  # fmt: skip
