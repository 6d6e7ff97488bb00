"""Control totals: what sources state of their files, beside what was counted in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ingestion.database import Connection
from reporting import quality
from reporting.books import rows
from reporting.names import Name

# Source, column and day, newest first.
LISTED = 60
# Codes of a file that disagrees with what is stated of it: it is rejected as a whole, and its totals are not kept.
_DISAGREES = "'E-FILE-MANIFEST', 'E-FILE-TOTAL'"


@dataclass(frozen=True)
class ControlTotal:
    """One total of a source's file; without days it is of the whole file. Amounts in yuan, counts as they are."""

    source_system: str
    file_name: str
    column: str
    period_from: date | None
    period_to: date | None
    stated: Decimal
    counted: Decimal
    counted_rows: int

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.stated == self.counted


@dataclass(frozen=True)
class ControlTotals:
    """The newest totals of loaded files, how many there are, and how many files were rejected for what is stated."""

    listed: list[ControlTotal]
    count: int
    differing: int
    rejected_files: int

    @property
    def words(self) -> Name:
        """How many there are of loaded files, and whether they agree."""
        if self.differing:
            return Name(
                f"已入账文件的 {self.count:,} 项中 {self.differing:,} 项不符",
                f"{self.differing:,} of {self.count:,} of loaded files differ",
            )
        return Name(f"已入账文件的 {self.count:,} 项全部相符", f"all {self.count:,} of loaded files agree")

    @property
    def rejected_words(self) -> Name:
        """How many files were rejected because they disagree with what is stated of them, those made good since too."""
        count = f"{self.rejected_files:,}"
        files = "file was" if self.rejected_files == 1 else "files were"
        return Name(
            f"另有 {count} 份文件因与清单或合计行不符被整份拒收（后已更正的也计入），其合计不在上列之内",
            f"{count} {files} rejected as a whole for disagreeing with a manifest or row of totals, those made good"
            " since too; their totals are not among these",
        )


_TOTALS = """
    SELECT file.source_system, file.file_name, coalesce(total.canonical_column, total.column_name) AS column,
        CASE WHEN isfinite(total.period_from) THEN total.period_from END AS period_from,
        CASE WHEN isfinite(total.period_to) THEN total.period_to END AS period_to,
        total.stated_amount * total.yuan_factor AS stated, total.counted_amount * total.yuan_factor AS counted,
        total.counted_rows
    FROM events.control_total AS total
    INNER JOIN events.file_registry AS file ON file.file_id = total.file_id
    ORDER BY total.file_id DESC, total.period_from DESC, total.stated_as
    LIMIT %s
"""
_COUNT = """
    SELECT count(*) AS count, count(*) FILTER (WHERE counted_amount <> stated_amount) AS differing
    FROM events.control_total
"""
_REJECTED = f"""
    SELECT count(*) AS rejected_files FROM events.file WHERE state = 'rejected' AND error_code IN ({_DISAGREES})
"""


def newest(connection: Connection) -> ControlTotals | None:
    """The newest control totals; None where the database does not keep any yet."""
    if not quality.exists(connection, "events.control_total"):
        return None
    listed = [ControlTotal(**row) for row in rows(connection, _TOTALS, (LISTED,))]
    return ControlTotals(listed, **rows(connection, _COUNT)[0], **rows(connection, _REJECTED)[0])
