-- Schema `events`: the append-only event log. The only truth; everything else is derived from it.
-- depends:

CREATE SCHEMA IF NOT EXISTS events;
CREATE SCHEMA IF NOT EXISTS quality;
CREATE SCHEMA IF NOT EXISTS policy;
CREATE SCHEMA IF NOT EXISTS staging;
CREATE SCHEMA IF NOT EXISTS ledger;
CREATE SCHEMA IF NOT EXISTS marts;

-- One row: identifies this log among all logs, so that heads kept outside the database find their own.
CREATE TABLE events.log_identity (
    log_id      uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    only_one    boolean     NOT NULL DEFAULT true UNIQUE CHECK (only_one)
);
INSERT INTO events.log_identity DEFAULT VALUES;

-- One row a distinct file content under a name. What became of it is in file_outcome, the newest wins.
CREATE TABLE events.file_registry (
    file_id        bigint      NOT NULL PRIMARY KEY,
    source_system  text        NOT NULL,
    file_name      text        NOT NULL,
    sha256         text        NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    size_bytes     bigint      NOT NULL,
    first_seen_at  timestamptz NOT NULL,
    UNIQUE (source_system, file_name, sha256)
);

-- One row a decision on a file. A rejected file may be decided again when its profile or manifest changes.
CREATE TABLE events.file_outcome (
    file_id         bigint      NOT NULL REFERENCES events.file_registry,
    attempt_no      integer     NOT NULL,
    state           text        NOT NULL CHECK (state IN ('loaded', 'rejected', 'duplicate_file')),
    error_code      text,
    error_message   text,
    family          text,
    rows            bigint      NOT NULL DEFAULT 0,
    loaded          bigint      NOT NULL DEFAULT 0,
    duplicate       bigint      NOT NULL DEFAULT 0,
    quarantined     bigint      NOT NULL DEFAULT 0,
    declared_rows   bigint,               -- row_count of the manifest, null without one
    reader_key      text        NOT NULL, -- hash of profile, manifest and reader version that decided
    duplicate_of    bigint      REFERENCES events.file_registry,
    finished_at     timestamptz NOT NULL,
    PRIMARY KEY (file_id, attempt_no),
    CHECK (rows = loaded + duplicate + quarantined),
    CHECK ((state = 'rejected') = (error_code IS NOT NULL))
);

-- Operational, not part of the log: what the landing folders showed last (spares re-hashing, knows unfinished files).
CREATE TABLE events.landing_sighting (
    source_system  text        NOT NULL,
    file_name      text        NOT NULL,
    size_bytes     bigint      NOT NULL,
    modified_ns    bigint      NOT NULL,
    sha256         text,                  -- null while the file is still being written
    first_seen_at  timestamptz NOT NULL,
    seen_at        timestamptz NOT NULL,
    PRIMARY KEY (source_system, file_name)
);

-- What one transaction adds to one region from one file.
CREATE TABLE events.batch (
    region_code      text        NOT NULL CHECK (region_code ~ '^[0-9]{6}$'),
    batch_id         bigint      NOT NULL CHECK (batch_id >= 1),
    file_id          bigint      REFERENCES events.file_registry,  -- null: written by the pipeline itself (family control)
    file_sha256      text        NOT NULL,
    first_seq        bigint      NOT NULL,
    last_seq         bigint      NOT NULL,
    recorded_at      timestamptz NOT NULL,
    prev_batch_hash  bytea       NOT NULL CHECK (octet_length(prev_batch_hash) = 32),  -- 32 zero bytes for batch 1
    batch_hash       bytea       NOT NULL CHECK (octet_length(batch_hash) = 32),
    PRIMARY KEY (region_code, batch_id),
    UNIQUE (region_code, first_seq),
    UNIQUE (region_code, last_seq),
    CHECK (last_seq >= first_seq)
);
CREATE INDEX batch_file ON events.batch (file_id);

