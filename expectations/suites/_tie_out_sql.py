"""SQL of the checks that compare the books with outside statements (T02-T05).

The comparison itself is `ledger.candidate_tie_out_items(region, month, kind)`: the text of `marts.tie_out_items`,
bounded by the built head. Here stands which months are compared, and what of the outcome is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass

# Days after which what one side has and the other has not is no longer taken to be on its way.
IN_TRANSIT_DAYS = 60

_STATED_MONTH = "coalesce(said.accounting_month, date_trunc('month', said.occurred_on::timestamp)::date)"

# The clock of ages: the books' own last day, and never later than the day of business. Books that stand still are
# another check's.
BOOKS_DAY = """least($business_date, coalesce((
            select (max(latest.accounting_month) + interval '1 month' - interval '1 day')::date
            from ledger.account_turnover as latest
            where latest.region_code = $region and latest.last_seq <= $head
        ), $business_date))"""


def threshold(indicator: str, column: str, default: int) -> str:
    """A warning level of the region in force on the day of business, as known last; the default where there is none."""
    return f"""coalesce((
            select level.{column} from policy.policy_threshold as level
            where level.region_code = $region and level.indicator_code = '{indicator}'
                and $business_date between level.effective_from and coalesce(level.effective_to, 'infinity')
            order by level.known_from desc, level.effective_from desc limit 1
        ), {default})"""


def compared_months(kind: str, code: str) -> str:
    """Months compared in this run, one column `accounting_month`.

    Those of new statements and the month before, whose last items a new statement may take back, and of statements
    that a new one names as its original; those whose lines the increment touches, as far as a statement covers them;
    those in which a finding stands, wherever it was found and whatever has become of the runs since.
    """
    stated = f"""events.event as said
            where said.region_code = $region and said.event_type = 'balance.stated' and said.seq <= $head
                and said.statement_kind = '{kind}'"""
    new = """(said.seq > $after or (said.source_system, said.source_event_key) in (
                select coalesce(later.original_source_system, later.source_system), later.original_event_key
                from events.event as later
                where later.region_code = $region and later.event_type = 'balance.stated'
                    and later.seq > $after and later.seq <= $head and later.original_event_key is not null
            ))"""
    standing = f"""quality.finding_period as standing
            where standing.region_code = $region and standing.code = '{code}' and standing.ended_at is null"""
    return f"""
        select distinct covering.accounting_month
        from (
            select {_STATED_MONTH} as accounting_month from {stated} and {new}
            union
            select ({_STATED_MONTH} - interval '1 month')::date from {stated} and {new}
            union
            select date_trunc('month', said.occurred_on::timestamp)::date from {stated} and {new}
            union
            select turnover.accounting_month from ledger.account_turnover as turnover
            where turnover.region_code = $region and turnover.last_seq > $after and turnover.last_seq <= $head
                and turnover.account_code in ('1001', '1002', '1004', '1005', '100301', '100302')
            union
            select line.original_month from ledger.journal_line as line
            where line.region_code = $region and line.event_seq > $after and line.event_seq <= $head
                and line.original_month is not null
            union
            select (
                select (finding.item ->> 'accounting_month')::date from quality.finding as finding
                where finding.region_code = standing.region_code and finding.code = standing.code
                    and finding.finding_key = standing.finding_key and finding.scope = standing.scope
                order by finding.found_at desc limit 1
            )
            from {standing}
            union
            -- more was found than is listed: of what month nobody knows
            select {_STATED_MONTH} from {stated}
                and exists (select from {standing} and standing.finding_key = 'cut off')
        ) as touched
        -- What lies before a statement is covered by the next one.
        cross join lateral (
            select min({_STATED_MONTH}) as accounting_month from {stated}
                and {_STATED_MONTH} >= touched.accounting_month
        ) as covering
        where covering.accounting_month is not null"""


def compared_statements(kind: str, code: str) -> str:
    """Number of outside figures and movements in the months compared."""
    return f"""
        select count(*) from ledger.candidate_outside_statement as said
        where said.region_code = $region and said.statement_kind = '{kind}'
            and said.accounting_month = any(array({compared_months(kind, code)}))
    """


def new_statements(kind: str) -> str:
    """Number of outside figures that the increment brings, from the log alone."""
    return f"""
        select count(*) from events.event as event
        where event.region_code = $region and event.seq > $after and event.seq <= $head
            and event.event_type = 'balance.stated' and event.statement_kind = '{kind}'
    """


# Columns of every row of T02-T05, so that both sides can be looked up.
_COLUMNS = (
    "item, severity, reason, fund_code, accounting_month, statement_kind, scope, account_code, institution_code, "
    "period_from, stated_on, ours_amount, stated_amount, difference, figure_status, item_status, matched_by, "
    "item_date, entry_id, candidate_count, event_seq, stated_seq, amount"
)


@dataclass(frozen=True)
class More:
    """What a check adds to the comparison of its kind: a condition on `item` that is no finding, and rows of its own.

    `columns` name numbers that only these rows have; `tables` are CTEs that may read `month` and `item`.
    """

    accepted: str = "false"
    columns: tuple[str, ...] = ()
    tables: str = ""
    rows: str = ""


def differing_items(kind: str, code: str, *, always_warns: bool = False, more: More = More()) -> str:
    """One row an item that differs and is not on its way, and one a statement that nothing was compared with.

    An item fails when its figure has a difference without a name or errors that cancel, or when it has been open, or in
    transit, longer than the region's limit; else it warns.
    """
    nothing = "".join(f", null::numeric as {column}" for column in more.columns)
    fails = f"""case
                when {"true" if always_warns else "false"} then 'warn'
                when item.figure_status in ('unexplained', 'offsetting') or item.age_days > item.limit_days then 'fail'
                else 'warn'
            end"""
    return f"""
        with month as materialized ({compared_months(kind, code)}),
        item as materialized (
            select month.accounting_month, compared.*,
                case compared.item_status when 'in_transit' then compared.stated_on else {BOOKS_DAY} end
                    - compared.item_date as age_days,
                {threshold("in_transit_days", "excessive_above", IN_TRANSIT_DAYS)} as limit_days
            from month
            cross join lateral ledger.candidate_tie_out_items($region, month.accounting_month, '{kind}') as compared
        ){more.tables}
        select {", ".join((_COLUMNS, *more.columns))}
        from (
            select
                concat_ws('/', item.fund_code, item.stated_on, item.scope, item.account_code, item.institution_code,
                    item.item_status, coalesce(item.entry_id, 'stated ' || item.item_stated_seq)) as item,
                {fails} as severity,
                case
                    when item.item_status = 'in_transit' then '在途超过期限 / on its way longer than the limit'
                    when item.item_status = 'missing_there' then '我方有、对方无 / we have it, they do not'
                    when item.item_status = 'missing_here' then '对方有、我方无 / they have it, we do not'
                    when item.matched_by = 'none' then '差额没有对应分录 / no entry accounts for the difference'
                    else '同号金额不同 / one number, two amounts'
                end as reason,
                item.fund_code, item.accounting_month, item.statement_kind, item.scope, item.account_code,
                item.institution_code, item.period_from, item.stated_on, item.ours_amount, item.stated_amount,
                item.difference, item.figure_status, item.item_status, item.matched_by, item.item_date, item.entry_id,
                item.candidate_count, coalesce(item.event_seq, item.item_stated_seq) as event_seq,
                item.item_stated_seq as stated_seq, item.item_difference as amount{nothing}
            from item
            where item.item_status <> 'matched'
                and (item.item_status <> 'in_transit' or item.age_days > item.limit_days)
                and not ({more.accepted})
            union all
            select
                concat_ws('/', 'not compared', said.event_seq), 'fail',
                '报表未参加核对 / the statement was compared with nothing',
                said.fund_code, said.accounting_month, said.statement_kind, null, said.account_code,
                said.institution_code, null, said.stated_on, null, said.amount, null, null, null, null, null, null,
                null, said.event_seq, said.event_seq, said.amount{nothing}
            from ledger.candidate_outside_statement as said
            where said.region_code = $region and said.statement_kind = '{kind}'
                and said.accounting_month = any(array(select month.accounting_month from month))
                and date_trunc('month', said.stated_on::timestamp)::date
                    = any(array(select month.accounting_month from month))
                and not exists (
                    select from item
                    where item.fund_code = said.fund_code
                        and item.account_code is not distinct from said.account_code
                        and item.institution_code is not distinct from said.institution_code
                        and item.accounting_month
                            in (said.accounting_month, date_trunc('month', said.stated_on::timestamp)::date)
                )
            {more.rows}
        ) as finding"""
