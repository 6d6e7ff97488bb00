-- Claims of somebody who can't be insured as told: staff below the age of employment, care before the person was born.
with limits as (
    {{ monitoring_limits('S30', ['age_min']) }}
),

-- what was registered last; who has worked, since when
person as (
    select
        registered.region_code,
        registered.person_no,
        (array_agg(registered.birth_date order by registered.seq desc) filter (where registered.birth_date is not null))[1]
            as born_on,
        min(registered.occurred_on) filter (
            where registered.event_type = 'enrollment.started' and registered.enrollment_category = 'employee'
        ) as employed_on,
        (
            array_agg(registered.employer_no order by registered.seq desc) filter (where registered.enrollment_category = 'employee')
        )[1] as works_for,
        max(limits.age_min) as age_min,
        max(limits.since) as since
    from limits
    inner join {{ source('events', 'event') }} as registered
        on
            limits.region_code = registered.region_code
            and coalesce(limits.seq >= registered.seq, false)
    where registered.family = 'registration' and registered.person_no is not null
    group by registered.region_code, registered.person_no
),

-- nobody else has claims that could be such: few, and nobody else's are read
candidate as materialized (
    select
        person.*,
        (person.born_on + make_interval(years => person.age_min::integer))::date as of_age_on
    from person
    where
        person.born_on > person.since
        or person.employed_on < (person.born_on + make_interval(years => person.age_min::integer))::date
),

claim as (
    {{ monitored_claim("(event.region_code, event.person_no) in (select candidate.region_code, candidate.person_no from candidate)") }}
),

judged as (
    select
        claim.*,
        candidate.born_on,
        candidate.employed_on,
        candidate.works_for,
        candidate.age_min,
        claim.is_dated and claim.care_on < candidate.born_on as is_unborn
    from claim
    inner join candidate on claim.region_code = candidate.region_code and claim.person_no = candidate.person_no
    where
        claim.is_dated and claim.care_on < candidate.born_on
        or candidate.employed_on < candidate.of_age_on
        and claim.care_on >= candidate.employed_on
        and claim.care_on < candidate.of_age_on
),

found as (
    select
        region_code,
        'S30'::text as rule_code,
        {{ hidden_key(['person_no']) }} as finding_key,
        min(institution_code) as institution_code,
        max(works_for) as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) as amount,
        min(care_on) as first_on,
        max(care_on) as last_on,
        concat_ws(
            '；',
            case when bool_or(is_unborn) then format('%s 出生，此前的服务 %s 笔', max(born_on), count(*) filter (where is_unborn)) end,
            case
                when bool_or(not is_unborn)
                    then
                        format(
                            '%s 出生，%s 起以职工参保，未满 %s 周岁，其间待遇 %s 笔', max(born_on), max(employed_on), round(max(age_min)),
                            count(*) filter (where not is_unborn)
                        )
            end
        ) as said_zh,
        concat_ws(
            '; ',
            case
                when bool_or(is_unborn)
                    then format('born on %s, %s claims for care before', max(born_on), count(*) filter (where is_unborn))
            end,
            case
                when bool_or(not is_unborn)
                    then
                        format(
                            'born on %s, insured as staff from %s on, below the age of %s, %s claims meanwhile', max(born_on),
                            max(employed_on), round(max(age_min)), count(*) filter (where not is_unborn)
                        )
            end
        ) as said_en
    from judged
    group by region_code, person_no
)

{{ monitoring_found('found') }}
