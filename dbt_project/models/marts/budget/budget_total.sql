with known as materialized (
    {{ known_budget() }}
),

-- The budget as it stands after each adjustment: of every line the newest up to it.
version as (
    select distinct region_code, fund_code, budget_year, adjustment_no from known
),

standing as (
    select distinct on (version.region_code, version.fund_code, version.budget_year, version.adjustment_no, known.line_code)
        version.region_code,
        version.fund_code,
        version.budget_year,
        version.adjustment_no,
        known.line_code,
        known.amount
    from version
    inner join known
        on
            version.region_code = known.region_code
            and version.fund_code = known.fund_code
            and version.budget_year = known.budget_year
            and version.adjustment_no >= known.adjustment_no
    order by
        version.region_code asc, version.fund_code asc, version.budget_year asc, version.adjustment_no asc, known.line_code asc,
        known.adjustment_no desc
),

part as (
    {{ statement_line_part() }}
)

select
    standing.region_code,
    standing.fund_code,
    standing.budget_year,
    standing.adjustment_no,
    standing.line_code,
    standing.amount,
    summed.parts,
    summed.amount::numeric(18, 2) as parts_amount,
    (standing.amount - summed.amount)::numeric(18, 2) as difference
from standing
inner join lateral (
    select
        string_agg(
            case part.sign when 1 then '+ ' else '- ' end || part.part_code, ' ' order by part.sign desc, part.part_code asc
        ) as parts,
        coalesce(sum(part.sign * of_part.amount), 0) as amount
    from part
    left join standing as of_part
        on
            standing.region_code = of_part.region_code
            and standing.fund_code = of_part.fund_code
            and standing.budget_year = of_part.budget_year
            and standing.adjustment_no = of_part.adjustment_no
            and part.part_code = of_part.line_code
    where part.line_code = standing.line_code
    having count(*) > 0
) as summed on true
