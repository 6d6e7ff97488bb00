"""Integrity: the log is what it was when it was written (H01, H02, H04)."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites._fragments import EVENTS, INCREMENT_SIZE

AUDIT = "internal_audit"

H01 = Check(
    code="H01",
    title_zh="哈希链到链头可验证，并与库外留存的链头一致",
    title_en="the hash chain verifies to the head and equals the head kept outside the database",
    severity="fail",
    owner=AUDIT,
    clause="events §5；会计信息化工作规范 数据不可篡改",
    # Batches of the increment are recomputed from their events' stored columns. Older batches are walked by their
    # stored hashes only
    # (one short row each): their events were recomputed when they were published, and nightly they all are.
    # A missing heads file is shown as a warning: this may be another machine than the one that wrote it.
    offending="""
        select
            'chain/' || batch_id as item,
            '与前一批次的哈希不衔接 / does not continue the hash of the batch before' as reason,
            batch_id, first_seq as event_seq, encode(prev_batch_hash, 'hex') as stored_hash, encode(hash_before,
                'hex') as expected_hash,
            null::numeric as amount, 'fail' as severity
        from (
            select batch.*, lag(batch.batch_hash) over (order by batch.batch_id) as hash_before
            from events.batch as batch where batch.region_code = $region and batch.batch_id <= $head_batch
        ) as chained
        where prev_batch_hash is distinct from coalesce(hash_before, decode(repeat('00', 32), 'hex'))
        union all
        select
            'batch/' || batch.batch_id, '批次哈希重算不符 / the hash of the batch does not recompute',
                batch.batch_id, batch.first_seq,
            encode(batch.batch_hash, 'hex'), encode(recomputed.batch_hash, 'hex'), null, 'fail'
        from events.batch as batch
        cross join lateral (select events.batch_hash(batch.region_code, batch.batch_id) as batch_hash) as recomputed
        where batch.region_code = $region and batch.last_seq > $after and batch.batch_id <= $head_batch
            and batch.batch_hash is distinct from recomputed.batch_hash
        union all
        select
            'built/' || built.batch_id, '入账链头与日志不符 / the built head differs from the log', built.batch_id,
                built.seq,
            encode(built.batch_hash, 'hex'), encode(batch.batch_hash, 'hex'), null, 'fail'
        from ledger.built_head as built
        left join events.batch as batch on batch.region_code = built.region_code and batch.batch_id = built.batch_id
        where built.region_code = $region and built.batch_id <= $head_batch
            and (built.batch_hash is distinct from batch.batch_hash or built.seq is distinct from batch.last_seq)
        union all
        select
            'published/' || publication.batch_id, '已发布链头与日志不符 / a published head differs from the log',
                publication.batch_id,
            publication.seq, encode(publication.batch_hash, 'hex'), encode(batch.batch_hash, 'hex'), null, 'fail'
        from ledger.publication as publication
        left join events.batch as batch on batch.region_code = publication.region_code
            and batch.batch_id = publication.batch_id
        where publication.region_code = $region
            and (publication.batch_hash is distinct from batch.batch_hash or publication.seq is distinct
                from batch.last_seq)
        union all
        select
            'recorded/' || recorded.batch_id,
                '与库外留存的链头不符 / differs from the head kept outside the database', recorded.batch_id,
            recorded.seq, encode(batch.batch_hash, 'hex'), recorded.batch_hash, null, 'fail'
        from ($recorded_heads) as recorded
        left join events.batch as batch on batch.region_code = $region and batch.batch_id = recorded.batch_id
        where recorded.batch_hash is distinct from encode(batch.batch_hash, 'hex') or recorded.seq is distinct
            from batch.last_seq
        union all
        select 'heads file', $heads_note, null, null, null, null, null, 'warn' where $heads_note <> ''
    """,
    examined="""
        select count(*) from events.batch as batch
        where batch.region_code = $region and batch.batch_id <= $head_batch
    """,
    population="""
        select count(*) from ledger.built_head as built where built.region_code = $region and built.seq <= $head
    """,
)

H02 = Check(
    code="H02",
    title_zh="事件内容哈希可重算",
    title_en="content hashes of the increment recompute from the stored columns",
    severity="fail",
    owner=AUDIT,
    clause="events §5",
    offending=f"""
        select
            'event/' || event.seq as item, event.seq as event_seq, event.batch_id,
            encode(event.content_hash, 'hex') as stored_hash, encode(events.content_hash(event), 'hex')
                as expected_hash,
            coalesce(event.amount, event.pooled_amount, event.employer_amount) as amount
        from {EVENTS} and event.content_hash is distinct from events.content_hash(event)
    """,
    examined=f"select count(*) from {EVENTS}",
    population=INCREMENT_SIZE,
)

H04 = Check(
    code="H04",
    title_zh="没有事件的记录时间早于前一序号",
    title_en="no event is recorded before an earlier seq",
    severity="fail",
    owner=AUDIT,
    clause="events §2 recorded_at",
    offending="""
        select
            'event/' || seq as item, '记录时间早于前一事件 / recorded before the event in front of it' as reason,
            seq as event_seq, batch_id, recorded_at, recorded_before, null::numeric as amount
        from (
            select event.seq, event.batch_id, event.recorded_at, lag(event.recorded_at) over (order by event.seq)
                as recorded_before
            from events.event as event
            where event.region_code = $region and event.seq >= $after and event.seq <= $head
        ) as followed
        where recorded_at < recorded_before
        union all
        select
            'event/' || event.seq || '/batch', '记录时间与批次不符 / recorded at another time than its batch',
                event.seq, event.batch_id,
            event.recorded_at, batch.recorded_at, null
        from events.event as event
        left join events.batch as batch on batch.region_code = event.region_code and batch.batch_id = event.batch_id
        where event.region_code = $region and event.seq > $after and event.seq <= $head
            and event.recorded_at is distinct from batch.recorded_at
        union all
        select
            'batch/' || batch_id, '批次记录时间早于前一批次 / the batch is recorded before the one in front of it',
                first_seq, batch_id,
            recorded_at, recorded_before, null
        from (
            select batch.*, lag(batch.recorded_at) over (order by batch.batch_id) as recorded_before
            from events.batch as batch where batch.region_code = $region and batch.batch_id <= $head_batch
        ) as followed
        where recorded_at < recorded_before
    """,
    examined=f"select count(*) from {EVENTS}",
    population=INCREMENT_SIZE,
)

CHECKS: tuple[Check, ...] = (H01, H02, H04)
