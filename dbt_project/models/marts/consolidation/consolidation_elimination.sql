with {{ ledger_calendar('published') }},

member as (
    {{ consolidation_member() }}
),

{{ consolidation_month() }},

{{ consolidation_elimination() }}

select
    group_code,
    fund_code,
    accounting_month,
    flow,
    upper_region_code,
    lower_region_code,
    sub_fund,
    relation,
    case flow when 'subsidy' then 'E60' else 'I80' end as upper_line_code,
    case flow when 'subsidy' then 'I70' else 'E70' end as lower_line_code,
    upper_month::numeric(18, 2) as upper_month,
    lower_month::numeric(18, 2) as lower_month,
    eliminated_month::numeric(18, 2) as eliminated_month,
    (upper_month - eliminated_month)::numeric(18, 2) as upper_unmatched_month,
    (lower_month - eliminated_month)::numeric(18, 2) as lower_unmatched_month,
    upper_year_to_date::numeric(18, 2) as upper_year_to_date,
    lower_year_to_date::numeric(18, 2) as lower_year_to_date,
    eliminated_year_to_date::numeric(18, 2) as eliminated_year_to_date,
    (upper_year_to_date - eliminated_year_to_date)::numeric(18, 2) as upper_unmatched_year_to_date,
    (lower_year_to_date - eliminated_year_to_date)::numeric(18, 2) as lower_unmatched_year_to_date
from elimination
