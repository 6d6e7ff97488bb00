"""One offending item as people read it: where it stands, what is wrong, how much, since when."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from expectations.impersonal import impersonal
from ingestion.errors import CODES
from ingestion.reasons import names
from ingestion.settings import BEIJING
from reporting.arrivals import ListedFile
from reporting.item_labels import LABELS, NAMES, NUMBERS, SHARES, SHOWN_ELSEWHERE
from reporting.names import PERSONAL_COLUMNS, Name, name_of
from reporting.quality import Finding
from reporting.verdict import money

# The detail of a row's message quotes its values: a conflict both rows, a reference the key of the original, any other
# the columns it names with what they held.
_QUOTES = "E-CONFLICT"
_QUOTES_ONE_VALUE = "E-REF-"
_QUOTING = re.compile(
    r"(?P<said>(?:.* )?(?P<code>E-[A-Z]+(?:-[A-Z]+)*) [^\[]*?) \[(?P<detail>.*)\] / (?P<english>[^\]]*)", re.DOTALL
)
_QUOTING_FIRST_LINE = ("E-FILE-HEADER", "E-FILE-COLUMNS", "E-FILE-DUPLICATE-COLUMN")
_TWO_ROWS = re.compile(r"已有/stored (?P<stored>\{.*\})；新到/new (?P<new>\{.*\})", re.DOTALL)


@dataclass(frozen=True)
class Item:
    """A row of the list below a check. `others` are label and value of everything without a column."""

    key: str
    reason: str
    codes: tuple[str, ...]
    month: str
    entry: str
    event: str
    event_type: str
    file: str
    line: str
    amount: Decimal | None
    first_seen_at: datetime
    age_days: int
    others: tuple[tuple[Name, Name | Decimal], ...]


def item_of(finding: Finding) -> Item:
    """The item of a finding, without what leads to a person, wherever in it that stands."""
    row: dict[str, Any] = impersonal({**finding.item, "item": finding.key})
    return Item(
        key=_text(row["item"]),
        reason=_text(row.get("reason")),
        codes=tuple(row.get("error_codes") or ()),
        month=_text(row.get("accounting_month"))[:7] or _text(row.get("period")),
        entry=_text(row.get("entry_id")),
        event=_text(row.get("event_seq")),
        event_type=_text(row.get("event_type")),
        file="/".join(_text(row[name]) for name in ("source_system", "source_file") if row.get(name)),
        line=_text(row.get("source_line")),
        amount=finding.amount,
        first_seen_at=finding.first_seen_at,
        age_days=finding.age_days,
        others=tuple(
            (LABELS.get(name, Name(name, name)), _value(name, value))
            for name, value in sorted(row.items(), key=_place)
            if name not in SHOWN_ELSEWHERE | PERSONAL_COLUMNS and value not in (None, "", [])
        ),
    )


def in_words(item: Item) -> str:
    """The item on one line: what is wrong, and every place that leads to it, with Chinese labels."""
    errors = [f"{code} {CODES[code].zh}" if code in CODES else code for code in item.codes]
    event = " ".join(part for part in (item.event, item.event_type) if part)
    places = (
        *(("月份", item.month), ("分录", item.entry), ("事件", event), ("文件", item.file), ("行", item.line)),
        *((label.zh, money(value) if isinstance(value, Decimal) else value.zh) for label, value in item.others),
    )
    labelled = [f"{label}：{value}" for label, value in places if value]
    return "；".join(part for part in (item.key, item.reason, *errors, *labelled) if part)


def row_message(message: str) -> str:
    """The message of a row that was held back, without what it quotes from the rows: the columns remain."""
    parts = _QUOTING.fullmatch(message)
    if parts is None:
        return message if _QUOTES not in message else ""
    if parts["code"] == _QUOTES:
        columns = _differing(parts["detail"])
        named = f" [不同的列/columns that differ: {', '.join(columns)}]" if columns else ""
    else:
        columns = [] if parts["code"].startswith(_QUOTES_ONE_VALUE) else names(parts["detail"])
        named = f" [{', '.join(columns)}]" if columns else ""
    return f"{parts['said']}{named} / {parts['english']}"


def file_message(file: ListedFile) -> str:
    """Why a file was rejected. What the message quotes from the first line is left out: it may be a row of data."""
    if file.error_code in _QUOTING_FIRST_LINE:
        said = CODES[file.error_code]
        return f"{said.code} {said.zh} / {said.en}"
    return file.message or file.error_code or ""


def _differing(detail: str) -> list[str]:
    """Columns in which the two rows of a conflict differ; none of anything else, or of what can't be read."""
    rows = _TWO_ROWS.fullmatch(detail)
    if rows is None:
        return []
    try:
        stored, new = json.loads(rows["stored"]), json.loads(rows["new"])
    except ValueError:
        return []
    if not isinstance(stored, dict) or not isinstance(new, dict):
        return []
    return sorted(name for name in stored.keys() | new.keys() if stored.get(name) != new.get(name))


def _place(entry: tuple[str, Any]) -> tuple[int, str]:
    """Known columns first, in the order of the labels."""
    known = list(LABELS)
    return (known.index(entry[0]) if entry[0] in known else len(known), entry[0])


def _value(name: str, value: object) -> Name | Decimal:
    if isinstance(value, Decimal) and name not in SHARES | NUMBERS:
        return value
    if name in NAMES:
        said = [name_of(NAMES[name], str(code)) for code in (value if isinstance(value, list) else [value])]
        return Name("、".join(one.zh for one in said), ", ".join(one.en for one in said))
    if isinstance(value, bool):
        return Name("是", "yes") if value else Name("否", "no")
    text = _text(value)
    if name in NUMBERS and isinstance(value, Decimal):
        text = f"{value.normalize():,f}"
    elif name in SHARES:
        text = f"{Decimal(str(value)):.2%}"
    elif name.endswith("_at"):
        text = _beijing(str(value))
    return Name(text, text)


def _beijing(moment: str) -> str:
    """An instant, which databases write in UTC, to the minute in Beijing; what is none stays as it is."""
    try:
        return f"{datetime.fromisoformat(moment).astimezone(BEIJING):%Y-%m-%d %H:%M}"
    except ValueError:
        return moment


def _text(value: object) -> str:
    return "" if value is None else str(value)
