with limits as (
    {{ monitoring_limits('S10', [
        'same_birth_days', 'birth_leave_days', 'joined_days', 'high_ratio', 'bridged_days', 'month_days', 'min_allowances', 'opening_share'
    ]) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

average as (
    select
        birth.region_code,
        percentile_cont(0.5) within group (order by birth.allowance_daily_base)::numeric as daily_base,
        count(*) as allowances
    from birth
    where birth.allowance_daily_base > 0
    group by birth.region_code
),

{{ bridged_employment() }},

compared as (
    select
        birth.*,
        limits.high_ratio,
        limits.joined_days,
        birth.allowance_daily_base * limits.month_days as monthly_base,
        average.daily_base * limits.month_days as average_base,
        birth.birth_on - lower(part.days) as days_before
    from birth
    inner join limits on {{ with_limits('birth') }}
    inner join average
        on birth.region_code = average.region_code and limits.min_allowances <= average.allowances
    inner join enrolled on birth.region_code = enrolled.region_code and birth.person_no = enrolled.person_no
    cross join
        lateral (
            select piece.days
            from unnest(enrolled.days) as piece (days)
            where piece.days @> birth.birth_on
            order by lower(piece.days)
            limit 1
        ) as part
    where birth.allowance_amount > 0 and lower(part.days) > limits.opening_on
),

found as (
    select
        region_code,
        'S10'::text as rule_code,
        {{ hidden_key(['person_no', 'birth_on']) }} as finding_key,
        institution_code,
        employer_no,
        array[person_no] as persons,
        claims,
        round(allowance_amount * (1 - average_base / monthly_base), 2) as amount,
        birth_on as first_on,
        settled_on as last_on,
        format(
            '津贴月基数 %s 元，为本统筹区中位数 %s 元的 %s 倍（限 %s 倍），生育前 %s 天参保（限 %s 天）', {{ yuan_text('monthly_base') }},
            {{ yuan_text('average_base') }}, round(monthly_base / average_base, 2), round(high_ratio, 2), days_before,
            round(joined_days)
        ) as said_zh,
        format(
            'monthly base of the allowance %s yuan, %s times the median of the region %s (limit %s), enrolled %s days before (limit %s)',
            {{ yuan_text('monthly_base') }}, round(monthly_base / average_base, 2), {{ yuan_text('average_base') }},
            round(high_ratio, 2), days_before, round(joined_days)
        ) as said_en
    from compared
    where monthly_base >= high_ratio * average_base and days_before < joined_days
)

{{ monitoring_found('found') }}
