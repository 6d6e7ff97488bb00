{#-
    Figures as bytes that stay the same for ever: UTF-8, a header line, every line ended by LF, commas between fields, a field that holds
    comma, quotation mark, CR or LF in quotation marks; null empty, amounts with two places, dates ISO, instants in UTC.
    Codes only: names may be put better later. Sorted by bytes. No setting of a session takes part: no locale, time zone or date style.
-#}

{#- Columns of a part as (name, kind). -#}
{% macro csv_columns(part) -%}
    {%- set key = [('region_code', 'code'), ('fund_code', 'code'), ('accounting_month', 'date')] -%}
    {%- set parts = {
        'journal': key + [
            ('entry_id', 'code'), ('line_no', 'number'), ('entry_kind', 'code'), ('voucher_no', 'number'), ('posting_date', 'date'),
            ('account_code', 'code'), ('sub_fund', 'code'), ('debit_amount', 'amount'), ('credit_amount', 'amount'),
            ('event_seq', 'number'), ('event_type', 'code'), ('occurred_on', 'date'), ('recorded_at', 'instant'),
            ('original_month', 'date'), ('reverses_entry_id', 'code'), ('person_no', 'text'), ('employer_no', 'text'),
            ('institution_code', 'text'), ('benefit_item', 'code'), ('claim_no', 'text'), ('receipt_no', 'text'),
            ('source_system', 'text'), ('source_file', 'text'), ('source_line', 'number'),
        ],
        'trial_balance': key + [
            ('account_code', 'code'), ('sub_fund', 'code'), ('opening_balance', 'amount'), ('debit_amount', 'amount'),
            ('credit_amount', 'amount'), ('closing_balance', 'amount'),
        ],
        'statement': key + [
            ('line_code', 'code'), ('sub_fund', 'code'), ('amount_month', 'amount'), ('amount_year_to_date', 'amount'),
        ],
        'balance_sheet': key + [
            ('line_code', 'code'), ('sub_fund', 'code'), ('opening_amount', 'amount'), ('closing_amount', 'amount'),
        ],
        'disclosure': key + [
            ('participant_count', 'number'), ('maternity_participant_count', 'number'), ('beneficiary_count', 'number'),
            ('beneficiary_count_year_to_date', 'number'), ('income_amount', 'amount'), ('income_amount_year_to_date', 'amount'),
            ('expenditure_amount', 'amount'), ('expenditure_amount_year_to_date', 'amount'), ('maternity_expenditure_amount', 'amount'),
            ('maternity_expenditure_amount_year_to_date', 'amount'), ('surplus_amount', 'amount'),
            ('surplus_amount_year_to_date', 'amount'), ('balance_amount', 'amount'), ('has_small_numbers', 'code'),
        ],
    } -%}
    {{ return(parts[part]) }}
{%- endmacro %}

{% macro csv_header(part) -%}
    '{% for name, kind in csv_columns(part) %}{{ name }}{{ ',' if not loop.last }}{% endfor %}'
{%- endmacro %}

{#- One row of the relation `row` as a line, without its LF. `concat` reads null as nothing. -#}
{% macro csv_line(part, row) -%}
    concat(
    {%- for name, kind in csv_columns(part) %}
        {%- set column = row ~ '.' ~ name %}
        {% if kind == 'amount' %}{{ column }}::numeric(18, 2)::text
        {%- elif kind == 'date' %}to_char({{ column }}::timestamp, 'YYYY-MM-DD')
        {%- elif kind == 'instant' %}to_char({{ column }} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        {%- elif kind == 'text' %}case
            when {{ column }} ~ e'[",\r\n]' then '"' || replace({{ column }}, '"', '""') || '"' else {{ column }}
        end
        {%- else %}{{ column }}::text
        {%- endif %}{{ ", ','," if not loop.last }}
    {%- endfor %}
    )
{%- endmacro %}

{#- Order of the lines of a part. Entries of an event are numbered, and their number stands last in the entry's id. -#}
{% macro csv_order(part, row) -%}
    {%- if part == 'journal' -%}
    {{ row }}.fund_code collate "C", {{ row }}.event_seq, length({{ row }}.entry_id), {{ row }}.entry_id collate "C", {{ row }}.line_no
    {%- elif part == 'disclosure' -%}
    {{ row }}.fund_code collate "C", {{ row }}.accounting_month
    {%- else -%}
    {{ row }}.fund_code collate "C", {{ row }}.{{ 'account' if part == 'trial_balance' else 'line' }}_code collate "C", {{ row }}.sub_fund collate "C"
    {%- endif -%}
{%- endmacro %}

{#- All lines of a part with their place, the header being 0: what the functions marts.*_csv return. -#}
{% macro csv_lines(part, rows) -%}
select 0::bigint as place, {{ csv_header(part) }} as line
union all
select
    row_number() over (order by {{ csv_order(part, 'figure') }}) as place,
    {{ csv_line(part, 'figure') }} as line
from ({{ rows }}) as figure
{%- endmacro %}

{#- The file's sha256 in hexadecimal, over rows of the relation `row`: an aggregate. -#}
{% macro csv_sha256(part, row) -%}
    encode(sha256(convert_to(
        {{ csv_header(part) }} || e'\n' || coalesce(string_agg(
            {{ csv_line(part, row) }} || e'\n', '' order by {{ csv_order(part, row) }}
        ) filter (where {{ row }}.region_code is not null), ''), 'UTF8'
    )), 'hex')
{%- endmacro %}

{#- Hashes of a part of every month in the CTE `closed`, from one of the candidate's statements. -#}
{% macro closed_sha256(part, statement) -%}
    select closed.region_code, closed.accounting_month, {{ csv_sha256(part, 'figure') }} as sha256
    from closed
    left join {{ statement }} as figure
        on closed.region_code = figure.region_code and closed.accounting_month = figure.accounting_month
    group by closed.region_code, closed.accounting_month
{%- endmacro %}

{#- Hash of one of the functions marts.*_csv, as a value; its arguments are those of the function around it. -#}
{% macro function_sha256(csv_function) -%}
    (
        select encode(sha256(convert_to(string_agg(csv.line || e'\n', '' order by csv.place), 'UTF8')), 'hex')
        from {{ csv_function }}($1, $2, $3) as csv
    )
{%- endmacro %}

{#- Hash over the parts of a month: sha256 of their hexadecimal hashes, joined by LF. -#}
{% macro ledger_sha256(hashes) -%}
    encode(sha256(convert_to({{ hashes | join(" || e'\n' || ") }}, 'UTF8')), 'hex')
{%- endmacro %}
