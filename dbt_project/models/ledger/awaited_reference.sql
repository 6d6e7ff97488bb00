{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[{'columns': ['region_code', 'last_seq']}]
) }}

-- Only what is missing is kept: a row depends on its batch and on what was recorded up to the batch's end, so that a rebuild, whatever
-- its increments, finds the same rows. What has come since is looked up by whoever asks. One row a batch says that it was looked
-- through: without it a region whose references are all right would be read from its last fault on, every day.
with event as (
    select * from {{ source('events', 'event') }}
    where
        {{ pending(ref('built_head'), 'last_seq', 'seq') }}
        and (family <> 'registration' or employer_no is not null)
        and (person_no is not null or employer_no is not null or event_type in ('claim.paid', 'advance.offset'))
),

-- Joined here, where the planner knows how many events a batch has: after the grouping it would expect a row or two, and compare every
-- reference with every other.
placed as (
    select
        event.*,
        batch.last_seq as batch_end,
        region.merger_date
    from event
    inner join {{ source('events', 'batch') }} as batch on event.region_code = batch.region_code and event.batch_id = batch.batch_id
    -- the version known when the batch was recorded, so that a later one leaves what a rebuild finds as it is
    left join {{ ref('stg_region') }} as region
        on
            batch.region_code = region.region_code
            and (batch.recorded_at at time zone 'Asia/Shanghai')::date >= region.known_from
            and (batch.recorded_at at time zone 'Asia/Shanghai')::date < region.known_until
),

money as (
    select
        region_code, batch_id, batch_end, merger_date,
        seq, event_type, family, occurred_on, claim_no, person_no, employer_no, insurance_type,
        coalesce(pooled_amount, 0) as pooled_amount,
        coalesce(account_holder_no, person_no) as holder_no,
        coalesce(settlement_kind, 'case') as settlement_kind,
        coalesce(pooled_amount, 0) + coalesce(personal_account_amount, 0) + coalesce(employer_amount, 0) + coalesce(personal_amount, 0)
        + coalesce(amount, 0) as amount,
        event_type in ('claim.settled', 'contribution.assessed') as is_stated,
        least(admitted_on, service_on, discharged_on) as served_from,
        greatest(admitted_on, service_on, discharged_on) as served_until
    from placed
),

wanted as (
    select
        region_code, batch_id, batch_end, merger_date,
        'settlement' as reference_kind, claim_no as reference_no, claim_no, insurance_type,
        seq, is_stated, amount, occurred_on, occurred_on as served_from, occurred_on as served_until
    from money
    where event_type in ('claim.paid', 'advance.offset') and claim_no is not null
    union all
    -- the pool pays for who is enrolled; a personal account may be used up after the enrolment has ended
    select
        region_code, batch_id, batch_end, merger_date,
        'enrollment', person_no, claim_no, insurance_type,
        seq, is_stated, amount, occurred_on, coalesce(served_from, occurred_on), coalesce(served_until, occurred_on)
    from money
    where
        event_type in ('claim.settled', 'claim.paid', 'advance.offset')
        and settlement_kind in ('case', 'deposit_release') and person_no is not null and pooled_amount > 0
    union all
    select
        region_code, batch_id, batch_end, merger_date,
        'person', case when family = 'claim' then holder_no else person_no end, null, null,
        seq, is_stated, amount, occurred_on, occurred_on as served_from, occurred_on as served_until
    from money
    where
        person_no is not null and family <> 'registration'
        and (family <> 'claim' or (event_type in ('claim.settled', 'claim.paid', 'advance.offset') and amount > pooled_amount))
    union all
    select
        region_code, batch_id, batch_end, merger_date,
        'employer', employer_no, null, null,
        seq, is_stated, amount, occurred_on, occurred_on as served_from, occurred_on as served_until
    from money
    where employer_no is not null and event_type not like 'employer.%'
),

reference as (
    select
        region_code, reference_kind, reference_no, claim_no, batch_id,
        max(batch_end) as batch_end,
        max(merger_date) as merger_date,
        min(seq) as first_seq,
        max(seq) as last_seq,
        count(*) as event_count,
        min(occurred_on) as occurred_on,
        max(insurance_type) as insurance_type,
        min(served_from) as served_from,
        max(served_until) as served_until,
        -- what is stated and then moved is one amount
        coalesce(greatest(sum(amount) filter (where is_stated), sum(amount) filter (where not is_stated)), 0) as amount
    from wanted
    group by region_code, reference_kind, reference_no, claim_no, batch_id
),

