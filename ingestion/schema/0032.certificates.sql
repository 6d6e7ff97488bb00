-- One person in two places: whoever else has come with the same identity number is looked up by its pseudonym, person by person, and
-- never found by reading the log.
-- depends: 0031.forecast

CREATE INDEX event_certificate ON events.event (certificate_pseudonym, region_code, person_no) INCLUDE (seq)
WHERE certificate_pseudonym IS NOT NULL;
COMMENT ON INDEX events.event_certificate IS '证件号码假名：查找同一人的其他参保 / Pseudonyms of identity numbers: other enrolments of the same person';
