with limits as (
    {{ monitoring_limits('S21', ['min_persons']) }}
),

claim as (
    {{ monitored_claim("event.account_holder_no is not null and event.account_holder_no <> event.person_no") }}
),

shared as (
    select
        region_code,
        account_holder_no,
        count(distinct person_no) as others,
        -- what the account has paid; the pool's part is no question of whose account it is
        sum(amount - pooled_amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        min(institution_code) as institution_code,
        array_agg(distinct person_no order by person_no) as persons,
        array_agg(claim_no order by claim_no) as claims
    from claim
    group by region_code, account_holder_no
),

found as (
    select
        shared.region_code,
        'S21'::text as rule_code,
        {{ hidden_key(['shared.account_holder_no']) }} as finding_key,
        shared.institution_code,
        null::text as employer_no,
        shared.account_holder_no || shared.persons as persons,
        shared.claims,
        shared.amount,
        shared.first_on,
        shared.last_on,
        format(
            '%s 人的待遇由同一人账户支付（限 %s 人），%s 笔共 %s 元', shared.others, round(limits.min_persons), cardinality(shared.claims),
            {{ yuan_text('shared.amount') }}
        ) as said_zh,
        format(
            '%s persons paid through the account of one other (limit %s), %s claims, %s yuan', shared.others, round(limits.min_persons),
            cardinality(shared.claims), {{ yuan_text('shared.amount') }}
        ) as said_en
    from shared
    inner join limits on {{ with_limits('shared') }}
    where shared.others >= limits.min_persons
)

{{ monitoring_found('found') }}
