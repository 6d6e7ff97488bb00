with limits as (
    {{ monitoring_limits('S13', ['same_birth_days', 'birth_leave_days', 'min_days', 'conceived_after_days']) }}
),

dated_claim as (
    {{ monitored_claim(is_birth_claim(), identified=true) }}
),

-- of a benefit that states no day and follows no care nobody knows when the birth was
birth_claim as (
    select * from dated_claim
    where is_dated
),

birth as (
    {{ monitored_birth('person_key') }}
),

paired as (
    select
        birth.*,
        lag(birth.birth_on) over each_person as birth_before,
        lag(birth.claims) over each_person as claims_before,
        lag(birth.persons) over each_person as persons_before,
        limits.min_days,
        birth.birth_on - 7 * birth.gestation_weeks + limits.conceived_after_days::integer as conceived_on
    from birth
    inner join limits on {{ with_limits('birth') }}
    window each_person as (partition by birth.region_code, birth.person_key order by birth.birth_on, birth.birth_no)
),

found as (
    select
        region_code,
        'S13'::text as rule_code,
        {{ hidden_key(['person_no', 'birth_before', 'birth_on']) }} as finding_key,
        institution_code,
        employer_no,
        array(
            select distinct part.person_no from unnest(persons_before || persons) as part (person_no)
            order by part.person_no
        ) as persons,
        claims_before || claims as claims,
        amount,
        birth_before as first_on,
        birth_on as last_on,
        format(
            '两次生育相隔 %s 天（限 %s 天），后一次支付 %s 元', birth_on - birth_before, round(min_days), {{ yuan_text('amount') }}
        ) || case when conceived_on < birth_before then format('；按孕周 %s 周推算，受孕早于前一次分娩', gestation_weeks) else '' end
            as said_zh,
        format(
            'two births %s days apart (limit %s), %s yuan for the later', birth_on - birth_before, round(min_days),
            {{ yuan_text('amount') }}
        ) || case
            when conceived_on < birth_before then format('; delivered in week %s, so conceived before the earlier birth', gestation_weeks)
            else ''
        end as said_en
    from paired
    where birth_on - birth_before < min_days or conceived_on < birth_before
)

{{ monitoring_found('found', recovered='whole') }}
