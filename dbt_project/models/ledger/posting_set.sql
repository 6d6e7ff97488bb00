-- Rules as an event meets them: one row holds the legs of all rules in force together, so that an event is joined once and its
-- legs are unfolded from arrays. Legs stand by rule, debit first; a red leg stands in the column of the other side.
with rule as (
    select * from {{ ref('posting_rule') }}
),

-- rules of one case need not begin and end on the same days: the days on which any does cut its time into spans
cut as (
    select event_type, posting_variant, known_from, known_until, effective_from as valid_from
    from rule
    union
    select event_type, posting_variant, known_from, known_until, effective_until + 1
    from rule
    where effective_until < 'infinity'
),

span as (
    select
        event_type,
        posting_variant,
        known_from,
        known_until,
        valid_from,
        coalesce(
            lead(valid_from) over (partition by event_type, posting_variant, known_from order by valid_from) - 1, 'infinity'::date
        ) as valid_until
    from cut
),

leg as (
    select
        span.event_type, span.posting_variant, span.known_from, span.known_until, span.valid_from, span.valid_until,
        rule.rule_id, rule.amount_name, rule.fund_code, side.leg_no,
        coalesce(rule.entry_kind, 'normal') as entry_kind,
        coalesce(rule.red in (side.own_side, 'both'), false) as is_red,
        case side.own_side when 'debit' then rule.debit_account else rule.credit_account end as account,
        case side.own_side when 'debit' then rule.debit_sub_fund else rule.credit_sub_fund end as sub_fund,
        (case when coalesce(rule.red in (side.own_side, 'both'), false) then side.other_side else side.own_side end) = 'credit' as is_credit
    from span
    inner join rule
        on
            span.event_type = rule.event_type
            and span.posting_variant = rule.posting_variant
            and span.known_from = rule.known_from
            and span.valid_from between rule.effective_from and rule.effective_until
    cross join (values (1, 'debit', 'credit'), (2, 'credit', 'debit')) as side (leg_no, own_side, other_side)
)

select
    event_type, posting_variant, known_from, known_until, valid_from, valid_until,
    array_agg(rule_id order by rule_id, leg_no) as rule_ids,
    array_agg(amount_name order by rule_id, leg_no) as amount_names,
    array_agg(fund_code order by rule_id, leg_no) as fund_codes,
    array_agg(entry_kind order by rule_id, leg_no) as entry_kinds,
    array_agg(is_red order by rule_id, leg_no) as are_red,
    array_agg(account order by rule_id, leg_no) as accounts,
    array_agg(sub_fund order by rule_id, leg_no) as sub_funds,
    array_agg(is_credit order by rule_id, leg_no) as are_credit
from leg
group by event_type, posting_variant, known_from, known_until, valid_from, valid_until
