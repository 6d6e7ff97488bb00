-- Nobody changes or removes what has been recorded, whatever grants may say one day.
-- depends: 0003.roles

CREATE FUNCTION events.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: what is recorded is never changed or removed', tg_op, tg_table_schema, tg_table_name
        USING ERRCODE = 'restrict_violation', HINT = 'Record a correction as a new row.';
END
$$;

DO $$
DECLARE
    guarded text;
BEGIN
    FOREACH guarded IN ARRAY ARRAY['events.log_identity', 'events.event', 'events.batch', 'events.file_registry', 'events.file_outcome',
                                   'events.quarantine', 'events.quarantine_resolution', 'ledger.publication', 'ledger.deployment',
                                   'quality.check_result', 'quality.finding', 'quality.publication_decision'] LOOP
        EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON %s '
                       'FOR EACH STATEMENT EXECUTE FUNCTION events.refuse_change()', guarded);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', guarded);
    END LOOP;
END
$$;
