with month as (
    {{ months_stated() }}
),

figure as (
    select
        month.region_code, month.accounting_month, item.fund_code, item.statement_kind, item.scope, item.account_code,
        item.institution_code, item.counterparty, item.period_from, item.stated_on, item.ours_amount, item.stated_amount,
        item.difference, item.carried_difference, item.stated_seq,
        item.explained_amount as explained, item.in_transit_amount as in_transit, item.item_count, item.figure_status as status
    from month
    cross join lateral {{ ref('tie_out_items') }}(month.region_code, month.accounting_month) as item
    group by
        month.region_code, month.accounting_month, item.figure_no, item.fund_code, item.statement_kind, item.scope, item.account_code,
        item.institution_code, item.counterparty, item.period_from, item.stated_on, item.ours_amount, item.stated_amount,
        item.difference, item.carried_difference, item.stated_seq, item.explained_amount, item.in_transit_amount, item.item_count,
        item.figure_status
)

select
    figure.region_code,
    figure.fund_code,
    figure.accounting_month,
    figure.statement_kind,
    figure.scope,
    figure.account_code,
    figure.institution_code,
    figure.counterparty,
    figure.period_from,
    figure.stated_on,
    figure.ours_amount::numeric(18, 2) as ours_amount,
    figure.stated_amount::numeric(18, 2) as stated_amount,
    figure.difference::numeric(18, 2) as difference,
    figure.carried_difference::numeric(18, 2) as carried_difference,
    figure.explained::numeric(18, 2) as explained_amount,
    figure.in_transit::numeric(18, 2) as in_transit_amount,
    (figure.difference - figure.carried_difference - figure.explained)::numeric(18, 2) as unexplained_amount,
    figure.status,
    figure.item_count,
    figure.stated_seq,
    said.source_system,
    said.source_file,
    said.source_line
from figure
left join {{ ref('outside_statement') }} as said on figure.region_code = said.region_code and figure.stated_seq = said.event_seq
