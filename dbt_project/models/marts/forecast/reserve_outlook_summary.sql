with outlook as (
    select outlook.*, threshold.red_below, threshold.yellow_below, threshold.yellow_above
    from {{ ref('reserve_outlook') }} as outlook
    left join lateral (
        {{ threshold_in_force('outlook.region_code', "'pooled_months_in_reserve'", last_day('outlook.outlook_month')) }}
    ) as threshold on true
    where {{ readable('outlook.region_code') }}
)

select
    region_code,
    scenario_code,
    min(start_month) as start_month,
    max(outlook_month) as last_month,
    min(outlook_month) filter (where months_in_reserve < red_below) as first_month_below_red,
    min(outlook_month) filter (where months_in_reserve_lower < red_below) as first_month_lower_below_red,
    min(outlook_month) filter (where months_in_reserve < yellow_below or months_in_reserve > yellow_above) as first_month_outside_target,
    max(months_in_reserve) filter (where horizon = 12) as months_in_reserve_12,
    max(months_in_reserve) filter (where horizon = 24) as months_in_reserve_24,
    max(months_in_reserve) filter (where horizon = 36) as months_in_reserve_36,
    max(red_below)::numeric(9, 2) as red_below,
    max(yellow_below)::numeric(9, 2) as target_low,
    max(yellow_above)::numeric(9, 2) as target_high
from outlook
group by region_code, scenario_code
