"""Closed months in replayed books: what was signed must come out again, whatever else is accepted."""

from __future__ import annotations

from contextlib import closing

from psycopg2 import sql

from ingestion.database import connect
from runtime.replay.shadow import SUFFIX

_ROLE = "auditor"
# The three statements as of the built head, as the gate's B08 has them, and the journal as of the seq that was signed;
# that can only be asked up to the published head. Figures that nobody has stored, though the event names their hash,
# prove nothing: such a month counts as changed.
_CHANGED = """
WITH head AS (
    SELECT region_code, max(seq) AS seq FROM {ledger}.built_head GROUP BY region_code
),
closed AS (
    SELECT closing.region_code, closing.accounting_month, told.figures_seq, told.journal_sha256,
        told.trial_balance_sha256, told.statement_sha256, told.balance_sheet_sha256
    FROM events.event AS closing
    INNER JOIN head ON head.region_code = closing.region_code AND closing.seq <= head.seq
    LEFT JOIN LATERAL (
        SELECT figures.* FROM signoff.closing_figures AS figures
        WHERE figures.region_code = closing.region_code AND figures.accounting_month = closing.accounting_month
            AND figures.ledger_sha256 = closing.ledger_sha256
        ORDER BY figures.request_id
        LIMIT 1
    ) AS told ON true
    WHERE closing.event_type = 'period.closed' AND closing.ledger_sha256 IS NOT NULL
)
SELECT closed.region_code, to_char(closed.accounting_month, 'YYYY-MM'), string_agg(part.name, ', ' ORDER BY part.place)
FROM closed
LEFT JOIN {ledger}.candidate_closed_month AS month
    ON month.region_code = closed.region_code AND month.accounting_month = closed.accounting_month
LEFT JOIN LATERAL (
    SELECT again.journal_sha256
    FROM {marts}.figures_sha256(closed.region_code, closed.accounting_month, closed.figures_seq) AS again
    WHERE closed.figures_seq <= (
        SELECT max(published.seq) FROM ledger.publication AS published WHERE published.region_code = closed.region_code
    )
) AS journal ON true
CROSS JOIN LATERAL (VALUES
    (1, 'journal', closed.journal_sha256, coalesce(journal.journal_sha256, closed.journal_sha256)),
    (2, 'trial_balance', closed.trial_balance_sha256, month.trial_balance_sha256),
    (3, 'statement', closed.statement_sha256, month.statement_sha256),
    (4, 'balance_sheet', closed.balance_sheet_sha256, month.balance_sheet_sha256)
) AS part (place, name, signed, now)
WHERE part.signed IS DISTINCT FROM part.now OR part.signed IS NULL
GROUP BY closed.region_code, closed.accounting_month
ORDER BY closed.region_code, closed.accounting_month
"""


def changed_months() -> list[str]:
    """R-CLOSED, a sentence for each closed month that the replayed books have otherwise than it was signed.

    Books that were tampered with and come out of the replay as signed give none (会计基础工作规范：结账).
    """
    query = sql.SQL(_CHANGED).format(ledger=sql.Identifier(f"ledger{SUFFIX}"), marts=sql.Identifier(f"marts{SUFFIX}"))
    with closing(connect(role=_ROLE, autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return [
            f"R-CLOSED: 统筹区 {region} {month} 已关账签署，重放后与签署时不同，任何理由都不能替换"
            f" / closed and signed, other after the replay, and no reason lets that through: {parts}"
            for region, month, parts in cursor.fetchall()
        ]
