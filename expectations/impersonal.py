"""Items without what leads to one person: for pages, workbooks, and whatever else leaves the database."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

# Columns that lead to one person. Pages and workbooks leave them out: entry, event, or file and line are enough to
# look an item up. Keys of the sources are among them, for a source may use the number of a person or of a settlement.
PERSONAL_COLUMNS = frozenset(
    {
        *("person_no", "claim_no", "account_holder_no", "certificate_no", "certificate_pseudonym", "birth_date", "sex"),
        *("other_person_no", "care_claim_no", "persons", "claims"),
        *("receipt_no", "tax_voucher_no", "payment_no", "source_event_key", "original_event_key"),
    }
)

_HIDDEN = "…"
# A personal column inside a text that quotes a row as JSON.
_QUOTED = re.compile(rf'("(?:{"|".join(sorted(PERSONAL_COLUMNS))})"\s*:\s*)("(?:[^"\\]|\\.)*"|[^,}}\]\s]+)')


def impersonal(item: dict[str, Any]) -> dict[str, object]:
    """An item without its personal columns, and without their values wherever else they stand in it."""
    names = sorted(_identifiers(item), key=len, reverse=True)
    return {column: _without(value, names) for column, value in item.items() if column not in PERSONAL_COLUMNS}


def _identifiers(value: object) -> set[str]:
    """Numbers of persons in an item; one character, such as the sex, would hide all like it."""
    if isinstance(value, dict):
        own = [_texts(part) for column, part in value.items() if column in PERSONAL_COLUMNS]
        return {text for texts in own for text in texts if len(text) > 1}.union(*map(_identifiers, value.values()))
    return set().union(*map(_identifiers, value)) if isinstance(value, list) else set()


def _texts(value: object) -> list[str]:
    """The texts of a personal column, which may list several persons or claims."""
    return [part for part in (value if isinstance(value, list) else [value]) if isinstance(part, str)]


def _without(value: object, names: Sequence[str]) -> object:
    if isinstance(value, dict):
        return {column: _without(part, names) for column, part in value.items() if column not in PERSONAL_COLUMNS}
    if isinstance(value, list):
        return [_without(part, names) for part in value]
    if not isinstance(value, str):
        return value
    text = _QUOTED.sub(rf'\1"{_HIDDEN}"', value)
    for name in names:
        text = text.replace(name, _HIDDEN)
    return text
