"""A log of facts that carry money, put in by SQL as acceptance would have stored them.

Of a hundred: 55 premiums of employees with their credit, 8 of flexible workers, 32 payments of benefits of six items,
2 corrections of facts of the same month (refund, recovery, reversal), 3 movements of the fund's own money. A batch a
month and region; each month is closed before the next begins, a year with its December.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date

import psycopg2

from benchmarks.common import Server

REGION = "340400"
FIRST_MONTH = date(2020, 1, 1)  # the separate maternity fund has been merged by then

# kind: which of a hundred an event is; a correction's original is one of the same month, a few events before it
_SENT = """
CREATE TEMP TABLE sent ON COMMIT DROP AS
WITH numbered AS (
    SELECT i, (i - 1) * %(months)s / %(events)s AS place,
        (i - 1) * %(months)s / %(events)s = (i - 11) * %(months)s / %(events)s AS within_month, (i * 19) %% 100 AS kind
    FROM generate_series(1::bigint, %(events)s) AS i
),
dated AS (
    SELECT i, place, (date %(first_month)s + place * interval '1 month')::date AS month,
        CASE WHEN kind IN (95, 96) AND NOT within_month THEN 97 ELSE kind END AS kind
    FROM numbered
)
SELECT place, month, i AS line_no, kind, month + (i %% 28)::integer AS occurred_on,
    CASE WHEN kind < 55 OR kind BETWEEN 55 AND 62 THEN 'contribution.collected'
        WHEN kind <= 94 THEN 'claim.paid'
        WHEN kind = 95 THEN 'contribution.refunded'
        WHEN kind = 96 THEN CASE WHEN i %% 200 < 100 THEN 'claim.recovered' ELSE 'claim.reversed' END
        WHEN kind = 97 THEN 'cash.transferred'
        WHEN kind = 98 THEN 'subsidy.received'
        ELSE 'interest.credited' END AS event_type,
    CASE kind WHEN 95 THEN 5 WHEN 96 THEN 7 END AS originals_back,
    -- a correction speaks of its original's person and amounts
    CASE kind WHEN 95 THEN i - 5 WHEN 96 THEN i - 7 ELSE i END AS fact
FROM dated
UNION ALL
SELECT place, month::date, %(events)s + closing.line_no, NULL, (month + interval '1 month' - interval '1 day')::date,
    closing.event_type, NULL, NULL
FROM generate_series(0, %(months)s - 1) AS place
CROSS JOIN LATERAL (SELECT date %(first_month)s + place * interval '1 month' AS month) AS dated
CROSS JOIN LATERAL (
    SELECT 1 AS line_no, 'year.closed' AS event_type WHERE extract(month FROM month) = 12
    UNION ALL
    SELECT 2, 'period.closed'
) AS closing
"""

_PLACED = """
CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT sent.*,
    row_number() OVER (ORDER BY place, kind IS NULL, line_no) + coalesce(log.last_seq, 0) AS seq,
    2 * place + CASE WHEN kind IS NULL THEN 2 ELSE 1 END + coalesce(log.batch_id, 0) AS batch_id,
    (month + interval '1 month 2 days 9 hours') AT TIME ZONE 'Asia/Shanghai' AS recorded_at
FROM sent
LEFT JOIN (
    SELECT max(last_seq) AS last_seq, max(batch_id) AS batch_id FROM events.batch WHERE region_code = %(region)s
) AS log ON true
"""

_BATCHES = """
INSERT INTO events.batch (
    region_code, batch_id, file_sha256, first_seq, last_seq, recorded_at, prev_batch_hash, batch_hash)
SELECT %(region)s, batch_id, repeat('0', 64), min(seq), max(seq), min(recorded_at), sha256(int8send(batch_id - 1)),
    sha256(int8send(batch_id))
FROM placed GROUP BY batch_id ORDER BY batch_id
"""

_EVENTS = """
INSERT INTO events.event (
    region_code, seq, event_type, family, schema_version, source_system, source_event_key, occurred_on, recorded_at,
    batch_id, line_no, content_hash, original_seq, original_event_key, accounting_month,
    person_no, employer_no, insurance_type, enrollment_category, contribution_month, contribution_base,
    employer_amount, personal_amount, personal_account_credit, late_fee, receipt_no, deposit_account,
    claim_no, institution_code, benefit_item, payment_method, payee_type, payment_no, pay_account, admitted_on,
    pooled_amount, personal_account_amount, medical_fee_total,
    fund_code, sub_fund, account, from_account, to_account, amount)
