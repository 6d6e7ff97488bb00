with head as (
    {{ ledger_head('published') }}
),

of_region as (
    {{ newest_forecast('head') }}
),

-- Published national figures belong to no region and are the same for everyone.
of_nation as (
    select distinct on (run.series_code) run.*
    from {{ source('forecast', 'run') }} as run
    where run.region_code = '-'
    order by run.series_code asc, run.run_no desc
),

newest as (
    select region_code, series_code, run_no from of_region
    union all
    select region_code, series_code, run_no from of_nation
),

measured as (
    select
        newest.region_code,
        newest.series_code,
        tested.method,
        count(*) as forecasts,
        min(tested.origin) as first_origin,
        max(tested.origin) as last_origin,
        max(tested.horizon) as longest_horizon,
        avg(abs(tested.forecast - tested.actual)) as mean_absolute_error,
        100 * avg(abs(tested.forecast - tested.actual) / nullif(abs(tested.actual), 0)) as mean_absolute_percentage_error,
        avg(abs(tested.forecast - tested.actual) / nullif(tested.scale, 0)) as mean_absolute_scaled_error,
        avg((tested.actual between tested.lower_80 and tested.upper_80)::integer) as coverage_80,
        avg((tested.actual between tested.lower_95 and tested.upper_95)::integer) as coverage_95
    from newest
    inner join {{ source('forecast', 'backtest') }} as tested on newest.run_no = tested.run_no
    group by newest.region_code, newest.series_code, tested.method
),

-- A method that could speak at fewer origins is not measured against the others.
compared as (
    select *, forecasts = max(forecasts) over (partition by region_code, series_code) as is_comparable
    from measured
)

select
    region_code,
    series_code,
    method,
    forecasts,
    first_origin,
    last_origin,
    longest_horizon,
    mean_absolute_error::numeric(24, 2) as mean_absolute_error,
    mean_absolute_percentage_error::numeric(12, 2) as mean_absolute_percentage_error,
    mean_absolute_scaled_error::numeric(12, 3) as mean_absolute_scaled_error,
    coverage_80::numeric(5, 3) as coverage_80,
    coverage_95::numeric(5, 3) as coverage_95,
    mean_absolute_error = min(mean_absolute_error) filter (where is_comparable) over (partition by region_code, series_code)
    and is_comparable as is_best
from compared
