{#-
    What outside parties state, and the money lines and turnover it is compared with, by bound: `published` for readers, whose regions are
    then applied to every scan, `built` for the gate.
-#}

{#- Month that a statement is of: the one it names, else that of its day. -#}
{% macro stated_month(event) -%}
    coalesce({{ event }}.accounting_month, date_trunc('month', {{ event }}.occurred_on::timestamp)::date)
{%- endmacro %}

{#- Regions and months of which something is stated, as far as published. -#}
{% macro months_stated() -%}
    select distinct
        event.region_code,
        {{ stated_month('event') }} as accounting_month
    from {{ source('events', 'event') }} as event
    inner join ({{ ledger_head('published') }}) as head on event.region_code = head.region_code and event.seq <= head.seq
    where event.event_type = 'balance.stated'
{%- endmacro %}

{% macro outside_statement(bound) -%}
with head as (
    {{ ledger_head(bound) }}
)

select
    event.region_code,
    event.fund_code,
    {{ stated_month('event') }} as accounting_month,
    event.statement_kind,
    -- Fiscal payments are all paid from one account. Premiums arrive in several: without an account all of them are meant.
    coalesce(
        money_account.account_code,
        case event.statement_kind when 'fiscal_expenditure' then '100301' end
    ) as account_code,
    event.institution_code,
    event.counterparty,
    event.occurred_on as stated_on,
    event.accounting_month is not null as is_month_total,
    event.tax_voucher_no as receipt_no,
    event.payment_no,
    event.amount,
    event.seq as event_seq,
    event.source_system,
    file.file_name as source_file,
    event.line_no as source_line
from {{ source('events', 'event') }} as event
inner join head on event.region_code = head.region_code and event.seq <= head.seq
    {%- if bound == 'published' %} and {{ readable('event.region_code') }}{% endif %}
left join {{ ref('money_account') }} as money_account on event.account = money_account.symbol
left join {{ source('events', 'batch') }} as batch on event.region_code = batch.region_code and event.batch_id = batch.batch_id
left join {{ source('events', 'file_registry') }} as file on batch.file_id = file.file_id
where
    event.event_type = 'balance.stated'
    -- A statement that a later one of its kind, on the same account and institution, names as its original has been taken back by who
    -- made it: nobody takes back what another party has stated.
    and not exists (
        select from {{ source('events', 'event') }} as correction
        where
            correction.region_code = event.region_code and correction.event_type = 'balance.stated'
            and correction.original_event_key = event.source_event_key and correction.seq <> event.seq and correction.seq <= head.seq
            and coalesce(correction.original_source_system, correction.source_system) = event.source_system
            and correction.source_system = event.source_system
            and correction.fund_code = event.fund_code and correction.statement_kind = event.statement_kind
            and correction.account is not distinct from event.account
            and correction.institution_code is not distinct from event.institution_code
            {%- if bound == 'published' %}
            and {{ readable('correction.region_code') }}
            {%- endif %}
    )
{%- endmacro %}

{#-
    Lines of the money accounts with what their events say. What decides a comparison is looked up by key, line by line and only where a
    query asks for it: a month costs by its lines. As a join the planner would read the whole log for them.
-#}
{% macro money_line(bound) -%}
with head as (
    {{ ledger_head(bound) }}
)

select
    line.region_code,
    line.fund_code,
    line.accounting_month,
    line.account_code,
    line.entry_id,
    line.line_no,
    line.posting_date,
    {{ said_of('line', 'occurred_on') }} as occurred_on,
    line.debit_amount - line.credit_amount as amount,
    line.receipt_no,
    coalesce({{ said_of('line', 'payment_no') }}, {{ said_of_reversed('line', 'payment_no') }}) as payment_no,
    line.institution_code,
    line.event_type = 'contribution.collected' as is_collection,
    line.account_code = '100301' and (
        line.event_type in (
            'claim.paid', 'claim.reversed', 'remitted.up', 'subsidised.down', 'transfer.sent', 'catastrophic.transferred',
            'other.paid', 'account.paid_out'
        )
        or (line.event_type = 'cash.transferred' and {{ said_of('line', 'to_account') }} = 'expenditure')
    ) as is_fiscal_payment,
    line.event_type in ('claim.paid', 'claim.reversed')
    and coalesce({{ said_of_reversed('line', 'payee_type') }}, {{ said_of('line', 'payee_type') }}) = 'institution'
        as is_institution_payment,
    line.event_seq,
    line.event_type,
    event.source_system,
    file.file_name as source_file,
    event.line_no as source_line
from {{ ref('journal_line') }} as line
inner join head on line.region_code = head.region_code and line.event_seq <= head.seq
    {%- if bound == 'published' %} and {{ readable('line.region_code') }}{% endif %}
left join {{ source('events', 'event') }} as event
    on line.region_code = event.region_code and line.event_seq = event.seq
    {%- if bound == 'published' %} and {{ readable('event.region_code') }}{% endif %}
left join {{ source('events', 'batch') }} as batch on line.region_code = batch.region_code and line.batch_id = batch.batch_id
left join {{ source('events', 'file_registry') }} as file on batch.file_id = file.file_id
where line.account_code in ('1001', '1002', '1005', '100301', '100302', '1004')
{%- endmacro %}

{#- What the event of a line says in a column. -#}
{% macro said_of(line, column) -%}
    (
        select fact.{{ column }} from {{ source('events', 'event') }} as fact
        where fact.region_code = {{ line }}.region_code and fact.seq = {{ line }}.event_seq
    )
{%- endmacro %}

{#- What the original of a reversed payment says: a payment that the bank never made says nothing of whom it was meant for. -#}
{% macro said_of_reversed(line, column) -%}
    case
        when {{ line }}.event_type = 'claim.reversed'
            then (
                select undone.{{ column }}
                from {{ source('events', 'event') }} as fact
                inner join {{ source('events', 'event') }} as undone
                    on fact.region_code = undone.region_code and fact.original_seq = undone.seq
                where fact.region_code = {{ line }}.region_code and fact.seq = {{ line }}.event_seq
            )
    end
{%- endmacro %}

{% macro turnover_register(bound) -%}
with head as (
    {{ ledger_head(bound) }}
)

select
    delta.region_code,
    delta.fund_code,
    delta.accounting_month,
    delta.account_code,
    delta.sub_fund,
    delta.entry_kind,
    delta.batch_id,
    delta.last_seq,
    delta.debit_amount,
    delta.credit_amount,
    delta.line_count
from {{ ref('account_turnover') }} as delta
inner join head on delta.region_code = head.region_code and delta.last_seq <= head.seq
{%- endmacro %}
