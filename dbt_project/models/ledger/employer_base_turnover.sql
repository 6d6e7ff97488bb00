-- noqa: disable=ST05
{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[
        {'columns': ['region_code', 'employer_no', 'contribution_month']},
        {'columns': ['region_code', 'contribution_month']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

with pending_row as (
    select region_code, person_no, employer_no, contribution_month, batch_id, last_seq, assessed_amount
    from {{ ref('assessed_contribution') }}
    where
        {{ pending(ref('built_head'), 'last_seq', 'last_seq') }}
        and insurance_type = '310' and enrollment_category = 'employee' and employer_no is not null
),

first_row as (
    select distinct on (region_code, person_no, employer_no, contribution_month) *
    from pending_row
    order by region_code asc, person_no asc, employer_no asc, contribution_month asc, batch_id asc
),

-- An assessment of an earlier build that a pending one replaces: one index look-up a person and month.
earlier as (
    {% if is_incremental() -%}
        select own.*
        from first_row
        cross join lateral (
            select
                replaced.region_code, replaced.person_no, replaced.employer_no, replaced.contribution_month, replaced.batch_id,
                replaced.last_seq, replaced.assessed_amount
            from {{ ref('assessed_contribution') }} as replaced
            where
                replaced.region_code = first_row.region_code
                and replaced.person_no = first_row.person_no
                and replaced.contribution_month = first_row.contribution_month
                and replaced.insurance_type = '310'
                and replaced.enrollment_category = 'employee'
                and replaced.employer_no = first_row.employer_no
                and replaced.batch_id < first_row.batch_id
            order by replaced.batch_id desc
            limit 1
        ) as own
    {%- else -%}
        select *
        from first_row
        where false
    {%- endif %}
),

assessment as (
    select
        given.*,
        event.contribution_base,
        (event.recorded_at at time zone 'Asia/Shanghai')::date as known_on
    from (
        select *, true as is_pending from pending_row
        union all
        select *, false from earlier
    ) as given
    inner join {{ source('events', 'event') }} as event
        on given.region_code = event.region_code and given.last_seq = event.seq
),

-- Floor and ceiling as known on the day of recording, looked up once a month and day.
limited as (
    select
        month.*,
        base_limit.base_floor,
        base_limit.base_ceiling
    from (select distinct region_code, contribution_month, known_on from assessment) as month
    left join lateral (
        select rule.base_floor, rule.base_ceiling
        from {{ ref('policy_base') }} as rule
        where
            rule.region_code = month.region_code
            and month.contribution_month between rule.effective_from and coalesce(rule.effective_to, 'infinity')
            and rule.known_from <= month.known_on
        order by rule.known_from desc, rule.effective_from desc
        limit 1
    ) as base_limit on true
),

valued as (
    select
        assessment.*,
        -- an assessment of nothing withdraws the one before
        case
            when assessment.assessed_amount > 0
                then greatest(least(assessment.contribution_base, limited.base_ceiling), limited.base_floor)
        end as base
    from assessment
    inner join limited
        on
            assessment.region_code = limited.region_code
            and assessment.contribution_month = limited.contribution_month
            and assessment.known_on = limited.known_on
),

followed as (
    select
        *,
        lag(base) over (
            partition by region_code, person_no, employer_no, contribution_month order by batch_id
        ) as base_before
    from valued
    where assessed_amount = 0 or contribution_base is not null
)

select
    region_code,
    employer_no,
    contribution_month,
    batch_id,
    max(last_seq) as last_seq,
    sum(coalesce(base, 0) - coalesce(base_before, 0))::numeric(18, 2) as base_change,
    sum((base is not null)::integer - (base_before is not null)::integer)::bigint as person_change
from followed
where is_pending
group by region_code, employer_no, contribution_month, batch_id
