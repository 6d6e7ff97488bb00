{#-
    Our side of the tie-out: CTEs of `tie_out_items`, which gives the lines, `lines`, and the condition on `money` that bounds them,
    `lines_read`. All figures are compared by sums of days; single lines are read where there is something to name.
-#}

{#- CTE day_sum: our side of each stated figure by the day, one row a figure's key and day. Rests on figure_key. -#}
{% macro tie_out_day_sum(lines, lines_read) -%}
-- One scan a kind that is stated, of no more of a line than the kind asks for: what its event says is looked up line by line.
line_day as (
    {%- for kind, condition in our_side().items() %}
    select
        '{{ kind }}' as statement_kind, money.fund_code, money.account_code, money.institution_code,
        money.{{ our_day(kind) }} as day, sum({{ our_amount(kind) }}) as amount, count(*) as line_count
    from {{ lines }} as money
    where {{ lines_read }} and {{ condition }} and exists (select from figure_key where figure_key.statement_kind = '{{ kind }}')
    group by money.fund_code, money.account_code, money.institution_code, money.{{ our_day(kind) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

day_sum as materialized (
    select
        figure_key.fund_code, figure_key.statement_kind, figure_key.scope, figure_key.account_code, figure_key.institution_code,
        line_day.day, sum(line_day.amount) as amount, sum(line_day.line_count)::bigint as line_count
    from figure_key
    inner join line_day on {{ of_figure('figure_key', 'line_day') }}
    group by
        figure_key.fund_code, figure_key.statement_kind, figure_key.scope, figure_key.account_code, figure_key.institution_code,
        line_day.day
)
{%- endmacro %}

{#- CTE ours: our lines of the figures whose difference, or numbers, have to be matched, one row a key and line; and CTE detailed, which
    keys these are. Rests on figure_key, figure and stated. -#}
{% macro tie_out_ours(lines, lines_read) -%}
-- Where there is something to name: a difference of its own, or numbers to be matched. Elsewhere the sums of days have said it all.
detailed as materialized (
    select distinct figure_key.*
    from figure_key
    where
        exists (
            select from figure
            where
                figure.fund_code = figure_key.fund_code and figure.statement_kind = figure_key.statement_kind
                and figure.scope = figure_key.scope and figure.account_code = figure_key.account_code
                and figure.institution_code = figure_key.institution_code
                and figure.difference <> figure.carried
        )
        or exists (
            select from stated as said
            where
                said.match_number is not null
                and said.fund_code = figure_key.fund_code and said.statement_kind = figure_key.statement_kind
                and said.account_code = figure_key.account_code and said.institution_code = figure_key.institution_code
        )
),

-- Our lines there, by what is stated: balances by the day of posting as in the trial balance, totals by when it happened.
line as (
    {%- for kind, condition in our_side().items() %}
    {%- set accounts = "array(select detailed.account_code from detailed where detailed.statement_kind = '" ~ kind ~ "')" %}
    select
        '{{ kind }}' as statement_kind, money.fund_code, money.account_code, money.institution_code, money.entry_id, money.event_seq,
        money.occurred_on, money.{{ our_day(kind) }} as day, {{ our_amount(kind) }} as amount,
        coalesce(money.payment_no, money.receipt_no) as match_number
    from {{ lines }} as money
    where
        {{ lines_read }} and {{ condition }}
        and exists (select from detailed where detailed.statement_kind = '{{ kind }}')
        and (money.account_code = any({{ accounts }}) or '' = any({{ accounts }}))
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

ours as materialized (
    select detailed.*, line.entry_id, line.event_seq, line.match_number, line.occurred_on, line.day, line.amount
    from detailed
    inner join line on {{ of_figure('detailed', 'line') }}
)
{%- endmacro %}

{#- Which of our lines on money accounts each kind of statement is about: conditions by kind. -#}
{% macro our_side() -%}
    {{ return({
        'bank_balance': 'true',
        'tax_collected': 'money.is_collection',
        'fiscal_expenditure': 'money.is_fiscal_payment',
        'institution_settled': 'money.is_institution_payment',
    }) }}
{%- endmacro %}

{#- The day by which a kind of statement counts a line. -#}
{% macro our_day(kind) -%}
    {{ return('posting_date' if kind == 'bank_balance' else 'occurred_on') }}
{%- endmacro %}

{#- What a line adds to what a kind of statement states: payments are stated as positive amounts. -#}
{% macro our_amount(kind) -%}
    {{ return('money.amount' if kind in ('bank_balance', 'tax_collected') else '-money.amount') }}
{%- endmacro %}

{#- Whether a line, or the lines of a day, belong to a figure; '' stands for all accounts or institutions, but what is settled with an
    institution is stated institution by institution. -#}
{% macro of_figure(figure, line) -%}
    {{ figure }}.statement_kind = {{ line }}.statement_kind
            and {{ figure }}.fund_code = {{ line }}.fund_code
            and {{ figure }}.account_code in ('', {{ line }}.account_code)
            and {{ figure }}.institution_code in ('', {{ line }}.institution_code)
            and ({{ figure }}.statement_kind <> 'institution_settled' or {{ figure }}.institution_code <> '')
{%- endmacro %}
