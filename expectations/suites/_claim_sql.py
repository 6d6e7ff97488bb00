"""SQL of checks C08 and C09: what was settled, paid and taken back of each claim, and the limit for paying it.

Money of a claim, pooled and personal part apart: settled (gross), kept back as a deposit, paid (payments, offsets of an
advance and deposits released, less reversals), taken back (recoveries and payments written back). A correction counts
for the claim of the payment that it goes back to. Kinds of settlement other than `case` differ in nothing here: the
number of a monthly, per-capita or yearly settlement is that of its payments; only a recovery of the yearly clearing
may stand without any.

Keys of findings name events, not claims: pages show them, and leave out what leads to a person.
"""

from __future__ import annotations

# Working days within which a settled claim is paid, counted from the 10th of the month after the settlement.
WORKING_DAYS = 30

_AMOUNTS = (
    "settled_pooled_amount",
    "settled_personal_amount",
    "withheld_amount",
    "paid_pooled_amount",
    "paid_personal_amount",
    "released_amount",
    "taken_back_pooled_amount",
    "taken_back_personal_amount",
)
_SUMS = ", ".join(f"sum(claim.{name}) as {name}" for name in _AMOUNTS)

# Claims of the increment from the log alone: one row a claim, amounts signed, and the last event.
LOG_CLAIMS = """
    select
        fact.claim_no,
        max(fact.seq) as seq,
        sum(fact.pooled_amount) filter (where fact.event_type = 'claim.settled') as settled_pooled_amount,
        sum(fact.personal_amount) filter (where fact.event_type = 'claim.settled') as settled_personal_amount,
        sum(fact.withheld_amount) filter (where fact.event_type = 'claim.settled') as withheld_amount,
        sum(fact.pooled_amount) filter (where fact.is_payment) as paid_pooled_amount,
        sum(fact.personal_amount) filter (where fact.is_payment) as paid_personal_amount,
        sum(fact.pooled_amount) filter (where fact.is_payment and fact.settlement_kind = 'deposit_release')
            as released_amount,
        sum(fact.pooled_amount) filter (where fact.is_taken_back) as taken_back_pooled_amount,
        sum(fact.personal_amount) filter (where fact.is_taken_back) as taken_back_personal_amount
    from (
        select
            event.seq,
            event.event_type,
            root.claim_no,
            root.settlement_kind,
            event.event_type in ('claim.paid', 'advance.offset', 'claim.reversed') as is_payment,
            event.event_type in ('claim.recovered', 'return.written_back') as is_taken_back,
            coalesce(event.deposit_withheld_amount, 0) as withheld_amount,
            case event.event_type
                when 'claim.reversed' then -coalesce(root.pooled_amount, 0)
                when 'return.written_back' then case when event.sub_fund = 'pooled' then event.amount else 0 end
                else coalesce(event.pooled_amount, 0)
            end as pooled_amount,
            case event.event_type
                when 'claim.reversed' then -coalesce(root.personal_account_amount, 0)
                when 'return.written_back' then case when event.sub_fund = 'personal' then event.amount else 0 end
                else coalesce(event.personal_account_amount, 0)
            end as personal_amount
        from events.event as event
        left join events.event as original
            on original.region_code = event.region_code and original.seq = event.original_seq
            and event.event_type in ('claim.reversed', 'claim.recovered', 'return.written_back')
        left join events.event as returned
            on returned.region_code = event.region_code and returned.seq = original.original_seq
            and event.event_type = 'return.written_back'
        cross join lateral (
            select
                coalesce(returned.claim_no, original.claim_no, event.claim_no) as claim_no,
                coalesce(returned.settlement_kind, original.settlement_kind, event.settlement_kind) as settlement_kind,
                original.pooled_amount,
                original.personal_account_amount
        ) as root
        where event.region_code = $region and event.seq > $after and event.seq <= $head
            and event.event_type in (
                'claim.settled', 'claim.paid', 'advance.offset', 'claim.reversed', 'claim.recovered',
                'return.written_back'
            )
    ) as fact
    where fact.claim_no is not null
    group by fact.claim_no
"""

_DIFFERS = " or ".join(f"coalesce(log_claim.{name}, 0) <> coalesce(delta.{name}, 0)" for name in _AMOUNTS)
_DIFFERENCE = " + ".join(f"abs(coalesce(log_claim.{name}, 0) - coalesce(delta.{name}, 0))" for name in _AMOUNTS)

