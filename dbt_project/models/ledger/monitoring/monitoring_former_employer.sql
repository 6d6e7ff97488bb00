-- The employer that claims an allowance, whoever is paid: the one of the birth, or one that has taken its staff over since.
with limits as (
    {{ monitoring_limits('S20', ['left_days']) }}
),

allowance as (
    {{ monitored_claim("event.benefit_item = 'maternity_allowance'") }}
),

paid as (
    select
        event.region_code,
        event.claim_no,
        event.employer_no,
        min(event.occurred_on) as paid_on,
        sum(coalesce(event.pooled_amount, 0)) as amount
    from limits
    inner join {{ source('events', 'event') }} as event
        on
            limits.region_code = event.region_code
            and coalesce(limits.seq >= event.seq and limits.since <= event.occurred_on, false)
    where
        event.event_type = 'claim.paid'
        and event.benefit_item = 'maternity_allowance'
        and event.payee_type = 'employer'
        and event.employer_no is not null
        and {{ not_reversed('event', 'limits.seq') }}
    group by event.region_code, event.claim_no, event.employer_no
),

-- a payment does not always repeat the day of the birth: asked of the claim as it was settled
claimed as (
    select
        allowance.region_code,
        allowance.claim_no,
        allowance.person_no,
        coalesce(paid.employer_no, allowance.employer_no) as employer_no,
        coalesce(allowance.care_on, allowance.settled_on) as due_on,
        coalesce(paid.paid_on, allowance.settled_on) as paid_on,
        coalesce(paid.amount, allowance.pooled_amount) as amount,
        paid.employer_no is not null as is_paid_to_employer
    from allowance
    left join paid on allowance.region_code = paid.region_code and allowance.claim_no = paid.claim_no
),

spell as (
    {{ monitored_spell('claimed') }}
),

employed as (
    select
        region_code,
        person_no,
        employer_no,
        range_agg(daterange(from_on, until_on)) as days,
        min(from_on) as joined_on,
        max(coalesce(until_on, 'infinity'::date)) as left_on
    from spell
    where enrollment_category = 'employee'
    group by region_code, person_no, employer_no
),

closed as (
    {{ monitored_closed_employer() }}
),

-- as what she was enrolled on the day; who holds two enrolments is an employee where one of them is
category as (
    select distinct on (claimed.region_code, claimed.claim_no)
        claimed.region_code,
        claimed.claim_no,
        spell.enrollment_category
    from claimed
    inner join spell
        on
            claimed.region_code = spell.region_code
            and claimed.person_no = spell.person_no
            and claimed.due_on >= spell.from_on
            and coalesce(claimed.due_on < spell.until_on, true)
    order by
        claimed.region_code asc, claimed.claim_no asc, spell.enrollment_category = 'employee' desc, spell.enrollment_category asc
),

compared as (
    select
        claimed.*,
        employed.left_on,
        closed.closed_on,
        limits.left_days,
        category.enrollment_category,
        case
            when category.enrollment_category <> 'employee' then 'category'
            when claimed.employer_no is null then null
            when closed.closed_on <= claimed.due_on then 'closed'
            when employed.days is null or employed.joined_on > claimed.due_on then 'elsewhere'
            when employed.left_on + limits.left_days::integer <= claimed.due_on then 'left'
        end as kind
    from claimed
    inner join limits on {{ with_limits('claimed') }}
    left join employed
        on
            claimed.region_code = employed.region_code
            and claimed.person_no = employed.person_no
            and claimed.employer_no = employed.employer_no
    left join closed on claimed.region_code = closed.region_code and claimed.employer_no = closed.employer_no
    left join category on claimed.region_code = category.region_code and claimed.claim_no = category.claim_no
    where
        -- nobody's enrolment at all is the matter of another rule
        exists (
            select from spell as known
            where known.region_code = claimed.region_code and known.person_no = claimed.person_no
        )
),

found as (
    select
        region_code,
        'S20'::text as rule_code,
        {{ hidden_key(['claim_no', 'employer_no']) }} as finding_key,
        null::text as institution_code,
        employer_no,
        array[person_no] as persons,
        array[claim_no] as claims,
        amount,
        due_on as first_on,
        paid_on as last_on,
        format(
            '津贴 %s 元%s，生育日 %s 时%s', {{ yuan_text('amount') }}, case when is_paid_to_employer then '支付给单位' else '由单位申领' end,
            due_on,
            case kind
                when 'category' then '该人不以职工身份参保（' || enrollment_category || '）'
                when 'closed' then '单位已于 ' || closed_on || ' 注销'
                when 'left' then '该人已于 ' || left_on || ' 离职（宽限 ' || round(left_days) || ' 天）'
                else '该人不在该单位参保'
            end
        ) as said_zh,
        format(
            'allowance of %s yuan, %s; on the day of the birth, %s, %s', {{ yuan_text('amount') }},
            case when is_paid_to_employer then 'paid to an employer' else 'claimed for an employer' end, due_on,
            case kind
                when 'category' then 'the person was not enrolled as an employee (' || enrollment_category || ')'
                when 'closed' then 'the employer was closed (since ' || closed_on || ')'
                when 'left' then 'the person had left it (' || left_on || ', grace ' || round(left_days) || ' days)'
                else 'the person was not enrolled with it'
            end
        ) as said_en
    from compared
    where
        kind is not null
        -- who takes staff over after the birth claims in the place of the former employer
        and not (
            kind = 'elsewhere'
            and exists (
                select
                from employed as former
                inner join employed as successor on former.region_code = successor.region_code and former.person_no = successor.person_no
                where
                    former.region_code = compared.region_code
                    and former.person_no = compared.person_no
                    and former.employer_no <> compared.employer_no
                    and successor.employer_no = compared.employer_no
                    and former.days @> compared.due_on
                    and successor.joined_on <= former.left_on + compared.left_days::integer
                    and successor.joined_on <= compared.paid_on
                    and successor.left_on + compared.left_days::integer > compared.paid_on
            )
        )
)

{{ monitoring_found('found') }}
