-- Who names a rule pays for it alone.
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
union all
select * from {{ ref('monitoring_backdated') }}
union all
select * from {{ ref('monitoring_assisted_share') }}
union all
select * from {{ ref('monitoring_settled_anew') }}
union all
select * from {{ ref('monitoring_group_stay') }}
union all
select * from {{ ref('monitoring_impossible_insured') }}
union all
select * from {{ ref('monitoring_without_agreement') }}
