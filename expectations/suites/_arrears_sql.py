"""SQL of check C07: what was assessed has been collected or shows as arrears, and no employer's month was left out."""

from __future__ import annotations

from expectations.suites._fragments import CURRENT_EVENTS

# A month's assessments are recorded within this time of the month before; older rows are not looked at.
_RECENT_DAYS = 100
_MONTHS_LOOKED_AT = 3

_KEY = "concat_ws('/', coalesce(employer_no, '-'), contribution_month, insurance_type, enrollment_category)"

# Premiums of the increment from the log alone, by the premium that a refund gives back. A person's last assessment
# replaces the ones before: of those that earlier increments brought, the books hold the one that counted.
_LOG = f"""
    select
        {_KEY} as premium_key,
        max(seq) as seq,
        sum(assessed_change) as assessed_change,
        sum(collected_amount) as collected_amount,
        sum(refunded_amount) as refunded_amount
    from (
        select
            root.employer_no, root.contribution_month, root.insurance_type, root.enrollment_category, premium.seq,
            0 as assessed_change,
            case premium.event_type when 'contribution.collected' then premium.premium else 0 end as collected_amount,
            case premium.event_type when 'contribution.refunded' then premium.premium else 0 end as refunded_amount
        from (
            select event.*, coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) as premium
            from {CURRENT_EVENTS} and event.event_type in ('contribution.collected', 'contribution.refunded')
        ) as premium
        left join events.event as original
            on original.region_code = $region and original.seq = premium.original_seq
            and premium.event_type = 'contribution.refunded'
        cross join lateral (
            select
                coalesce(original.employer_no, premium.employer_no) as employer_no,
                coalesce(original.contribution_month, premium.contribution_month) as contribution_month,
                coalesce(original.insurance_type, premium.insurance_type) as insurance_type,
                coalesce(original.enrollment_category, premium.enrollment_category) as enrollment_category
        ) as root
        union all
        select
            newest.employer_no, newest.contribution_month, newest.insurance_type, newest.enrollment_category,
            newest.seq, newest.amount - coalesce(earlier.amount, 0), 0, 0
        from (
            select distinct on (
                event.person_no, event.employer_no, event.contribution_month, event.insurance_type,
                event.enrollment_category
            )
                event.person_no, event.employer_no, event.contribution_month, event.insurance_type,
                event.enrollment_category, event.seq,
                coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) as amount
            from {CURRENT_EVENTS} and event.event_type = 'contribution.assessed'
            order by event.person_no, event.employer_no, event.contribution_month, event.insurance_type,
                event.enrollment_category, event.seq desc
        ) as newest
        left join lateral (
            select sum(held.change_amount) as amount from ledger.assessed_contribution as held
            where $after > 0 and held.region_code = $region and held.person_no = newest.person_no
                and held.contribution_month = newest.contribution_month and held.insurance_type = newest.insurance_type
                and held.enrollment_category = newest.enrollment_category
                and held.employer_no is not distinct from newest.employer_no and held.last_seq <= $after
        ) as earlier on true
    ) as movement
    group by 1
"""

_BOOKS = f"""
    select
        {_KEY} as premium_key,
        max(last_seq) as seq,
        sum(assessed_change) as assessed_change,
        sum(collected_amount) as collected_amount,
        sum(refunded_amount) as refunded_amount
    from ledger.contribution_turnover
    where region_code = $region and last_seq > $after and last_seq <= $head
    group by 1
"""

# What employers were assessed for in the last months, and the months that are over.
_RECENT = f"""
    select turnover.employer_no, turnover.contribution_month, sum(turnover.assessed_change) as assessed_amount,
        max(turnover.last_seq) as seq
    from ledger.contribution_turnover as turnover
    where turnover.region_code = $region and turnover.last_seq <= $head
        and turnover.employer_no is not null and turnover.assessed_change <> 0
        and turnover.last_seq > coalesce((
            select max(earlier.last_seq) from events.batch as earlier
            where earlier.region_code = $region and earlier.recorded_at < (
                select newest.recorded_at - interval '{_RECENT_DAYS} days' from events.batch as newest
                where newest.region_code = $region and newest.batch_id = $head_batch
            )
        ), 0)
    group by turnover.employer_no, turnover.contribution_month
"""
_MONTHS = f"""
    select distinct contribution_month from recent
    where assessed_amount > 0 and contribution_month + interval '1 month' <= $business_date
    order by contribution_month desc limit {_MONTHS_LOOKED_AT}
"""

