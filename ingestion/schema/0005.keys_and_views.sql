-- Numbers of files and quarantine rows, and the views that outside readers are promised.
-- depends: 0004.guards

-- Gaps are allowed here (unlike in seq and batch_id), so plain sequences do.
CREATE SEQUENCE events.file_number;
CREATE SEQUENCE events.quarantine_number;
ALTER TABLE events.file_registry ALTER COLUMN file_id SET DEFAULT nextval('events.file_number');
ALTER TABLE events.quarantine ALTER COLUMN quarantine_id SET DEFAULT nextval('events.quarantine_number');
GRANT USAGE ON SEQUENCE events.file_number, events.quarantine_number TO fund_ingest;

CREATE VIEW events.file AS
WITH newest AS (
    SELECT DISTINCT ON (o.file_id) o.*
    FROM events.file_outcome AS o
    ORDER BY o.file_id, o.attempt_no DESC
),
in_log AS (
    SELECT b.file_id, sum(b.last_seq - b.first_seq + 1)::bigint AS now_loaded
    FROM events.batch AS b
    WHERE b.file_id IS NOT NULL
    GROUP BY b.file_id
)
SELECT
    r.file_id, r.source_system, r.file_name, r.sha256, r.size_bytes,
    n.rows, n.loaded, n.duplicate, n.quarantined, coalesce(l.now_loaded, 0) AS now_loaded,
    n.state, n.error_code, r.first_seen_at, n.finished_at, n.error_message, n.family, n.declared_rows, n.duplicate_of
FROM events.file_registry AS r
INNER JOIN newest AS n ON n.file_id = r.file_id
LEFT JOIN in_log AS l ON l.file_id = r.file_id
UNION ALL
SELECT
    NULL, s.source_system, s.file_name, NULL, s.size_bytes,
    0, 0, 0, 0, 0,
    'waiting', NULL, s.first_seen_at, NULL, NULL, NULL, NULL, NULL
FROM events.landing_sighting AS s
WHERE s.sha256 IS NULL;

CREATE VIEW events.quarantine_open AS
SELECT q.*
FROM events.quarantine AS q
WHERE NOT EXISTS (SELECT FROM events.quarantine_resolution AS r WHERE r.quarantine_id = q.quarantine_id);
