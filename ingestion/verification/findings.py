"""What verification can find, and how it says so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

FINDINGS_MAX = 100  # kept a region, the first by seq; the others are only counted


class Kind(Enum):
    """What is wrong: a stable code, and a sentence in Chinese and in English."""

    CONTENT = (
        "content",
        "事件内容与其内容哈希不符：内容被改动",
        "the event is not what its content hash was taken of: it was altered",
    )
    CONTENT_HASH = (
        "content_hash",
        "内容哈希一列被改动，内容本身仍是记录时的内容",
        "the column content_hash was altered; the content itself is as recorded",
    )
    DERIVED_COLUMNS = (
        "derived_columns",
        "计算列的名单被改动",
        "the list of computed columns was altered",
    )
    STRAY = (
        "stray_value",
        "事件带有其类别没有的列值：事后添加",
        "the event has a value in a column that its family does not have: it was added",
    )
    FAMILY = ("family", "事件类别不存在：被改动", "there is no such family of events: it was altered")
    BATCH_ID = ("batch_id", "事件的批次号与所在批次不符", "the event names another batch than the one it lies in")
    RECORDED_AT = (
        "recorded_at",
        "事件的记录时间与所在批次不符",
        "the event was recorded at another time than its batch",
    )
    BATCH_MISSING = ("batch_missing", "批次号不连续：批次被删除", "batch numbers leave a gap: batches were deleted")
    RANGE = (
        "batch_range",
        "批次的序号范围与前一批次不衔接",
        "the batch's range does not begin where the batch before it ends",
    )
    MISSING = ("missing", "批次中的事件缺失：被删除", "events of the batch are gone: they were deleted")
    REPEATED = ("repeated_seq", "同一序号有多个事件", "several events have the same seq")
    LINE_NO = (
        "line_no",
        "行号不按序号递增：事件被调换、插入或改号",
        "line numbers do not ascend with seq: events were swapped, inserted or renumbered",
    )
    BATCH = (
        "batch",
        "批次哈希重算不符：批次内的事件（内容哈希、行号、顺序）或批次本身被改动",
        "the batch's hash does not recompute: its events (content hashes, lines, order) or itself were altered",
    )
    BATCH_HASH = ("batch_hash", "批次哈希一列被改动", "the column batch_hash was altered")
    BATCH_RECORDED_AT = (
        "batch_recorded_at",
        "批次的记录时间被改动，与其全部事件不符",
        "the batch's recorded_at was altered: none of its events has it",
    )
    FILE_SHA256 = (
        "file_sha256",
        "批次的文件摘要被改动，与文件登记不符",
        "the batch's file_sha256 was altered: the registry of files has another",
    )
    FILE = (
        "file",
        "文件登记缺失，或其摘要与批次不符：登记被改动",
        "the file is not in the registry, or with another hash than the batch has: the registry was altered",
    )
    PREV_BATCH_HASH = ("prev_batch_hash", "上一批次哈希一列被改动", "the column prev_batch_hash was altered")
    REWRITTEN = (
        "rewritten",
        "批次被改写：下一批次所衔接的哈希与之不同",
        "the batch was rewritten: the batch after it continues another hash",
    )
    OUTSIDE = ("outside_batch", "事件不属于任何批次：被插入", "the event lies in no batch: it was inserted")
    TIME = ("time", "批次记录时间早于前一批次", "the batch is recorded before the one in front of it")
    DERIVED = (
        "derived",
        "受理时补充的内容（原业务序号、计算值、密钥编号）或派生哈希被改动",
        "what acceptance added (original_seq, computed values, pseudonym_key_id) or derived_hash was altered",
    )
    ORIGINAL_SEQ = (
        "original_seq",
        "原业务序号不指向原业务编号所指的事件：被改动",
        "original_seq is not the place of the event that original_event_key names: it was altered",
    )
    DERIVED_REMOVED = ("derived_removed", "派生哈希被删除", "derived_hash was removed")
    HEAD = (
        "head_differs",
        "与库外链头不符：自此范围起历史被改写，其后的哈希已重算",
        "differs from the head kept outside: history was rewritten from this range on and its hashes recomputed",
    )
    HEAD_DERIVED = (
        "head_derived_differs",
        "派生哈希与库外链头不符：补充内容被改写",
        "derived_hash differs from the head kept outside: what acceptance added was rewritten",
    )
    TRUNCATED = (
        "truncated",
        "库外链头之前的日志末尾缺失：被截断",
        "the end of the log is gone up to the head kept outside: it was cut off",
    )
    HEADS_FILE = (
        "heads_file",
        "库外链头文件被改动：该行无法读懂或与前一行不衔接",
        "the file of heads was altered: the line can't be read or does not continue the one before",
    )
    NO_HEADS = (
        "no_heads",
        "库外没有该统筹区的链头：无法发现整段改写",
        "no head of the region is kept outside: a rewrite of everything would not show",
    )
    GUARD = (
        "guard",
        "保护措施缺失：日志或账簿的主键或保护触发器（只增、批次完整、已月结、凭证连号）被停用",
        "a guard is missing: a primary key of the log, or a trigger of the log or the books"
        " (append_only, is_complete, closed_month, voucher_numbers) was disabled",
    )

    @property
    def code(self) -> str:
        """Stable name."""
        return str(self.value[0])


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, at `seq` or somewhere from `seq` to `last_seq`; null seq: not about events."""

    region_code: str
    seq: int | None
    kind: Kind
    last_seq: int | None = None
    batch_id: int | None = None
    detail: str = ""
    file: str | None = None  # <source_system>/<file_name>
    line_no: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For the command's result."""
        code, zh, en = self.kind.value
        return {
            "region_code": self.region_code,
            "seq": self.seq,
            "last_seq": self.last_seq if self.last_seq is not None else self.seq,
            "batch_id": self.batch_id,
            "kind": code,
            "zh": zh,
            "en": en,
            "detail": self.detail,
            "file": self.file,
            "line_no": self.line_no,
        }


