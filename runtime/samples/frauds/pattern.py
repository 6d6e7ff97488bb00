"""What a pattern of fraud is: how it is staged, and with which parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Pattern:
    """A pattern, how it is staged, and with which parameters. No ``tuning``: held out as a whole."""

    code: str
    zh: str
    en: str
    stage: Callable[..., None]
    tuning: tuple[Parameters, ...] = ()
    held_out: tuple[Parameters, ...] = ()
