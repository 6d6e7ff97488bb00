{#-
    Seeds that postings rest on only grow: a row known when an event of its region was recorded must stay as it is, or the same log
    would give other books. Loading a seed that lacks such a row stops, and the table keeps what it held. New rows (a later known_from)
    and what no posting reads (names, notes, clauses, status, thresholds) may change.
    Both hooks run inside the transaction that loads the seed.
-#}

{% macro is_kept(seed) -%}
    {{ return(seed.identifier in [
        'chart_of_accounts', 'posting_rules', 'money_account', 'event_type',
        'policy_region', 'policy_rate', 'policy_base', 'policy_personal_account'
    ]) }}
{%- endmacro %}

{% macro remember_used_rows(seed) -%}
    {%- if execute and is_kept(seed) and load_relation(seed) is not none -%}
    create temporary table used_row on commit drop as
    select
        to_jsonb(held) - array[
            'name_zh', 'name_en', 'note_zh', 'note_en', 'clause', 'status', 'source', 'official_code', 'official_code_source',
            'upper_documents', 'settlement_platform_status', 'quarantine_row_share_max', 'quarantine_amount_share_max'
        ] as content
    from {{ seed }} as held
    where exists (
        select 1 from {{ source('events', 'batch') }} as batch
        where
            batch.region_code = coalesce(to_jsonb(held) ->> 'region_code', batch.region_code)
            and (batch.recorded_at at time zone 'Asia/Shanghai')::date
            >= coalesce((to_jsonb(held) ->> 'known_from')::date, '-infinity')
    )
    {%- endif -%}
{%- endmacro %}

{% macro refuse_lost_rows(seed) -%}
    {%- if execute and is_kept(seed) -%}
    do $refuse$
    declare
        lost text;
    begin
        if to_regclass('pg_temp.used_row') is not null then
            select string_agg(used.content::text, e'\n') into lost
            from pg_temp.used_row as used
            where not exists (select 1 from {{ seed }} as held where to_jsonb(held) @> used.content);
        end if;
        if lost is not null then
            raise exception 'seed {{ seed.identifier }}: rows that postings rest on were edited or removed; put them back and add a new '
                'version with a later known_from: %', lost;
        end if;
    end
    $refuse$
    {%- endif -%}
{%- endmacro %}
