-- Enrolled or insured after the fact. What was known is what had been published: files of one delivery come in any order.
with limits as (
    {{ monitoring_limits('S27', [
        'same_birth_days', 'birth_leave_days', 'backdated_days', 'min_late_months', 'opening_days', 'opening_share'
    ]) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

-- the head with which the first claim of a birth came out
claimed as (
    select
        birth.*,
        first_claim.settled_on as claimed_on,
        first_out.seq as known_seq,
        limits.seq as head_seq,
        limits.backdated_days,
        limits.min_late_months,
        limits.opening_on + limits.opening_days::integer as opened_on
    from birth
    inner join limits on {{ with_limits('birth') }}
    cross join
        lateral (
            select
                min(part.settled_on) as settled_on,
                min(part.seq) as seq
            from birth_claim as part
            where part.region_code = birth.region_code and part.person_no = birth.person_no and part.claim_no = any(birth.claims)
        ) as first_claim
    left join lateral (
        select min(out.seq) as seq
        from {{ source('publication', 'publication') }} as out
        where out.region_code = birth.region_code and out.seq >= first_claim.seq
    ) as first_out on true
),

-- Not one month was paid for by the birth, and several before it were afterwards. One pass over the premiums: a look-up of each
-- birth has no index.
premium as (
    select
        claimed.region_code,
        claimed.person_no,
        claimed.birth_no,
        count(distinct event.contribution_month) as late_months,
        min(event.contribution_month) as first_month
    from claimed
    inner join {{ source('events', 'event') }} as event
        on
            claimed.region_code = event.region_code
            and claimed.person_no = event.person_no
            and event.event_type = 'contribution.collected'
    where
        claimed.birth_on >= claimed.opened_on
        and event.contribution_month < date_trunc('month', claimed.birth_on::timestamp)
        and event.seq <= claimed.head_seq
    group by claimed.region_code, claimed.person_no, claimed.birth_no, claimed.birth_on
    having min(event.occurred_on) > claimed.birth_on
),

judged as (
    select
        claimed.*,
        started.occurred_on as started_on,
        premium.late_months,
        premium.first_month
    from claimed
    -- what her last word before the birth was when the claim came out: nothing, or an end
    left join lateral (
        select event.event_type
        from {{ source('events', 'event') }} as event
        where
            event.region_code = claimed.region_code
            and event.person_no = claimed.person_no
            and event.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
            and event.occurred_on <= claimed.birth_on
            and event.seq <= claimed.known_seq
        order by event.occurred_on desc, event.seq desc
        limit 1
    ) as then_known on true
    left join lateral (
        select min(event.occurred_on) as occurred_on
        from {{ source('events', 'event') }} as event
        where
            coalesce(then_known.event_type, 'enrollment.ended') = 'enrollment.ended'
            and event.region_code = claimed.region_code
            and event.person_no = claimed.person_no
            and event.event_type = 'enrollment.started'
            and event.occurred_on <= claimed.birth_on
            -- an enrolment of these days is on its way while the claim is settled
            and event.occurred_on < claimed.claimed_on - claimed.backdated_days::integer
            and event.seq > claimed.known_seq
            and event.seq <= claimed.head_seq
    ) as started on true
    left join premium
        on
            claimed.region_code = premium.region_code
            and claimed.person_no = premium.person_no
            and claimed.birth_no = premium.birth_no
),

found as (
    select
        region_code,
        'S27'::text as rule_code,
        {{ hidden_key(['person_no', 'birth_on']) }} as finding_key,
        institution_code,
        employer_no,
        array[person_no] as persons,
        claims,
        amount,
        coalesce(started_on, first_month) as first_on,
        birth_on as last_on,
        concat_ws(
            '；',
            case
                when started_on is not null
                    then format('待遇发布后才登记 %s 起参保，早于结算 %s 天（限 %s 天）', started_on, claimed_on - started_on, round(backdated_days))
            end,
            case
                when late_months >= min_late_months
                    then format('生育前 %s 个月的保费均在生育后缴纳（限 %s 个月）', late_months, round(min_late_months))
            end
        ) as said_zh,
        concat_ws(
            '; ',
            case
                when started_on is not null
                    then
                        format(
                            'enrolment from %s on was registered after the claim was published, %s days before the claim (limit %s)',
                            started_on, claimed_on - started_on, round(backdated_days)
                        )
            end,
            case
                when late_months >= min_late_months
                    then
                        format(
                            'premiums of all %s months before the birth were paid after it (limit %s)', late_months,
                            round(min_late_months)
                        )
            end
        ) as said_en
    from judged
    where started_on is not null or late_months >= min_late_months
)

{{ monitoring_found('found') }}
