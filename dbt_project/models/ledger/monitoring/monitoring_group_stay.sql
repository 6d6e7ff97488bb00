-- Staff of one employer who are admitted to one institution on one day and discharged from it on another, as a group.
with limits as (
    {{ monitoring_limits('S29', ['min_persons', 'min_ratio']) }}
),

stay as (
    {{ monitored_claim("event.benefit_item = 'inpatient' and event.institution_code is not null and event.admitted_on is not null"
        " and event.discharged_on is not null") }}
),

together as (
    select
        stay.region_code,
        stay.institution_code,
        stay.admitted_on,
        stay.discharged_on,
        count(distinct stay.person_no) as persons
    from stay
    group by stay.region_code, stay.institution_code, stay.admitted_on, stay.discharged_on
),

-- materialized: read twice, and few
member as materialized (
    select
        stay.*,
        together.persons as patients,
        limits.min_persons,
        limits.min_ratio
    from stay
    inner join limits on {{ with_limits('stay') }}
    inner join together
        on
            stay.region_code = together.region_code
            and stay.institution_code = together.institution_code
            and stay.admitted_on = together.admitted_on
            and stay.discharged_on = together.discharged_on
    where together.persons >= limits.min_persons
),

employed as (
    select distinct on (member.region_code, member.claim_no)
        member.region_code,
        member.claim_no,
        spell.employer_no as works_for
    from member
    inner join (
        {{ monitored_spell('member') }}
    ) as spell
        on
            member.region_code = spell.region_code
            and member.person_no = spell.person_no
            and member.admitted_on >= spell.from_on
            and coalesce(member.admitted_on < spell.until_on, true)
    where spell.enrollment_category = 'employee' and spell.employer_no is not null
    order by member.region_code asc, member.claim_no asc, spell.from_on desc, spell.employer_no asc
),

colleague as (
    select
        member.region_code,
        member.institution_code,
        member.admitted_on,
        member.discharged_on,
        employed.works_for,
        count(distinct member.person_no) as persons_in,
        max(member.patients) as patients,
        max(member.min_ratio) as min_ratio,
        max(member.min_persons) as min_persons,
        sum(member.amount) as amount,
        array_agg(distinct member.person_no order by member.person_no) as persons,
        array_agg(member.claim_no order by member.claim_no) as claims
    from member
    inner join employed on member.region_code = employed.region_code and member.claim_no = employed.claim_no
    group by member.region_code, member.institution_code, member.admitted_on, member.discharged_on, employed.works_for
    having count(distinct member.person_no) >= max(member.min_persons)
),

-- the staff of a large employer meet by chance: compared with its share of all who have ever been insured
registered as materialized (
    select distinct
        event.region_code,
        event.employer_no,
        event.person_no
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and coalesce(limits.seq >= event.seq, false)
    where event.event_type in ('enrollment.started', 'enrollment.changed')
),

insured as (
    select
        region_code,
        count(distinct person_no) as all_persons
    from registered
    group by region_code
),

sized as (
    select
        registered.region_code,
        registered.employer_no,
        insured.all_persons,
        count(*) as staff
    from registered
    inner join insured on registered.region_code = insured.region_code
    where registered.employer_no is not null
    group by registered.region_code, registered.employer_no, insured.all_persons
),

found as (
    select
        colleague.region_code,
        'S29'::text as rule_code,
        {{ hidden_key([
            'colleague.institution_code', 'colleague.admitted_on', 'colleague.discharged_on', 'colleague.works_for'
        ]) }} as finding_key,
        colleague.institution_code,
        colleague.works_for as employer_no,
        colleague.persons,
        colleague.claims,
        colleague.amount,
        colleague.admitted_on as first_on,
        colleague.discharged_on as last_on,
        format(
            '同单位 %s 人同日入院、同日出院（限 %s 人），该院当日同进同出共 %s 人，占 %s%%；该单位占参保人 %s%%（限 %s 倍）', colleague.persons_in,
            round(colleague.min_persons), colleague.patients, {{ percent_text('colleague.persons_in::numeric / colleague.patients') }},
            {{ percent_text('sized.staff::numeric / sized.all_persons') }}, round(colleague.min_ratio, 1)
        ) as said_zh,
        format(
            '%s of one employer admitted on one day and discharged on another (limit %s), %s%% of the %s patients with those days;'
            ' the employer has %s%% of the insured (limit %s times)',
            colleague.persons_in, round(colleague.min_persons),
            {{ percent_text('colleague.persons_in::numeric / colleague.patients') }}, colleague.patients,
            {{ percent_text('sized.staff::numeric / sized.all_persons') }}, round(colleague.min_ratio, 1)
        ) as said_en
    from colleague
    inner join sized on colleague.region_code = sized.region_code and colleague.works_for = sized.employer_no
    where colleague.persons_in * sized.all_persons >= colleague.min_ratio * sized.staff * colleague.patients
)

{{ monitoring_found('found') }}
