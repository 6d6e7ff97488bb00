with head as (
    {{ ledger_head('published') }}
),

{{ judged_assessment() }}

select
    region_code,
    employer_no,
    contribution_month,
    insurance_type,
    enrollment_category,
    max(type_then) as employer_type,
    count(*)::bigint as person_count,
    sum(contribution_base)::numeric(18, 2) as contribution_base,
    sum(base_limited)::numeric(18, 2) as base_within_limits,
    coalesce(sum(due_employer) filter (where not is_unresolved), 0)::numeric(18, 2) as due_employer_amount,
    coalesce(sum(due_personal) filter (where not is_unresolved), 0)::numeric(18, 2) as due_personal_amount,
    sum(assessed_employer)::numeric(18, 2) as assessed_employer_amount,
    sum(assessed_personal)::numeric(18, 2) as assessed_personal_amount,
    coalesce(sum(employer_difference + personal_difference) filter (where not is_unresolved), 0)::numeric(18, 2) as difference_amount,
    coalesce(
        sum(greatest(employer_difference, 0) + greatest(personal_difference, 0)) filter (where not is_excused), 0
    )::numeric(18, 2) as over_amount,
    coalesce(
        sum(greatest(-employer_difference, 0) + greatest(-personal_difference, 0)) filter (where not is_excused), 0
    )::numeric(18, 2) as under_amount,
    count(*) filter (where not is_excused)::bigint as different_count,
    count(*) filter (where is_unresolved)::bigint as unresolved_count,
    coalesce(sum(assessed_employer + assessed_personal) filter (where is_unresolved), 0)::numeric(18, 2) as unresolved_amount,
    count(*) filter (where reason_code = 'withdrawn')::bigint as withdrawn_count,
    (array_agg(distinct reason_code) filter (where is_unresolved or not is_excused)) as reason_codes,
    min(last_seq) filter (where is_unresolved or not is_excused) as event_seq
from differing
group by region_code, employer_no, contribution_month, insurance_type, enrollment_category
