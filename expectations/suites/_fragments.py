"""SQL that several checks share. Everything here reads the log or the journal, never a statement."""

from __future__ import annotations

# Events of the increment.
EVENTS = "events.event as event where event.region_code = $region and event.seq > $after and event.seq <= $head"
# The same in the newest version of their family, for checks that read a column which a version has renamed.
CURRENT_EVENTS = EVENTS.replace("events.event ", "events.event_current ")

# Journal lines of the increment.
LINES = """ledger.journal_line as line
    where line.region_code = $region and line.event_seq > $after and line.event_seq <= $head"""

# Lines of the increment, each beside its event. The bounds stand on both sides: each is then read once by its range,
# and not an event looked up for each line.
LINES_AND_EVENTS = """ledger.journal_line as line
    inner join events.event as event on event.region_code = line.region_code and event.seq = line.event_seq
    where line.region_code = $region and line.event_seq > $after and line.event_seq <= $head
        and event.region_code = $region and event.seq > $after and event.seq <= $head"""

# How many events the increment must hold: from the heads alone, independent of the log's rows.
INCREMENT_SIZE = "select greatest($head - $after, 0)"

NO_ENTRY_TYPES = (
    "'employer.registered', 'employer.closed', 'enrollment.started', 'enrollment.changed', 'enrollment.ended', "
    "'contribution.assessed', 'claim.settled', 'balance.stated', 'period.closed', 'finding.decided', 'rules.adopted'"
)

# Types whose amount is not on the row: they move or close the balances there are.
BALANCE_MOVING_TYPES = "'fund.merged', 'year.closed'"

AMOUNT_TYPES = (
    "'cash.transferred', 'interest.credited', 'interest.allocated', 'subsidy.received', 'superior.received', "
    "'subordinate.received', 'remitted.up', 'subsidised.down', 'transfer.received', 'transfer.sent', "
    "'receipt.unidentified', 'receipt.identified', 'payment.returned', 'payment.reissued', 'return.written_back', "
    "'other.received', 'other.paid', 'catastrophic.transferred', 'loan.received', 'loan.repaid', 'account.credited', "
    "'account.paid_out', 'outofarea.advanced', 'outofarea.cleared', 'outofarea.paid_for_others', "
    "'outofarea.reimbursed', 'balance.opened'"
)

# Money of each event of the increment, from the log alone. amount: what must be posted; null: the type is not
# known here.
LOG_MONEY = f"""
    select
        event.seq,
        event.batch_id,
        event.event_type,
        event.source_event_key,
        event.occurred_on,
        case
            when event.event_type in ('contribution.collected', 'contribution.refunded')
                then coalesce(event.employer_amount, 0) + coalesce(event.personal_amount,
                    0) + coalesce(event.late_fee, 0)
            when event.event_type in ('claim.paid', 'claim.recovered', 'advance.offset')
                then coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0)
            when event.event_type = 'claim.reversed'
                then coalesce(original.pooled_amount, 0) + coalesce(original.personal_account_amount, 0)
            when event.event_type in ('advance.paid', 'advance.returned') then coalesce(event.pooled_amount, 0)
            when event.event_type in ({AMOUNT_TYPES}) then coalesce(event.amount, 0)
            when event.event_type in ({NO_ENTRY_TYPES}, {BALANCE_MOVING_TYPES}) then 0
        end as amount
    from events.event as event
    left join events.event as original
        on original.region_code = event.region_code
        and original.seq = event.original_seq
        and event.event_type = 'claim.reversed'
    where event.region_code = $region and event.seq > $after and event.seq <= $head
"""

# Events of the increment that must have ledger lines.
MONEY_EVENT_COUNT = f"select count(*) from ({LOG_MONEY}) as log_money where amount > 0"

MERGER_DATE = """(
        select region.merger_date::date from policy.policy_region as region
        where region.region_code = $region order by region.known_from desc limit 1
    )"""


def posting_month(event: str) -> str:
    """Accounting month of an event from the log alone: its own, or the one after the last month closed before it."""
    return f"""greatest(
            date_trunc('month', {event}.occurred_on::timestamp)::date,
            (
                select (max(closing.accounting_month) + interval '1 month')::date from events.event as closing
                where closing.region_code = {event}.region_code
                    and closing.event_type = 'period.closed' and closing.seq < {event}.seq
            )
        )"""