class Findings:
    """The findings of a region: the first FINDINGS_MAX by seq, and how many there were."""

    def __init__(self, region_code: str, limit: int = FINDINGS_MAX) -> None:
        self.region_code = region_code
        self.count = 0
        self._limit = limit
        self._kept: set[Finding] = set()
        self._newest: dict[tuple[Kind, int | None], Finding] = {}

    def note(self, finding: Finding) -> None:
        """Add a finding, or lengthen the one before of the same kind and batch where this one goes on."""
        key = (finding.kind, finding.batch_id)
        before = self._newest.get(key)
        if before in self._kept and before.last_seq is not None and finding.seq == before.last_seq + 1:
            self._kept.remove(before)
            finding = replace(before, last_seq=finding.last_seq)
        else:
            self.count += 1
        self._kept.add(finding)
        self._newest = {other: newest for other, newest in self._newest.items() if other[1] == key[1]} | {key: finding}
        if len(self._kept) > 2 * self._limit:
            self._kept = set(self.first())

    def withdraw(self, kind: Kind, batch_id: int) -> None:
        """Take back what another finding of the same batch explains."""
        explained = self._of(kind, batch_id)
        self._kept -= explained
        self.count -= len(explained)

    def rename(self, kind: Kind, better: Kind, batch_id: int) -> None:
        """Call what was found in a batch by what it has turned out to be."""
        self.correct({finding: replace(finding, kind=better) for finding in self._of(kind, batch_id)})

    def correct(self, better: dict[Finding, Finding]) -> None:
        """Put what is better known in place of findings."""
        for old in self._kept & better.keys():
            self._kept.remove(old)
            self._kept.add(better[old])

    def _of(self, kind: Kind, batch_id: int) -> set[Finding]:
        return {finding for finding in self._kept if (finding.kind, finding.batch_id) == (kind, batch_id)}

    def first(self) -> list[Finding]:
        """The first by seq; what is not about events comes last."""
        return in_order(self._kept)[: self._limit]


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By seq, what is not about events last. A batch that holds events of another comes after these."""
    found = list(findings)
    foreign: dict[int | None, int] = {}
    for finding in found:
        if finding.kind is Kind.BATCH_ID and finding.seq is not None:
            foreign[finding.batch_id] = min(finding.seq, foreign.get(finding.batch_id, finding.seq))
    ranks = {kind: rank for rank, kind in enumerate(Kind)}

    def key(finding: Finding) -> tuple[bool, int, int, int]:
        seq = foreign.get(finding.batch_id, finding.seq) if finding.kind is Kind.BATCH else finding.seq
        return seq is None, seq or 0, ranks[finding.kind], finding.last_seq or 0

    return sorted(found, key=key)
