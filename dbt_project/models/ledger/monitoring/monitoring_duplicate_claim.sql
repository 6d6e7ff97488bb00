with limits as (
    {{ monitoring_limits('S15', ['same_birth_days', 'same_miscarriage_days', 'cash_days']) }}
),

claim as (
    {{ monitored_claim("true", identified=true) }}
),

-- a cash benefit belongs to the birth or miscarriage next to it, whenever it is claimed; leave begins weeks before a birth at most
cash as (
    select distinct on (claim.region_code, claim.claim_no)
        claim.region_code,
        claim.claim_no,
        care.care_on as anchored_on,
        care.benefit_item as care_item,
        care.birth_count,
        care.gestation_weeks
    from claim
    inner join limits on {{ with_limits('claim') }}
    inner join claim as care
        on
            claim.region_code = care.region_code
            and claim.person_key = care.person_key
            and (care.benefit_item like 'delivery%' or care.benefit_item = 'miscarriage')
            and care.care_on - claim.care_on < limits.same_birth_days
            and claim.care_on - care.care_on < limits.cash_days
    where claim.benefit_item in ('maternity_allowance', 'nutrition_subsidy')
    order by claim.region_code asc, claim.claim_no asc, abs(claim.care_on - care.care_on) asc, care.claim_no asc
),

-- what makes two claims one: a birth and its cash benefits are had once; a stay, an operation or a visit once a day, at the
-- counter only where the fee is the same to the fen
sorted as (
    select
        claim.*,
        coalesce(cash.anchored_on, claim.care_on) as placed_on,
        cash.care_item,
        cash.birth_count as care_births,
        cash.gestation_weeks as care_weeks,
        case
            when claim.benefit_item like 'delivery%' then 'delivery'
            when claim.benefit_item in ('maternity_allowance', 'nutrition_subsidy', 'miscarriage') then claim.benefit_item
            when claim.benefit_item in ('inpatient', 'maternity_complication', 'family_planning')
                then concat_ws('/', claim.benefit_item, claim.admitted_on, claim.discharged_on)
            when claim.benefit_item = 'prenatal' and claim.gestation_weeks is not null
                then concat_ws('/', claim.benefit_item, claim.gestation_weeks)
            else concat_ws('/', claim.benefit_item, claim.institution_code, claim.medical_fee_total, claim.amount)
        end as sameness,
        case
            when claim.benefit_item = 'nutrition_subsidy' then limits.cash_days
            when claim.benefit_item like 'delivery%' or claim.benefit_item = 'maternity_allowance'
                then limits.same_birth_days
            when claim.benefit_item = 'miscarriage' then limits.same_miscarriage_days
            -- the days of a stay tell it apart, whenever it is settled
            when claim.admitted_on is not null and claim.discharged_on is not null then limits.same_birth_days
            else 1
        end as apart_days
    from claim
    inner join limits on {{ with_limits('claim') }}
    left join cash on claim.region_code = cash.region_code and claim.claim_no = cash.claim_no
),

numbered as (
    select
        parted.*,
        count(*) filter (where parted.is_other) over (
            partition by parted.region_code, parted.person_key, parted.sameness order by parted.placed_on, parted.claim_no
        ) as care_no
    from (
        select
            sorted.*,
            sorted.placed_on - lag(sorted.placed_on) over (
                partition by sorted.region_code, sorted.person_key, sorted.sameness order by sorted.placed_on, sorted.claim_no
            ) >= sorted.apart_days as is_other
        from sorted
    ) as parted
),

