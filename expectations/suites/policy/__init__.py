"""Whether the policy is carried out: checks on what is published, all of them warnings, routed to their owners."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites.policy import analysis, assessment, enrollment, entitlement, settlement

CHECKS: tuple[Check, ...] = (
    *enrollment.CHECKS,
    *assessment.CHECKS,
    *entitlement.CHECKS,
    *settlement.CHECKS,
    *analysis.CHECKS,
)
