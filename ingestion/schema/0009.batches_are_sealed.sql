-- Events are copied straight into the log and their batch is added last, as a seal. A foreign key asked once for every event,
-- which cost as much as half of the loading itself; now the batch is asked once, when the transaction ends.
-- depends: 0008.access

ALTER TABLE events.event DROP CONSTRAINT event_region_code_batch_id_fkey;

-- Covers what the content hash leaves out: values computed at acceptance, the place of the original, the pseudonym's key.
ALTER TABLE events.batch ADD COLUMN derived_hash bytea CHECK (octet_length(derived_hash) = 32);
COMMENT ON COLUMN events.batch.derived_hash IS '推算值链摘要：推算列、原业务位置、假名密钥编号；此列启用前的批次为空 / Chain hash of what content_hash leaves out: derived values, place of the original, key of the pseudonym; null in batches before its introduction';

CREATE FUNCTION events.check_sealed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    held bigint;
BEGIN
    SELECT count(*) INTO held
    FROM events.event AS e
    WHERE e.region_code = new.region_code AND e.seq BETWEEN new.first_seq AND new.last_seq AND e.batch_id = new.batch_id;
    IF held <> new.last_seq - new.first_seq + 1 THEN
        RAISE EXCEPTION 'batch % of region % seals seq % to %, of which the log holds % as its own',
            new.batch_id, new.region_code, new.first_seq, new.last_seq, held
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION events.check_sealed() IS '批次所封的序号必须都已在日志中 / The events that a batch seals must all be in the log';

CREATE CONSTRAINT TRIGGER is_complete AFTER INSERT ON events.batch
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION events.check_sealed();
ALTER TABLE events.batch ENABLE ALWAYS TRIGGER is_complete;
