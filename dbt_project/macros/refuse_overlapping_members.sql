{#-
    A region that is listed twice for one month in one group would count twice in every sum of the group. Runs inside the transaction
    that loads the seed: the table keeps what it held. Months as consolidation_member() reads them.
-#}
{% macro refuse_overlapping_members(seed) -%}
    {%- if execute -%}
    do $refuse$
    declare
        overlapping text;
    begin
        with member as (
            select
                group_code, region_code, effective_from, effective_to, ctid as row_id,
                date_trunc('month', effective_from::timestamp)::date as first_month,
                coalesce(effective_to, 'infinity'::date) as last_day
            from {{ seed }}
        )
        select
            string_agg(
                format(
                    '%s %s: %s – %s / %s – %s', one.group_code, one.region_code,
                    one.effective_from, coalesce(one.effective_to::text, '…'), other.effective_from, coalesce(other.effective_to::text, '…')
                ),
                '; ' order by one.group_code, one.region_code, one.effective_from
            )
        into overlapping
        from member as one
        inner join member as other
            on
                one.group_code = other.group_code and one.region_code = other.region_code and one.row_id < other.row_id
                and greatest(one.first_month, other.first_month) <= least(one.last_day, other.last_day);
        if overlapping is not null then
            raise exception 'seed consolidation_member: 同一统筹区在同一合并组内的期间重叠（按月计），请改 effective_from 或 effective_to / periods of a '
                'region in one group overlap, counted by the month; change effective_from or effective_to: %', overlapping;
        end if;
    end
    $refuse$
    {%- endif -%}
{%- endmacro %}
