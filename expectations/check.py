"""What a check is: identity, owner, clause, and the three queries that make it (spec: quality, catalogue)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from string import Template
from typing import Literal

Severity = Literal["fail", "warn"]

# Where a check is made: before publication, over all history by night, between the two to see who has gone silent, or
# on what is published, to see whether the policy is carried out.
Scope = Literal["gate", "audit", "look", "review"]
GATE: Scope = "gate"
AUDIT: Scope = "audit"
LOOK: Scope = "look"
REVIEW: Scope = "review"

# Rows handed over and kept per check and region. The count and the amount beside them stay exact: both are windows over
# all rows.
ROWS_LISTED_MAX = 200

NOTHING_EXAMINED = "nothing-examined"


@dataclass(frozen=True)
class RecordedHead:
    """Newest head of a region that was written outside the database; hash in hexadecimal."""

    batch_id: int
    seq: int
    batch_hash: str


@dataclass(frozen=True)
class Candidate:
    """What is about to be published of one region: the increment is the events with published_seq < seq <= head_seq.

    In the nightly audit `published_seq` is 0: then the increment is all there is up to the head, no statement counts as
    published before, and `run_id` is that of the audit, under which its other parts have recorded what they found.
    `window_after_seq` is where the window of check C05 begins; it differs
        from `published_seq` only when nothing new was recorded.
    """

    region_code: str
    published_seq: int
    head_seq: int
    head_batch_id: int
    published_at: datetime | None
    window_after_seq: int
    business_date: date
    recorded_head: RecordedHead | None
    heads_note: str = ""
    scope: Scope = GATE
    run_id: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d{6}", self.region_code):
            raise ValueError(f"region code is not six digits: {self.region_code!r}")

    def literals(self) -> dict[str, str]:
        """SQL literals by placeholder name: not parameters, so that the planner sees how small the increment is."""
        recorded = self.recorded_head
        return {
            "region": f"'{self.region_code}'",
            "after": str(int(self.published_seq)),
            "head": str(int(self.head_seq)),
            "head_batch": str(int(self.head_batch_id)),
            "window_after": str(int(self.window_after_seq)),
            "published_at": f"timestamptz '{self.published_at.isoformat() if self.published_at else '-infinity'}'",
            "business_date": f"date '{self.business_date.isoformat()}'",
            "recorded_heads": _recorded_row(recorded),
            "scope": f"'{self.scope}'",
            "run": _text(self.run_id),
            "heads_note": _text(self.heads_note),
        }


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _recorded_row(recorded: RecordedHead | None) -> str:
    if recorded is None:
        return "select null::bigint as batch_id, null::bigint as seq, null::text as batch_hash where false"
    if not re.fullmatch(r"[0-9a-f]{64}", recorded.batch_hash):
        raise ValueError("batch hash of the recorded head is not 64 hexadecimal digits")
    values = f"{int(recorded.batch_id)} as batch_id, {int(recorded.seq)} as seq"
    return f"select {values}, '{recorded.batch_hash}' as batch_hash"


@dataclass(frozen=True)
class Check:
    """One rule of the catalogue.

    `offending` lists the rows that break the rule, with columns `item` (stable key) and `amount`
        and whatever helps to act;
    `event_seq` is resolved to source file and line, `severity` overrides the check's own for that row.
    `examined` counts what was looked at; `population` counts, from an independent place, what there was to look at.
    The three are texts with $region, $after, $head and the other names of `Candidate.literals`.
    `scopes` says where it is made. A failure in the nightly audit freezes publication unless `freezes` is false, as for
        what ends by itself once something arrives: the gate judges that anew in every run. A check that `relists` lists
        everything that stands, older items too: what it no longer lists is settled. `rows_max` are listed and kept of a
        region, the rest is counted.
    """

    code: str
    title_zh: str
    title_en: str
    severity: Severity
    owner: str
    clause: str
    offending: str
    examined: str
    population: str
    scopes: frozenset[Scope] = frozenset({GATE, AUDIT})
    freezes: bool = True
    relists: bool = False
    rows_max: int = ROWS_LISTED_MAX

    @property
    def looks_at_increment_only(self) -> bool:
        """Whether the check lists only what came after the published head: its silence says nothing of the rest."""
        return "$after" in self.offending and not self.relists

    @property
    def description(self) -> str:
        """Title shown by Great Expectations: Chinese first, English beside it."""
        return f"{self.code} {self.title_zh} / {self.title_en}"

    def bind(self, sql: str, candidate: Candidate) -> str:
        """Fill the placeholders of one of the check's queries for a candidate."""
        return Template(sql).substitute(candidate.literals())


_LISTING = """
/* check %(code)s */ select
    found.item,
    found.severity,
    found.amount::text as amount,
    count(*) over () as total_rows,
    (sum(found.amount) over ())::text as total_amount,
    bool_or(found.severity = 'fail') over () as any_fail,
    jsonb_strip_nulls(found.listed || jsonb_build_object(
        'region_code', $region,
        'head_seq', candidate.seq,
        'event_type', origin.event_type,
        'occurred_on', origin.occurred_on,
        'source_system', coalesce(found.listed ->> 'source_system', file.source_system),
        'source_file', coalesce(found.listed ->> 'source_file', file.file_name),
        'source_line', coalesce((found.listed ->> 'source_line')::bigint, origin.line_no)
    ))::text as details
from (
    select
        listing.listed ->> 'item' as item,
        coalesce(listing.listed ->> 'severity', '%(severity)s') as severity,
        (listing.listed ->> 'amount')::numeric as amount,
        listing.listed
    from (select to_jsonb(offending) as listed from (
%(offending)s
    ) as offending) as listing
    union all
    select
        '%(nothing)s', 'fail', null,
        jsonb_build_object('item', '%(nothing)s', 'rows_examined', %(examined)d, 'population', %(population)d,
            'reason', '有应检查的数据而一行也未检查 / there was something to examine and nothing was examined')
    where %(examined)d = 0 and %(population)d > 0
) as found
left join {batch} as candidate on true
left join events.event as origin
    on origin.region_code = $region and origin.seq = (found.listed ->> 'event_seq')::bigint
left join events.batch as batch on batch.region_code = origin.region_code and batch.batch_id = origin.batch_id
left join events.file_registry as file on file.file_id = batch.file_id
order by found.severity, found.item
limit %(limit)d
"""


def listing_query(check: Check, candidate: Candidate, examined: int, population: int) -> str:
    """Query that Great Expectations runs: offending rows, and one that says so when nothing was examined in vain.

    Braces of the check's own text are doubled, because Great Expectations formats the query to put in {batch}.
    """
    filled = _LISTING % {
        "code": check.code,
        "severity": check.severity,
        "offending": check.offending.strip().replace("{", "{{").replace("}", "}}"),
        "nothing": NOTHING_EXAMINED,
        "examined": examined,
        "population": population,
        "limit": check.rows_max,
    }
    return check.bind(filled, candidate)
