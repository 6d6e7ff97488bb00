with head as (
    {{ ledger_head('published') }}
),

{{ judged_assessment() }}

select
    region_code,
    employer_no,
    person_no,
    contribution_month,
    insurance_type,
    enrollment_category,
    type_then as employer_type,
    contribution_base::numeric(18, 2) as contribution_base,
    base_limited::numeric(18, 2) as base_within_limits,
    employer_rate::numeric(9, 6) as employer_rate,
    personal_rate::numeric(9, 6) as personal_rate,
    due_share::numeric(9, 6) as due_share,
    case when not is_unresolved then due_employer end::numeric(18, 2) as due_employer_amount,
    case when not is_unresolved then due_personal end::numeric(18, 2) as due_personal_amount,
    assessed_employer::numeric(18, 2) as assessed_employer_amount,
    assessed_personal::numeric(18, 2) as assessed_personal_amount,
    case when not is_unresolved then employer_difference + personal_difference end::numeric(18, 2) as difference_amount,
    case
        when is_excused then 0 else greatest(employer_difference, 0) + greatest(personal_difference, 0)
    end::numeric(18, 2) as over_amount,
    case
        when is_excused then 0 else greatest(-employer_difference, 0) + greatest(-personal_difference, 0)
    end::numeric(18, 2) as under_amount,
    tolerance_amount::numeric(18, 6) as tolerance_amount,
    reason_code,
    rate_rule,
    base_rule,
    relief_rule,
    known_on as assessed_on,
    last_seq as event_seq
from differing
