-- Tables that the gate and the deployment write: results of checks, decisions on publication, published heads.
-- depends: 0001.events

CREATE TABLE quality.check_result (
    run_id             text        NOT NULL,
    region_code        text        NOT NULL,   -- '-' for a check that belongs to no region
    head_seq           bigint      NOT NULL,
    suite              text        NOT NULL,
    code               text        NOT NULL,
    severity           text        NOT NULL CHECK (severity IN ('fail', 'warn')),
    success            boolean     NOT NULL,
    rows_examined      bigint      NOT NULL CHECK (rows_examined >= 0),
    unexpected_count   bigint      NOT NULL CHECK (unexpected_count >= 0),
    unexpected_amount  numeric(24, 2),
    sample             jsonb       NOT NULL DEFAULT '[]',
    title_zh           text        NOT NULL,
    title_en           text        NOT NULL,
    owner              text        NOT NULL,
    clause             text,
    started_at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    duration_ms        integer     NOT NULL CHECK (duration_ms >= 0),
    PRIMARY KEY (run_id, region_code, code, started_at)
);
CREATE INDEX check_result_trend ON quality.check_result (region_code, code, started_at);

CREATE TABLE quality.finding (
    run_id          text        NOT NULL,
    region_code     text        NOT NULL,
    code            text        NOT NULL,
    finding_key     text        NOT NULL,   -- stable name of the offending item: the same item has the same key in every run
    item            jsonb       NOT NULL,   -- the offending row with all columns needed to act
    amount          numeric(24, 2),
    first_seen_run  text        NOT NULL,
    first_seen_at   timestamptz NOT NULL,
    found_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    age_days        integer     NOT NULL GENERATED ALWAYS AS
        (((found_at AT TIME ZONE 'Asia/Shanghai')::date - (first_seen_at AT TIME ZONE 'Asia/Shanghai')::date)) STORED,
    PRIMARY KEY (run_id, region_code, code, finding_key, found_at)
);
CREATE INDEX finding_item ON quality.finding (region_code, code, finding_key);

CREATE TABLE quality.publication_decision (
    run_id         text        NOT NULL,
    region_code    text        NOT NULL,
    head_seq       bigint      NOT NULL,
    decision       text        NOT NULL CHECK (decision IN ('published', 'refused', 'unchanged')),
    failed_checks  text[]      NOT NULL DEFAULT '{}',
    decided_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (run_id, region_code, decided_at)
);

-- Up to where a region's books are public. The newest row of a region counts; marts are bounded by it.
CREATE TABLE ledger.publication (
    region_code   text        NOT NULL,
    seq           bigint      NOT NULL CHECK (seq >= 1),
    batch_id      bigint      NOT NULL,
    batch_hash    bytea       NOT NULL,
    rules_sha256  text        NOT NULL,
    published_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    run_id        text        NOT NULL,
    PRIMARY KEY (region_code, published_at),
    UNIQUE (region_code, seq)
);

-- Which version of the models' code has its views deployed. The newest row counts.
CREATE TABLE ledger.deployment (
    code_sha256  text        NOT NULL,
    deployed_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (deployed_at)
);
