"""The page of enrolment: who is insured, gaps per employer before and after the merger, who is twice or late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reporting import enrollment, quality
from reporting.books import Row
from reporting.enrollment import RegionEnrollment
from reporting.names import CATEGORIES, DOUBLE_KINDS, EMPLOYER_TYPES, INSURANCES, LATE_KINDS, Name
from reporting.site.frame import Frame
from reporting.site.pages import Source

KEY = "enrollment"
FILE = "enrollment.html"

GROUPS: dict[str | None, Name] = {
    None: Name("其他", "others"),
    "new_form": Name("新业态从业人员", "new business forms"),
    "migrant": Name("进城务工人员", "migrant workers"),
}
PERIODS = {"before_merger": Name("合并前", "before the merger"), "after_merger": Name("合并后", "after the merger")}


def build(source: Source, frame: Frame) -> Mapping[str, str]:
    """The page."""
    there = quality.exists(source.connection, "marts.insured_count")
    regions = enrollment.regions(source.connection) if there else []
    return {FILE: render(source, frame, regions, enrollment.kinds(source.connection) if regions else [])}


def render(source: Source, frame: Frame, regions: list[RegionEnrollment], kinds: Sequence[Row]) -> str:
    """The HTML."""
    return frame.html(
        "enrollment.html.j2",
        KEY,
        regions=regions,
        names=source.names,
        kinds={row["gap_kind"]: row for row in kinds},
        said=said,
        CATEGORIES=CATEGORIES,
        INSURANCES=INSURANCES,
        EMPLOYER_TYPES=EMPLOYER_TYPES,
        GROUPS=GROUPS,
        PERIODS=PERIODS,
        TWICE=DOUBLE_KINDS,
        LATE=LATE_KINDS,
        MONTHS=enrollment.MONTHS,
        EMPLOYERS_MAX=enrollment.EMPLOYERS_MAX,
    )


def said(region: RegionEnrollment) -> Name:
    """The chart in words: the newest number, and the one of the oldest month shown."""
    first, last = region.months[0], region.months[-1]
    return Name(
        f"月末参保 {last.persons:,} 人，所示首月 {first.persons:,} 人；有生育保障 {last.covered:,} 人",
        f"{last.persons:,} insured at the end, {first.persons:,} in the first month shown; "
        f"{last.covered:,} covered for maternity",
    )
