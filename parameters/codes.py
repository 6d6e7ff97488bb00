"""Codes that stand for something: a row of another table, a word that the program reads, or one's own choice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import cache

from parameters.files import Content, Row
from parameters.problems import Problem
from parameters.tables import PROJECT, Table, vocabulary

# What every rule of monitoring reads, whatever else (macro monitoring_limits).
OF_EVERY_RULE = frozenset({"look_back_months", "switched_on", "benefit_within_days"})
_READ = re.compile(r"monitoring_limits\(\s*'(\w+)',\s*\[([^\]]*)\]")
_LIKENESS = 0.6


def unheld(contents: Mapping[str, Content], content: Content) -> Iterator[Problem]:
    """Codes of a table's rows that no table and no rule of the program knows: such a row would count nowhere."""
    table = content.table
    for column in table.columns:
        told = vocabulary()["references"].get(f"{table.name}.{column.name}")
        if told is None:
            continue
        held = _held(contents, told) | set(column.values)
        for row in content.rows:
            known = read_by_rules().get(row[told["parameters"]], held) if "parameters" in told else held
            texts = row[column.name].split() if "words" in told else [row[column.name]]
            for text in texts:
                if text and known and text not in known and not (told.get("open_with") and row[told["open_with"]]):
                    yield Problem(table.file, row.line, "E-PARAM-VALUE", column.name, text, said(text, known))


def is_open(table: Table, column: str) -> bool:
    """Whether a column with words of its own may also hold other codes; `unheld` says in which rows."""
    told = vocabulary()["references"].get(f"{table.name}.{column}", {})
    return "open_with" in told


def new_codes(table: Table, used: Iterable[Row], rows: Iterable[Row]) -> Iterator[Problem]:
    """Codes that no table lists and no row has used: new ones, or slips."""
    used = list(used)
    for name in vocabulary()["own_codes"]:
        if not table.has(name) or table.column(name).values:
            continue
        known = {row[name] for row in used} - {""}
        for row in rows:
            if row[name] and known and row[name] not in known:
                near = nearest(row[name], known)
                detail = f"（最接近 nearest: {near}）" if near else ""
                yield Problem(table.file, row.line, "E-PARAM-CODE-NEW", name, row[name], detail)


def nearest(text: str, known: Iterable[str]) -> str:
    """The known code that was probably meant; blank when none is alike."""
    return next(iter(get_close_matches(text, sorted(known), n=1, cutoff=_LIKENESS)), "")


@cache
def read_by_rules() -> dict[str, frozenset[str]]:
    """Names of the parameters that each rule of monitoring reads, as its model says; under "" those that any reads."""
    found: dict[str, frozenset[str]] = {}
    for path in sorted((PROJECT / "models" / "ledger" / "monitoring").glob("*.sql")):
        for rule, names in _READ.findall(path.read_text("utf-8")):
            found[rule] = found.get(rule, OF_EVERY_RULE).union(re.findall(r"'(\w+)'", names))
    return found | {"": frozenset().union(*found.values())}


def _held(contents: Mapping[str, Content], told: Mapping[str, object]) -> set[str]:
    held = {str(code) for code in _listed(told.get("also"))}
    if "words" in told:
        held |= set(vocabulary()["columns"][told["words"]])
    if of := told.get("of"):
        name, column = str(of).split(".")
        held |= {row[column] for row in contents[name].rows} - {""}
    return held


def _listed(given: object) -> list[object]:
    return given if isinstance(given, list) else []


def said(text: str, known: Iterable[str]) -> str:
    """The nearest known code, then all of them."""
    known = sorted(known)
    near = nearest(text, known)
    return (f"最接近 nearest: {near}；" if near else "") + ", ".join(known)