grouped as (
    select
        region_code,
        min(person_no) as person_no,
        array_agg(distinct person_no order by person_no) as persons,
        sameness,
        min(benefit_item) as benefit_item,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array_agg(claim_no order by claim_no) as claims,
        count(*) as times,
        count(distinct institution_code) as institutions,
        sum(amount) as amount,
        max(amount) as largest_amount,
        min(placed_on) as placed_on,
        min(care_on) as first_on,
        max(care_on) as last_on,
        -- known only where every part of it says how many days it pays
        case when count(leave_days) = count(*) then sum(leave_days) end as paid_days,
        max(care_item) as care_item,
        max(care_weeks) as care_weeks,
        greatest(max(care_births), max(birth_count), 1) as births
    from numbered
    group by region_code, person_key, sameness, care_no
    having count(*) > 1
),

-- an allowance may be paid in parts: what it may come to is the days of the case, of a father those of his leave
cased as (
    select
        grouped.*,
        due.days as case_days
    from grouped
    inner join limits on {{ with_limits('grouped') }}
    left join lateral (
        select (array_agg(event.sex order by event.seq desc))[1] as sex
        from {{ source('events', 'event') }} as event
        where
            grouped.sameness = 'maternity_allowance'
            and event.region_code = grouped.region_code
            and event.person_no = grouped.person_no
            and event.family = 'registration'
            and event.sex is not null
            and event.seq <= limits.seq
    ) as person on true
    left join lateral (
        select
            case
                when person.sex = 'M' then max(rule.allowance_days) filter (where rule.allowance_case = 'nursing_leave')
                -- weeks that nobody has told are taken for the longest case
                when grouped.care_item = 'miscarriage'
                    then
                        max(rule.allowance_days) filter (
                            where coalesce(
                                rule.weeks_from <= grouped.care_weeks and coalesce(grouped.care_weeks < rule.weeks_below, true),
                                rule.weeks_from is not null
                            )
                        )
                else
                    sum(rule.allowance_days) filter (where rule.allowance_case in ('birth', 'provincial_extension'))
                    + coalesce(sum(rule.allowance_days) filter (
                        where rule.allowance_case = 'difficult_birth' and grouped.care_item is distinct from 'delivery_normal'
                    ), 0)
                    + coalesce((grouped.births - 1) * sum(rule.allowance_days) filter (
                        where rule.allowance_case = 'additional_child'
                    ), 0)
            end as days
        from (
            select distinct on (known.allowance_case) known.*
            from {{ ref('policy_allowance_days') }} as known
            where
                grouped.sameness = 'maternity_allowance'
                and known.region_code = grouped.region_code
                and {{ in_force('known', 'grouped.placed_on') }}
            order by known.allowance_case asc, known.known_from desc, known.effective_from desc
        ) as rule
    ) as due on true
),

judged as (
    select
        cased.*,
        case
            when cased.paid_days > cased.case_days then round(cased.amount * (cased.paid_days - cased.case_days) / cased.paid_days, 2)
            when cased.paid_days <= cased.case_days then 0
            -- all but the largest
            else cased.amount - cased.largest_amount
        end as excess_amount
    from cased
),

found as (
    select
        region_code,
        'S15'::text as rule_code,
        {{ hidden_key(['person_no', 'sameness', 'first_on']) }} as finding_key,
        institution_code,
        employer_no,
        persons,
        claims,
        excess_amount as amount,
        first_on,
        last_on,
        format(
            '同一人同一项目 %s 结算 %s 次，%s 家机构，相隔 %s 天，合计 %s 元', benefit_item, times, institutions, last_on - first_on,
            {{ yuan_text('amount') }}
        ) || case
            when case_days is not null and paid_days is not null then format('；津贴共 %s 天，此种情形 %s 天', paid_days, case_days) else ''
        end as said_zh,
        format(
            'the same %s of one person settled %s times, %s institutions, %s days apart, %s yuan in all', benefit_item, times,
            institutions, last_on - first_on, {{ yuan_text('amount') }}
        ) || case
            when case_days is not null and paid_days is not null
                then format('; %s days of allowance, the case gives %s', paid_days, case_days)
            else ''
        end as said_en
    from judged
    where excess_amount > 0
)

{{ monitoring_found('found', recovered='whole') }}
