{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[{'columns': ['region_code', 'last_seq']}]
) }}

-- Which months and institutions still have something unpaid is told by these few rows, and not by every claim there ever was. Those in
-- which nothing changed in the end stay, as the mark of how far the claims were taken.
with claim as (
    select * from {{ ref('claim_turnover') }}
    where {{ pending(ref('built_head'), 'last_seq', 'last_seq') }}
)

select
    region_code,
    settled_month,
    institution_code,
    batch_id,
    max(last_seq) as last_seq,
    sum(unpaid_change)::numeric(18, 2) as unpaid_change
from claim
group by region_code, settled_month, institution_code, batch_id
