-- Institutions of which an agreement is known: without any, nobody has recorded it, which is for who keeps them.
with limits as (
    {{ monitoring_limits('S31', ['grace_days']) }}
),

{{ provider_terms() }},

claim as (
    {{ monitored_claim("event.institution_code is not null and (event.region_code, event.institution_code) in"
        " (select agreement.region_code, agreement.institution_code from agreement)") }}
),

-- who was taken in while it was in force is treated to the end; asked once a day and institution
day as (
    select distinct
        region_code,
        institution_code,
        coalesce(admitted_on, care_on) as care_on
    from claim
),

placed as (
    select
        day.*,
        before.effective_to as ended_on,
        next_one.effective_from as begins_on
    from day
    inner join limits on {{ with_limits('day') }}
    left join lateral (
        select max(coalesce(agreement.effective_to, 'infinity'::date)) as effective_to
        from agreement
        where
            agreement.region_code = day.region_code
            and agreement.institution_code = day.institution_code
            and agreement.effective_from <= day.care_on
    ) as before on true
    left join lateral (
        select min(agreement.effective_from) as effective_from
        from agreement
        where
            agreement.region_code = day.region_code
            and agreement.institution_code = day.institution_code
            and agreement.effective_from > day.care_on
    ) as next_one on true
    where
        -- what was before the first agreement known may have had one that nobody recorded
        before.effective_to + limits.grace_days::integer < day.care_on
),

outside as (
    select
        claim.*,
        placed.ended_on,
        placed.begins_on,
        limits.grace_days
    from claim
    inner join limits on {{ with_limits('claim') }}
    inner join placed
        on
            claim.region_code = placed.region_code
            and claim.institution_code = placed.institution_code
            and coalesce(claim.admitted_on, claim.care_on) = placed.care_on
),

found as (
    select
        region_code,
        'S31'::text as rule_code,
        institution_code || '/' || ended_on as finding_key,
        institution_code,
        null::text as employer_no,
        array_agg(distinct person_no order by person_no) as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        format(
            '协议于 %s 终止%s，其间的服务 %s 笔（宽限 %s 天），%s 元', ended_on,
            case when max(begins_on) is null then '，此后没有协议' else '，至 ' || max(begins_on) || ' 才有下一份' end, count(*),
            round(max(grace_days)), {{ yuan_text('sum(amount)') }}
        ) as said_zh,
        format(
            'the agreement ended on %s%s; %s claims for care meanwhile (grace %s days), %s yuan', ended_on,
            case when max(begins_on) is null then ' and none has followed' else ', the next begins on ' || max(begins_on) end,
            count(*), round(max(grace_days)), {{ yuan_text('sum(amount)') }}
        ) as said_en
    from outside
    group by region_code, institution_code, ended_on
)

{{ monitoring_found('found') }}
