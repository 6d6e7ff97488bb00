with limits as (
    {{ monitoring_limits('S05', ['settled_days'], all_regions=true) }}
),

died as materialized (
    select distinct on (event.region_code, event.person_no)
        event.region_code,
        event.person_no,
        event.seq,
        event.occurred_on as died_on,
        limits.settled_days
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and limits.seq >= event.seq
    where
        event.event_type = 'enrollment.ended'
        and event.reason = 'died'
        -- who is enrolled again afterwards has not died; a base that is changed revives nobody
        and not exists (
            select from {{ source('events', 'event') }} as alive
            where
                alive.region_code = event.region_code
                and alive.person_no = event.person_no
                and alive.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
                and alive.event_type = 'enrollment.started'
                and alive.seq <= limits.seq
                and alive.seq > event.seq
                and alive.occurred_on >= event.occurred_on
        )
    order by event.region_code asc, event.person_no asc, event.occurred_on asc, event.seq asc
),

-- every number of the certificates of the dead, in all regions: a death is often told to one of them alone
certificate as materialized (
    select distinct
        died.region_code,
        died.person_no,
        died.died_on,
        registered.certificate_pseudonym
    from died
    inner join {{ source('events', 'event') }} as registered
        on died.region_code = registered.region_code and died.person_no = registered.person_no
    where
        registered.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
        and registered.certificate_pseudonym is not null
),

other_number as materialized (
    select
        event.region_code,
        event.person_no,
        event.certificate_pseudonym,
        max(event.occurred_on) filter (where event.event_type = 'enrollment.started') as started_on
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and coalesce(limits.seq >= event.seq, false)
    where
        coalesce(
            event.certificate_pseudonym is not null
            and event.certificate_pseudonym in (select certificate.certificate_pseudonym from certificate),
            false
        )
    group by event.region_code, event.person_no, event.certificate_pseudonym
),

-- of whom a number begins again afterwards has not died
known_elsewhere as (
    select distinct on (other_number.region_code, other_number.person_no)
        other_number.region_code,
        other_number.person_no,
        certificate.died_on,
        limits.settled_days,
        certificate.region_code as told_in
    from other_number
    inner join limits on {{ with_limits('other_number') }}
    inner join certificate on other_number.certificate_pseudonym = certificate.certificate_pseudonym
    where
        (other_number.region_code, other_number.person_no) not in (select died.region_code, died.person_no from died)
        and coalesce(other_number.started_on < certificate.died_on, true)
    order by other_number.region_code asc, other_number.person_no asc, certificate.died_on asc, certificate.region_code asc
),

death as (
    select
        region_code,
        person_no,
        seq,
        died_on,
        settled_days,
        null::text as told_in
    from died
    union all
    select
        region_code,
        person_no,
        0 as seq,
        died_on,
        settled_days,
        told_in
    from known_elsewhere
),

-- whose claims they are is looked up; when they were settled is asked of those alone
claim as (
    {{ monitored_claim("(event.region_code, event.person_no) in (select death.region_code, death.person_no from death)"
        " and exists (select from death where death.region_code = event.region_code"
        " and death.person_no = event.person_no and death.died_on <= event.occurred_on)"
        " or (event.region_code, event.account_holder_no) in (select death.region_code, death.person_no from death)") }}
),

-- the dead person's own claims, and what the account has paid for somebody else
charged as (
    select
        claim.*,
        claim.person_no as dead_no,
        false as is_of_another
    from claim
    union all
    select
        claim.*,
        claim.account_holder_no as dead_no,
        true as is_of_another
    from claim
    where claim.account_holder_no <> claim.person_no and claim.amount > claim.pooled_amount
),

late as (
    select
        charged.*,
        death.died_on,
        death.settled_days,
        charged.is_dated and greatest(charged.care_on, charged.discharged_on) > death.died_on as is_after
    from charged
    inner join death on charged.region_code = death.region_code and charged.dead_no = death.person_no
    where
        charged.is_dated and greatest(charged.care_on, charged.discharged_on) > death.died_on
        or not charged.is_of_another and charged.settled_on > death.died_on + death.settled_days::integer
),

claimed as (
    select
        region_code,
        dead_no as person_no,
        array_remove(array_agg(distinct person_no order by person_no), dead_no) as users,
        min(institution_code) as institution_code,
        min(employer_no) as employer_no,
        array_agg(claim_no order by claim_no) as claims,
        sum(case when is_of_another then amount - pooled_amount else amount end) as amount,
        count(*) filter (where is_of_another) as others,
        count(*) filter (where is_after) as after,
        count(*) filter (where not is_after) as late,
        min(care_on) as first_on,
        max(settled_on) as last_on
    from late
    group by region_code, dead_no
),

-- told after the death, of a day after it: the employer goes on as if she lived
changed as (
    select
        event.region_code,
        event.person_no,
        min(event.employer_no) as employer_no,
        count(*) as changes,
        min(event.occurred_on) as first_on,
        max(event.occurred_on) as last_on
    from death
    inner join limits on {{ with_limits('death') }}
    inner join {{ source('events', 'event') }} as event
        on
            death.region_code = event.region_code
            and death.person_no = event.person_no
            and death.seq < event.seq
            and death.died_on < event.occurred_on
            and limits.seq >= event.seq
    where
        event.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
        and event.event_type = 'enrollment.changed'
    group by event.region_code, event.person_no
),

found as (
    select
        death.region_code,
        'S05'::text as rule_code,
        {{ hidden_key(['death.person_no']) }} as finding_key,
        claimed.institution_code,
        coalesce(claimed.employer_no, changed.employer_no) as employer_no,
        death.person_no || coalesce(claimed.users, '{}') as persons,
        coalesce(claimed.claims, '{}') as claims,
        coalesce(claimed.amount, 0) as amount,
        least(claimed.first_on, changed.first_on) as first_on,
        greatest(claimed.last_on, changed.last_on) as last_on,
        format(
            '登记死亡 %s%s；此后发生的服务 %s 笔，死亡 %s 天以后才结算的 %s 笔，合计 %s 元，其中由其账户为他人支付 %s 笔；死亡后参保变更 %s 次', death.died_on,
            case when death.told_in is not null then '（登记于 ' || death.told_in || ' 另一人员编号）' else '' end,
            coalesce(claimed.after, 0), round(death.settled_days), coalesce(claimed.late, 0),
            {{ yuan_text('coalesce(claimed.amount, 0)') }}, coalesce(claimed.others, 0), coalesce(changed.changes, 0)
        ) as said_zh,
        format(
            'registered as having died on %s%s; %s claims for service after it, %s settled more than %s days after, %s yuan,'
            ' %s of them for others from the account; enrolment changed %s times after it',
            death.died_on, case when death.told_in is not null then ' (in ' || death.told_in || ', another number)' else '' end,
            coalesce(claimed.after, 0), coalesce(claimed.late, 0), round(death.settled_days),
            {{ yuan_text('coalesce(claimed.amount, 0)') }}, coalesce(claimed.others, 0), coalesce(changed.changes, 0)
        ) as said_en
    from death
    left join claimed on death.region_code = claimed.region_code and death.person_no = claimed.person_no
    left join changed on death.region_code = changed.region_code and death.person_no = changed.person_no
    where claimed.person_no is not null or changed.person_no is not null
)

{{ monitoring_found('found') }}