registered as (
    select
        region_code, person_no, seq, event_type, insurance_type, enrollment_category, employer_no, occurred_on,
        bool_or(event_type = 'enrollment.ended') over (partition by region_code, person_no) as has_end
    from {{ source('events', 'event') }}
    where
        family = 'registration'
        and (region_code, person_no) in (
            select reference.region_code, reference.reference_no from reference
            where reference.reference_kind in ('enrollment', 'person')
        )
),

answered as (
    select asked.region_code, asked.reference_kind, asked.reference_no, asked.claim_no, asked.batch_id
    from reference as asked
    inner join {{ ref('claim_turnover') }} as claim
        on asked.region_code = claim.region_code and asked.reference_no = claim.claim_no and asked.batch_end >= claim.settled_seq
    where asked.reference_kind = 'settlement'
    union
    select asked.region_code, asked.reference_kind, asked.reference_no, asked.claim_no, asked.batch_id
    from reference as asked
    inner join registered
        on
            asked.region_code = registered.region_code
            and asked.reference_no = registered.person_no
            and asked.batch_end >= registered.seq
    where asked.reference_kind = 'person'
    union
    select asked.region_code, asked.reference_kind, asked.reference_no, asked.claim_no, asked.batch_id
    from reference as asked
    inner join {{ source('events', 'event') }} as employer
        on
            asked.region_code = employer.region_code
            and asked.reference_no = employer.employer_no
            and asked.batch_end >= employer.seq
            and employer.family = 'registration'
            and employer.event_type = 'employer.registered'
    where asked.reference_kind = 'employer'
    union
    select asked.region_code, asked.reference_kind, asked.reference_no, asked.claim_no, asked.batch_id
    from reference as asked
    inner join registered as started
        on
            asked.region_code = started.region_code
            and asked.reference_no = started.person_no
            and asked.batch_end >= started.seq
            and asked.served_until >= started.occurred_on
            and started.event_type in ('enrollment.started', 'enrollment.changed')
            -- what the maternity insurance paid, the medical insurance pays from the merger on
            and (
                asked.insurance_type = started.insurance_type
                or (asked.insurance_type = '510' and started.insurance_type = '310' and asked.served_until >= asked.merger_date)
            )
    where
        asked.reference_kind = 'enrollment'
        and (
            not started.has_end
            or not exists (
                -- by index: the CTE would be read through for every start
                select 1 from {{ source('events', 'event') }} as ended
                where
                    ended.region_code = started.region_code
                    and ended.person_no = started.person_no
                    and ended.family = 'registration'
                    and ended.event_type = 'enrollment.ended'
                    and ended.insurance_type = started.insurance_type
                    and ended.enrollment_category = started.enrollment_category
                    and ended.employer_no is not distinct from started.employer_no
                    and (ended.occurred_on, ended.seq) > (started.occurred_on, started.seq)
                    and ended.seq <= asked.batch_end
                    and ended.occurred_on < asked.served_from
            )
        )
),

missing as (
    select asked.*
    from reference as asked
    left join answered
        on
            asked.region_code = answered.region_code
            and asked.reference_kind = answered.reference_kind
            and asked.reference_no = answered.reference_no
            and asked.claim_no is not distinct from answered.claim_no
            and asked.batch_id = answered.batch_id
    where answered.region_code is null
),

counted as (
    select region_code, batch_id, count(*) as reference_count
    from reference
    group by region_code, batch_id
),

built as (
    select region_code, batch_id, first_seq, last_seq
    from {{ source('events', 'batch') }}
    where {{ pending(ref('built_head'), 'last_seq', 'last_seq') }}
),

looked_through as (
    select
        built.region_code, built.batch_id, built.first_seq, built.last_seq,
        coalesce(counted.reference_count, 0) as reference_count
    from built
    left join counted on built.region_code = counted.region_code and built.batch_id = counted.batch_id
)

select
    region_code,
    reference_kind,
    reference_no,
    claim_no,
    batch_id,
    first_seq,
    last_seq,
    event_count,
    occurred_on,
    insurance_type,
    served_from,
    served_until,
    amount::numeric(18, 2) as amount
from missing
union all
select
    region_code, 'examined', '-', null, batch_id, first_seq, last_seq, reference_count, null, null, null, null, 0::numeric(18, 2)
from looked_through
