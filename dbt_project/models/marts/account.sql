with account as (
    {{ ledger_account() }}
)

select
    account_code,
    name_zh,
    name_en,
    account_class,
    normal_side,
    parent_code,
    is_posting
from account
