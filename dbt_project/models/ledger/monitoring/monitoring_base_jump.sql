with limits as (
    {{ monitoring_limits('S09', ['same_birth_days', 'birth_leave_days', 'before_days', 'rise_ratio', 'min_rise', 'min_months']) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

-- declared with the enrolment or assessed for a month; the last word on a month counts
base as (
    select distinct on (told.region_code, told.person_no, told.base_month)
        told.region_code,
        told.person_no,
        told.base_month,
        told.contribution_base
    from (
        select
            assessed.region_code,
            assessed.person_no,
            assessed.contribution_month as base_month,
            event.contribution_base,
            event.seq,
            true as is_assessed
        from (select distinct birth.region_code, birth.person_no from birth) as mother
        inner join limits on mother.region_code = limits.region_code
        inner join {{ ref('assessed_contribution') }} as assessed
            on mother.region_code = assessed.region_code and mother.person_no = assessed.person_no
        inner join {{ source('events', 'event') }} as event
            on assessed.region_code = event.region_code and assessed.last_seq = event.seq and limits.seq >= event.seq
        union all
        select
            mother.region_code,
            mother.person_no,
            date_trunc('month', event.occurred_on::timestamp)::date as base_month,
            event.contribution_base,
            event.seq,
            false as is_assessed
        from (select distinct birth.region_code, birth.person_no from birth) as mother
        inner join limits on mother.region_code = limits.region_code
        inner join {{ source('events', 'event') }} as event
            on
                mother.region_code = event.region_code
                and mother.person_no = event.person_no
                and limits.seq >= event.seq
                and event.event_type in ('enrollment.started', 'enrollment.changed')
    ) as told
    where told.contribution_base > 0
    order by told.region_code asc, told.person_no asc, told.base_month asc, told.is_assessed desc, told.seq desc
),

compared as (
    select
        birth.*,
        limits.rise_ratio,
        limits.min_rise,
        limits.min_months,
        risen.base_month as risen_month,
        risen.contribution_base as base_after,
        earlier.base_before,
        earlier.months
    from birth
    inner join limits on birth.region_code = limits.region_code
    cross join
        lateral (
            select
                base.base_month,
                base.contribution_base
            from base
            where
                base.region_code = birth.region_code
                and base.person_no = birth.person_no
                and base.base_month > birth.birth_on - limits.before_days::integer
                and base.base_month <= birth.birth_on
            order by base.contribution_base desc, base.base_month asc
            limit 1
        ) as risen
    cross join
        lateral (
            select
                -- the base in which the pregnancy began, or the first that is known
                (array_agg(
                    base.contribution_base
                    order by
                        base.base_month <= birth.birth_on - limits.before_days::integer desc,
                        case
                            when base.base_month <= birth.birth_on - limits.before_days::integer then base.base_month
                        end desc nulls last,
                        base.base_month asc
                ))[1] as base_before,
                count(*) as months
            from base
            where
                base.region_code = birth.region_code
                and base.person_no = birth.person_no
                and base.base_month < risen.base_month
        ) as earlier
    where birth.allowance_amount > 0
),

found as (
    select
        region_code,
        'S09'::text as rule_code,
        {{ hidden_key(['person_no', 'birth_on']) }} as finding_key,
        institution_code,
        employer_no,
        array[person_no] as persons,
        claims,
        -- of the allowance, the part that the former base would not have brought
        round(allowance_amount * (1 - base_before / base_after), 2) as amount,
        risen_month as first_on,
        birth_on as last_on,
        format(
            '缴费基数自 %s 起由 %s 元升至 %s 元，为 %s 倍（限 %s 倍），其后 %s 天生育', to_char(risen_month, 'YYYY-MM'),
            {{ yuan_text('base_before') }}, {{ yuan_text('base_after') }}, round(base_after / base_before, 2), round(rise_ratio, 2),
            birth_on - risen_month
        ) as said_zh,
        format(
            'base raised from %s to %s yuan in %s, ratio %s (limit %s), %s days before the birth', {{ yuan_text('base_before') }},
            {{ yuan_text('base_after') }}, to_char(risen_month, 'YYYY-MM'), round(base_after / base_before, 2), round(rise_ratio, 2),
            birth_on - risen_month
        ) as said_en
    from compared
    where months >= min_months and base_after >= rise_ratio * base_before and base_after - base_before >= min_rise
)

{{ monitoring_found('found') }}