CREATE TABLE events.event (
    region_code                text        NOT NULL,
    seq                        bigint      NOT NULL CHECK (seq >= 1),
    event_type                 text        NOT NULL,
    family                     text        NOT NULL CHECK (family IN ('registration', 'contribution', 'claim', 'treasury', 'control')),
    schema_version             smallint    NOT NULL,
    source_system              text        NOT NULL,
    source_event_key           text        NOT NULL,
    occurred_on                date        NOT NULL,
    recorded_at                timestamptz NOT NULL,
    batch_id                   bigint      NOT NULL,
    line_no                    integer     NOT NULL,
    content_hash               bytea       NOT NULL CHECK (octet_length(content_hash) = 32),
    -- set by the appender, outside content_hash
    original_seq               bigint,     -- place of the event that original_event_key names
    derived_columns            text[],     -- columns below that were computed at acceptance, not given by the source
    -- shared by several families
    original_source_system     text,
    original_event_key         text,
    employer_no                text,
    person_no                  text,
    institution_code           text,
    insurance_type             text,
    enrollment_category        text,
    contribution_base          numeric(18, 2),
    deposit_account            text,
    benefit_item               text,
    reason                     text,
    accounting_month           date,
    -- registration
    employer_credit_code       text,
    employer_name              text,
    employer_type              text,
    certificate_pseudonym      text,
    pseudonym_key_id           text,
    birth_date                 date,
    sex                        text,
    worker_group               text,
    -- contribution
    contribution_month         date,
    employer_amount            numeric(18, 2),
    personal_amount            numeric(18, 2),
    personal_account_credit    numeric(18, 2),
    late_fee                   numeric(18, 2),
    receipt_no                 text,
    -- claim
    claim_no                   text,
    settlement_kind            text,
    account_holder_no          text,
    payment_method             text,
    payee_type                 text,
    admitted_on                date,
    discharged_on              date,
    service_on                 date,
    birth_count                integer,
    leave_days                 integer,
    allowance_daily_base       numeric(18, 2),
    gestation_weeks            integer,
    medical_fee_total          numeric(18, 2),
    pooled_amount              numeric(18, 2),
    personal_account_amount    numeric(18, 2),
    personal_cash_amount       numeric(18, 2),
    institution_borne_amount   numeric(18, 2),
    other_funds_amount         numeric(18, 2),
    deposit_withheld_amount    numeric(18, 2),
    pay_account                text,
    payment_no                 text,
    -- treasury
    fund_code                  text,
    sub_fund                   text,
    account                    text,
    from_account               text,
    to_account                 text,
    amount                     numeric(18, 2),
    identified_as              text,
    counterparty               text,
    statement_kind             text,
    -- control
    prepared_by                text,
    approved_by                text,
    approved_at                timestamptz,
    checks_run_id              text,
    checked_seq                bigint,
    report_sha256              text,
    ledger_sha256              text,
    rules_sha256               text,
    decision                   text,
    PRIMARY KEY (region_code, seq),
    FOREIGN KEY (region_code, batch_id) REFERENCES events.batch
);
-- Identity of the fact; also what the appender anti-joins under the region's lock.
CREATE UNIQUE INDEX event_identity ON events.event (region_code, source_system, family, source_event_key);
CREATE INDEX event_original ON events.event (region_code, original_seq) WHERE original_seq IS NOT NULL;
CREATE INDEX event_person ON events.event (region_code, person_no) WHERE family = 'registration' AND birth_date IS NOT NULL;
CREATE INDEX event_control ON events.event (region_code, event_type, seq) WHERE event_type IN ('period.closed', 'year.closed', 'fund.merged', 'balance.opened');

-- Rows that failed a rule. Never updated: what became of one is in quarantine_resolution.
CREATE TABLE events.quarantine (
    quarantine_id     bigint      NOT NULL PRIMARY KEY,
    file_id           bigint      NOT NULL REFERENCES events.file_registry,
    line_no           integer     NOT NULL,
    region_code       text,                 -- null where unreadable
    family            text,
    source_system     text        NOT NULL,
    source_event_key  text,
    error_codes       text[]      NOT NULL CHECK (cardinality(error_codes) >= 1),
    messages          text[]      NOT NULL, -- one per code: Chinese sentence / English sentence
    raw               text,                 -- the source's own columns as JSON, personal data masked or left out
    canonical         jsonb,                -- canonical column -> text, for rows that wait and are tried again
    amount            numeric(18, 2),       -- what the row would post; null where unreadable
    quarantined_at    timestamptz NOT NULL,
    UNIQUE (file_id, line_no)
);
CREATE INDEX quarantine_identity ON events.quarantine (region_code, source_system, family, source_event_key);

CREATE TABLE events.quarantine_resolution (
    quarantine_id    bigint      NOT NULL PRIMARY KEY REFERENCES events.quarantine,
    resolution       text        NOT NULL CHECK (resolution IN ('loaded', 'corrected', 'duplicate')),
    region_code      text        NOT NULL,
    resolved_by_seq  bigint      NOT NULL,  -- the event that settles it
    resolved_at      timestamptz NOT NULL
);

-- Which files are due (check C04). No row = nothing due. region_code null: every region that the source has ever sent.
CREATE TABLE events.source_calendar (
    source_system  text NOT NULL,
    family         text NOT NULL,
    due_rule       text NOT NULL,
    active_from    date NOT NULL,
    region_code    text,
    PRIMARY KEY (source_system, family, due_rule)
);
