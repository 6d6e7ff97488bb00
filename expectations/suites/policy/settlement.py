"""Payment methods, settlement and providers: checks of the suite `policy`."""

from __future__ import annotations

from expectations.check import Check

CHECKS: tuple[Check, ...] = ()
