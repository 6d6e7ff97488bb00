"""SQL of check C10: facts that refer to a person, an employer or an enrolment that nobody has registered.

Those of the increment come from the log; those that earlier increments left open are remembered by
`ledger.awaited_reference` and looked up again, so that a finding stays until the registration has come. There is no
register of institutions in the log, so that an unknown institution can't be told from a new one. Whether a payment has
a settlement is check C09.
"""

from __future__ import annotations

# Facts of the increment that name somebody, with the days of treatment and the amount.
_FACTS = """
    select
        event.seq, event.event_type, event.family, event.occurred_on, event.claim_no, event.person_no,
        event.employer_no, event.insurance_type,
        coalesce(event.account_holder_no, event.person_no) as holder_no,
        coalesce(event.settlement_kind, 'case') as settlement_kind,
        coalesce(event.pooled_amount, 0) as pooled_amount,
        coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0)
            + coalesce(event.employer_amount, 0) + coalesce(event.personal_amount, 0) + coalesce(event.amount, 0)
            as amount,
        event.event_type in ('claim.settled', 'contribution.assessed') as is_stated,
        coalesce(least(event.admitted_on, event.service_on, event.discharged_on), event.occurred_on) as served_from,
        coalesce(greatest(event.admitted_on, event.service_on, event.discharged_on), event.occurred_on) as served_until
    from events.event as event
    where event.region_code = $region and event.seq > $after and event.seq <= $head
        and (event.person_no is not null or event.employer_no is not null)
"""

# The pool pays for who is enrolled; a personal account may be used up after the enrolment has ended.
_NAMED = """
    select 'enrollment' as kind, person_no as named, claim_no, insurance_type, seq, is_stated, amount, occurred_on,
        served_from, served_until
    from fact
    where event_type in ('claim.settled', 'claim.paid', 'advance.offset') and person_no is not null
        and settlement_kind in ('case', 'deposit_release') and pooled_amount > 0
    union all
    select 'person', case when family = 'claim' then holder_no else person_no end, null, null, seq, is_stated, amount,
        occurred_on, null, null
    from fact
    where person_no is not null and family <> 'registration'
        and (family <> 'claim' or (event_type in ('claim.settled', 'claim.paid', 'advance.offset')
            and amount > pooled_amount))
    union all
    select 'employer', employer_no, null, null, seq, is_stated, amount, occurred_on, null, null
    from fact
    where employer_no is not null and event_type not like 'employer.%'
"""

# What is stated and then moved is one amount.
_REFERENCES = f"""
    select kind, named, claim_no, max(insurance_type) as insurance_type, min(seq) as seq, count(*) as event_count,
        coalesce(greatest(sum(amount) filter (where is_stated), sum(amount) filter (where not is_stated)), 0) as amount,
        min(occurred_on) as occurred_on, min(served_from) as served_from, max(served_until) as served_until
    from ({_NAMED}) as named_by
    group by kind, named, claim_no
"""

_REMEMBERED = """
    select reference_kind, reference_no, claim_no, insurance_type, first_seq, event_count, amount, occurred_on,
        served_from, served_until
    from ledger.awaited_reference
    where region_code = $region and last_seq <= $after and reference_kind in ('enrollment', 'person', 'employer')
"""

_MERGER_DATE = """(
        select region.merger_date from policy.policy_region as region
        where region.region_code = $region order by region.known_from desc limit 1
    )"""

_ENROLLED = f"""
    select from events.event as started
    where started.region_code = $region and started.seq <= $head and started.family = 'registration'
        and started.person_no = reference.named
        and started.event_type in ('enrollment.started', 'enrollment.changed')
        and started.occurred_on <= reference.served_until
        and (started.insurance_type = reference.insurance_type
            or (reference.insurance_type = '510' and started.insurance_type = '310'
                and reference.served_until >= {_MERGER_DATE}))
        and not exists (
            select from events.event as ended
            where ended.region_code = $region and ended.seq <= $head and ended.family = 'registration'
                and ended.person_no = started.person_no and ended.event_type = 'enrollment.ended'
                and ended.insurance_type = started.insurance_type
                and ended.enrollment_category = started.enrollment_category
                and ended.employer_no is not distinct from started.employer_no
                and (ended.occurred_on, ended.seq) > (started.occurred_on, started.seq)
                and ended.occurred_on < reference.served_from
        )
"""
_KNOWN = """
    select from events.event as registered
    where registered.region_code = $region and registered.seq <= $head and registered.family = 'registration'
        and registered.person_no = reference.named
"""
_REGISTERED = """
    select from events.event as registered
    where registered.region_code = $region and registered.seq <= $head and registered.family = 'registration'
        and registered.event_type = 'employer.registered' and registered.employer_no = reference.named
"""

UNRESOLVED = f"""
    with fact as materialized ({_FACTS}),
    reference as materialized (
        select kind, named, claim_no, max(insurance_type) as insurance_type, min(seq) as seq,
            sum(event_count) as event_count,
            case kind when 'enrollment' then max(amount) else sum(amount) end as amount,
            min(occurred_on) as occurred_on, min(served_from) as served_from, max(served_until) as served_until
        from ({_REFERENCES} union all {_REMEMBERED}) as known
        group by kind, named, claim_no
    ),
    missing as (
        select * from reference where kind = 'enrollment' and not exists ({_ENROLLED})
        union all
        select * from reference where kind = 'person' and not exists ({_KNOWN})
        union all
        select * from reference where kind = 'employer' and not exists ({_REGISTERED})
    )
    select
        -- pages show the key: it names an event, and nobody
        missing.kind || '/' || case missing.kind when 'employer' then missing.named else missing.seq::text end as item,
        case missing.kind
            when 'enrollment' then '待遇期内无有效参保 / not enrolled on any day of the treatment'
            when 'person' then '人员从未登记 / the person was never registered'
            else '单位从未登记 / the employer was never registered'
        end as reason,
        missing.seq as event_seq, missing.event_count,
        case when missing.kind <> 'employer' then missing.named end as person_no,
        case when missing.kind = 'employer' then missing.named end as employer_no,
        missing.claim_no, missing.insurance_type, missing.served_from, missing.served_until,
        missing.occurred_on as first_occurred_on, $business_date - missing.occurred_on as age_days,
        $business_date - (event.recorded_at at time zone 'Asia/Shanghai')::date as days_since_recorded,
        missing.amount
    from missing
    left join events.event as event on event.region_code = $region and event.seq = missing.seq
"""

REFERENCES_EXAMINED = f"with fact as ({_FACTS}) select count(*) from ({_REFERENCES}) as reference"

# Premiums: each is somebody's.
REFERENCES_POPULATION = """
    select count(*) from events.event as event
    where event.region_code = $region and event.seq > $after and event.seq <= $head
        and event.event_type in ('contribution.assessed', 'contribution.collected', 'contribution.refunded')
"""
