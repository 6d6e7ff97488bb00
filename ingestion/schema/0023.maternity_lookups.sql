-- Small indexes of the log for the maternity checks: a person's enrolments, an employer's registrations, the parts of a cash benefit and
-- the birth behind it are looked up one by one and never found by reading the log.
-- depends: 0022.publication_freeze

CREATE INDEX event_enrollment ON events.event (region_code, person_no)
WHERE event_type IN ('enrollment.started', 'enrollment.changed', 'enrollment.ended');
COMMENT ON INDEX events.event_enrollment IS '个人参保事件 / Enrolments of a person';

CREATE INDEX event_employer ON events.event (region_code, employer_no) WHERE event_type = 'employer.registered';
COMMENT ON INDEX events.event_employer IS '单位登记事件 / Registrations of an employer';

CREATE INDEX event_cash_benefit ON events.event (region_code, claim_no)
WHERE benefit_item IN ('maternity_allowance', 'nutrition_subsidy');
COMMENT ON INDEX events.event_cash_benefit IS '生育津贴与营养补助事件 / Maternity allowances and nutrition subsidies';

CREATE INDEX event_birth_care ON events.event (region_code, person_no)
WHERE benefit_item IN ('delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning');
COMMENT ON INDEX events.event_birth_care IS '分娩、流产与计划生育医疗事件 / Deliveries, miscarriages and family planning';

CREATE INDEX event_cash_benefit_person ON events.event (region_code, person_no)
WHERE benefit_item IN ('maternity_allowance', 'nutrition_subsidy');
COMMENT ON INDEX events.event_cash_benefit_person IS '个人的生育津贴与营养补助事件 / Cash benefits of a person, judged again when a birth arrives late';
