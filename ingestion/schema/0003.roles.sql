-- Roles of the pipeline and its readers, and what each may do. Roles belong to the cluster and may already exist.
-- Works for a superuser and for a user with CREATEROLE: from PostgreSQL 16 on a creator must grant itself a role to use it.
-- depends: 0002.results

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['fund_ingest', 'fund_transform', 'fund_quality', 'fund_publisher',
                                  'finance_reader', 'supervisor_reader', 'auditor'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- made by another database of this cluster
        END;
        BEGIN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        EXCEPTION WHEN insufficient_privilege THEN
            IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
                RAISE EXCEPTION 'role % exists and % may not use it', wanted, current_user
                    USING HINT = format('as an administrator: GRANT %I TO %I WITH ADMIN OPTION', wanted, current_user);
            END IF;
        END;
    END LOOP;
    FOREACH wanted IN ARRAY ARRAY['fund_ingest', 'fund_transform'] LOOP
        IF NOT has_database_privilege(wanted, current_database(), 'TEMPORARY') THEN
            EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), wanted);
        END IF;
    END LOOP;
END
$$;

-- The loader: reads and adds, nothing else; the landing sightings are its own scratch book.
GRANT USAGE ON SCHEMA events TO fund_ingest;
GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA events TO fund_ingest;
GRANT UPDATE, DELETE ON events.landing_sighting TO fund_ingest;

-- The models: read the log, own what they derive.
GRANT USAGE ON SCHEMA events TO fund_transform;
GRANT SELECT ON ALL TABLES IN SCHEMA events TO fund_transform;
GRANT USAGE, CREATE ON SCHEMA policy, staging, ledger, marts TO fund_transform;
GRANT SELECT ON ledger.publication TO fund_transform;
GRANT SELECT, INSERT ON ledger.deployment TO fund_transform;

-- The gate: reads everything, writes results.
GRANT USAGE ON SCHEMA events, policy, staging, ledger, marts, quality TO fund_quality, fund_publisher, auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA events, ledger, quality TO fund_quality, fund_publisher, auditor;
GRANT INSERT ON ALL TABLES IN SCHEMA quality TO fund_quality;
GRANT INSERT ON quality.publication_decision, ledger.publication TO fund_publisher;

-- The readers.
GRANT USAGE ON SCHEMA marts TO finance_reader, supervisor_reader;
GRANT USAGE ON SCHEMA quality TO supervisor_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA quality TO supervisor_reader;

-- What comes later is readable as well: objects of later migrations, and those that the models make.
ALTER DEFAULT PRIVILEGES IN SCHEMA events GRANT SELECT ON TABLES TO fund_ingest, fund_transform, fund_quality, fund_publisher, auditor;
ALTER DEFAULT PRIVILEGES IN SCHEMA quality GRANT SELECT ON TABLES TO fund_quality, fund_publisher, supervisor_reader, auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE fund_transform IN SCHEMA policy, staging, ledger, marts
    GRANT SELECT ON TABLES TO fund_quality, fund_publisher, auditor;
ALTER DEFAULT PRIVILEGES FOR ROLE fund_transform IN SCHEMA marts GRANT SELECT ON TABLES TO finance_reader, supervisor_reader;
