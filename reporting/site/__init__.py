"""The site: static pages that show one state of the database, and the list of them.

A page is an entry of `PAGES`: its place in the navigation, and the builder that makes its files. A builder reads over
the connection of `Source` what it needs and returns HTML by file name; what it renders goes through `Frame.html`, so
that all pages have the same frame. A builder that fails keeps nobody from the other pages.
"""

from __future__ import annotations

from reporting.names import Name
from reporting.site import (
    assessment,
    budget,
    clauses,
    disclosure,
    enrollment,
    entitlement,
    findings,
    ingestion,
    merger,
    monitoring,
    overview,
    periods,
    providers,
    rate_review,
    reconciliation,
    risk,
    settlement,
    statement,
    statistics,
)
from reporting.site.frame import Entry, Frame
from reporting.site.pages import Builder, Page, Source

__all__ = ["PAGES", "Builder", "Entry", "Frame", "Page", "Source", "frame_of"]

# In the order of the navigation, whose rows are the pages' parts.
PAGES: tuple[Page, ...] = (
    Page("overview", "index.html", Name("总览", "Overview"), overview.build),
    Page("findings", "findings.html", Name("问题", "Findings"), findings.build),
    Page(statement.KEY, statement.FILE, Name("报表", "Statements"), statement.build),
    Page(reconciliation.KEY, reconciliation.FILE, Name("对账", "Reconciliation"), reconciliation.build),
    Page("ingestion", "ingestion.html", Name("收文", "Files"), ingestion.build),
    Page("periods", "periods.html", Name("月结", "Periods"), periods.build),
    Page(enrollment.KEY, enrollment.FILE, Name("参保", "Enrolment"), enrollment.build, "policy"),
    Page(assessment.KEY, assessment.FILE, Name("费率与核定", "Rates"), assessment.build, "policy"),
    Page(entitlement.KEY, entitlement.FILE, Name("待遇", "Entitlement"), entitlement.build, "policy"),
    Page(settlement.KEY, settlement.FILE, Name("付费与结算", "Settlement"), settlement.build, "policy"),
    Page(providers.KEY, providers.FILE, Name("定点协议", "Providers"), providers.build, "policy"),
    Page(monitoring.KEY, monitoring.FILE, Name("智能监控", "Monitoring"), monitoring.build, "policy"),
    Page(risk.KEY, risk.FILE, Name("风险预警", "Risk"), risk.build, "policy"),
    Page(budget.KEY, budget.FILE, Name("预算", "Budget"), budget.build, "policy"),
    Page(statistics.KEY, statistics.FILE, Name("统计", "Statistics"), statistics.build, "policy"),
    Page(disclosure.KEY, disclosure.FILE, Name("公开", "Disclosure"), disclosure.build, "policy"),
    Page(rate_review.KEY, rate_review.FILE, Name("费率与预测", "Rate review"), rate_review.build, "policy"),
    Page(merger.KEY, merger.FILE, Name("合并评估", "Merger"), merger.build, "policy"),
    Page(clauses.KEY, clauses.FILE, Name("条款对照", "Clauses"), clauses.build, "policy"),
)


def frame_of(source: Source) -> Frame:
    """The frame of all pages of one writing."""
    entries = [Entry(page.key, page.file, page.title, page.part) for page in PAGES]
    return Frame(source.overview.clock, source.overview.run, entries)
