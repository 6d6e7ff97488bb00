{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[
        {'columns': ['region_code', 'claim_no', 'batch_id']},
        {'columns': ['region_code', 'settled_month', 'institution_code']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

-- All of it from the log: one watermark takes settlements and payments alike, also where the journal waits for a posting rule.
with event as (
    select * from {{ source('events', 'event') }}
    where
        {{ pending(ref('built_head'), 'last_seq', 'seq') }}
        and event_type in (
            'claim.settled', 'claim.paid', 'advance.offset', 'claim.reversed', 'claim.recovered', 'return.written_back'
        )
),

part as (
    select
        event.region_code,
        event.batch_id,
        event.seq,
        event.event_type,
        event.institution_code,
        date_trunc('month', event.occurred_on::timestamp)::date as occurred_month,
        -- A correction belongs to the claim of the payment that it corrects, whatever its own row says.
        coalesce(corrected.claim_no, event.claim_no) as claim_no,
        coalesce(corrected.settlement_kind, event.settlement_kind, 'case') = 'deposit_release' as is_release,
        event.event_type in ('claim.paid', 'advance.offset', 'claim.reversed') as is_payment,
        event.event_type in ('claim.recovered', 'return.written_back') as is_taken_back,
        case event.event_type when 'claim.reversed' then -1 else 1 end as sign,
        coalesce(event.deposit_withheld_amount, 0) as withheld_amount,
        coalesce(
            case event.event_type
                when 'claim.reversed' then corrected.pooled_amount
                when 'return.written_back' then case when event.sub_fund = 'pooled' then event.amount end
                else event.pooled_amount
            end, 0
        ) as pooled_amount,
        coalesce(
            case event.event_type
                when 'claim.reversed' then corrected.personal_account_amount
                when 'return.written_back' then case when event.sub_fund = 'personal' then event.amount end
                else event.personal_account_amount
            end, 0
        ) as personal_amount
    from event
    {{ join_corrected('event') }}
),

batched as (
    select
        region_code,
        claim_no,
        batch_id,
        max(seq) as last_seq,
        min(seq) filter (where event_type = 'claim.settled') as settled_seq,
        (array_agg(occurred_month order by seq) filter (where event_type = 'claim.settled'))[1] as settled_month,
        (array_agg(institution_code order by seq) filter (where event_type = 'claim.settled'))[1] as institution_code,
        coalesce(sum(pooled_amount) filter (where event_type = 'claim.settled'), 0) as settled_pooled_amount,
        coalesce(sum(personal_amount) filter (where event_type = 'claim.settled'), 0) as settled_personal_amount,
        coalesce(sum(withheld_amount) filter (where event_type = 'claim.settled'), 0) as withheld_amount,
        coalesce(sum(sign * pooled_amount) filter (where is_payment), 0) as paid_pooled_amount,
        coalesce(sum(sign * personal_amount) filter (where is_payment), 0) as paid_personal_amount,
        coalesce(sum(sign * pooled_amount) filter (where is_payment and is_release), 0) as released_amount,
        coalesce(sum(pooled_amount) filter (where is_taken_back), 0) as taken_back_pooled_amount,
        coalesce(sum(personal_amount) filter (where is_taken_back), 0) as taken_back_personal_amount
    from part
    where claim_no is not null
    group by region_code, claim_no, batch_id
),

touched as (
    select distinct region_code, claim_no from batched
),

earlier as (
    select
        touched.region_code,
        touched.claim_no,
        {% if is_incremental() -%}
            own.settled_seq, own.settled_month, own.institution_code, own.owed_pooled, own.owed_personal
        {%- else -%}
            null::bigint as settled_seq, null::date as settled_month, null::text as institution_code, 0 as owed_pooled, 0 as owed_personal
        {%- endif %}
    from touched
    {% if is_incremental() -%}
        cross join lateral (
            select
                min(held.settled_seq) as settled_seq,
                min(held.settled_month) as settled_month,
                min(held.institution_code) as institution_code,
                sum(held.settled_pooled_amount - held.withheld_amount - held.paid_pooled_amount + held.released_amount) as owed_pooled,
                sum(held.settled_personal_amount - held.paid_personal_amount) as owed_personal
            from {{ this }} as held
            where
                held.region_code = touched.region_code and held.claim_no = touched.claim_no{{ before_audited('held.last_seq') }}
        ) as own
    {%- endif %}
),

-- The first settlement recorded says in which month and for whom the claim is waited for, for good.
running as (
    select
        batched.*,
        coalesce(earlier.settled_seq, min(batched.settled_seq) over so_far) as known_settled_seq,
        coalesce(
            earlier.settled_month, (array_agg(batched.settled_month) filter (where batched.settled_seq is not null) over so_far)[1]
        ) as known_month,
        case
            when earlier.settled_seq is not null then earlier.institution_code
            else (array_agg(batched.institution_code) filter (where batched.settled_seq is not null) over so_far)[1]
        end as known_institution_code,
        coalesce(earlier.owed_pooled, 0) + sum(
            batched.settled_pooled_amount - batched.withheld_amount - batched.paid_pooled_amount + batched.released_amount
        ) over so_far as owed_pooled,
        coalesce(earlier.owed_personal, 0) + sum(batched.settled_personal_amount - batched.paid_personal_amount) over so_far
            as owed_personal
    from batched
    inner join earlier on batched.region_code = earlier.region_code and batched.claim_no = earlier.claim_no
    window so_far as (partition by batched.region_code, batched.claim_no order by batched.batch_id)
),

-- What is owed of either part; what one part was paid too much settles nothing of the other. What was recovered or written back is
-- not owed again, a reversed payment is; a deposit kept back is not yet owed.
owing as (
    select
        *,
        greatest(owed_pooled, 0) + greatest(owed_personal, 0) as unpaid_amount,
        greatest(
            owed_pooled - settled_pooled_amount + withheld_amount + paid_pooled_amount - released_amount, 0
        ) + greatest(owed_personal - settled_personal_amount + paid_personal_amount, 0) as unpaid_before
    from running
)

select
    region_code,
    claim_no,
    batch_id,
    last_seq,
    known_settled_seq as settled_seq,
    known_month as settled_month,
    known_institution_code as institution_code,
    settled_pooled_amount::numeric(18, 2) as settled_pooled_amount,
    settled_personal_amount::numeric(18, 2) as settled_personal_amount,
    withheld_amount::numeric(18, 2) as withheld_amount,
    paid_pooled_amount::numeric(18, 2) as paid_pooled_amount,
    paid_personal_amount::numeric(18, 2) as paid_personal_amount,
    released_amount::numeric(18, 2) as released_amount,
    taken_back_pooled_amount::numeric(18, 2) as taken_back_pooled_amount,
    taken_back_personal_amount::numeric(18, 2) as taken_back_personal_amount,
    (unpaid_amount - unpaid_before)::numeric(18, 2) as unpaid_change
from owing
-- A sort by what nothing above is sorted by: all look-ups into this table are done before its first new row. A table that was empty or
-- small when the build began is read through for each claim, and would grow under them.
order by last_seq
