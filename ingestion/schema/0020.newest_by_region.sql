-- What was set aside or found in a region since a moment, by index: the gate asks every day, and must not read all there ever was.
-- depends: 0019.level_and_rules_events

CREATE INDEX quarantine_newest ON events.quarantine (region_code, quarantined_at);
CREATE INDEX finding_newest ON quality.finding (region_code, found_at);
CREATE INDEX check_result_newest ON quality.check_result (region_code, started_at);
