"""Personal-account credit of collected premiums: computed from policy and age where the source leaves it out."""

from __future__ import annotations

from datetime import date

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from ingestion.seeds import Seeds

_SET_UP = """
CREATE TEMP TABLE credit (line_no integer, personal_account_credit numeric(18, 2), missing text) ON COMMIT DROP;
CREATE TEMP TABLE credit_term (
    region_code text, contribution_month date, age_from integer, age_to integer,
    rate numeric, base_floor numeric, base_ceiling numeric
) ON COMMIT DROP
"""
_LEFT_OUT = """
FROM incoming AS i
WHERE i.event_type = 'contribution.collected' AND i.personal_account_credit IS NULL
"""
_COMPUTED = "i.insurance_type = '310' AND i.enrollment_category = 'employee' AND coalesce(i.employer_amount, 0) > 0"
# The newest registration that tells a birth date counts; age in full years on the first day of the month.
_COMPUTE = f"""
INSERT INTO credit
WITH wanted AS (
    SELECT i.line_no, i.region_code, i.person_no, i.contribution_month, i.contribution_base, i.employer_amount
    {_LEFT_OUT} AND {_COMPUTED}
),
born AS (
    SELECT DISTINCT ON (e.region_code, e.person_no) e.region_code, e.person_no, e.birth_date
    FROM events.event AS e
    INNER JOIN (SELECT DISTINCT region_code, person_no FROM wanted) AS w
        ON w.region_code = e.region_code AND w.person_no = e.person_no
    WHERE e.family = 'registration' AND e.birth_date IS NOT NULL
    ORDER BY e.region_code, e.person_no, e.seq DESC
)
SELECT w.line_no,
       least(greatest(round(least(greatest(w.contribution_base, t.base_floor), t.base_ceiling) * t.rate, 2), 0),
             w.employer_amount),
       CASE WHEN b.birth_date IS NULL THEN 'E-REF-PERSON' WHEN t.rate IS NULL THEN 'E-REF-POLICY' END
FROM wanted AS w
LEFT JOIN born AS b ON b.region_code = w.region_code AND b.person_no = w.person_no
LEFT JOIN credit_term AS t
    ON t.region_code = w.region_code AND t.contribution_month = w.contribution_month
    AND extract(year FROM age(w.contribution_month, b.birth_date)) BETWEEN t.age_from AND t.age_to
"""
_NONE_DUE = f"INSERT INTO credit SELECT i.line_no, 0, NULL {_LEFT_OUT} AND NOT ({_COMPUTED})"


def compute(cursor: Cursor, seeds: Seeds, today: date) -> list[tuple[int, str, str]]:
    """Fill temp table `credit` for rows of `incoming`; returns (line, code, detail) of those that must wait."""
    cursor.execute(_SET_UP)
    cursor.execute(f"SELECT DISTINCT i.region_code, i.contribution_month {_LEFT_OUT} AND {_COMPUTED}")
    months = cursor.fetchall()
    if months:
        _put_terms(cursor, seeds, months, today)
        cursor.execute(_COMPUTE)
    cursor.execute(_NONE_DUE)
    cursor.execute(
        "SELECT c.line_no, c.missing, CASE c.missing WHEN 'E-REF-PERSON' THEN i.person_no"
        " ELSE to_char(i.contribution_month, 'YYYY-MM') END"
        " FROM credit AS c INNER JOIN incoming AS i USING (line_no) WHERE c.missing IS NOT NULL ORDER BY c.line_no"
    )
    return list(cursor.fetchall())


def _put_terms(cursor: Cursor, seeds: Seeds, months: list[tuple[str, date]], today: date) -> None:
    terms = [
        (region, month, term.age_from, term.age_to, term.rate, term.base_floor, term.base_ceiling)
        for region, month in months
        for term in seeds.credit_terms(region, month, today)
    ]
    execute_values(cursor, "INSERT INTO credit_term VALUES %s", terms)
    cursor.execute("ANALYZE credit_term")
