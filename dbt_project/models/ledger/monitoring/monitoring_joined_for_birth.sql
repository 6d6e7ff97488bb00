-- noqa: disable=ST05
with limits as (
    {{ monitoring_limits('S08', [
        'same_birth_days', 'birth_leave_days', 'joined_days', 'left_days', 'bridged_days', 'opening_share', 'unpaid_months'
    ]) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

{{ bridged_employment() }},

around as (
    select
        birth.*,
        lower(part.days) as joined_on,
        (upper(part.days) - limits.bridged_days::integer) as ended_on,
        limits.joined_days,
        limits.left_days,
        limits.unpaid_months,
        limits.seq
    from birth
    inner join limits on {{ with_limits('birth') }}
    inner join enrolled on birth.region_code = enrolled.region_code and birth.person_no = enrolled.person_no
    cross join
        lateral (
            select piece.days
            from unnest(enrolled.days) as piece (days)
            where lower(piece.days) <= birth.birth_on
            order by lower(piece.days) desc
            limit 1
        ) as part
    where birth.allowance_amount > 0 and lower(part.days) > limits.opening_on
),

newcomer as (
    select * from around
    where birth_on - joined_on < joined_days
),

-- What was refunded was not paid. One pass over the premiums: a look-up of each person has no index. Looked up in the newcomers and not
-- joined with them: taken for a single row, they would have the premiums read once each.
paid as (
    select
        monthly.region_code,
        monthly.person_no,
        max(monthly.contribution_month) as last_month
    from (
        select
            event.region_code,
            event.person_no,
            event.contribution_month
        from limits
        inner join {{ source('events', 'event') }} as event
            on limits.region_code = event.region_code and coalesce(limits.seq >= event.seq, false)
        where
            coalesce(
                event.event_type in ('contribution.collected', 'contribution.refunded')
                and (event.region_code, event.person_no) in (select newcomer.region_code, newcomer.person_no from newcomer),
                false
            )
        group by event.region_code, event.person_no, event.contribution_month
        having
            sum(
                case event.event_type when 'contribution.collected' then 1 else -1 end
                * (coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0))
            ) > 0
    ) as monthly
    group by monthly.region_code, monthly.person_no
),

newest as (
    select
        turned.region_code,
        max(turned.contribution_month) as last_month
    from limits
    inner join {{ ref('contribution_turnover') }} as turned
        on limits.region_code = turned.region_code and limits.seq >= turned.last_seq
    where turned.collected_amount > 0
    group by turned.region_code
),

-- Premiums that stop are a leaving of which nobody tells: as of the month after the last one paid for, when the region has since
-- collected those of several months more.
premium as (
    select
        newcomer.*,
        case
            when (paid.last_month + make_interval(months => newcomer.unpaid_months::integer))::date <= newest.last_month
                then (paid.last_month + interval '1 month')::date
        end as unpaid_from
    from newcomer
    left join paid on newcomer.region_code = paid.region_code and newcomer.person_no = paid.person_no
    left join newest on newcomer.region_code = newest.region_code
),

gone as (
    select
        premium.*,
        least(premium.ended_on, premium.unpaid_from) as left_on,
        premium.unpaid_from < coalesce(premium.ended_on, 'infinity'::date) as is_unpaid
    from premium
),

found as (
    select
        region_code,
        'S08'::text as rule_code,
        {{ hidden_key(['person_no', 'birth_on']) }} as finding_key,
        institution_code,
        employer_no,
        array[person_no] as persons,
        claims,
        amount,
        joined_on as first_on,
        left_on as last_on,
        format(
            '生育前 %s 天参保（限 %s 天），待遇结算后 %s 天%s（限 %s 天），支付 %s 元', birth_on - joined_on, round(joined_days),
            left_on - settled_on, case when is_unpaid then '起不再缴费' else '停保' end, round(left_days), {{ yuan_text('amount') }}
        ) as said_zh,
        format(
            'enrolled %s days before the birth (limit %s), %s %s days after the claim (limit %s), %s yuan', birth_on - joined_on,
            round(joined_days), case when is_unpaid then 'no premiums from' else 'gone' end, left_on - settled_on, round(left_days),
            {{ yuan_text('amount') }}
        ) as said_en
    from gone
    -- who was no more enrolled at the birth is the matter of another rule
    where (left_on > birth_on or is_unpaid and coalesce(ended_on > birth_on, true)) and left_on - settled_on <= left_days
)

{{ monitoring_found('found') }}
