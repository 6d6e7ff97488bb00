-- What should have led to lines and has not: the rule or account it lacks, or a batch before it that waits for one.
with leg as (
    select
        region_code,
        event_seq,
        min(problem) as problem,
        coalesce(sum(abs(amount)) / 2, 0)::numeric(18, 2) as amount
    from {{ ref('posting_leg') }}
    group by region_code, event_seq
),

head as (
    select region_code, max(seq) as seq
    from {{ ref('built_head') }}
    group by region_code
)

select
    leg.region_code,
    leg.event_seq,
    event.event_type,
    event.occurred_on,
    event.batch_id,
    batch.file_id,
    event.line_no,
    event.source_system,
    event.source_event_key,
    leg.amount,
    coalesce(leg.problem, 'not in the journal: an earlier event of the region, or of its batch, waits') as problem
from leg
inner join {{ source('events', 'event') }} as event
    on leg.region_code = event.region_code and leg.event_seq = event.seq
inner join {{ source('events', 'batch') }} as batch
    on event.region_code = batch.region_code and event.batch_id = batch.batch_id
inner join head
    on leg.region_code = head.region_code and leg.event_seq <= head.seq
where
    leg.problem is not null
    or (
        leg.amount <> 0
        and not exists (
            select 1 from {{ ref('journal_line') }} as line
            where line.region_code = leg.region_code and line.event_seq = leg.event_seq
        )
    )
