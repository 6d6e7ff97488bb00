with limits as (
    {{ monitoring_limits('S23', ['min_cases', 'min_identical', 'min_share', 'round_to', 'min_ratio']) }}
),

claim as (
    {{ monitored_claim("event.medical_fee_total > 0 and event.institution_code is not null"
        " and event.benefit_item not in ('pharmacy', 'maternity_allowance', 'nutrition_subsidy')") }}
),

fee as (
    select
        claim.region_code,
        claim.institution_code,
        claim.benefit_item,
        claim.medical_fee_total,
        count(*) as cases,
        count(distinct claim.person_no) as persons
    from claim
    group by claim.region_code, claim.institution_code, claim.benefit_item, claim.medical_fee_total
),

institution as (
    select
        fee.region_code,
        fee.institution_code,
        fee.benefit_item,
        sum(fee.cases) as cases,
        sum(fee.cases) filter (where fee.medical_fee_total % limits.round_to = 0) as round_cases,
        (array_agg(fee.medical_fee_total order by fee.persons desc, fee.medical_fee_total asc))[1] as usual_fee,
        max(fee.persons) as usual_cases
    from fee
    inner join limits on {{ with_limits('fee') }}
    group by fee.region_code, fee.institution_code, fee.benefit_item
),

item as (
    select
        region_code,
        benefit_item,
        sum(cases) as cases,
        sum(round_cases) as round_cases,
        sum(usual_cases) as usual_cases
    from institution
    group by region_code, benefit_item
),

judged as (
    select
        institution.*,
        limits.round_to,
        limits.min_share,
        coalesce(institution.round_cases, 0) as rounds,
        institution.usual_cases >= limits.min_identical
        and institution.usual_cases >= limits.min_share * institution.cases
        -- a fee that all charge alike is a price
        and institution.usual_cases / institution.cases
        >= limits.min_ratio * coalesce((item.usual_cases - institution.usual_cases) / nullif(item.cases - institution.cases, 0), 0)
            as is_identical,
        coalesce(institution.round_cases, 0) >= limits.min_identical
        and institution.round_cases >= limits.min_share * institution.cases
        and institution.round_cases / institution.cases
        >= limits.min_ratio * coalesce(
            (item.round_cases - institution.round_cases) / nullif(item.cases - institution.cases, 0), 0
        ) as is_round
    from institution
    inner join limits on {{ with_limits('institution') }}
    inner join item on institution.region_code = item.region_code and institution.benefit_item = item.benefit_item
    where institution.cases >= limits.min_cases
),

found as (
    select
        judged.region_code,
        'S23'::text as rule_code,
        judged.institution_code || '/' || judged.benefit_item as finding_key,
        judged.institution_code,
        null::text as employer_no,
        array_agg(distinct claim.person_no order by claim.person_no) as persons,
        array_agg(claim.claim_no order by claim.claim_no) as claims,
        sum(claim.amount) as amount,
        min(claim.care_on) as first_on,
        max(claim.care_on) as last_on,
        format(
            '%s %s 例，费用同为 %s 元的 %s 人，整 %s 元的 %s 例（限占 %s%%）', judged.benefit_item, judged.cases,
            {{ yuan_text('judged.usual_fee') }}, judged.usual_cases, round(judged.round_to), judged.rounds,
            {{ percent_text('judged.min_share') }}
        ) as said_zh,
        format(
            '%s: %s cases, %s persons with the same fee of %s yuan, %s fees in whole %s yuan (limit %s%%)', judged.benefit_item,
            judged.cases, judged.usual_cases, {{ yuan_text('judged.usual_fee') }}, judged.rounds, round(judged.round_to),
            {{ percent_text('judged.min_share') }}
        ) as said_en
    from judged
    inner join claim
        on
            judged.region_code = claim.region_code
            and judged.institution_code = claim.institution_code
            and judged.benefit_item = claim.benefit_item
            and (
                judged.is_identical and judged.usual_fee = claim.medical_fee_total
                or judged.is_round and claim.medical_fee_total % judged.round_to = 0
            )
    where judged.is_identical or judged.is_round
    group by
        judged.region_code, judged.institution_code, judged.benefit_item, judged.cases, judged.usual_fee, judged.usual_cases,
        judged.round_to, judged.rounds, judged.min_share
)

{{ monitoring_found('found', recovered='shown') }}
