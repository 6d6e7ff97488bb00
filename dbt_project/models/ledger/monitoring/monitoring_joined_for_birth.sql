with limits as (
    {{ monitoring_limits('S08', ['same_birth_days', 'birth_leave_days', 'joined_days', 'left_days', 'bridged_days', 'opening_share']) }}
),

birth_claim as (
    {{ monitored_claim(is_birth_claim()) }}
),

birth as (
    {{ monitored_birth() }}
),

enrolled as (
    select
        spell.region_code,
        spell.person_no,
        range_agg(daterange(spell.from_on, (spell.until_on + limits.bridged_days::integer))) as days
    from (
        {{ monitored_spell('birth') }}
    ) as spell
    inner join limits on spell.region_code = limits.region_code
    where spell.enrollment_category = 'employee'
    group by spell.region_code, spell.person_no
),

around as (
    select
        birth.*,
        lower(part.days) as joined_on,
        (upper(part.days) - limits.bridged_days::integer) as left_on,
        limits.joined_days,
        limits.left_days
    from birth
    inner join limits on birth.region_code = limits.region_code
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
            '生育前 %s 天参保（限 %s 天），待遇结算后 %s 天停保（限 %s 天），支付 %s 元', birth_on - joined_on, round(joined_days),
            left_on - settled_on, round(left_days), {{ yuan_text('amount') }}
        ) as said_zh,
        format(
            'enrolled %s days before the birth (limit %s), gone %s days after the claim (limit %s), %s yuan', birth_on - joined_on,
            round(joined_days), left_on - settled_on, round(left_days), {{ yuan_text('amount') }}
        ) as said_en
    from around
    where birth_on - joined_on < joined_days and left_on > birth_on and left_on - settled_on <= left_days
)

{{ monitoring_found('found') }}
