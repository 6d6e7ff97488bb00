-- The parameters as they were loaded, so that whoever reads the marts can ask by which rule a figure was made. A table without regions, and
-- a row that names none, holds in every region.
{% set tables = [
    'age_band', 'budget', 'budget_factor', 'cash_path', 'chart_of_accounts', 'consolidation_member', 'disclosure_calendar',
    'enrollment_gap_kind', 'forecast_scenario', 'freshness_limit', 'merger_check_item', 'monitoring_parameter', 'monitoring_rule',
    'policy_allowance', 'policy_allowance_days', 'policy_allowance_method', 'policy_base', 'policy_benefit_eligibility',
    'policy_contribution_relief', 'policy_enrollment_limit', 'policy_merger_review', 'policy_nutrition_subsidy',
    'policy_payment_method', 'policy_personal_account', 'policy_price', 'policy_rate', 'policy_region', 'policy_settlement_platform',
    'policy_threshold', 'policy_time_limit', 'posting_rules', 'provider_agreement', 'provider_agreement_indicator',
    'rate_review_limit', 'risk_indicator_definition', 'statistic_definition', 'working_day'
] %}
with parameter as (
    {% for table in tables %}
        select
            '{{ table }}' as table_name,
            to_jsonb(known) as content
        from {{ ref(table) }} as known
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

region as (
    select distinct known.region_code
    from {{ ref('policy_region') }} as known
)

select
    region.region_code,
    parameter.table_name,
    parameter.content ->> 'region_code' is null as is_for_all_regions,
    (parameter.content ->> 'effective_from')::date as effective_from,
    (parameter.content ->> 'effective_to')::date as effective_to,
    (parameter.content ->> 'known_from')::date as known_from,
    parameter.content ->> 'status' as status,
    parameter.content ->> 'source' as source,
    parameter.content - array['region_code', 'effective_from', 'effective_to', 'known_from', 'status', 'source'] as content
from parameter
inner join region on coalesce(parameter.content ->> 'region_code', region.region_code) = region.region_code
where {{ readable('region.region_code') }}
