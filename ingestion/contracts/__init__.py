"""The contract of each event family, as data and as rules over polars columns."""

from __future__ import annotations

from collections.abc import Callable

from ingestion.contracts import claim, contribution, registration, treasury
from ingestion.contracts.columns import Family, Rule
from ingestion.seeds import Seeds

# In the order in which families of one run are taken: persons before the premiums that need their age.
FAMILIES: dict[str, Family] = {
    module.FAMILY.name: module.FAMILY for module in (registration, contribution, claim, treasury)
}
FAMILY_RANK = {name: rank for rank, name in enumerate(FAMILIES)}
_RULES: dict[str, Callable[[Seeds], tuple[Rule, ...]]] = {
    module.FAMILY.name: module.rules for module in (registration, contribution, claim, treasury)
}


def family_rules(family: Family, seeds: Seeds) -> tuple[Rule, ...]:
    """Rules across columns of a family under the given seeds."""
    return _RULES[family.name](seeds)
