with limits as (
    {{ monitoring_limits('S20', ['left_days']) }}
),

paid as (
    select
        event.region_code,
        event.claim_no,
        event.person_no,
        event.employer_no,
        min(event.service_on) as birth_on,
        min(event.occurred_on) as paid_on,
        sum(coalesce(event.pooled_amount, 0)) as amount,
        limits.left_days
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and limits.seq >= event.seq and limits.since <= event.occurred_on
    where
        event.event_type = 'claim.paid'
        and event.benefit_item = 'maternity_allowance'
        and event.payee_type = 'employer'
        and event.employer_no is not null
        and event.person_no is not null
        and not exists (
            select from {{ source('events', 'event') }} as reversal
            where
                reversal.region_code = event.region_code
                and reversal.original_seq = event.seq
                and reversal.event_type = 'claim.reversed'
                and reversal.seq <= limits.seq
        )
    group by event.region_code, event.claim_no, event.person_no, event.employer_no, limits.left_days
),

employed as (
    select
        region_code,
        person_no,
        employer_no,
        range_agg(daterange(from_on, until_on)) as days,
        max(coalesce(until_on, 'infinity'::date)) as left_on
    from (
        {{ monitored_spell('paid') }}
    ) as spell
    group by region_code, person_no, employer_no
),

compared as (
    select
        paid.*,
        employed.left_on,
        coalesce(paid.birth_on, paid.paid_on) as due_on
    from paid
    left join employed
        on
            paid.region_code = employed.region_code
            and paid.person_no = employed.person_no
            and paid.employer_no = employed.employer_no
    where
        exists (
            select from employed as known
            where known.region_code = paid.region_code and known.person_no = paid.person_no
        )
        and (
            employed.days is null
            or employed.left_on + paid.left_days::integer <= coalesce(paid.birth_on, paid.paid_on)
            or lower(employed.days) > coalesce(paid.birth_on, paid.paid_on)
        )
),

found as (
    select
        region_code,
        'S20'::text as rule_code,
        {{ hidden_key(['claim_no', 'employer_no']) }} as finding_key,
        null::text as institution_code,
        employer_no,
        array[person_no] as persons,
        array[claim_no] as claims,
        amount,
        due_on as first_on,
        paid_on as last_on,
        format(
            '津贴 %s 元支付给单位，生育日 %s 时该人%s', {{ yuan_text('amount') }}, due_on,
            case when left_on <= due_on then '已于 ' || left_on || ' 离职（宽限 ' || round(left_days) || ' 天）' else '不在该单位参保' end
        ) as said_zh,
        format(
            'allowance of %s yuan paid to an employer with which the person %s on the day of the birth, %s', {{ yuan_text('amount') }},
            case
                when left_on <= due_on then 'was no more (left on ' || left_on || ', grace ' || round(left_days) || ' days)'
                else 'was not enrolled'
            end, due_on
        ) as said_en
    from compared
)

{{ monitoring_found('found') }}
