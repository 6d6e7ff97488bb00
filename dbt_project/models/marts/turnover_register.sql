{{ config(alias='account_turnover') }}

{{ turnover_register('published') }}
