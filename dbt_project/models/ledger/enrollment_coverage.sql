-- noqa: disable=ST05
{{ config(
    materialized='incremental', on_schema_change='fail', meta={'guards': ['append_only']},
    indexes=[
        {'columns': ['region_code', 'person_no', 'batch_id']},
        {'columns': ['region_code', 'gap_kind', 'last_seq']},
        {'columns': ['region_code', 'last_seq']},
    ]
) }}

-- Every version of a person's enrolments has its gaps: the newest version counts.
with spell as (
    select * from {{ ref('enrollment_spell') }}
    where {{ pending(ref('built_head'), 'last_seq', 'last_seq') }}
),

version as (
    select
        region_code,
        person_no,
        batch_id,
        max(last_seq) as last_seq
    from spell
    group by region_code, person_no, batch_id
),

-- Employees alone: who pays by himself or is retired has no pair to keep.
enrolled as (
    select
        spell.region_code,
        spell.person_no,
        spell.batch_id,
        spell.insurance_type,
        spell.employer_no,
        region.merger_date,
        range_agg(daterange(spell.valid_from, spell.valid_until)) as days,
        range_agg(daterange(spell.valid_from, spell.valid_until)) filter (where spell.valid_from >= region.merger_date)
            as days_begun_after_merger,
        (array_agg(spell.contribution_base order by spell.valid_from desc))[1] as contribution_base
    from spell
    inner join {{ ref('stg_region') }} as region
        on
            spell.region_code = region.region_code
            and spell.known_on >= region.known_from
            and spell.known_on < region.known_until
    where spell.enrollment_category = 'employee'
    group by
        spell.region_code, spell.person_no, spell.batch_id, spell.insurance_type, spell.employer_no, region.merger_date
),

person as (
    select
        region_code,
        person_no,
        batch_id,
        coalesce(range_agg(days) filter (where insurance_type = '310'), '{}'::datemultirange) as medical_days,
        coalesce(range_agg(days) filter (where insurance_type = '510'), '{}'::datemultirange) as maternity_days
    from (
        select region_code, person_no, batch_id, insurance_type, unnest(days) as days
        from enrolled
    ) as spell
    group by region_code, person_no, batch_id
),

-- Before the merger each insurance needs the other. Maternity enrolments of before go over into the medical one on the day of the merger;
-- whoever has none there is not covered from then on, and nobody enrols in maternity alone any more.
gap as (
    select
        enrolled.region_code,
        enrolled.person_no,
        enrolled.batch_id,
        enrolled.employer_no,
        enrolled.contribution_base,
        missing.gap_kind,
        unnest(missing.days) as days
    from enrolled
    inner join person
        on
            enrolled.region_code = person.region_code
            and enrolled.person_no = person.person_no
            and enrolled.batch_id = person.batch_id
    cross join lateral (
        values
        (
            '310_without_510',
            case
                when enrolled.insurance_type = '310'
                    then enrolled.days * datemultirange(daterange(null, enrolled.merger_date)) - person.maternity_days
            end
        ),
        (
            '510_without_310',
            case
                when enrolled.insurance_type = '510'
                    then enrolled.days * datemultirange(daterange(null, enrolled.merger_date)) - person.medical_days
            end
        ),
        (
            'uncovered_after_merger',
            case
                when enrolled.insurance_type = '510' and not person.medical_days @> enrolled.merger_date
                    then
                        enrolled.days * datemultirange(daterange(enrolled.merger_date, null))
                        - person.medical_days
                        - coalesce(enrolled.days_begun_after_merger, '{}'::datemultirange)
            end
        ),
        ('510_after_merger', case when enrolled.insurance_type = '510' then enrolled.days_begun_after_merger end)
    ) as missing (gap_kind, days)
)

select
    version.region_code,
    version.person_no,
    version.batch_id,
    version.last_seq,
    coalesce(gap.gap_kind, 'none') as gap_kind,
    gap.employer_no,
    lower(gap.days) as gap_from,
    upper(gap.days) as gap_until,
    gap.contribution_base::numeric(18, 2) as contribution_base
from version
left join gap
    on version.region_code = gap.region_code and version.person_no = gap.person_no and version.batch_id = gap.batch_id