SELECT %(region)s, seq, event_type, family, 1, 'bureau', 'K' || seq, occurred_on, recorded_at, batch_id, line_no,
    sha256(int8send(seq)), seq - originals_back, 'K' || seq - originals_back,
    CASE WHEN family = 'control' THEN month END,
    CASE WHEN family IN ('contribution', 'claim') THEN 'P' || fact %% 300000 END,
    CASE WHEN premium = 'employee' THEN 'U' || fact %% 5000 END,
    CASE WHEN family IN ('contribution', 'claim') THEN '310' END, premium,
    CASE WHEN family = 'contribution' THEN month END, CASE WHEN family = 'contribution' THEN base END,
    CASE WHEN premium = 'employee' THEN base * 0.09 END,
    CASE premium WHEN 'employee' THEN base * 0.02 WHEN 'flexible' THEN base * 0.10 END,
    CASE premium WHEN 'employee' THEN base * 0.01 WHEN 'flexible' THEN base * 0.03 END,
    CASE WHEN family = 'contribution' AND fact %% 20 = 1 THEN 5 END,
    CASE WHEN family = 'contribution' THEN 'SP' || fact / 30 END,
    CASE WHEN family = 'contribution' THEN 'treasury' END,
    CASE WHEN family = 'claim' THEN 'C' || fact END, CASE WHEN family = 'claim' THEN 'H3404' || fact %% 300 END, item,
    CASE WHEN family = 'claim' THEN CASE WHEN item = 'inpatient' THEN 'dip' ELSE 'fee_for_service' END END,
    CASE WHEN family = 'claim' THEN 'institution' END, CASE WHEN event_type = 'claim.paid' THEN 'F' || fact END,
    CASE WHEN family = 'claim' THEN 'expenditure' END, CASE WHEN item = 'inpatient' THEN occurred_on - 9 END,
    pooled, personal, pooled + personal,
    CASE WHEN family = 'treasury' THEN 'EMI' END,
    CASE WHEN family = 'treasury' AND event_type <> 'cash.transferred' THEN 'pooled' END,
    CASE WHEN family = 'treasury' AND event_type <> 'cash.transferred' THEN 'special_demand' END,
    CASE WHEN event_type = 'cash.transferred' THEN 'special_demand' END,
    CASE WHEN event_type = 'cash.transferred' THEN 'expenditure' END,
    CASE WHEN family = 'treasury' THEN 1000 + seq %% 90000 + 0.25 END
FROM placed
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN kind IS NULL THEN 'control' WHEN kind < 63 OR kind = 95 THEN 'contribution'
            WHEN kind <= 96 THEN 'claim' ELSE 'treasury' END AS family,
        CASE WHEN kind < 55 OR kind = 95 THEN 'employee' WHEN kind < 63 THEN 'flexible' END AS premium,
        CASE WHEN kind BETWEEN 63 AND 72 OR kind = 96 THEN 'inpatient' WHEN kind BETWEEN 73 AND 82 THEN 'outpatient'
            WHEN kind BETWEEN 83 AND 90 THEN 'pharmacy' WHEN kind IN (91, 92) THEN 'delivery_normal'
            WHEN kind = 93 THEN 'prenatal' WHEN kind = 94 THEN 'maternity_allowance' END AS item,
        4000 + fact * 7919 %% 900000 / 100.0 AS base
) AS named
CROSS JOIN LATERAL (
    SELECT CASE WHEN item IS NOT NULL THEN 500 + fact * 7919 %% 400000 / 100.0 END AS pooled,
        CASE WHEN item IN ('inpatient', 'outpatient', 'pharmacy') AND fact %% 3 > 0 THEN 60 + fact * 31 %% 30000 / 100.0
            WHEN item IS NOT NULL THEN 0 END AS personal
) AS paid
ORDER BY seq
"""


def add(target: Server, events: int, months: int, first_month: date = FIRST_MONTH, region: str = REGION) -> None:
    """Append `events` facts over `months` months, and the closing of each, to the region's log; committed at once."""
    wanted = {"events": events, "months": months, "first_month": first_month.isoformat(), "region": region}
    with closing(psycopg2.connect(target.superuser_url)) as connection:
        with connection, connection.cursor() as cursor:
            for statement in (_SENT, _PLACED, _BATCHES, _EVENTS):
                cursor.execute(statement, wanted)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE) events.event, events.batch")
            cursor.execute("CHECKPOINT")
