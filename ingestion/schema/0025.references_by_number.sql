-- Whether who is named in a fact has been registered, by index: asked of every day's facts, and again for what was missing.
-- Both are partial: of the rows that are copied into the log only registrations pay for them.
-- depends: 0024.control_totals

CREATE INDEX event_registered_person ON events.event (region_code, person_no) WHERE family = 'registration' AND person_no IS NOT NULL;
CREATE INDEX event_registered_employer ON events.event (region_code, employer_no) WHERE family = 'registration' AND employer_no IS NOT NULL;
COMMENT ON INDEX events.event_registered_person IS '人员的登记事件 / Registrations of a person';
COMMENT ON INDEX events.event_registered_employer IS '单位的登记事件 / Registrations of an employer';
