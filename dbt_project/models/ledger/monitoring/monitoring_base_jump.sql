with limits as (
    {{ monitoring_limits('S09', [
        'same_birth_days', 'birth_leave_days', 'before_days', 'rise_ratio', 'min_rise', 'min_months', 'opening_share', 'newcomer_ratio',
        'min_colleagues'
    ]) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

-- declared with the enrolment or assessed for a month; the last word on a month counts
word as (
    select told.*
    from (
        select
            assessed.region_code,
            assessed.person_no,
            assessed.employer_no,
            assessed.contribution_month as base_month,
            event.contribution_base,
            event.seq,
            event.occurred_on as told_on,
            true as is_assessed
        from (select distinct birth.region_code, birth.person_no from birth) as mother
        inner join limits on {{ with_limits('mother') }}
        inner join {{ ref('assessed_contribution') }} as assessed
            on mother.region_code = assessed.region_code and mother.person_no = assessed.person_no
        inner join {{ source('events', 'event') }} as event
            on assessed.region_code = event.region_code and assessed.last_seq = event.seq and limits.seq >= event.seq
        union all
        select
            mother.region_code,
            mother.person_no,
            event.employer_no,
            date_trunc('month', event.occurred_on::timestamp)::date as base_month,
            event.contribution_base,
            event.seq,
            event.occurred_on as told_on,
            false as is_assessed
        from (select distinct birth.region_code, birth.person_no from birth) as mother
        inner join limits on {{ with_limits('mother') }}
        inner join {{ source('events', 'event') }} as event
            on
                mother.region_code = event.region_code
                and mother.person_no = event.person_no
                and limits.seq >= event.seq
                and event.event_type in ('enrollment.started', 'enrollment.changed')
    ) as told
    where told.contribution_base > 0
),

base as (
    select distinct on (word.region_code, word.person_no, word.employer_no, word.base_month)
        word.region_code,
        word.person_no,
        word.employer_no,
        word.base_month,
        word.contribution_base
    from word
    order by
        word.region_code asc, word.person_no asc, word.employer_no asc, word.base_month asc, word.is_assessed desc, word.seq desc
),

compared as (
    select
        birth.*,
        limits.newcomer_ratio,
        limits.rise_ratio,
        limits.min_rise,
        limits.min_months,
        limits.min_colleagues,
        risen.employer_no as risen_employer_no,
        limits.seq,
        risen.base_month as risen_month,
        risen.contribution_base as base_after,
        limits.opening_on as opened_on,
        earlier.base_before,
        earlier.months
    from birth
    inner join limits on {{ with_limits('birth') }}
    cross join
        lateral (
            select
                base.employer_no,
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
            from (
                -- what was known by the birth: months that were raised after it had another base
                select distinct on (word.base_month)
                    word.base_month,
                    word.contribution_base
                from word
                where
                    word.region_code = birth.region_code
                    and word.person_no = birth.person_no
                    and word.employer_no is not distinct from risen.employer_no
                    and word.base_month < risen.base_month
                order by
                    word.base_month asc, word.told_on <= birth.birth_on desc, word.is_assessed desc, word.seq desc
            ) as base
        ) as earlier
    where birth.allowance_amount > 0
),

-- Another wage elsewhere is no raise: who has just come is measured by the colleagues.
measured as (
    select
        compared.*,
        compared.months < compared.min_months as is_newcomer,
        case when compared.months < compared.min_months then compared.newcomer_ratio else compared.rise_ratio end as ratio_limit,
        case when compared.months < compared.min_months then among.base else compared.base_before end as usual_base
    from compared
    left join lateral (
        select percentile_cont(0.5) within group (order by colleague.contribution_base)::numeric as base
        from (
            select distinct on (event.person_no) event.contribution_base
            from {{ source('events', 'event') }} as event
            where
                -- who was there as the log began is nobody new
                compared.months < compared.min_months
                and compared.risen_month > compared.opened_on
                and event.region_code = compared.region_code
                and event.employer_no = compared.risen_employer_no
                and event.family = 'registration'
                and event.event_type in ('enrollment.started', 'enrollment.changed')
                and event.person_no <> compared.person_no
                and event.contribution_base > 0
                and event.occurred_on < compared.risen_month + interval '1 month'
                and event.seq <= compared.seq
            order by event.person_no asc, event.occurred_on desc, event.seq desc
        ) as colleague
        having count(*) >= compared.min_colleagues
    ) as among on true
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
        round(allowance_amount * (1 - usual_base / base_after), 2) as amount,
        risen_month as first_on,
        birth_on as last_on,
        format(
            '缴费基数 %s 起 %s 元，%s %s 元，为 %s 倍（限 %s 倍），其后 %s 天生育', to_char(risen_month, 'YYYY-MM'),
            {{ yuan_text('base_after') }}, case when is_newcomer then '同单位中位数' else '此前' end, {{ yuan_text('usual_base') }},
            round(base_after / usual_base, 2), round(ratio_limit, 2),
            birth_on - risen_month
        ) as said_zh,
        format(
            'base of %s yuan from %s on, %s %s, ratio %s (limit %s), %s days before the birth', {{ yuan_text('base_after') }},
            to_char(risen_month, 'YYYY-MM'), case when is_newcomer then 'median of the colleagues' else 'before that' end,
            {{ yuan_text('usual_base') }}, round(base_after / usual_base, 2), round(ratio_limit, 2),
            birth_on - risen_month
        ) as said_en
    from measured
    where base_after >= ratio_limit * usual_base and base_after - usual_base >= min_rise
)

{{ monitoring_found('found') }}
