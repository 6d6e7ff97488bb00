with limits as (
    {{ monitoring_limits('S18', ['min_cases', 'z_limit', 'min_deviation', 'min_days', 'min_days_caesarean', 'cheap_days', 'cheap_ratio']) }}
),

stay as (
    select
        told.*,
        told.discharged_on - told.admitted_on as days,
        told.medical_fee_total / greatest(told.discharged_on - told.admitted_on, 1) as day_fee
    from (
        {{ monitored_claim("event.benefit_item in ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'inpatient',"
            " 'maternity_complication') and event.admitted_on is not null and event.discharged_on is not null") }}
    ) as told
),

median as (
    select
        region_code,
        benefit_item,
        count(*) as cases,
        percentile_cont(0.5) within group (order by days)::numeric as days,
        percentile_cont(0.5) within group (order by day_fee)::numeric as day_fee
    from stay
    group by region_code, benefit_item
),

spread as (
    select
        stay.region_code,
        stay.benefit_item,
        1.4826 * percentile_cont(0.5) within group (order by abs(stay.days - median.days))::numeric as deviation
    from stay
    inner join median on stay.region_code = median.region_code and stay.benefit_item = median.benefit_item
    group by stay.region_code, stay.benefit_item
),

judged as (
    select
        stay.*,
        median.days as median_days,
        median.day_fee as median_day_fee,
        median.days + limits.z_limit * greatest(spread.deviation, limits.min_deviation) as longest_days,
        case
            when stay.benefit_item = 'delivery_caesarean' then limits.min_days_caesarean
            when stay.benefit_item like 'delivery%' then limits.min_days
            else 0
        end as shortest_days,
        median.cases >= limits.min_cases
        and stay.days > median.days + limits.z_limit * greatest(spread.deviation, limits.min_deviation) as is_long,
        median.cases >= limits.min_cases
        and stay.days >= limits.cheap_days
        and stay.day_fee < limits.cheap_ratio * median.day_fee as is_cheap
    from stay
    inner join limits on {{ with_limits('stay') }}
    inner join median on stay.region_code = median.region_code and stay.benefit_item = median.benefit_item
    inner join spread on stay.region_code = spread.region_code and stay.benefit_item = spread.benefit_item
),

found as (
    select
        region_code,
        'S18'::text as rule_code,
        {{ hidden_key(['claim_no']) }} as finding_key,
        institution_code,
        employer_no,
        array[person_no] as persons,
        array[claim_no] as claims,
        amount,
        admitted_on as first_on,
        discharged_on as last_on,
        format(
            '%s 住院 %s 天，同类中位数 %s 天（限 %s 至 %s 天）；日均费用 %s 元，同类 %s 元', benefit_item, days, round(median_days, 1),
            round(shortest_days), round(longest_days, 1), {{ yuan_text('coalesce(day_fee, 0)') }},
            {{ yuan_text('coalesce(median_day_fee, 0)') }}
        ) as said_zh,
        format(
            '%s: %s days, median of the peers %s (limits %s to %s); %s yuan a day, peers %s', benefit_item, days,
            round(median_days, 1), round(shortest_days), round(longest_days, 1), {{ yuan_text('coalesce(day_fee, 0)') }},
            {{ yuan_text('coalesce(median_day_fee, 0)') }}
        ) as said_en
    from judged
    where is_long or is_cheap or days < shortest_days
)

{{ monitoring_found('found') }}
