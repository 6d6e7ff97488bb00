-- Taken back and settled again for more. A claim that nobody took back is no part of it: two claims for one stay are another rule.
with limits as (
    {{ monitoring_limits('S26', ['min_ratio', 'min_rise']) }}
),

undone as materialized (
    {{ monitored_never_paid() }}
    union
    select
        turned.region_code,
        turned.claim_no
    from limits
    inner join {{ ref('claim_turnover') }} as turned
        on limits.region_code = turned.region_code and limits.seq >= turned.last_seq
    group by turned.region_code, turned.claim_no
    having
        sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) > 0
        and sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount)
        >= sum(turned.paid_pooled_amount + turned.paid_personal_amount)
),

-- what it was before, in parts that add up; a month in which it was settled is not asked for: it may be long ago
former as materialized (
    select
        event.region_code,
        event.claim_no,
        event.person_no,
        event.institution_code,
        min(event.benefit_item) as benefit_item,
        max(event.seq) as seq,
        max(event.occurred_on) as settled_on,
        min(coalesce(event.admitted_on, event.service_on, event.occurred_on)) as from_on,
        max(coalesce(event.discharged_on, event.service_on, event.occurred_on)) as until_on,
        sum(coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0)) as amount
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and coalesce(limits.seq >= event.seq, false)
    where
        coalesce(
            event.event_type = 'claim.settled'
            and event.person_no is not null
            and event.institution_code is not null
            and coalesce(event.settlement_kind, 'case') = 'case'
            and (event.region_code, event.claim_no) in (select undone.region_code, undone.claim_no from undone),
            false
        )
    group by event.region_code, event.claim_no, event.person_no, event.institution_code
),

claim as (
    {{ monitored_claim("(event.region_code, event.person_no) in (select former.region_code, former.person_no from former)"
        " and event.institution_code is not null and event.benefit_item <> 'pharmacy'") }}
),

-- the same days in the same institution; of several that were taken back the dearest
raised as (
    select distinct on (claim.region_code, claim.claim_no)
        claim.*,
        former.claim_no as former_no,
        former.benefit_item as former_item,
        former.amount as former_amount,
        limits.min_ratio,
        limits.min_rise
    from claim
    inner join limits on {{ with_limits('claim') }}
    inner join former
        on
            claim.region_code = former.region_code
            and claim.person_no = former.person_no
            and claim.institution_code = former.institution_code
            and claim.claim_no <> former.claim_no
            and claim.settled_on >= former.settled_on
            and claim.seq > former.seq
            and coalesce(claim.admitted_on, claim.care_on) <= former.until_on
            and coalesce(claim.discharged_on, claim.care_on) >= former.from_on
    order by claim.region_code asc, claim.claim_no asc, former.amount desc, former.claim_no asc
),

found as (
    select
        region_code,
        'S26'::text as rule_code,
        {{ hidden_key(['claim_no', 'former_no']) }} as finding_key,
        institution_code,
        employer_no,
        array[person_no] as persons,
        array[claim_no, former_no] as claims,
        amount - former_amount as amount,
        care_on as first_on,
        settled_on as last_on,
        format(
            '原结算 %s %s 元已撤销或全额追回，同一机构同一时段又按 %s 结算 %s 元（限 %s 倍且多 %s 元）', former_item,
            {{ yuan_text('former_amount') }}, benefit_item, {{ yuan_text('amount') }}, round(min_ratio, 2), {{ yuan_text('min_rise') }}
        ) as said_zh,
        format(
            '%s settled for %s yuan was taken back, and the same days in the same institution settled again as %s for %s yuan'
            ' (limit %s times and %s yuan more)',
            former_item, {{ yuan_text('former_amount') }}, benefit_item, {{ yuan_text('amount') }}, round(min_ratio, 2),
            {{ yuan_text('min_rise') }}
        ) as said_en
    from raised
    where amount >= min_ratio * former_amount and amount - former_amount >= min_rise
)

-- that the former came back is what the rule is about
{{ monitoring_found('found', recovered='first') }}
