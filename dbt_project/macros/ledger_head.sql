{#- The newest head of each region: `published` bounds the marts, `built` bounds the candidate that the gate checks, as_of(…) a
    statement as it was known (see as_of.sql).
    The published one is also where a reader's regions are applied: heads of other regions are not there for the reader, and
    every mart joins its rows to the head.
    Every reader takes it straight from the table, so that no view depends on another and replacing one drops none. -#}
{% macro ledger_head(bound) -%}
{%- if bound is mapping -%}
    {{ as_of_head(bound) }}
{%- elif bound == 'published' -%}
    select distinct on (region_code) region_code, seq, batch_hash, rules_sha256, published_at, run_id
    from {{ source('publication', 'publication') }}
    where {{ readable('region_code') }}
    order by region_code, seq desc, published_at desc
{%- elif bound == 'built' -%}
    select region_code, max(seq) as seq
    from {{ ref('built_head') }}
    group by region_code
{%- else -%}
    {{ exceptions.raise_compiler_error("ledger_head: bound must be 'published', 'built' or as_of(…), not " ~ bound) }}
{%- endif -%}
{%- endmacro %}

{#- Whether the current user may read a region. Beside the head it stands on scans of lines that name persons: the join to the head
    gives the same rows, yet a reader may choose a plan that scans first, and EXPLAIN ANALYZE would count what is found of a
    person elsewhere. The view is named without source(), which every unit test would have to mock. -#}
{% macro readable(region_code) -%}
    (
        exists (select from access.my_region as mine where mine.region_code is null)
        or {{ region_code }} in (select mine.region_code from access.my_region as mine)
    )
{%- endmacro %}