# Pooled maternity payments of the increment, from the log alone: one row an event, amount signed. `root` is the payment
# that a correction goes back to (a receipt identified as such an expenditure has none); a correction of a payment of an
# earlier year is income of this year, and 310 before the merger is no maternity line.
MATERNITY_PAYMENTS = f"""
    select
        payment.seq,
        payment.event_type,
        payment.fund_code,
        payment.accounting_month,
        payment.amount
    from (
        select
            event.seq,
            event.event_type,
            root.benefit_item,
            {posting_month("event")} as accounting_month,
            case
                when root.insurance_type = '510' and root.occurred_on < merger.merger_date
                    and event.occurred_on < merger.merger_date
                    and {posting_month("event")} < date_trunc('month', merger.merger_date::timestamp) then 'MAT'
                else 'EMI'
            end as fund_code,
            root.insurance_type = '310' and root.occurred_on < merger.merger_date as is_before_merger_310,
            event.event_type in ('claim.reversed', 'claim.recovered', 'return.written_back') as is_correction,
            case
                when root.seq = event.seq then extract(year from coalesce(event.service_on, event.occurred_on))
                else extract(year from {posting_month("root")})
            end as root_year,
            case event.event_type
                when 'claim.paid' then event.pooled_amount
                when 'advance.offset' then event.pooled_amount
                when 'claim.reversed' then -root.pooled_amount
                when 'claim.recovered' then -event.pooled_amount
                when 'return.written_back' then case when event.sub_fund = 'pooled' then -event.amount end
                when 'outofarea.cleared' then case when event.sub_fund = 'pooled' then event.amount end
            end as amount
        from events.event as event
        cross join (select {MERGER_DATE} as merger_date) as merger
        left join events.event as original
            on original.region_code = event.region_code and original.seq = event.original_seq
            and event.event_type in ('claim.reversed', 'claim.recovered', 'return.written_back')
        left join events.event as returned
            on returned.region_code = event.region_code and returned.seq = original.original_seq
            and event.event_type = 'return.written_back'
        cross join lateral (
            select
                coalesce(returned.seq, original.seq, event.seq) as seq,
                event.region_code,
                -- a recovery of the yearly clearing has no original: its service date stands for it
                coalesce(
                    returned.occurred_on, original.occurred_on,
                    case when event.event_type = 'claim.recovered' then event.service_on end, event.occurred_on
                ) as occurred_on,
                coalesce(returned.benefit_item, original.benefit_item, event.benefit_item) as benefit_item,
                coalesce(returned.pooled_amount, original.pooled_amount, event.pooled_amount) as pooled_amount,
                coalesce(
                    returned.insurance_type, original.insurance_type, event.insurance_type,
                    case event.fund_code when 'MAT' then '510' else '310' end
                ) as insurance_type
        ) as root
        where event.region_code = $region and event.seq > $after and event.seq <= $head
            and event.event_type in (
                'claim.paid', 'advance.offset', 'claim.reversed', 'claim.recovered', 'return.written_back',
                    'outofarea.cleared'
            )
    ) as payment
    where payment.benefit_item in (
            'prenatal', 'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning',
            'maternity_complication', 'maternity_allowance', 'nutrition_subsidy'
        )
        and not payment.is_before_merger_310
        and (not payment.is_correction or payment.root_year = extract(year from payment.accounting_month))
        and coalesce(payment.amount, 0) <> 0
    union all
    select
        event.seq,
        event.event_type,
        case
            when event.fund_code = 'MAT' and {posting_month("event")} < date_trunc('month', {MERGER_DATE}::timestamp)
                then 'MAT'
            else 'EMI'
        end,
        {posting_month("event")},
        -event.amount
    from events.event as event
    where event.region_code = $region and event.seq > $after and event.seq <= $head
        and event.event_type = 'receipt.identified'
        and (event.identified_as like '50010103%' or event.identified_as like '500110%')
"""

# Settlement platforms of the region as known last, one row a source: on `migrated_on` they end.
PLATFORMS = """
    select distinct on (known.source_system) known.source_system, known.title_zh, known.migrated_on
    from policy.policy_settlement_platform as known
    where known.region_code = $region
    order by known.source_system, known.known_from desc
"""
