"""JSON Lines: one object of plain fields a line, numbers as they are written."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from ingestion.profiles import Feed
from ingestion.readers.chunk import Chunk, Misfit, batches, text_frame
from ingestion.readers.text import check_length, lines_of

_ROWS = 10_000  # parsed at a time: as Python objects, rows take ten times the room of their text
_SPARE = "\x00"  # stands for what no database can hold; such a text is refused later


def jsonl_chunks(blocks: Iterator[str], feed: Feed, size: int) -> Iterator[Chunk]:
    """Rows of a JSON Lines file; its columns are the keys that occur."""
    seen: set[str] = set()
    numbered = ((number, line.strip()) for number, line in enumerate(_joined(lines_of(blocks)), start=1))
    filled = ((number, line) for number, line in numbered if line)
    for batch in batches(filled, min(size, _ROWS), lambda numbered: len(numbered[1])):
        parsed = [(number, line, _json_object(line)) for number, line in batch]
        good = [(number, record) for number, _, record in parsed if record is not None]
        names = list(dict.fromkeys(itertools.chain.from_iterable(record for _, record in good)))
        feed.check_names(names)
        seen.update(names)
        misfits = [Misfit(number, "E-SCHEMA-JSON", line) for number, line, record in parsed if record is None]
        rows = [[record.get(name) for name in names] for _, record in good]
        yield Chunk(text_frame(names, rows), [number for number, _ in good], misfits)
    if seen:
        feed.check_mandatory(sorted(seen))


def _joined(lines: Iterator[str]) -> Iterator[str]:
    """Lines ended by LF only: a lone CR, which the text layer also ends a line at, belongs to the line."""
    part = ""
    for line in lines:
        part += line
        if part.endswith("\n"):
            yield part
            part = ""
        check_length(part)
    if part:
        yield part


def _json_object(line: str) -> dict[str, str | None] | None:
    """Plain fields as text with numbers as written; None for anything else."""
    try:
        pairs = json.loads(line, object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not line.startswith("{"):
        return None
    names = [name for name, _ in pairs]
    if not names or len(set(names)) < len(names) or any(isinstance(value, list | dict) for _, value in pairs):
        return None
    return {_storable(name): _json_text(value) for name, value in pairs}


def _json_text(value: str | bool | None) -> str | None:
    if value is None or isinstance(value, bool):
        return None if value is None else str(value).lower()
    return _storable(str(value))


def _storable(text: str) -> str:
    """Lone surrogates, which JSON can spell, exist in no encoding."""
    return text if _encodable(text) else _SPARE


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
