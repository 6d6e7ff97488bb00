"""Templates of pages: the environment that renders them, with the filters and names that all of them use."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ingestion.errors import CODES
from ingestion.settings import BEIJING
from reporting import verdict as verdicts
from reporting.arrivals import AGE_CLASSES
from reporting.item_labels import FAMILIES
from reporting.items import file_message, row_message
from reporting.names import FUNDS, OWNERS, SUB_FUNDS, SUITE_NAMES, Name, name_of, spoken
from reporting.overview import FILES_LISTED_MAX
from reporting.quality import FINDINGS_MAX

# The page that is opened first; it leads to all others.
PAGE = "index.html"


def environment(*packages: str) -> Environment:
    """Templates of this package, and of others that have pages of their own, with its filters and names."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in ("reporting", *packages)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "money": money,
        "spoken": spoken,
        "count": lambda number: f"{number:,}",
        "moment": verdicts.moment,
        "day": _day,
        "month": verdicts.month_name,
        "grouped": _grouped,
        "css_string": css_string,
        "row_message": row_message,
        "file_message": file_message,
    }
    made.globals |= {
        "LIGHTS": verdicts.LIGHTS,
        "SUITES": SUITE_NAMES,
        "FUNDS": FUNDS,
        "SUB_FUNDS": SUB_FUNDS,
        "FAMILIES": FAMILIES,
        "CODES": CODES,
        "FINDINGS_MAX": FINDINGS_MAX,
        "FILES_LISTED": FILES_LISTED_MAX,
        "age_names": _age_names(),
        "name_of": name_of,
        "OWNERS": OWNERS,
    }
    return made


def money(amount: Decimal | None) -> Markup:
    """An amount of yuan as HTML, whose unit the site's script can change; a missing one is a dash."""
    if amount is None:
        return Markup('<span class="none">—</span>')
    negative = " neg" if amount < 0 else ""
    return Markup('<data class="money{}" value="{:.2f}">{}</data>').format(negative, amount, verdicts.money(amount))


def css_string(text: str) -> Markup:
    """A string of CSS that nothing can break out of, whatever the text holds."""
    escaped = re.sub(r"[^A-Za-z0-9]", lambda match: f"\\{ord(match[0]):06x}", text)
    return Markup(f'"{escaped}"')


def _day(value: datetime | date) -> str:
    return f"{value.astimezone(BEIJING) if isinstance(value, datetime) else value:%Y-%m-%d}"


def _grouped(digest: str) -> list[str]:
    """A hash in groups of eight digits, for reading aloud."""
    return re.findall(".{1,8}", digest)


def _age_names() -> list[Name]:
    starts = [0, *(days + 1 for days in AGE_CLASSES)]
    names = [Name(f"{start}–{end} 天", f"{start}–{end} days") for start, end in zip(starts, AGE_CLASSES, strict=False)]
    return [*names, Name(f"{starts[-1]} 天以上", f"{starts[-1]} days and more")]
