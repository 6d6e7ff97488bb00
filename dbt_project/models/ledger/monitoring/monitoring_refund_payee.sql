with limits as (
    {{ monitoring_limits('S17', ['tolerance']) }}
),

refund as (
    select
        event.*,
        coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) as amount_back,
        limits.seq as head_seq,
        limits.tolerance
    from limits
    inner join {{ source('events', 'event') }} as event
        on limits.region_code = event.region_code and limits.seq >= event.seq and limits.since <= event.occurred_on
    where event.event_type = 'contribution.refunded'
),

compared as (
    select
        refund.*,
        collected.seq as collected_seq,
        collected.employer_no as payer_no,
        collected.person_no as insured_no,
        coalesce(collected.employer_amount, 0) + coalesce(collected.personal_amount, 0) as collected_amount,
        collected.tax_voucher_no as collected_voucher_no,
        sum(refund.amount_back) over (partition by refund.region_code, refund.original_seq) as all_back
    from refund
    left join {{ source('events', 'event') }} as collected
        on refund.region_code = collected.region_code and refund.original_seq = collected.seq
),

-- a refund has a voucher of its own; one under which another had paid is not
borrowed as (
    select distinct
        compared.region_code,
        compared.seq
    from compared
    inner join {{ source('events', 'event') }} as paid
        on
            compared.region_code = paid.region_code
            and compared.tax_voucher_no = paid.tax_voucher_no
            and compared.head_seq >= paid.seq
    where
        paid.event_type = 'contribution.collected'
        and compared.tax_voucher_no <> compared.collected_voucher_no
        and coalesce(paid.employer_no, paid.person_no) <> coalesce(compared.payer_no, compared.insured_no)
),

judged as (
    select
        compared.*,
        array_remove(array[
            case when compared.collected_seq is null then '没有原缴费 / no payment behind it' end,
            case
                when
                    compared.employer_no is distinct from compared.payer_no and compared.collected_seq is not null
                    then '退给其他单位 / to another employer'
            end,
            case when compared.person_no <> compared.insured_no then '退给其他人员 / to another person' end,
            case when borrowed.seq is not null then '税票号属于其他缴费人 / tax voucher of another payer' end,
            case when compared.all_back > compared.collected_amount + compared.tolerance then '退费超过缴费 / more than was paid' end
        ], null) as reasons
    from compared
    left join borrowed on compared.region_code = borrowed.region_code and compared.seq = borrowed.seq
),

found as (
    select
        region_code,
        'S17'::text as rule_code,
        {{ hidden_key(['source_system', 'source_event_key']) }} as finding_key,
        null::text as institution_code,
        employer_no,
        array_remove(array[person_no, nullif(insured_no, person_no)], null) as persons,
        '{}'::text[] as claims,
        amount_back as amount,
        occurred_on as first_on,
        occurred_on as last_on,
        format(
            '退费 %s 元，原缴费 %s 元：%s', {{ yuan_text('amount_back') }}, {{ yuan_text('coalesce(collected_amount, 0)') }},
            (select string_agg(split_part(part.said, ' / ', 1), '；') from unnest(judged.reasons) as part (said))
        ) as said_zh,
        format(
            'refund of %s yuan, paid %s: %s', {{ yuan_text('amount_back') }}, {{ yuan_text('coalesce(collected_amount, 0)') }},
            (select string_agg(split_part(part.said, ' / ', 2), '; ') from unnest(judged.reasons) as part (said))
        ) as said_en
    from judged
    where cardinality(reasons) > 0 and amount_back > 0
)

{{ monitoring_found('found') }}
