{#-
    The layout of the statements (their lines, and the accounts of each) is kept for every month that is closed: its figures are signed. Rows
    are compared month by month, so that a row may end after the last closed month, and new rows begin there. Names, order and
    the formula in words are in no signed figure and stay free. The months before the first closed one of its year count too: they are in
    its year to date. Both hooks run inside the transaction that loads the seed.
-#}

{% macro is_layout(seed) -%}
    {{ return(seed.identifier in ['statement_line', 'statement_line_account']) }}
{%- endmacro %}

{#- One row a closed month and row of the layout in force in it. Null dates are open, as are columns that an older table lacks. -#}
{% macro layout_of_closed_months(seed) -%}
    select
        month.started_at::date as closed_month,
        to_jsonb(held) - array['name_zh', 'name_en', 'line_order', 'formula', 'effective_from', 'effective_to'] as content
    from (
        select
            date_trunc('year', min(accounting_month)::timestamp) as first_month, max(accounting_month)::timestamp as last_month
        from {{ source('events', 'event') }}
        where event_type = 'period.closed'
    ) as closed
    cross join lateral generate_series(closed.first_month, closed.last_month, interval '1 month') as month (started_at)
    inner join {{ seed }} as held
        on month.started_at::date between coalesce((to_jsonb(held) ->> 'effective_from')::date, '-infinity')
        and coalesce((to_jsonb(held) ->> 'effective_to')::date, 'infinity')
{%- endmacro %}

{% macro remember_closed_layout(seed) -%}
    {%- if execute and is_layout(seed) and load_relation(seed) is not none -%}
    create temporary table closed_layout on commit drop as
    {{ layout_of_closed_months(seed) }}
    {%- endif -%}
{%- endmacro %}

{% macro refuse_changed_layout(seed) -%}
    {%- if execute and is_layout(seed) -%}
    do $refuse$
    declare
        changed text;
    begin
        if to_regclass('pg_temp.closed_layout') is not null then
            with loaded as (
                {{ layout_of_closed_months(seed) }}
            ),

            difference as (
                select '-' as sign, gone.* from (select * from pg_temp.closed_layout except all select * from loaded) as gone
                union all
                select '+', come.* from (select * from loaded except all select * from pg_temp.closed_layout) as come
            )

            select string_agg(line, e'\n' order by line) into changed
            from (
                select
                    sign || ' ' || content::text || ' ' || to_char(min(closed_month), 'YYYY-MM') || ' – ' || to_char(max(closed_month), 'YYYY-MM')
                    as line
                from difference
                group by sign, content
            ) as listed;
        end if;
        if changed is not null then
            raise exception 'seed {{ seed.identifier }}: the layout of closed months was changed; put the rows back, end them by effective_to '
                'not before the last closed month, and add rows from a later month on / 已结账月份的列报口径被改动，请恢复原行，'
                '以 effective_to 截止于不早于最后结账月份，再加自其后月份起的新行: %', changed;
        end if;
    end
    $refuse$
    {%- endif -%}
{%- endmacro %}
