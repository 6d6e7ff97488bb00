{{ config(
    materialized='sql_function',
    arguments='region text, month date, kind text',
    returns='table (figure_no bigint, fund_code text, statement_kind text, scope text, account_code text, '
        'institution_code text, counterparty text, period_from date, stated_on date, ours_amount numeric, '
        'stated_amount numeric, difference numeric, carried_difference numeric, stated_seq bigint, '
        'item_status text, matched_by text, match_number text, item_amount numeric, item_difference numeric, '
        'item_date date, entry_id text, entry_count bigint, event_seq bigint, item_stated_seq bigint, stated_count bigint, '
        'candidate_count bigint, explained_amount numeric, in_transit_amount numeric, item_count bigint, figure_status text)'
) }}

-- What is qualified by the function's name is an argument, which the linter takes for a table.
-- noqa: disable=RF01,RF02,RF03,AL04,AM06
{{ tie_out_items(
    'candidate_tie_out_items', ref('candidate_outside_statement'), ref('candidate_money_line'), ref('candidate_turnover'), by_kind=true
) }}
