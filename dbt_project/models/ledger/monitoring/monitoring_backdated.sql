-- noqa: disable=ST05
-- Enrolled or insured after the fact. What was known is what had been published; and, whatever is published at once, what a source had
-- told of when it had long come to days after the birth.
with limits as (
    {{ monitoring_limits('S27', [
        'same_birth_days', 'birth_leave_days', 'backdated_days', 'min_late_months', 'opening_days', 'opening_share',
        'min_refunded_months'
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
        limits.min_refunded_months,
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

told as materialized (
    {{ enrollment_told('limits') }}
),

-- One pass over the premiums: a look-up of each birth has no index. Looked up in the births and not joined with them: taken for a
-- single row, they would have the premiums read once each.
paid as materialized (
    select
        event.region_code,
        event.person_no,
        event.event_type,
        event.contribution_month,
        event.occurred_on,
        coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) as amount
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and coalesce(limits.seq >= event.seq, false)
    where
        coalesce(
            event.event_type in ('contribution.collected', 'contribution.refunded')
            and (event.region_code, event.person_no) in (select claimed.region_code, claimed.person_no from claimed),
            false
        )
),

-- what another payment of the month makes up for is not refunded
month_paid as (
    select
        claimed.region_code,
        claimed.person_no,
        claimed.birth_no,
        claimed.birth_on,
        claimed.opened_on,
        paid.contribution_month,
        min(paid.occurred_on) filter (where paid.event_type = 'contribution.collected') as paid_on,
        max(paid.occurred_on) filter (where paid.event_type = 'contribution.refunded') as refunded_on,
        sum(case paid.event_type when 'contribution.collected' then 1 else -1 end * paid.amount) as amount
    from claimed
    inner join paid on {{ with_limits('claimed', 'paid') }} and claimed.person_no = paid.person_no
    where paid.contribution_month < date_trunc('month', claimed.birth_on::timestamp)
    group by
        claimed.region_code, claimed.person_no, claimed.birth_no, claimed.birth_on, claimed.opened_on, paid.contribution_month
),

-- not one month was paid for by the birth, and several before it were afterwards; or several that were have been given back since
premium as (
    select
        region_code,
        person_no,
        birth_no,
        case
            when birth_on >= opened_on and min(paid_on) > birth_on then count(*) filter (where paid_on is not null)
        end as late_months,
        count(*) filter (where amount <= 0 and refunded_on > birth_on) as refunded_months,
        min(contribution_month) as first_month
    from month_paid
    group by region_code, person_no, birth_no, birth_on, opened_on
),

judged as (
    select
        claimed.*,
        started.occurred_on as published_from_on,
        backdated.occurred_on as told_from_on,
        backdated.told_before,
        coalesce(started.occurred_on, backdated.occurred_on) as started_on,
        premium.late_months,
        premium.refunded_months,
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
    -- registered in a batch before which its source had told of days long after the birth, and then nobody had known her as enrolled
    left join lateral (
        select
            event.occurred_on,
            told.told_before
        from {{ source('events', 'event') }} as event
        inner join told on event.region_code = told.region_code and event.batch_id = told.batch_id
        left join lateral (
            select before.event_type
            from {{ source('events', 'event') }} as before
            where
                before.region_code = event.region_code
                and before.person_no = event.person_no
                and before.event_type in ('enrollment.started', 'enrollment.changed', 'enrollment.ended')
                and before.occurred_on <= claimed.birth_on
                and before.seq < told.first_seq
            order by before.occurred_on desc, before.seq desc
            limit 1
        ) as earlier on true
        where
            event.region_code = claimed.region_code
            and event.person_no = claimed.person_no
            and event.event_type = 'enrollment.started'
            and event.occurred_on <= claimed.birth_on
            and event.seq <= claimed.head_seq
            and told.told_before > claimed.birth_on + claimed.backdated_days::integer
            and coalesce(earlier.event_type, 'enrollment.ended') = 'enrollment.ended'
        order by event.occurred_on asc, event.seq asc
        limit 1
    ) as backdated on true
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
                when published_from_on is not null
                    then format('待遇发布后才登记 %s 起参保，早于结算 %s 天（限 %s 天）', started_on, claimed_on - started_on, round(backdated_days))
                when told_from_on is not null
                    then
                        format(
                            '来源系统报至 %s 之后才补登 %s 起参保，其时生育已过 %s 天（限 %s 天）', told_before, told_from_on,
                            told_before - birth_on, round(backdated_days)
                        )
            end,
            case
                when late_months >= min_late_months
                    then format('生育前 %s 个月的保费均在生育后缴纳（限 %s 个月）', late_months, round(min_late_months))
            end,
            case
                when refunded_months >= min_refunded_months
                    then format('生育前 %s 个月的保费在生育后退回（限 %s 个月）', refunded_months, round(min_refunded_months))
            end
        ) as said_zh,
        concat_ws(
            '; ',
            case
                when published_from_on is not null
                    then
                        format(
                            'enrolment from %s on was registered after the claim was published, %s days before the claim (limit %s)',
                            started_on, claimed_on - started_on, round(backdated_days)
                        )
                when told_from_on is not null
                    then
                        format(
                            'enrolment from %s on was registered after the source had told of days up to %s, %s days after the birth'
                            ' (limit %s)',
                            told_from_on, told_before, told_before - birth_on, round(backdated_days)
                        )
            end,
            case
                when late_months >= min_late_months
                    then
                        format(
                            'premiums of all %s months before the birth were paid after it (limit %s)', late_months,
                            round(min_late_months)
                        )
            end,
            case
                when refunded_months >= min_refunded_months
                    then
                        format(
                            'premiums of %s months before the birth were refunded after it (limit %s)', refunded_months,
                            round(min_refunded_months)
                        )
            end
        ) as said_en
    from judged
    where started_on is not null or late_months >= min_late_months or refunded_months >= min_refunded_months
)

{{ monitoring_found('found') }}
