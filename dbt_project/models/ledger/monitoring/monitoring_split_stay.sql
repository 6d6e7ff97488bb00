with limits as (
    {{ monitoring_limits('S03', ['readmitted_days', 'transfer_days', 'min_transfers']) }}
),

stay as (
    {{ monitored_claim("event.benefit_item in ('inpatient', 'maternity_complication', 'delivery_normal', 'delivery_assisted',"
        " 'delivery_caesarean') and event.institution_code is not null and event.admitted_on is not null"
        " and event.discharged_on is not null") }}
),

-- of one class of care: a complication after a birth is another
placed as (
    select
        stay.*,
        stay.admitted_on - lag(stay.discharged_on) over each_class as gap_days,
        limits.readmitted_days
    from stay
    inner join limits on {{ with_limits('stay') }}
    window each_class as (
        partition by
            stay.region_code, stay.person_no, stay.institution_code,
            case when stay.benefit_item like 'delivery%' then 'delivery' else stay.benefit_item end
        order by stay.admitted_on, stay.discharged_on, stay.claim_no
    )
),

chained as (
    select
        placed.*,
        placed.gap_days between 0 and placed.readmitted_days as is_readmission,
        count(*) filter (where (placed.gap_days between 0 and placed.readmitted_days) is not true) over (
            partition by
                placed.region_code, placed.person_no, placed.institution_code,
                case when placed.benefit_item like 'delivery%' then 'delivery' else placed.benefit_item end
            order by placed.admitted_on, placed.discharged_on, placed.claim_no
        ) as chain_no
    from placed
),

-- to and fro: from one institution into the next within days, again and again
moved as (
    select
        stay.*,
        stay.admitted_on - lag(stay.discharged_on) over each_person between 0 and limits.transfer_days
        and stay.institution_code <> lag(stay.institution_code) over each_person as is_transfer,
        limits.transfer_days,
        limits.min_transfers
    from stay
    inner join limits on {{ with_limits('stay') }}
    where stay.benefit_item = 'inpatient'
    window each_person as (
        partition by stay.region_code, stay.person_no order by stay.admitted_on, stay.discharged_on, stay.claim_no
    )
),

rotated as (
    select
        moved.*,
        count(*) filter (where moved.is_transfer is not true) over (
            partition by moved.region_code, moved.person_no order by moved.admitted_on, moved.discharged_on, moved.claim_no
        ) as chain_no
    from moved
),

found as (
    select
        region_code,
        'S03'::text as rule_code,
        {{ hidden_key(['person_no', 'institution_code', 'min(claim_no)']) }} as finding_key,
        institution_code,
        null::text as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) filter (where is_readmission) as amount,
        min(admitted_on) as first_on,
        max(discharged_on) as last_on,
        format(
            '%s 次住院，出院至再入院最长间隔 %s 天（限 %s 天），合计 %s 元', count(*), max(gap_days) filter (where is_readmission),
            round(max(readmitted_days)), {{ yuan_text('sum(amount)') }}
        ) as said_zh,
        format(
            '%s stays, at most %s days between discharge and admission (limit %s), %s yuan in all', count(*),
            max(gap_days) filter (where is_readmission), round(max(readmitted_days)), {{ yuan_text('sum(amount)') }}
        ) as said_en
    from chained
    group by
        region_code, person_no, institution_code, case when benefit_item like 'delivery%' then 'delivery' else benefit_item end, chain_no
    having count(*) > 1
    union all
    select
        region_code,
        'S03'::text as rule_code,
        {{ hidden_key(['person_no', "'rotated'", 'min(claim_no)']) }} as finding_key,
        min(institution_code) as institution_code,
        null::text as employer_no,
        array[person_no] as persons,
        array_agg(claim_no order by claim_no) as claims,
        sum(amount) filter (where is_transfer) as amount,
        min(admitted_on) as first_on,
        max(discharged_on) as last_on,
        format(
            '在 %s 家机构间轮转住院 %s 次，转院 %s 次（限 %s 次，间隔不超过 %s 天），合计 %s 元', count(distinct institution_code), count(*),
            count(*) filter (where is_transfer), round(max(min_transfers)), round(max(transfer_days)), {{ yuan_text('sum(amount)') }}
        ) as said_zh,
        format(
            '%s stays in turn in %s institutions, %s transfers (limit %s, within %s days each), %s yuan in all', count(*),
            count(distinct institution_code), count(*) filter (where is_transfer), round(max(min_transfers)),
            round(max(transfer_days)), {{ yuan_text('sum(amount)') }}
        ) as said_en
    from rotated
    group by region_code, person_no, chain_no
    -- who moves on, from one to the next, has not been passed to and fro
    having count(*) filter (where is_transfer) >= max(min_transfers) and count(distinct institution_code) < count(*)
)

{{ monitoring_found('found', recovered='whole') }}
