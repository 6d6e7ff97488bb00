-- What should have led to lines and has not: the rule or account it lacks, or a batch before it that waits for one. A region's
-- journal grows batch by batch up to where it stops, so nothing before its last line is looked at.
with head as (
    select
        built.region_code,
        max(built.seq) as seq,
        (
            select line.event_seq from {{ ref('journal_line') }} as line
            where line.region_code = built.region_code
            order by line.event_seq desc
            limit 1
        ) as journal_seq
    from {{ ref('built_head') }} as built
    group by built.region_code
),

leg as (
    select
        found.region_code,
        found.event_seq,
        min(found.problem) as problem,
        coalesce(sum(abs(found.amount)) / 2, 0)::numeric(18, 2) as amount
    from head
    inner join {{ ref('posting_leg') }} as found
        on head.region_code = found.region_code and coalesce(head.journal_seq, 0) < found.event_seq and head.seq >= found.event_seq
    group by found.region_code, found.event_seq
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
where leg.problem is not null or leg.amount <> 0
