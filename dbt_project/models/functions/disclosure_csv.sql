{{ config(arguments='region text', returns='table (place bigint, line text)') }}

{%- set rows -%}
    select told.*
    from {{ ref('public_disclosure') }} as told
    where told.region_code = $1
{%- endset %}

{{ csv_lines('disclosure', rows) }}