# Somebody enrolled with the employer through the whole month.
_ENROLLED = """
    select from events.event as started
    where started.region_code = $region and started.seq <= $head and started.family = 'registration'
        and started.employer_no = before.employer_no and started.event_type = 'enrollment.started'
        and started.occurred_on <= month.contribution_month
        and not exists (
            select from events.event as ended
            where ended.region_code = $region and ended.seq <= $head and ended.family = 'registration'
                and ended.person_no = started.person_no and ended.event_type = 'enrollment.ended'
                and ended.insurance_type = started.insurance_type
                and ended.employer_no is not distinct from started.employer_no
                and (ended.occurred_on, ended.seq) > (started.occurred_on, started.seq)
                and ended.occurred_on < month.contribution_month + interval '1 month'
        )
"""
_CLOSED = """
    select from events.event as closed
    where closed.region_code = $region and closed.seq <= $head and closed.family = 'registration'
        and closed.employer_no = before.employer_no and closed.event_type = 'employer.closed'
        and closed.occurred_on < month.contribution_month + interval '1 month'
"""

ARREARS_HIDDEN = f"""
    with recent as materialized ({_RECENT}),
    month as ({_MONTHS})
    select
        'arrears/' || premium_key as item,
        '未如实计入欠费 / what was assessed, collected or refunded is not what arrears are computed from' as reason,
        premium.employer_no, premium.contribution_month, premium.insurance_type, premium.enrollment_category,
        log_side.seq as event_seq,
        log_side.assessed_change as log_assessed, books.assessed_change as books_assessed,
        log_side.collected_amount - log_side.refunded_amount as log_collected,
        books.collected_amount - books.refunded_amount as books_collected,
        abs(coalesce(log_side.assessed_change, 0) - coalesce(books.assessed_change, 0))
            + abs(coalesce(log_side.collected_amount, 0) - coalesce(books.collected_amount, 0))
            + abs(coalesce(log_side.refunded_amount, 0) - coalesce(books.refunded_amount, 0)) as amount
    from ({_LOG}) as log_side
    full join ({_BOOKS}) as books using (premium_key)
    left join events.event as premium
        on premium.region_code = $region and premium.seq = coalesce(log_side.seq, books.seq)
    where coalesce(log_side.assessed_change, 0) <> coalesce(books.assessed_change, 0)
        or coalesce(log_side.collected_amount, 0) <> coalesce(books.collected_amount, 0)
        or coalesce(log_side.refunded_amount, 0) <> coalesce(books.refunded_amount, 0)
    union all
    select
        concat_ws('/', 'missing', before.employer_no, month.contribution_month),
        '单位当月未核定，上月有核定且仍有参保 / not assessed, but the month before, and still enrolling persons',
        before.employer_no, month.contribution_month, null, null, before.seq, before.assessed_amount, null, null, null,
        before.assessed_amount
    from month
    inner join recent as before on before.contribution_month = month.contribution_month - interval '1 month'
        and before.assessed_amount > 0
    where not exists (
            select from recent as own
            where own.employer_no = before.employer_no and own.contribution_month = month.contribution_month
        )
        and not exists ({_CLOSED})
        and exists ({_ENROLLED})
"""

PREMIUMS_EXAMINED = f"select count(*) from ({_BOOKS}) as books"
PREMIUMS_POPULATION = f"""
    select count(*) from {CURRENT_EVENTS} and event.event_type in ('contribution.assessed', 'contribution.collected')
"""
