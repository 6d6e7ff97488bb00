"""A region's tie-out as its page shows it: lights by kind and month, ages of what is open, figures with their items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from reporting.arrivals import AGE_CLASSES
from reporting.names import Name
from reporting.reconciliation.reading import ITEMS_OF_FIGURE, MonthTieOut, key_of
from reporting.tie_out.reading import KINDS, Figure, Item
from reporting.verdict import Light, month_name

# What a page can hold and still be read; what is cut is counted.
MONTHS_IN_FULL = 3
OPEN_FIGURES_OF_MONTH = 40
AGREED_FIGURES_OF_MONTH = 120
ITEMS_WITH_AGE = 100

_URGENCY: tuple[Light, ...] = ("red", "amber", "green", "grey")
LIGHTS_OF_MONTH: dict[Light, Name] = {
    "red": Name("有未说明差额或差错相抵", "unexplained, or errors that cancel"),
    "amber": Name("差额已说明", "explained"),
    "green": Name("相符", "agrees"),
    "grey": Name("未报送", "nothing stated"),
}
_LIGHT_OF: dict[str, Light] = {
    "agreed": "green",
    "carried": "amber",
    "explained": "amber",
    "offsetting": "red",
    "unexplained": "red",
}


@dataclass(frozen=True)
class KindTotal:
    """All figures of one kind in one month. Without figures the light is grey."""

    kind: str
    figures: Sequence[Figure]

    @property
    def light(self) -> Light:
        """The worst of its figures."""
        return worst(self.figures)

    @property
    def open_count(self) -> int:
        """Figures that do not simply agree."""
        return sum(figure.status != "agreed" for figure in self.figures)

    def total(self, column: str) -> Decimal:
        """The sum of one of the amounts of a figure."""
        return sum((getattr(figure, column) for figure in self.figures), Decimal(0))

    @property
    def words(self) -> Name:
        """What the light says."""
        count, open_count = len(self.figures), self.open_count
        if not count:
            return Name("未报送", "nothing stated")
        if not open_count:
            return Name(f"{count} 个相符", f"{count} agree")
        return Name(f"{count} 个中 {open_count} 个有差异", f"{open_count} of {count} differ")


@dataclass(frozen=True)
class FigureView:
    """A figure that does not simply agree, with its largest items."""

    figure: Figure
    items: Sequence[Item]

    @property
    def light(self) -> Light:
        """Its own light."""
        return _LIGHT_OF.get(self.figure.status, "red")

    @property
    def hidden(self) -> int:
        """Items that are not listed."""
        return max(self.figure.item_count - len(self.items), 0)

    @property
    def items_sum(self) -> Decimal:
        """What the listed items make of the difference."""
        return sum((item.difference for item in self.items), Decimal(0))

    @property
    def adds_up(self) -> bool:
        """Whether what was carried and the items, none of them hidden, make the whole difference."""
        return not self.hidden and self.figure.carried_difference + self.items_sum == self.figure.difference


@dataclass(frozen=True)
class MonthView:
    """A month: totals by kind, figures that differ, and for the newest months those that agree."""

    month: date
    kinds: Sequence[KindTotal]
    differing: Sequence[FigureView]
    differing_hidden: int
    agreed: Sequence[Figure]
    agreed_hidden: int
    in_full: bool

    @property
    def light(self) -> Light:
        """The worst of its figures."""
        return worst([figure for kind in self.kinds for figure in kind.figures])

    @property
    def unexplained(self) -> Decimal:
        """Sum of what nothing explains, by size: differences of opposite sign do not make up for each other."""
        return sum((abs(figure.unexplained_amount) for kind in self.kinds for figure in kind.figures), Decimal(0))


@dataclass(frozen=True)
class OpenItem:
    """An item that is still open on `as_of`: in transit and not yet taken back, or missing, or of another amount."""

    item: Item
    amount: Decimal
    days: int


@dataclass(frozen=True)
class AgeClass:
    """Open items of an age: `days_from` to `days_to`, or older where that is None."""

    days_from: int
    days_to: int | None
    items: Sequence[OpenItem]

    @property
    def amount(self) -> Decimal:
        """Sum of the sizes of their differences."""
        return sum((abs(item.amount) for item in self.items), Decimal(0))


@dataclass(frozen=True)
class RegionView:
    """A region's page."""

    region_code: str
    name: Name
    months: Sequence[MonthView]
    open_items: Sequence[OpenItem]
    ages: Sequence[AgeClass]

    @property
    def light(self) -> Light:
        """That of the newest month."""
        return self.months[0].light if self.months else "grey"

    @property
    def sentence(self) -> Name:
        """The newest month in one sentence."""
        if not self.months:
            return Name("没有已发布的外部报表。", "Nothing is stated by outside parties.")
        newest = self.months[0]
        count = sum(len(kind.figures) for kind in newest.kinds)
        open_count = sum(kind.open_count for kind in newest.kinds)
        month = month_name(newest.month)
        told = f"{open_count} 个有差异" if open_count else "全部相符"
        told_en = f"{open_count} differ" if open_count else "all agree"
        return Name(f"{month.zh} 外部报表数 {count} 个，{told}。", f"{month.en}: {count} stated figures, {told_en}.")


