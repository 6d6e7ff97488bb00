with head as (
    {{ ledger_head('published') }}
),

latest as (
    {{ region_latest_month() }}
),

reach as (
    {{ insured_reach() }}
),

calendar as (
    {{ insured_calendar() }}
),

spell as (
    {{ newest_spell('published') }}
),

-- What was in force last before the month was over: one row a person, insurance and month.
month_row as (
    select
        spell.*,
        calendar.insured_month,
        calendar.next_month,
        calendar.merger_date,
        coalesce(spell.valid_until, 'infinity') >= calendar.next_month as is_at_end,
        coalesce(spell.valid_until, 'infinity') > calendar.insured_month as is_within,
        least(calendar.next_month, spell.valid_until) - 1 as last_day
    from spell
    inner join calendar
        on
            spell.region_code = calendar.region_code
            and spell.valid_from < calendar.next_month
            and coalesce(spell.next_from, 'infinity') >= calendar.next_month
),

judged as (
    select
        month_row.*,
        case when month_row.is_at_end then 'insured' when month_row.is_within then 'left' else 'not_insured' end as status,
        case
            when not month_row.is_within then 0
            else
                month_row.last_day + 1 - greatest(month_row.valid_from, month_row.insured_month)
                + case
                    when month_row.valid_from > month_row.insured_month
                        then coalesce((
                            select sum(earlier.valid_until - greatest(earlier.valid_from, month_row.insured_month))
                            from {{ ref('enrollment_spell') }} as earlier
                            where
                                earlier.region_code = month_row.region_code
                                and earlier.person_no = month_row.person_no
                                and earlier.batch_id = month_row.batch_id
                                and earlier.insurance_type = month_row.insurance_type
                                and earlier.valid_from < month_row.valid_from
                                and earlier.valid_until > month_row.insured_month
                        ), 0)
                    else 0
                end
        end as insured_days,
        case
            when not month_row.is_within then 'not_insured'
            when month_row.insurance_type = '510' and month_row.last_day < month_row.merger_date then 'through_510'
            when month_row.insurance_type = '510' and month_row.valid_from >= month_row.merger_date then '510_after_merger'
            when month_row.insurance_type = '510' then 'uncovered_after_merger'
            when month_row.enrollment_category <> 'employee' then month_row.enrollment_category
            when month_row.last_day >= month_row.merger_date then 'through_310'
            when exists (
                select 1
                from {{ ref('enrollment_spell') }} as maternity
                where
                    maternity.region_code = month_row.region_code
                    and maternity.person_no = month_row.person_no
                    and maternity.batch_id = month_row.batch_id
                    and maternity.insurance_type = '510'
                    and daterange(maternity.valid_from, maternity.valid_until) @> month_row.last_day
            ) then 'through_510'
            else '310_without_510'
        end as maternity_coverage
    from month_row
    -- Maternity enrolments of before go over into the medical one on the day of the merger; what stands of 510 from then on is whom
    -- 310 did not take over and does not cover, and who enrolled in it anew.
    where
        month_row.insurance_type = '310'
        or month_row.next_month <= month_row.merger_date
        or (
            month_row.is_within
            and (
                month_row.valid_from >= month_row.merger_date
                or not exists (
                    select 1
                    from {{ ref('enrollment_spell') }} as medical
                    where
                        month_row.last_day >= month_row.merger_date
                        and medical.region_code = month_row.region_code
                        and medical.person_no = month_row.person_no
                        and medical.batch_id = month_row.batch_id
                        and medical.insurance_type = '310'
                        and medical.enrollment_category = 'employee'
                        and (
                            daterange(medical.valid_from, medical.valid_until) @> month_row.merger_date
                            or daterange(medical.valid_from, medical.valid_until) @> month_row.last_day
                        )
                )
            )
        )
)

select
    region_code,
    person_no,
    insured_month,
    insurance_type,
    status,
    case
        when status = 'insured' then '1'
        when end_reason in ('died', 'transferred_out') then '3'
        else '2'
    end as psn_insu_stas,
    case when is_within then enrollment_category end as enrollment_category,
    case when is_within then worker_group end as worker_group,
    case when is_within then employer_no end as employer_no,
    insured_from,
    insured_until,
    insured_days::integer as insured_days,
    case when is_within then contribution_base end as contribution_base,
    maternity_coverage in ('through_310', 'through_510') as is_covered_for_maternity,
    maternity_coverage,
    case when not is_at_end then end_reason end as end_reason
from judged
