{#-
    Seeds that postings rest on only grow: a row known when an event of its region was recorded must stay as it is, or the same log
    would give other books. Loading a seed that lacks such a row stops, and the table keeps what it held. For the same reason a new version
    of what is known already must be known from a day later than the newest recorded event: one from an earlier day would take events from
    the version they were posted by. New versions from then on, rows for what was never known (a region, a variant) and
    what no posting reads (names, notes, clauses, status, thresholds) are free.
    Both hooks run inside the transaction that loads the seed.
-#}

{#- The kept seeds, and what rows have in common that replace each other. Rows of the policy seeds do so only where their
    periods overlap; a rate for all employers also speaks for each type of them. -#}
{% macro version_keys() -%}
    {{ return({
        'chart_of_accounts': ['account_code', 'effective_from'], 'posting_rules': ['event_type', 'posting_variant'],
        'money_account': ['symbol'], 'event_type': ['event_type'], 'policy_region': ['region_code'],
        'policy_rate': ['region_code', 'enrollment_category', 'insurance_type'], 'policy_base': ['region_code'],
        'policy_personal_account': ['region_code']
    }) }}
{%- endmacro %}

{% macro is_kept(seed) -%}
    {{ return(seed.identifier in version_keys()) }}
{%- endmacro %}

{#- A row without the columns that no posting reads. -#}
{% macro kept_content(row) -%}
        to_jsonb({{ row }}) - array[
            'name_zh', 'name_en', 'note_zh', 'note_en', 'clause', 'status', 'source', 'official_code', 'official_code_source',
            'upper_documents', 'settlement_platform_status', 'quarantine_row_share_max', 'quarantine_amount_share_max'
        ] as content
{%- endmacro %}

{#- Beijing date of the newest recorded event of a row's region, or of any region where rows have none. -#}
{% macro newest_recorded_on(content) -%}
    (
        select max((batch.recorded_at at time zone 'Asia/Shanghai')::date)
        from {{ source('events', 'batch') }} as batch
        where batch.region_code = coalesce({{ content }} ->> 'region_code', batch.region_code)
    )
{%- endmacro %}

{% macro known_from(content) -%}
    coalesce(({{ content }} ->> 'known_from')::date, '-infinity')
{%- endmacro %}

{% macro remember_used_rows(seed) -%}
    {%- if execute and is_kept(seed) and load_relation(seed) is not none -%}
    create temporary table held_row on commit drop as
    select
{{ kept_content('held') }}
    from {{ seed }} as held
    {%- endif -%}
{%- endmacro %}

{% macro refuse_lost_rows(seed) -%}
    {%- if execute and is_kept(seed) -%}
    do $refuse$
    declare
        lost text;
        backdated text;
    begin
        if to_regclass('pg_temp.held_row') is not null then
            select string_agg(used.content::text, e'\n' order by used.content) into lost
            from pg_temp.held_row as used
            where
                {{ known_from('used.content') }} <= {{ newest_recorded_on('used.content') }}
                and not exists (select 1 from {{ seed }} as loaded where to_jsonb(loaded) @> used.content);
            {{ find_backdated(seed) }}
        end if;
        if lost is not null then
            raise exception 'seed {{ seed.identifier }}: rows that postings rest on were edited or removed; put them back and add a new '
                'version with a later known_from / 记账已用的行被改动或删除，请恢复，并另加 known_from 更晚的新版本: %', lost;
        end if;
        if backdated is not null then
            raise exception 'seed {{ seed.identifier }}: new versions are known from a day on which events are already recorded; set '
                'known_from later than the newest recorded event (its Beijing date is in recorded_on) / '
                '新版本的 known_from 不晚于已入账事件的日期，重放会得出不同账目；请改为晚于 recorded_on（最新事件接收日，北京时间）: %', backdated;
        end if;
    end
    $refuse$
    {%- endif -%}
{%- endmacro %}

{% macro find_backdated(seed) -%}
            select
                string_agg((fresh.content || jsonb_build_object('recorded_on', fresh.recorded_on))::text, e'\n' order by fresh.content)
                into backdated
            from (
                select loaded.content, {{ newest_recorded_on('loaded.content') }} as recorded_on
                from (
                    select
{{ kept_content('row_of_file') }}
                    from {{ seed }} as row_of_file
                ) as loaded
                where not exists (select 1 from pg_temp.held_row as held where loaded.content @> held.content)
            ) as fresh
            where
                {{ known_from('fresh.content') }} <= fresh.recorded_on
                and exists (
                    select 1 from pg_temp.held_row as held
                    where
                        {%- for column in version_keys()[seed.identifier] %}
                        held.content ->> '{{ column }}' is not distinct from fresh.content ->> '{{ column }}' and
                        {%- endfor %}
                        {%- if seed.identifier.startswith('policy_') %}
                        {{ content_period('held.content') }} && {{ content_period('fresh.content') }}
                        {%- else %}
                        true
                        {%- endif %}
                );
{%- endmacro %}

{#- Days for which a row is in force. -#}
{% macro content_period(content) -%}
    daterange(({{ content }} ->> 'effective_from')::date, ({{ content }} ->> 'effective_to')::date, '[]')
{%- endmacro %}