# Totals of the claims that the increment touches, over everything up to the head.
_TOTALS = f"""
    select
        log_claim.claim_no, log_claim.seq, total.*,
        greatest(total.paid_pooled_amount - total.taken_back_pooled_amount - total.settled_pooled_amount, 0)
            + greatest(total.paid_personal_amount - total.taken_back_personal_amount - total.settled_personal_amount, 0)
            as excess,
        greatest(
            total.settled_pooled_amount - total.withheld_amount - total.paid_pooled_amount + total.released_amount, 0
        ) + greatest(total.settled_personal_amount - total.paid_personal_amount, 0) as unpaid
    from log_claim
    cross join lateral (
        select
            {_SUMS},
            sum(claim.unpaid_change) as unpaid_change,
            min(claim.settled_seq) as settled_seq,
            max(claim.institution_code) as institution_code
        from ledger.claim_turnover as claim
        where claim.region_code = $region and claim.claim_no = log_claim.claim_no and claim.last_seq <= $head
    ) as total
"""

# Payments that no settlement stands behind: those of the increment from the log, and those of earlier increments that
# the books remember as such.
_PAID_WITHOUT = """
    select
        paid.claim_no,
        min(paid.seq) as seq,
        min(paid.occurred_on) as occurred_on
    from (
        select event.claim_no, event.seq, event.occurred_on from events.event as event
        where event.region_code = $region and event.seq > $after and event.seq <= $head
            and event.event_type in ('claim.paid', 'advance.offset')
        union all
        select remembered.claim_no, remembered.first_seq, remembered.occurred_on
        from ledger.awaited_reference as remembered
        where remembered.region_code = $region and remembered.last_seq <= $after
            and remembered.reference_kind = 'settlement'
    ) as paid
    where not exists (
            select from ledger.claim_turnover as claim
            where claim.region_code = $region and claim.claim_no = paid.claim_no and claim.last_seq <= $head
                and claim.settled_seq is not null
        )
    group by paid.claim_no
"""

OVERPAID = f"""
    with log_claim as materialized ({LOG_CLAIMS})
    select
        'differs/' || coalesce(log_claim.seq, delta.last_seq) as item,
        'fail' as severity,
        '逐笔合计与日志不符 / the claim''s totals differ from the log' as reason,
        claim_no, coalesce(log_claim.seq, delta.last_seq) as event_seq, null::text as institution_code,
        null::integer as age_days,
        coalesce(log_claim.settled_pooled_amount, 0) + coalesce(log_claim.settled_personal_amount, 0) as settled_amount,
        coalesce(log_claim.paid_pooled_amount, 0) + coalesce(log_claim.paid_personal_amount, 0) as paid_amount,
        coalesce(log_claim.taken_back_pooled_amount, 0) + coalesce(log_claim.taken_back_personal_amount, 0)
            as taken_back_amount,
        {_DIFFERENCE} as amount
    from log_claim
    full join (
        select claim.claim_no, max(claim.last_seq) as last_seq, {_SUMS}
        from ledger.claim_turnover as claim
        where claim.region_code = $region and claim.last_seq > $after and claim.last_seq <= $head
        group by claim.claim_no
    ) as delta using (claim_no)
    where {_DIFFERS}
    union all
    select
        case when excess > 0 then 'above/' else 'unpaid/' end || settled_seq,
        'fail',
        case
            when excess > 0 then '支付超过结算 / paid above its settlement'
            else '应付未付与结算减支付不符 / what is unpaid is not what was settled less what was paid'
        end,
        claim_no, seq, institution_code, null,
        settled_pooled_amount + settled_personal_amount, paid_pooled_amount + paid_personal_amount,
        taken_back_pooled_amount + taken_back_personal_amount,
        case when excess > 0 then excess else abs(unpaid - unpaid_change) end
    from ({_TOTALS}) as touched
    where settled_seq is not null and (excess > 0 or unpaid <> unpaid_change)
    union all
    select
        'without/' || without.seq,
        'warn',
        '有支付而尚无结算 / paid, and no settlement has come yet',
        without.claim_no, without.seq, paid.institution_code, $business_date - without.occurred_on,
        0, total.paid_amount, total.taken_back_amount, total.paid_amount - total.taken_back_amount
    from ({_PAID_WITHOUT}) as without
    inner join events.event as paid on paid.region_code = $region and paid.seq = without.seq
    cross join lateral (
        select
            coalesce(sum(claim.paid_pooled_amount + claim.paid_personal_amount), 0) as paid_amount,
            coalesce(sum(claim.taken_back_pooled_amount + claim.taken_back_personal_amount), 0) as taken_back_amount
        from ledger.claim_turnover as claim
        where claim.region_code = $region and claim.claim_no = without.claim_no and claim.last_seq <= $head
    ) as total
    where total.paid_amount > total.taken_back_amount
"""

