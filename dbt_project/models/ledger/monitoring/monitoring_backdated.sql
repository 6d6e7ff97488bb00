with limits as (
    {{ monitoring_limits('S26', ['same_birth_days', 'birth_leave_days', 'late_days', 'min_months', 'opening_days', 'opening_share']) }}
),

birth_claim as (
    select * from (
        {{ monitored_claim(is_birth_claim()) }}
    ) as claim
    where claim.is_dated
),

birth as (
    {{ monitored_birth() }}
),

-- the enrolment that covers the birth, told after the claim for it, and later than the law gives an employer
enrolled as (
    select
        birth.region_code,
        birth.person_no,
        birth.birth_no,
        started.occurred_on as started_on,
        started.recorded_on,
        started.employer_no
    from birth
    inner join limits on birth.region_code = limits.region_code
    cross join lateral (
        select
            event.seq,
            event.occurred_on,
            event.employer_no,
            (event.recorded_at at time zone 'Asia/Shanghai')::date as recorded_on
        from {{ source('events', 'event') }} as event
        where
            event.region_code = birth.region_code
            and event.person_no = birth.person_no
            and event.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
            and event.event_type = 'enrollment.started'
            and event.occurred_on <= birth.birth_on
            and event.seq <= limits.seq
        order by event.occurred_on desc, event.seq asc
        limit 1
    ) as started
    where
        started.seq > birth.first_seq
        and started.occurred_on > limits.opening_on
        and started.recorded_on - started.occurred_on > limits.late_days
        -- nor was she known to be enrolled when the claim came
        and not exists (
            select from {{ source('events', 'event') }} as known
            where
                known.region_code = birth.region_code
                and known.person_no = birth.person_no
                and known.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
                and known.event_type <> 'enrollment.ended'
                and known.occurred_on <= birth.birth_on
                and known.seq < birth.first_seq
                and not exists (
                    select from {{ source('events', 'event') }} as ended
                    where
                        ended.region_code = known.region_code
                        and ended.person_no = known.person_no
                        and ended.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
                        and ended.event_type = 'enrollment.ended'
                        and ended.insurance_type = known.insurance_type
                        and ended.occurred_on >= known.occurred_on
                        and ended.occurred_on <= birth.birth_on
                        and ended.seq < birth.first_seq
                )
        )
),

-- months before the birth, none of which was paid before it; what was paid before the log began nobody knows
paid_back as (
    select
        birth.region_code,
        birth.person_no,
        birth.birth_no,
        count(distinct collected.contribution_month) as months,
        min(collected.occurred_on) as paid_on
    from birth
    inner join limits on birth.region_code = limits.region_code
    inner join {{ source('events', 'event') }} as collected
        on
            birth.region_code = collected.region_code
            and birth.person_no = collected.person_no
            and date_trunc('month', birth.birth_on::timestamp)::date > collected.contribution_month
            and limits.seq >= collected.seq
    where
        collected.event_type = 'contribution.collected'
        and coalesce(collected.employer_amount, 0) + coalesce(collected.personal_amount, 0) > 0
        and birth.birth_on >= limits.opening_on + limits.opening_days::integer
    group by birth.region_code, birth.person_no, birth.birth_no, birth.birth_on, limits.min_months
    having min(collected.occurred_on) > birth.birth_on and count(distinct collected.contribution_month) >= limits.min_months
),

found as (
    select
        birth.region_code,
        'S26'::text as rule_code,
        {{ hidden_key(['birth.person_no', 'birth.birth_on']) }} as finding_key,
        birth.institution_code,
        coalesce(birth.employer_no, enrolled.employer_no) as employer_no,
        birth.persons,
        birth.claims,
        birth.amount,
        birth.birth_on as first_on,
        birth.settled_on as last_on,
        concat_ws(
            '；',
            case
                when enrolled.person_no is not null
                    then
                        format(
                            '生育 %s，参保日 %s 而在结算之后、于 %s 才登记（限 %s 天）', birth.birth_on, enrolled.started_on,
                            enrolled.recorded_on, round(limits.late_days)
                        )
            end,
            case
                when paid_back.person_no is not null
                    then
                        format(
                            '生育 %s 之前 %s 个月的保费自 %s 起才补缴（限 %s 个月），此前未缴', birth.birth_on, paid_back.months,
                            paid_back.paid_on, round(limits.min_months)
                        )
            end
        ) as said_zh,
        concat_ws(
            '; ',
            case
                when enrolled.person_no is not null
                    then
                        format(
                            'birth on %s, enrolled as of %s, registered after the claim, on %s (limit %s days)', birth.birth_on,
                            enrolled.started_on, enrolled.recorded_on, round(limits.late_days)
                        )
            end,
            case
                when paid_back.person_no is not null
                    then
                        format(
                            'premiums of %s months before the birth on %s paid from %s on, none before it (limit %s months)',
                            paid_back.months, birth.birth_on, paid_back.paid_on, round(limits.min_months)
                        )
            end
        ) as said_en
    from birth
    inner join limits on birth.region_code = limits.region_code
    left join enrolled
        on
            birth.region_code = enrolled.region_code
            and birth.person_no = enrolled.person_no
            and birth.birth_no = enrolled.birth_no
    left join paid_back
        on
            birth.region_code = paid_back.region_code
            and birth.person_no = paid_back.person_no
            and birth.birth_no = paid_back.birth_no
    where birth.amount > 0 and (enrolled.person_no is not null or paid_back.person_no is not null)
)

{{ monitoring_found('found') }}
