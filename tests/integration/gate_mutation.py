"""A corruption of the hand-made books."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """`sql` runs as superuser with triggers off; afterwards check `code` must fail with `severity` and name `item`."""

    code: str
    why: str
    sql: str
    item: str
    severity: str = "fail"
