with limits as (
    {{ monitoring_limits('S05', ['settled_days']) }}
),

death as (
    select distinct on (event.region_code, event.person_no)
        event.region_code,
        event.person_no,
        event.occurred_on as died_on,
        limits.settled_days
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and limits.seq >= event.seq
    where
        event.event_type = 'enrollment.ended'
        and event.reason = 'died'
        -- who is enrolled again afterwards has not died
        and not exists (
            select from {{ source('events', 'event') }} as alive
            where
                alive.region_code = event.region_code
                and alive.person_no = event.person_no
                and alive.event_type in ('enrollment.started', 'enrollment.changed')
                and alive.seq <= limits.seq
                and alive.seq > event.seq
                and alive.occurred_on >= event.occurred_on
        )
    order by event.region_code asc, event.person_no asc, event.occurred_on asc, event.seq asc
),

claim as (
    {{ monitored_claim("exists (select from death where death.region_code = event.region_code"
        " and death.person_no = event.person_no and death.died_on <= event.occurred_on)") }}
),

late as (
    select
        claim.*,
        death.died_on,
        death.settled_days,
        greatest(claim.care_on, claim.discharged_on) > death.died_on as is_after
    from claim
    inner join death on claim.region_code = death.region_code and claim.person_no = death.person_no
    where
        greatest(claim.care_on, claim.discharged_on) > death.died_on
        or claim.settled_on > death.died_on + death.settled_days::integer
),

found as (
    select
        region_code,
        'S05'::text as rule_code,
        {{ hidden_key(['person_no']) }} as finding_key,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(care_on) as first_on,
        max(settled_on) as last_on,
        format(
            '登记死亡 %s；此后发生的服务 %s 笔，死亡 %s 天以后才结算的 %s 笔，合计 %s 元', min(died_on),
            count(*) filter (where is_after), round(max(settled_days)), count(*) filter (where not is_after),
            {{ yuan_text('sum(amount)') }}
        ) as said_zh,
        format(
            'registered as having died on %s; %s claims for service after it, %s settled more than %s days after, %s yuan',
            min(died_on), count(*) filter (where is_after), count(*) filter (where not is_after), round(max(settled_days)),
            {{ yuan_text('sum(amount)') }}
        ) as said_en
    from late
    group by region_code, person_no
)

{{ monitoring_found('found') }}
