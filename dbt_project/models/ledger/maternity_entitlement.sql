-- noqa: disable=ST05
-- Recomputed when read, from what is known at the built head: an assessment, a birth or a rule that comes later must change the answer.
-- Everything is looked up by index from (region_code, claim_no): a reader who names claims pays for those alone (decision 0036).
with claim as (
    select
        event.region_code,
        event.claim_no,
        event.benefit_item,
        head.seq as head_seq,
        min(event.seq) filter (where event.event_type = 'claim.paid') as event_seq,
        min(event.occurred_on) filter (where event.event_type = 'claim.paid') as first_paid_on,
        max(event.occurred_on) filter (where event.event_type = 'claim.paid') as paid_on,
        (array_agg(event.payee_type order by event.seq desc) filter (where event.event_type = 'claim.paid'))[1] as payee_type,
        (array_agg(event.pooled_amount order by event.seq desc) filter (where event.event_type = 'claim.settled'))[1]
            as settled_amount,
        coalesce(sum(event.pooled_amount) filter (where event.event_type = 'claim.paid'), 0) as gross_amount,
        coalesce(sum(taken.unpaid_amount), 0) as unpaid_amount,
        coalesce(sum(taken.recovered_amount), 0) as recovered_amount,
        {{ stated('person_no') }} as person_no,
        {{ stated('employer_no') }} as employer_no,
        {{ stated('service_on') }} as service_on,
        {{ stated('birth_count') }} as birth_count,
        {{ stated('gestation_weeks') }} as gestation_weeks,
        {{ stated('leave_days') }} as stated_days,
        {{ stated('allowance_daily_base') }} as stated_base
    from {{ source('events', 'event') }} as event
    inner join (
        {{ ledger_head('built') }}
    ) as head on event.region_code = head.region_code and event.seq <= head.seq
    -- what came back of a payment: never paid by the bank, recovered, or written back after its return
    left join lateral (
        select
            sum(case correction.event_type when 'claim.reversed' then event.pooled_amount end) as unpaid_amount,
            coalesce(sum(case correction.event_type when 'claim.recovered' then correction.pooled_amount end), 0)
            + coalesce(sum(written_back.amount), 0) as recovered_amount
        from {{ source('events', 'event') }} as correction
        left join {{ source('events', 'event') }} as written_back
            on
                correction.region_code = written_back.region_code
                and correction.seq = written_back.original_seq
                and head.seq >= written_back.seq
                and correction.event_type = 'payment.returned'
                and written_back.event_type = 'return.written_back'
        where
            correction.region_code = event.region_code
            and correction.original_seq = event.seq
            and correction.seq <= head.seq
            and event.event_type = 'claim.paid'
    ) as taken on true
    where
        event.benefit_item in ('maternity_allowance', 'nutrition_subsidy')
        and event.event_type in ('claim.settled', 'claim.paid')
    group by event.region_code, event.claim_no, event.benefit_item, head.seq
),

paid as (
    select
        claim.*,
        claim.benefit_item = 'maternity_allowance' as is_allowance,
        coalesce(claim.service_on, claim.first_paid_on) as rule_date,
        date_trunc('month', coalesce(claim.service_on, claim.first_paid_on)::timestamp)::date as rule_month,
        (date_trunc('year', coalesce(claim.service_on, claim.first_paid_on)::timestamp) - interval '1 year')::date as prior_year,
        claim.gross_amount - claim.unpaid_amount - claim.recovered_amount as paid_amount,
        -- settled and not yet paid: a claim in instalments is no underpayment
        greatest(coalesce(claim.settled_amount, 0) - (claim.gross_amount - claim.unpaid_amount), 0) as awaited_amount
    from claim
    where claim.event_seq is not null and claim.gross_amount > claim.unpaid_amount
),

-- The birth or operation behind the claim: the nearest one of the person within 60 days.
cared as (
    select
        paid.*,
        care.benefit_item as care_item,
        care.claim_no as care_claim_no,
        coalesce(paid.birth_count, care.birth_count, 1) as births,
        coalesce(paid.gestation_weeks, care.gestation_weeks) as weeks
    from paid
    left join lateral (
        select
            event.benefit_item, event.claim_no, event.birth_count, event.gestation_weeks
        from {{ source('events', 'event') }} as event
        where
            event.region_code = paid.region_code
            and event.person_no = paid.person_no
            and event.seq <= paid.head_seq
            and event.benefit_item in (
                'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning'
            )
            and event.event_type in ('claim.settled', 'claim.paid')
            and abs(coalesce(event.service_on, event.discharged_on, event.occurred_on) - paid.rule_date) <= 60
        order by
            abs(coalesce(event.service_on, event.discharged_on, event.occurred_on) - paid.rule_date),
            (event.event_type = 'claim.settled') desc, event.seq desc
        limit 1
    ) as care on true
),

