-- Maternity settlements and payments by day: cost per case of institutions and days to payment are taken from these alone and never
-- by reading the log.
-- depends: 0033.assessed_months

CREATE INDEX event_maternity_case ON events.event (region_code, event_type, occurred_on)
WHERE event_type IN ('claim.settled', 'claim.paid') AND benefit_item IN (
    'prenatal', 'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning', 'maternity_complication',
    'maternity_allowance', 'nutrition_subsidy'
);
COMMENT ON INDEX events.event_maternity_case IS '生育待遇的结算与支付事件 / Settlements and payments of maternity benefits';
