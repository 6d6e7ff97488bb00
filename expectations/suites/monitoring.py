"""Claims monitoring: a check for each rule of seed `monitoring_rule`, on what is published."""

from __future__ import annotations

from expectations.check import Check

CHECKS: tuple[Check, ...] = ()