ruled as (
    select
        cared.*,
        allowance.divisor,
        allowance.consecutive_months,
        case when cared.is_allowance then payee.payee_type else 'person' end as payee_demanded,
        days.days,
        days.day_rules,
        subsidy.subsidy_amount,
        allowance.rule as allowance_rule,
        subsidy.rule as subsidy_rule,
        region.merger_date,
        exists(
            select from {{ ref('policy_nutrition_subsidy') }} as any_year
            where any_year.region_code = cared.region_code
        ) as region_has_subsidy
    from cared
    left join {{ ref('stg_region') }} as region
        on cared.region_code = region.region_code and region.known_until = 'infinity'
    left join lateral (
        select
            rule.divisor,
            rule.consecutive_months,
            concat_ws(' ', 'policy_allowance', rule.effective_from, rule.known_from) as rule
        from {{ ref('policy_allowance') }} as rule
        where rule.region_code = cared.region_code and {{ in_force('rule', 'cared.rule_date') }}
        order by rule.known_from desc, rule.effective_from desc
        limit 1
    ) as allowance on true
    -- whom to pay goes by the day of the payment, what to pay by that of the birth
    left join lateral (
        select rule.payee_type
        from {{ ref('policy_allowance') }} as rule
        where rule.region_code = cared.region_code and {{ in_force('rule', 'cared.paid_on') }}
        order by rule.known_from desc, rule.effective_from desc
        limit 1
    ) as payee on true
    left join lateral (
        select
            sum(rule.allowance_days * part.times)::integer as days,
            string_agg(
                concat_ws(' ', rule.allowance_case, rule.effective_from, rule.allowance_days || '×' || part.times), '; '
                order by rule.allowance_case
            ) as day_rules
        from (
            select distinct on (known.allowance_case) known.*
            from {{ ref('policy_allowance_days') }} as known
            where known.region_code = cared.region_code and {{ in_force('known', 'cared.rule_date') }}
            order by known.allowance_case asc, known.known_from desc, known.effective_from desc
        ) as rule
        cross join
            lateral (
                select
                    case
                        when cared.care_item like 'delivery%'
                            then
                                case rule.allowance_case
                                    when 'birth' then 1
                                    when 'provincial_extension' then 1
                                    when 'difficult_birth' then (cared.care_item <> 'delivery_normal')::integer
                                    when 'additional_child' then cared.births - 1
                                    else 0
                                end
                        when cared.care_item = 'miscarriage'
                            then
                                (
                                    rule.weeks_from <= cared.weeks
                                    and (rule.weeks_below is null or cared.weeks < rule.weeks_below)
                                )::integer
                        else 0
                    end as times
            ) as part
        where part.times > 0
    ) as days on cared.is_allowance
    left join lateral (
        select
            coalesce(
                case rule.rounding
                    when 'half_up' then round(rule.average_yearly_wage * rule.subsidy_rate)
                    else round(rule.average_yearly_wage * rule.subsidy_rate, 2)
                end,
                rule.subsidy_amount
            ) as subsidy_amount,
            concat_ws(' ', 'policy_nutrition_subsidy', rule.effective_from, rule.known_from) as rule
        from {{ ref('policy_nutrition_subsidy') }} as rule
        where rule.region_code = cared.region_code and {{ in_force('rule', 'cared.rule_date') }}
        order by rule.known_from desc, rule.effective_from desc
        limit 1
    ) as subsidy on not cared.is_allowance
),

-- Last year's average of the employer, where the log holds every month of that year since the employer was registered.
based as (
    select
        ruled.*,
        case when last_year.months = employer.months_due then round(last_year.base / last_year.persons / ruled.divisor, 2) end
            as demanded_base
    from ruled
    left join lateral (
        select
            count(*) filter (where month.persons > 0) as months,
            sum(month.base) filter (where month.persons > 0) as base,
            sum(month.persons) filter (where month.persons > 0) as persons
        from (
            select
                sum(delta.base_change) as base,
                sum(delta.person_change) as persons
            from {{ ref('employer_base_turnover') }} as delta
            where
                delta.region_code = ruled.region_code
                and delta.employer_no = ruled.employer_no
                and delta.contribution_month >= ruled.prior_year
                and delta.contribution_month < ruled.prior_year + interval '1 year'
                and delta.last_seq <= ruled.head_seq
            group by delta.contribution_month
        ) as month
    ) as last_year on ruled.is_allowance
    left join lateral (
        select
            case
                when min(event.occurred_on) >= ruled.prior_year then 13 - extract(month from min(event.occurred_on))
                else 12
            end as months_due
        from {{ source('events', 'event') }} as event
        where
            event.region_code = ruled.region_code
            and event.employer_no = ruled.employer_no
            and event.event_type = 'employer.registered'
            and event.seq <= ruled.head_seq
    ) as employer on ruled.is_allowance
),

