-- noqa: disable=ST05,RF02
with limits as (
    {{ monitoring_limits('S14', [
        'age_min', 'age_max', 'births_max', 'weeks_min', 'weeks_max', 'miscarriage_weeks_max', 'birth_leave_days',
        'same_birth_days', 'conceived_after_days', 'after_birth_days', 'new_pregnancy_days'
    ]) }}
),

claim as (
    {{ monitored_claim("event.benefit_item in ('prenatal', 'delivery_normal', 'delivery_assisted', 'delivery_caesarean',"
        " 'miscarriage', 'maternity_complication', 'nutrition_subsidy')"
        " or event.benefit_item = 'maternity_allowance'") }}
),

born as (
    select * from claim
    where benefit_item like 'delivery%'
),

-- what a person's deliveries say of her other claims; only days that somebody has told, since bills are settled later
beside as materialized (
    select
        claim.region_code,
        claim.claim_no,
        max(born.care_on) filter (
            where
            claim.benefit_item = 'miscarriage'
            and coalesce(claim.service_on, claim.discharged_on) < born.care_on
            and born.care_on - 7 * born.gestation_weeks + limits.conceived_after_days::integer
            < coalesce(claim.service_on, claim.discharged_on)
        ) as carried_until,
        max(born.care_on) filter (
            where
            claim.benefit_item = 'prenatal'
            and claim.service_on > born.care_on + limits.after_birth_days::integer
            and case
                when claim.gestation_weeks is null then claim.service_on < born.care_on + limits.new_pregnancy_days::integer
                else claim.service_on - 7 * claim.gestation_weeks < born.care_on
            end
        ) as born_before,
        max(born.care_on) filter (
            where
            claim.benefit_item = 'miscarriage'
            and coalesce(claim.service_on, claim.discharged_on) > born.care_on + limits.after_birth_days::integer
            and coalesce(claim.service_on, claim.discharged_on) - 7 * claim.gestation_weeks + limits.conceived_after_days::integer
            < born.care_on
        ) as conceived_before,
        max(born.birth_count) filter (
            where
            claim.benefit_item = 'maternity_allowance'
            and abs(coalesce(claim.service_on, born.care_on) - born.care_on) < limits.same_birth_days
        ) as care_births
    from claim
    inner join limits on {{ with_limits('claim') }}
    inner join born on claim.region_code = born.region_code and claim.person_no = born.person_no
    where claim.benefit_item in ('miscarriage', 'prenatal', 'maternity_allowance')
    group by claim.region_code, claim.claim_no
),

known as (
    select
        claim.*,
        beside.carried_until,
        beside.born_before,
        beside.conceived_before,
        beside.care_births,
        person.sex,
        -- a man's number may settle the care of his unemployed wife, her leave it may not
        bool_or(claim.benefit_item = 'nutrition_subsidy' or claim.leave_days >= limits.birth_leave_days) over (
            partition by claim.region_code, claim.person_no
        ) as draws_as_mother,
        person.category,
        extract(year from age(claim.care_on, person.birth_date))::integer as years,
        limits.age_min,
        limits.age_max,
        limits.births_max,
        limits.weeks_min,
        limits.weeks_max,
        limits.miscarriage_weeks_max,
        limits.birth_leave_days
    from claim
    inner join limits on {{ with_limits('claim') }}
    left join beside on claim.region_code = beside.region_code and claim.claim_no = beside.claim_no
    left join lateral (
        select
            (array_agg(event.sex order by event.seq desc) filter (where event.sex is not null))[1] as sex,
            (array_agg(event.birth_date order by event.seq desc) filter (where event.birth_date is not null))[1] as birth_date,
            (
                array_agg(event.enrollment_category order by event.occurred_on desc, event.seq desc)
                filter (where event.enrollment_category is not null and event.occurred_on <= claim.care_on)
            )[1] as category
        from {{ source('events', 'event') }} as event
        where
            event.region_code = claim.region_code
            and event.person_no = claim.person_no
            and event.family = 'registration'
            and event.seq <= limits.seq
    ) as person on true
),

judged as (
    select
        known.*,
        array_remove(array[
            -- leave of fathers is paid as an allowance in some provinces
            case
                when
                    known.sex = 'M' and known.draws_as_mother
                    and (known.benefit_item <> 'maternity_allowance' or known.leave_days >= known.birth_leave_days)
                    then '男性 / male'
            end,
            case when known.category = 'retiree' then '退休人员 / retired' end,
            case
                when
                    known.sex is distinct from 'M' and known.years < known.age_min
                    then format('%s 岁，限 %s 岁 / aged %s, limit %s', known.years, round(known.age_min), known.years, round(known.age_min))
            end,
            case
                when
                    known.sex is distinct from 'M' and known.years > known.age_max
                    then format('%s 岁，限 %s 岁 / aged %s, limit %s', known.years, round(known.age_max), known.years, round(known.age_max))
            end,
            case
                when known.birth_count > known.births_max or known.birth_count < 1 and known.benefit_item like 'delivery%'
                    then
                        format(
                            '%s 胎，限 %s / %s children, limit %s',
                            known.birth_count,
                            round(known.births_max),
                            known.birth_count,
                            round(known.births_max)
                        )
            end,
            case
                when
                    known.benefit_item like 'delivery%'
                    and (known.gestation_weeks < known.weeks_min or known.gestation_weeks > known.weeks_max)
                    then format('分娩孕周 %s / delivered in week %s', known.gestation_weeks, known.gestation_weeks)
            end,
            case
                when known.benefit_item = 'miscarriage' and known.gestation_weeks >= known.miscarriage_weeks_max
                    then format('流产孕周 %s / miscarriage in week %s', known.gestation_weeks, known.gestation_weeks)
            end,
            case
                when known.carried_until is not null
                    then
                        format(
                            '流产时已怀 %s 分娩的胎儿 / miscarried while carrying the child born on %s', known.carried_until,
                            known.carried_until
                        )
            end,
            case
                when known.conceived_before is not null
                    then
                        format(
                            '流产孕周 %s 周，受孕早于 %s 的分娩 / miscarriage in week %s, conceived before the delivery on %s',
                            known.gestation_weeks, known.conceived_before, known.gestation_weeks, known.conceived_before
                        )
            end,
            case
                when known.born_before is not null
                    then
                        format(
                            '产前检查在 %s 分娩之后 / prenatal care after the delivery on %s', known.born_before, known.born_before
                        )
            end,
            case
                when known.birth_count > known.care_births
                    then
                        format(
                            '津贴按 %s 胎、分娩 %s 胎 / allowance for %s children, %s delivered', known.birth_count,
                            known.care_births, known.birth_count, known.care_births
                        )
            end
        ], null) as reasons
    from known
),

found as (
    select
        region_code,
        'S14'::text as rule_code,
        {{ hidden_key(['person_no']) }} as finding_key,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        format('%s 笔生育待遇：%s', count(*), string_agg(distinct split_part(reason.said, ' / ', 1), '；')) as said_zh,
        format('%s maternity claims: %s', count(*), string_agg(distinct split_part(reason.said, ' / ', 2), '; ')) as said_en
    from judged
    cross join lateral (select array_to_string(judged.reasons, '；') as said) as reason
    where cardinality(reasons) > 0
    group by region_code, person_no
)

{{ monitoring_found('found') }}
