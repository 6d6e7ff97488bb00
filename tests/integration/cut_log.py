"""The log of a region cut at a seq, under another region's code: a region of its own, to be built like any other."""

from __future__ import annotations

from contextlib import closing

from ingestion.database import connect

_KNOWN_AS = """
create temporary table known_as as select * from policy.policy_region where region_code = %(region)s;
update known_as set region_code = %(copy)s;
insert into policy.policy_region select * from known_as
"""
_COPY = """
create temporary table cut_batch as
    select * from events.batch where region_code = %(region)s and first_seq <= %(seq)s;
update cut_batch set region_code = %(copy)s, last_seq = least(last_seq, %(seq)s);
create temporary table cut_event as select * from events.event where region_code = %(region)s and seq <= %(seq)s;
update cut_event set region_code = %(copy)s;
insert into events.batch select * from cut_batch;
insert into events.event select * from cut_event
"""
_PUBLISH = """
insert into ledger.publication (region_code, seq, batch_id, batch_hash, rules_sha256, run_id)
select distinct on (region_code) region_code, seq, batch_id, batch_hash, 'rules', %s
from ledger.built_head order by region_code, seq desc
on conflict do nothing
"""


def copy_cut(region_code: str, seq: int, copy: str) -> None:
    """Give region `copy` the policy of `region_code` and its log up to `seq`, a batch cut short where need be."""
    arguments = {"region": region_code, "copy": copy, "seq": seq}
    for role, statements in (("fund_transform", _KNOWN_AS), ("fund_ingest", _COPY)):
        with closing(connect(role=role)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statements, arguments)


def publish_built(run_id: str) -> None:
    """Publish every region up to its built head, without the gate."""
    with closing(connect(role="fund_publisher")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(_PUBLISH, (run_id,))
