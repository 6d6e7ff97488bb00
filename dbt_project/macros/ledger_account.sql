{#- One row an account: its newest name in the versioned chart. -#}
{% macro ledger_account() -%}
    select distinct on (account_code) account_code, name_zh, name_en, account_class, normal_side, parent_code, is_posting
    from {{ ref('chart_of_accounts') }}
    order by account_code, effective_from desc, known_from desc
{%- endmacro %}

{#- Which accounts make up which statement line in which accounting months, resolved from the prefixes of statement_line_account. -#}
{% macro ledger_account_line() -%}
    select distinct account.account_code, part.line_code, part.entry_kind, part.sub_fund, part.effective_from, part.effective_to
    from {{ ref('chart_of_accounts') }} as account
    inner join {{ ref('statement_line_account') }} as part on starts_with(account.account_code, part.account_prefix)
{%- endmacro %}
