{#- What a unit test expects as a query is compared in the columns that the query names: lists of persons can't be written as rows, and the
    other columns are not what the test is about. dbt would ask for all of them. -#}
{% macro postgres__get_unit_test_sql(main_sql, expected_fixture_sql, expected_column_names) -%}
    {%- set names = get_columns_in_query(expected_fixture_sql) if config.get('expected_sql') else expected_column_names -%}
    {{ default__get_unit_test_sql(main_sql, expected_fixture_sql, names) }}
{%- endmacro %}
