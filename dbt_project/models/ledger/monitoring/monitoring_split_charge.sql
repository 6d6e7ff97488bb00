with limits as (
    {{ monitoring_limits('S22', ['window_days', 'min_claims', 'small_amount', 'min_same_day', 'min_sales']) }}
),

claim as (
    {{ monitored_claim("event.benefit_item in ('prenatal', 'outpatient', 'outpatient_chronic', 'family_planning', 'miscarriage',"
        " 'pharmacy') and event.admitted_on is null and event.institution_code is not null") }}
),

visit as (
    select
        claim.*,
        limits.window_days,
        case when claim.benefit_item = 'pharmacy' then limits.min_sales else limits.min_claims end as min_claims,
        limits.small_amount,
        limits.min_same_day,
        count(*) over (
            partition by claim.region_code, claim.person_no, claim.institution_code
            -- a frame takes no column: days are counted in windows
            order by (claim.care_on - date '2000-01-01') / limits.window_days
            range between 1.000001 preceding and current row
        ) as within_window,
        count(*) over (
            partition by claim.region_code, claim.person_no, claim.institution_code, claim.care_on
        ) as within_day
    from claim
    inner join limits on {{ with_limits('claim') }}
    -- a pharmacy's sale is a small one whatever it costs
    where claim.benefit_item = 'pharmacy' or coalesce(claim.medical_fee_total, claim.amount) <= limits.small_amount
),

-- all small visits of the window that ends on such a day
counted as (
    select
        visit.*,
        count(*) filter (where visit.within_window >= visit.min_claims) over (
            partition by visit.region_code, visit.person_no, visit.institution_code
            order by (visit.care_on - date '2000-01-01') / visit.window_days
            range between current row and 1.000001 following
        ) > 0 as is_crowded
    from visit
),

found as (
    select
        region_code,
        'S22'::text as rule_code,
        {{ hidden_key(['person_no', 'institution_code']) }} as finding_key,
        institution_code,
        null::text as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        format(
            '%s 笔小额门诊（单笔不超过 %s 元）或购药，%s 天内最多 %s 笔（限 %s 笔），同日最多 %s 笔（限 %s 笔）', count(*),
            {{ yuan_text('max(small_amount)') }}, round(max(window_days)), max(within_window), round(max(min_claims)), max(within_day),
            round(max(min_same_day))
        ) as said_zh,
        format(
            '%s small claims of at most %s yuan, or sales of a pharmacy; up to %s within %s days (limit %s),'
            ' up to %s on one day (limit %s)',
            count(*),
            {{ yuan_text('max(small_amount)') }}, max(within_window), round(max(window_days)), round(max(min_claims)), max(within_day),
            round(max(min_same_day))
        ) as said_en
    from counted
    where is_crowded or within_day >= min_same_day
    group by region_code, person_no, institution_code
)

{{ monitoring_found('found') }}