def region_view(region_code: str, name: Name, months: Sequence[MonthTieOut], as_of: date) -> RegionView:
    """The page of a region; `as_of`: the day on which ages are counted."""
    still_open = _open_items(months, as_of)
    return RegionView(
        region_code,
        name,
        [_month(month, in_full=place < MONTHS_IN_FULL) for place, month in enumerate(months)],
        still_open,
        _ages(still_open),
    )


def worst(figures: Iterable[Figure]) -> Light:
    """The light of several figures; grey without any."""
    lights = {_LIGHT_OF.get(figure.status, "red") for figure in figures}
    return next((light for light in _URGENCY if light in lights), "grey")


def _month(month: MonthTieOut, *, in_full: bool) -> MonthView:
    differing = sorted(
        (figure for figure in month.figures if figure.status != "agreed" or figure.item_count),
        key=lambda figure: (_URGENCY.index(_LIGHT_OF.get(figure.status, "red")), -abs(figure.difference)),
    )
    agreed = [figure for figure in month.figures if figure.status == "agreed" and not figure.item_count]
    listed = agreed[:AGREED_FIGURES_OF_MONTH] if in_full else []
    return MonthView(
        month.month,
        [KindTotal(kind, [figure for figure in month.figures if figure.statement_kind == kind]) for kind in KINDS],
        [FigureView(figure, month.items_of(figure)[:ITEMS_OF_FIGURE]) for figure in differing[:OPEN_FIGURES_OF_MONTH]],
        len(differing[OPEN_FIGURES_OF_MONTH:]),
        listed,
        len(agreed) - len(listed),
        in_full,
    )


def _open_items(months: Sequence[MonthTieOut], as_of: date) -> list[OpenItem]:
    """Items without those in transit that a later statement has taken back: their differences cancel. Oldest first."""
    groups: dict[tuple[object, ...], list[Item]] = defaultdict(list)
    for month in months:
        for item in month.items:
            groups[_identity(item)].append(item)
    found = []
    for items in groups.values():
        left = sum((item.difference for item in items), Decimal(0))
        if left or items[0].status != "in_transit":
            first = min(items, key=lambda item: item.stated_on)
            found.append(OpenItem(first, left, (as_of - first.item_date).days))
    return sorted(found, key=lambda one: (-one.days, one.item.entry_id or "", one.item.stated_on))


def _identity(item: Item) -> tuple[object, ...]:
    own = key_of(item)
    if item.status == "in_transit":
        return (*own[:-1], item.entry_id, item.item_date, abs(item.amount))
    return (*own, item.entry_id, item.stated_source_file, item.stated_source_line, item.item_date, item.amount)


def _ages(items: Sequence[OpenItem]) -> list[AgeClass]:
    starts = (0, *(days + 1 for days in AGE_CLASSES))
    ends: tuple[int | None, ...] = (*AGE_CLASSES, None)
    return [
        AgeClass(
            start, end, [item for item in items if start <= max(item.days, 0) and (end is None or item.days <= end)]
        )
        for start, end in zip(starts, ends, strict=True)
    ]