# Last day on which a claim of this month is paid in time: the so many-th working day after the 10th of the next month.
DUE_ON = f"""
    select calendar.day from (
        select series.day::date as day
        from generate_series(
            open.settled_month + interval '1 month 10 days', open.settled_month + interval '6 months', interval '1 day'
        ) as series (day)
        left join policy.working_day as exception on exception.day = series.day::date
        where coalesce(exception.is_working_day, extract(isodow from series.day) < 6)
        order by series.day
        offset {WORKING_DAYS - 1} limit 1
    ) as calendar
"""

# Months and institutions with something unpaid are few; only their claims are read.
_OPEN = """
    select bucket.settled_month, bucket.institution_code, sum(bucket.unpaid_change) as unpaid
    from ledger.claim_unpaid as bucket
    where bucket.region_code = $region and bucket.last_seq <= $head
    group by bucket.settled_month, bucket.institution_code
    having sum(bucket.unpaid_change) > 0
"""

OVERDUE = f"""
    select
        'settled/' || claim.settled_seq as item,
        'warn' as severity,
        '超过 {WORKING_DAYS} 个工作日未支付 / not paid within {WORKING_DAYS} working days' as reason,
        claim.claim_no, claim.settled_seq as event_seq, settlement.person_no, settlement.employer_no,
        open.institution_code, settlement.benefit_item, settlement.settlement_kind, open.settled_month, due.day
            as due_on,
        $business_date - due.day as days_overdue,
        -- hospitals: the limit is known from a secondary source only
        case when open.institution_code is null or settlement.benefit_item = 'pharmacy' then 'verified'
            else 'secondary' end as limit_status,
        claim.settled_amount, claim.withheld_amount, claim.paid_amount, claim.unpaid as amount
    from ({_OPEN}) as open
    cross join lateral ({DUE_ON}) as due
    cross join lateral (
        select
            held.claim_no,
            min(held.settled_seq) as settled_seq,
            sum(held.settled_pooled_amount + held.settled_personal_amount) as settled_amount,
            sum(held.withheld_amount) as withheld_amount,
            sum(held.paid_pooled_amount + held.paid_personal_amount) as paid_amount,
            sum(held.unpaid_change) as unpaid
        from (
            select * from ledger.claim_turnover as claim
            where claim.region_code = $region and claim.settled_month = open.settled_month
                and claim.institution_code = open.institution_code and claim.last_seq <= $head
            union all
            select * from ledger.claim_turnover as claim
            where open.institution_code is null and claim.region_code = $region
                and claim.settled_month = open.settled_month and claim.institution_code is null
                and claim.last_seq <= $head
        ) as held
        group by held.claim_no
        having sum(held.unpaid_change) > 0
    ) as claim
    inner join events.event as settlement on settlement.region_code = $region and settlement.seq = claim.settled_seq
    where due.day < $business_date
    union all
    select
        concat_ws('/', 'open', settled_month, institution_code), 'fail',
        '应付未付的合计与逐笔不符 / what is unpaid is not the sum of the claims',
        null, null, null, null, institution_code, null, null, settled_month, null, null, null, null, null, null,
        abs(coalesce(claim.unpaid_change, 0) - coalesce(bucket.unpaid_change, 0))
    from (
        select settled_month, coalesce(institution_code, '') as institution_code, sum(unpaid_change) as unpaid_change
        from ledger.claim_turnover
        where region_code = $region and last_seq > $after and last_seq <= $head and unpaid_change <> 0
        group by 1, 2
    ) as claim
    full join (
        select settled_month, coalesce(institution_code, '') as institution_code, sum(unpaid_change) as unpaid_change
        from ledger.claim_unpaid
        where region_code = $region and last_seq > $after and last_seq <= $head
        group by 1, 2
    ) as bucket using (settled_month, institution_code)
    where coalesce(claim.unpaid_change, 0) <> coalesce(bucket.unpaid_change, 0)
"""
