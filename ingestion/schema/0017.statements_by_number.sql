-- Outside statements are few among many events: they are found without reading the log.
-- depends: 0013.file_notes

CREATE INDEX event_stated ON events.event (region_code, accounting_month) WHERE event_type = 'balance.stated';
