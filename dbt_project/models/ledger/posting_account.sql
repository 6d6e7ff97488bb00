-- Accounts lines may be posted to, each version with the dates and knowledge it is good for.
select
    account_code,
    account_class,
    fund_code,
    sub_fund,
    effective_from,
    coalesce(effective_to, 'infinity'::date) as effective_until,
    known_from,
    coalesce(
        lead(known_from) over (partition by account_code, effective_from order by known_from), 'infinity'::date
    ) as known_until
from {{ ref('chart_of_accounts') }}
where is_posting
