"""What has been planted: the answers that a search for fraud is measured against."""

from __future__ import annotations

from dataclasses import dataclass, field

from runtime.samples.values import Fen


@dataclass(frozen=True)
class Planted:
    """One planted case; ``is_fraud`` is false for what only looks like one. Amount: what the fund paid on it, fen."""

    pattern: str
    region_code: str
    is_fraud: bool
    persons: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    employers: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()
    amount: Fen = field(default=Fen(0))
