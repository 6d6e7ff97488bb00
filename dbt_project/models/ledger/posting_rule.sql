-- A new version restates all rows of its (event_type, posting_variant): it replaces them for events recorded from known_from on.
with rule as (
    select * from {{ ref('posting_rules') }}
),

version as (
    select
        event_type,
        posting_variant,
        known_from,
        coalesce(lead(known_from) over (partition by event_type, posting_variant order by known_from), 'infinity'::date) as known_until
    from (select distinct event_type, posting_variant, known_from from rule) as distinct_version
)

select
    rule.rule_id, rule.event_type, rule.posting_variant, rule.amount_name,
    rule.debit_account, rule.debit_sub_fund, rule.credit_account, rule.credit_sub_fund, rule.red, rule.fund_code, rule.entry_kind,
    rule.effective_from,
    coalesce(rule.effective_to, 'infinity'::date) as effective_until,
    rule.known_from,
    version.known_until
from rule
inner join version
    on
        rule.event_type = version.event_type
        and rule.posting_variant = version.posting_variant
        and rule.known_from = version.known_from