-- Months before the birth in which the person had to be insured. A month of which the log holds no assessment of the region at all lies
-- before its reach, and speaks against nobody.
waited as (
    select
        based.*,
        waiting.lacking as months_lacking,
        waiting.beyond as months_beyond_log
    from based
    left join lateral (
        select
            count(*) filter (where not month.is_insured and month.is_in_log) as lacking,
            count(*) filter (where not month.is_insured and not month.is_in_log) as beyond
        from (
            select
                exists(
                    select from {{ ref('employer_base_turnover') }} as delta
                    where
                        delta.region_code = based.region_code
                        and delta.contribution_month = each_month.first_day::date
                        and delta.last_seq <= based.head_seq
                ) as is_in_log,
                coalesce((
                    select sum(assessed.change_amount)
                    from {{ ref('assessed_contribution') }} as assessed
                    where
                        assessed.region_code = based.region_code
                        and assessed.person_no = based.person_no
                        and assessed.contribution_month = each_month.first_day::date
                        and assessed.insurance_type
                        = case when each_month.first_day::date < based.merger_date then '510' else '310' end
                        and assessed.last_seq <= based.head_seq
                ), 0) > 0 as is_insured
            from generate_series(
                based.rule_month - make_interval(months => based.consecutive_months), based.rule_month - interval '1 month',
                interval '1 month'
            ) as each_month (first_day)
        ) as month
    ) as waiting on true
),

reckoned as (
    select
        waited.*,
        coalesce(waited.demanded_base, waited.stated_base) as daily_base,
        nullif(concat_ws(
            '；',
            case when waited.consecutive_months is null then '无当日津贴规则 / no allowance rule of its day' end,
            case
                when waited.care_item is null
                    then '未见对应的分娩、流产或手术结算 / no birth, miscarriage or operation of the person'
            end,
            case
                when waited.is_allowance and waited.care_item is not null and waited.days is null
                    then '情形或孕周无对应天数 / no days for the case or its weeks'
            end,
            case
                when waited.is_allowance and coalesce(waited.demanded_base, waited.stated_base) is null
                    then '单位上年平均与申报日基数均无 / neither the employer''s average nor a stated daily base'
            end,
            case
                when not waited.is_allowance and waited.region_has_subsidy and waited.subsidy_amount is null
                    then '无当年营养补助标准 / no subsidy rule of its year'
            end
        ), '') as missing
    from waited
),

computed as (
    select
        reckoned.*,
        case
            when reckoned.missing is not null then null
            when reckoned.months_lacking > 0 then 0
            when reckoned.is_allowance then round(reckoned.daily_base * reckoned.days, 2)
            -- a birth, or an induction from the seventh month on
            when reckoned.care_item like 'delivery%' or (reckoned.care_item = 'miscarriage' and reckoned.weeks >= 28)
                then coalesce(reckoned.subsidy_amount, 0)
            else 0
        end::numeric(18, 2) as computed_amount
    from reckoned
),

compared as (
    select
        computed.*,
        (computed.paid_amount + computed.awaited_amount - computed.computed_amount)::numeric(18, 2) as difference,
        coalesce(computed.payee_type = computed.payee_demanded, false) as is_right_payee,
        coalesce(computed.stated_base = computed.demanded_base, true) as is_stated_base,
        coalesce(computed.stated_days = computed.days, true) as is_stated_days
    from computed
)

select
    region_code,
    event_seq,
    claim_no,
    benefit_item,
    person_no,
    employer_no,
    rule_date,
    paid_on,
    care_item,
    care_claim_no,
    concat_ws('; ', allowance_rule, day_rules, subsidy_rule) as rules,
    days,
    stated_days,
    daily_base,
    stated_base,
    demanded_base,
    coalesce(consecutive_months, 0)::integer as waiting_months,
    coalesce(months_lacking, 0)::integer as months_lacking,
    coalesce(months_beyond_log, 0)::integer as months_beyond_log,
    payee_type,
    payee_demanded,
    computed_amount,
    paid_amount::numeric(18, 2) as paid_amount,
    awaited_amount::numeric(18, 2) as awaited_amount,
    difference,
    case
        when missing is not null then 'not_computable'
        when difference > 0 then 'overpaid'
        when difference < 0 then 'underpaid'
        when not is_right_payee then 'payee'
        when not is_stated_base or not is_stated_days then 'stated'
        else 'as_computed'
    end as outcome,
    nullif(concat_ws(
        '；',
        missing,
        case when months_lacking > 0 then '连续缴费不足 / too few consecutive months of contributions' end,
        case
            when not is_stated_base
                then '申报日基数与单位上年平均不符 / the stated daily base is not the employer''s average of last year'
        end,
        case when not is_stated_days then '申报天数与规则不符 / the stated days are not those of the rule' end,
        case when not is_allowance and not region_has_subsidy then '本统筹区无营养补助 / the region has no nutrition subsidy' end,
        case when not is_right_payee then '发放对象与规则不符 / paid to another payee than the rule says' end,
        case when missing is null and difference <> 0 then '金额与计算不符 / the amount is not as computed' end
    ), '') as reason,
    case
        when is_allowance then '社会保险法第五十六条；女职工劳动保护特别规定第七条、第八条'
        else '宁政办发〔2019〕52号：一次性营养补助'
    end as clause
from compared
