-- noqa: disable=ST05
-- A reader who names rule and region pays for that rule and region alone: both are pushed down into the rule's view.
with hit as (
    select * from {{ ref('monitoring_caesarean_share') }}
    union all
    select * from {{ ref('monitoring_cost_per_case') }}
    union all
    select * from {{ ref('monitoring_split_stay') }}
    union all
    select * from {{ ref('monitoring_overlapping_stay') }}
    union all
    select * from {{ ref('monitoring_after_death') }}
    union all
    select * from {{ ref('monitoring_not_enrolled') }}
    union all
    select * from {{ ref('monitoring_prenatal_limit') }}
    union all
    select * from {{ ref('monitoring_joined_for_birth') }}
    union all
    select * from {{ ref('monitoring_base_jump') }}
    union all
    select * from {{ ref('monitoring_high_base') }}
    union all
    select * from {{ ref('monitoring_claimants_by_employer') }}
    union all
    select * from {{ ref('monitoring_shell_employer') }}
    union all
    select * from {{ ref('monitoring_two_births') }}
    union all
    select * from {{ ref('monitoring_impossible_birth') }}
    union all
    select * from {{ ref('monitoring_duplicate_claim') }}
    union all
    select * from {{ ref('monitoring_two_regions') }}
    union all
    select * from {{ ref('monitoring_refund_payee') }}
    union all
    select * from {{ ref('monitoring_length_of_stay') }}
    union all
    select * from {{ ref('monitoring_same_day_elsewhere') }}
    union all
    select * from {{ ref('monitoring_former_employer') }}
    union all
    select * from {{ ref('monitoring_shared_account') }}
    union all
    select * from {{ ref('monitoring_split_charge') }}
    union all
    select * from {{ ref('monitoring_identical_amount') }}
    union all
    select * from {{ ref('monitoring_benefit_without_care') }}
    union all
    select * from {{ ref('monitoring_repeated_operation') }}
)

select
    hit.region_code,
    hit.rule_code,
    hit.finding_key,
    hit.institution_code,
    hit.employer_no,
    hit.persons,
    hit.claims,
    hit.amount::numeric(18, 2) as amount,
    hit.first_on,
    hit.last_on,
    hit.said_zh,
    hit.said_en,
    coalesce(taken.amount, 0)::numeric(18, 2) as recovered_amount,
    -- of what was found, not of what has come back since: a recovery is no new fact
    left(md5(concat_ws('|', hit.amount::numeric(18, 2), array_to_string(hit.claims, ','))), 16) as evidence
from hit
left join lateral (
    select sum(turned.taken_back_pooled_amount + turned.taken_back_personal_amount) as amount
    from (
        {{ ledger_head('published') }}
    ) as head
    inner join {{ ref('claim_turnover') }} as turned on head.region_code = turned.region_code and head.seq >= turned.last_seq
    where head.region_code = hit.region_code and turned.claim_no = any(hit.claims)
) as taken on true
-- what has come back in full needs nobody any more
where coalesce(taken.amount, 0) < hit.amount or hit.amount = 0
