"""Profiles of the sample sources: accepted, and complete as to canonical columns and codes."""

from __future__ import annotations

import re

import pytest
import yaml

from ingestion.contracts import FAMILIES
from ingestion.profiles import parse_profile
from tests.unit.sample_rows import ROOT


def test_the_profile_shown_in_the_documentation_is_accepted() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "sources.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(shown) == 1
    profile = parse_profile(shown[0].encode(), "chuzhou")
    assert profile.feed_of("cz_claim_202007.csv").family == "claim"


@pytest.mark.parametrize("source_system", ["nanjing", "huainan"])
@pytest.mark.parametrize("family", ["registration", "contribution", "claim", "treasury"])
def test_profiles_reach_every_canonical_column_and_code(source_system: str, family: str) -> None:
    contract = FAMILIES[family]
    profile = yaml.safe_load((ROOT / "ingestion" / "sources" / f"{source_system}.yml").read_text(encoding="utf-8"))
    feed = next(feed for feed in profile["feeds"] if feed["family"] == family)
    targets = {spec["to"] if isinstance(spec, dict) else spec: spec for spec in feed["columns"].values()}
    assert len(targets) == len(feed["columns"]), "one source column a canonical column"
    assert set(targets) == set(contract.allowed_names)
    assert set(targets["event_type"]["values"].values()) == set(contract.event_types)
    for column in contract.columns:
        spec = targets[column.name]
        if column.values and isinstance(spec, dict):
            assert sorted(spec["values"].values()) == sorted(column.values), column.name
