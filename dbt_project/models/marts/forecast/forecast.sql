with head as (
    {{ ledger_head('published') }}
),

newest as (
    {{ newest_forecast('head') }}
)

select
    newest.region_code,
    newest.series_code,
    point.month,
    point.horizon,
    point.mean,
    point.lower_80,
    point.upper_80,
    point.lower_95,
    point.upper_95,
    point.cumulative_mean,
    point.cumulative_sd,
    newest.model,
    newest.note_zh,
    newest.note_en,
    newest.first_month,
    newest.last_month,
    newest.months_known,
    newest.library_version,
    newest.head_seq,
    newest.made_at
from newest
left join {{ source('forecast', 'point') }} as point on newest.run_no = point.run_no
