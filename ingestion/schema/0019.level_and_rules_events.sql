-- The few events that move money between an upper and a lower level, for the consolidated statements: found without a scan of
-- the log. The words of the condition are those of the macro level_event.
-- depends: 0017.statements_by_number

CREATE INDEX event_level ON events.event (region_code, seq)
WHERE event_type IN ('superior.received', 'subordinate.received', 'remitted.up', 'subsidised.down')
    OR event_type = 'receipt.identified' AND identified_as IN ('4401', '4402', '5301', '5302');
COMMENT ON INDEX events.event_level IS '上下级往来事件 / Events between levels';

-- Which versions of the posting rules a region has adopted: asked before a head is published under another version.
CREATE INDEX event_rules_adopted ON events.event (region_code, seq) WHERE event_type = 'rules.adopted';
COMMENT ON INDEX events.event_rules_adopted IS '采用新规则的事件 / Adoptions of rules';
