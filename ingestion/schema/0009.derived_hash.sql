-- The chain of what the appender adds beside the source's own fields: places of originals, computed values, key ids.
-- depends: 0008.access

ALTER TABLE events.batch ADD COLUMN derived_hash bytea CHECK (octet_length(derived_hash) = 32);
COMMENT ON COLUMN events.batch.derived_hash IS '受理时补充内容的哈希链，早期批次为空 / Hash over what acceptance added, chained; null in batches from before it was kept';
