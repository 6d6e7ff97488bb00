-- noqa: disable=ST05
{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[
        {'columns': ['region_code', 'insured_month']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

with version as (
    select
        region_code,
        person_no,
        batch_id,
        max(last_seq) as last_seq
    from {{ ref('enrollment_spell') }}
    where {{ pending(ref('built_head'), 'last_seq', 'last_seq') }}
    group by region_code, person_no, batch_id
),

followed as (
    select
        *,
        lag(batch_id) over (partition by region_code, person_no order by batch_id) as pending_before
    from version
),

-- What a version changes is its difference to the one before: an index look-up a person where that is of an earlier build.
replaced as (
    select
        followed.*,
        {% if is_incremental() -%}
            coalesce(followed.pending_before, earlier.batch_id) as batch_before
        {%- else -%}
            followed.pending_before as batch_before
        {%- endif %}
    from followed
    {% if is_incremental() -%}
        left join lateral (
            select max(own.batch_id) as batch_id
            from {{ ref('enrollment_spell') }} as own
            where
                followed.pending_before is null
                and own.region_code = followed.region_code
                and own.person_no = followed.person_no
                and own.batch_id < followed.batch_id
        ) as earlier on true
    {%- endif %}
),

signed as (
    select
        replaced.region_code,
        replaced.person_no,
        replaced.batch_id,
        replaced.last_seq,
        side.version_batch_id,
        side.sign
    from replaced
    cross join lateral (values (replaced.batch_id, 1), (replaced.batch_before, -1)) as side (version_batch_id, sign)
    where side.version_batch_id is not null
),

spell as (
    select
        signed.*,
        own.insurance_type,
        own.enrollment_category,
        own.worker_group,
        own.employer_no,
        own.valid_from,
        own.valid_until
    from signed
    inner join {{ ref('enrollment_spell') }} as own
        on
            signed.region_code = own.region_code
            and signed.person_no = own.person_no
            and signed.version_batch_id = own.batch_id
    where own.insurance_type is not null
),

-- Nothing changes in a month in which nothing begins and nothing ends. The months go along with each state: a join of these CTEs
-- would be a nested loop, since nobody knows beforehand how many rows they have.
turning as (
    select
        *,
        array_agg(date_trunc('month', valid_from::timestamp)::date) over each_insurance
        || array_agg(date_trunc('month', valid_until::timestamp)::date) over each_insurance as turning_months
    from spell
    window each_insurance as (partition by region_code, person_no, batch_id, sign, insurance_type)
),

turned as (
    select distinct
        turning.region_code,
        turning.person_no,
        turning.batch_id,
        turning.last_seq,
        turning.sign,
        turning.insurance_type,
        turning.enrollment_category,
        turning.worker_group,
        turning.employer_no,
        turning.valid_from,
        coalesce(turning.valid_until, 'infinity') as valid_until,
        turn.insured_month,
        (turn.insured_month + interval '1 month')::date as next_month
    from turning
    cross join lateral unnest(turning.turning_months) as turn (insured_month)
),

met as (
    select
        *,
        valid_from < insured_month and valid_until >= insured_month as is_before,
        valid_from < next_month and valid_until >= next_month as is_after,
        valid_from < next_month and valid_until > insured_month as is_within
    from turned
    where valid_from < next_month and valid_until >= insured_month
),

-- A person counts once: under the category, group and employer of the last day insured in the month.
judged as (
    select
        *,
        is_within and valid_from = max(valid_from) filter (where is_within) over each_month as is_last,
        coalesce(bool_or(is_before) over each_month, false) as had_before,
        coalesce(bool_or(is_within) over each_month, false) as has_within,
        coalesce(bool_or(is_after) over each_month, false) as has_after,
        max(concat_ws('/', enrollment_category, coalesce(worker_group, '-'))) filter (where is_before) over each_month
            as kind_before
    from met
    window each_month as (partition by region_code, person_no, batch_id, sign, insurance_type, insured_month)
),

moved as (
    select
        *,
        max(concat_ws('/', enrollment_category, coalesce(worker_group, '-'))) filter (where is_last) over each_month
        <> kind_before as has_moved
    from judged
    window each_month as (partition by region_code, person_no, batch_id, sign, insurance_type, insured_month)
),

-- Per person first, and nothing that is nothing: a build that takes up in the middle of a batch meets no person twice.
person_change as (
    select
        region_code,
        person_no,
        batch_id,
        last_seq,
        insured_month,
        insurance_type,
        enrollment_category,
        worker_group,
        employer_no,
        sum(sign * (is_after::integer - is_before::integer)) as person_change,
        sum(sign * (is_last and not had_before)::integer) as joined_change,
        sum(sign * ((is_last or (is_before and not has_within)) and not has_after)::integer) as left_change,
        sum(sign * coalesce(is_last and has_moved, false)::integer) as moved_in_change,
        sum(sign * coalesce(is_before and has_moved, false)::integer) as moved_out_change,
        sum(sign * (is_last and not has_after)::integer) as within_month_change
    from moved
    group by
        region_code, person_no, batch_id, last_seq, insured_month, insurance_type, enrollment_category, worker_group, employer_no
)

select
    region_code,
    insured_month,
    insurance_type,
    enrollment_category,
    worker_group,
    employer_no,
    batch_id,
    max(last_seq) as last_seq,
    sum(person_change)::bigint as person_change,
    sum(joined_change)::bigint as joined_change,
    sum(left_change)::bigint as left_change,
    sum(moved_in_change)::bigint as moved_in_change,
    sum(moved_out_change)::bigint as moved_out_change,
    sum(within_month_change)::bigint as within_month_change
from person_change
where
    person_change <> 0 or joined_change <> 0 or left_change <> 0 or moved_in_change <> 0 or moved_out_change <> 0
    or within_month_change <> 0
group by region_code, insured_month, insurance_type, enrollment_category, worker_group, employer_no, batch_id
