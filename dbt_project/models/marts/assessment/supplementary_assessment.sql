with head as (
    {{ ledger_head('published') }}
),

{{ assessment_rules() }},

version as (
    {{ assessment_versions() }}
),

-- Assessed before a rule or a type that counts now was known: told without the events, so that a quiet year costs no look at them.
overtaken as (
    select
        version.*,
        type.type_then,
        type.type_now,
        rule_now.employer_rate,
        rule_now.personal_rate,
        rule_now.base_floor,
        rule_now.base_ceiling,
        rule_now.due_share,
        rule_now.tolerance_amount,
        rule_now.rate_rule,
        rule_now.base_rule,
        rule_now.relief_rule,
        rule_now.rule_known_from
    from version
    {{ join_employer_type('type', 'version') }}
    inner join rule as rule_now
        on {{ rule_known('rule_now', 'version', 'type.type_now', 'now') }}
    where rule_now.rule_known_from > version.known_on or type.type_then is distinct from type.type_now
),

last_then as (
    select distinct on (
        region_code, person_no, employer_no, contribution_month, insurance_type, enrollment_category
    ) *
    from overtaken
    order by
        region_code asc, person_no asc, employer_no asc, contribution_month asc, insurance_type asc, enrollment_category asc,
        batch_id desc
),

valued as (
    select
        last_then.*,
        event_then.contribution_base as base_then,
        event_now.contribution_base as base_now,
        {{ base_within('event_then.contribution_base', 'rule_then') }} as base_limited_then,
        {{ base_within('event_now.contribution_base', 'last_then') }} as base_limited_now,
        {{ employer_due('event_then.contribution_base', 'rule_then') }} as employer_due_then,
        {{ personal_due('event_then.contribution_base', 'rule_then') }} as personal_due_then,
        {{ employer_due('event_now.contribution_base', 'last_then') }} as employer_due_now,
        {{ personal_due('event_now.contribution_base', 'last_then') }} as personal_due_now,
        event_then.employer_amount as employer_assessed_then,
        event_then.personal_amount as personal_assessed_then,
        event_now.employer_amount as employer_assessed_now,
        event_now.personal_amount as personal_assessed_now,
        concat_ws(' ', rule_then.rate_rule, rule_then.base_rule, rule_then.relief_rule) as rules_then,
        concat_ws(' ', last_then.rate_rule, last_then.base_rule, last_then.relief_rule) as rules_now
    from last_then
    {{ join_assessed_event('event_then', 'last_then', 'last_seq') }}
    {{ join_assessed_event('event_now', 'last_then', 'newest_seq') }}
    left join rule as rule_then
        on {{ rule_known('rule_then', 'last_then', 'last_then.type_then', 'then') }}
),

owed as (
    select
        *,
        employer_due_now - employer_due_then as employer_supplement,
        personal_due_now - personal_due_then as personal_supplement,
        employer_assessed_now + personal_assessed_now = 0 and highest_amount > 0 as is_withdrawn
    from valued
    where
        (employer_due_now, personal_due_now) is distinct from (employer_due_then, personal_due_then)
        and employer_due_now is not null
),

outstanding as (
    select
        *,
        case
            when is_withdrawn or abs(employer_due_now - employer_assessed_now) <= tolerance_amount then 0
            else employer_due_now - employer_assessed_now
        end as employer_outstanding,
        case
            when is_withdrawn or abs(personal_due_now - personal_assessed_now) <= tolerance_amount then 0
            else personal_due_now - personal_assessed_now
        end as personal_outstanding
    from owed
)

select
    region_code,
    employer_no,
    person_no,
    contribution_month,
    insurance_type,
    enrollment_category,
    type_then as employer_type_then,
    type_now as employer_type_now,
    base_then::numeric(18, 2) as contribution_base_then,
    base_now::numeric(18, 2) as contribution_base_now,
    base_limited_then::numeric(18, 2) as base_within_then,
    base_limited_now::numeric(18, 2) as base_within_now,
    known_on as assessed_on,
    (employer_assessed_then + personal_assessed_then)::numeric(18, 2) as assessed_then_amount,
    employer_due_then::numeric(18, 2) as due_then_employer_amount,
    personal_due_then::numeric(18, 2) as due_then_personal_amount,
    rule_known_from as known_from,
    employer_due_now::numeric(18, 2) as due_now_employer_amount,
    personal_due_now::numeric(18, 2) as due_now_personal_amount,
    employer_supplement::numeric(18, 2) as supplement_employer_amount,
    personal_supplement::numeric(18, 2) as supplement_personal_amount,
    (employer_supplement + personal_supplement)::numeric(18, 2) as supplement_amount,
    (
        employer_assessed_now + personal_assessed_now - employer_assessed_then - personal_assessed_then
    )::numeric(18, 2) as supplemented_amount,
    employer_outstanding::numeric(18, 2) as outstanding_employer_amount,
    personal_outstanding::numeric(18, 2) as outstanding_personal_amount,
    (employer_outstanding + personal_outstanding)::numeric(18, 2) as outstanding_amount,
    case
        when is_withdrawn then 'withdrawn'
        when employer_outstanding = 0 and personal_outstanding = 0 then 'settled'
        when employer_outstanding + personal_outstanding < 0 then 'refund_due'
        else 'supplement_due'
    end as supplement_state,
    rules_then,
    rules_now,
    last_seq as event_seq
from outstanding
