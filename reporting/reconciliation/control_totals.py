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
    """The newest totals, and how many there are."""

    listed: list[ControlTotal]
    count: int
    differing: int

    @property
    def words(self) -> Name:
        """How many there are, and whether they agree."""
        if self.differing:
            return Name(
                f"{self.count:,} 项中 {self.differing:,} 项不符", f"{self.differing:,} of {self.count:,} differ"
            )
        return Name(f"{self.count:,} 项全部相符", f"all {self.count:,} agree")


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


def newest(connection: Connection) -> ControlTotals | None:
    """The newest control totals; None where the database does not keep any yet."""
    if not quality.exists(connection, "events.control_total"):
        return None
    listed = [ControlTotal(**row) for row in rows(connection, _TOTALS, (LISTED,))]
    return ControlTotals(listed, **rows(connection, _COUNT)[0])
