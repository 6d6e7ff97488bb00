"""Maternity line, item by item: enrolment, rate, payment method, entitlement, legacy platform (M04, M05, M07-M09)."""

from __future__ import annotations

from expectations.check import Check
from expectations.suites._fragments import EVENTS, MERGER_DATE, PLATFORMS

ACCOUNTING = "fund_accounting"
BENEFITS = "benefit_settlement"

MEDICAL_ITEMS = (
    "'prenatal', 'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning', "
    "'maternity_complication'"
)
_CASH_ITEMS = "'maternity_allowance', 'nutrition_subsidy'"
_ITEMS = f"{MEDICAL_ITEMS}, {_CASH_ITEMS}"

M04 = Check(
    code="M04",
    title_zh="职工医疗保险与生育保险同步参保",
    title_en="employees are enrolled in 310 and 510 together, and in 310 alone after the merger",
    severity="warn",
    owner=ACCOUNTING,
    clause="国办发〔2019〕10号 二（一）：统一参保登记；淮医保发〔2019〕87号、宁政办发〔2019〕52号：摸清底数、应保尽保",
    offending="""
        -- counted at month ends, in months that the books have reached
        with gap as (select * from ledger.candidate_enrollment_gap where region_code = $region and is_at_month_end)
        select
            concat_ws('/', gap_kind, coalesce(employer_no, '-'), to_char(gap_month, 'YYYY-MM')) as item,
            gap_kind, employer_no, gap_month as month, count(distinct person_no) as person_count,
            (array_agg(distinct person_no))[1:20] as persons,
            count(*) filter (where missed_amount is null) as persons_without_amount,
            min(gap_from) as since, max(last_seq) as event_seq, sum(missed_amount) as amount
        from gap
        where gap_kind in ('310_without_510', '510_without_310')
        group by gap_kind, employer_no, gap_month
        union all
        -- after the merger a gap stands until it is mended, and is one row an employer
        select
            concat_ws('/', gap_kind, coalesce(employer_no, '-')), gap_kind, employer_no, null,
            count(distinct person_no), (array_agg(distinct person_no))[1:20],
            count(distinct person_no) filter (where missed_amount is null), min(gap_from), max(last_seq),
            sum(missed_amount)
        from gap
        where gap_kind in ('uncovered_after_merger', '510_after_merger') and gap_until is null
        group by gap_kind, employer_no
    """,
    examined="""
        select count(distinct person_no) from ledger.enrollment_coverage
        where region_code = $region and last_seq > $after and last_seq <= $head
    """,
    population=f"select count(distinct event.person_no) from {EVENTS} and event.event_type like 'enrollment.%'",
)

# Rate of an employer type on the last day of the separate funds and on the first of the merged one. A type that has no
# row of its own is charged by the row for all; of several rows in force the one known last counts.
_RATES_AT_MERGER = f"""
    select
        kind.enrollment_category, kind.employer_type, merger.merger_date,
        medical.employer_rate as medical_before, medical.personal_rate as medical_personal_before,
        maternity.employer_rate as maternity_before, maternity.personal_rate as maternity_personal_before,
        merged.employer_rate as merged_rate, merged.personal_rate as merged_personal_rate,
        still.employer_rate as maternity_after
    from (select {MERGER_DATE} as merger_date) as merger
    cross join (
        select distinct enrollment_category, employer_type from policy.policy_rate
        where region_code = $region and enrollment_category in ('employee', 'flexible')
        union
        select 'employee', null
    ) as kind
    left join lateral (__310_before__) as medical on true
    left join lateral (__510_before__) as maternity on true
    left join lateral (__310_after__) as merged on true
    left join lateral (__510_after__) as still on true
    where merger.merger_date is not null
"""


def _rate_in_force(insurance_type: str, day: str) -> str:
    return f"""
        select employer_rate, personal_rate from policy.policy_rate
        where region_code = $region and insurance_type = '{insurance_type}'
            and enrollment_category = kind.enrollment_category
            and (employer_type is null or employer_type = kind.employer_type)
            and {day} between effective_from and coalesce(effective_to, 'infinity')
        order by employer_type is null, known_from desc, effective_from desc limit 1
    """


_LAST_DAY_BEFORE = "merger.merger_date - 1"
_RATES = (
    _RATES_AT_MERGER.replace("__310_before__", _rate_in_force("310", _LAST_DAY_BEFORE))
    .replace("__510_before__", _rate_in_force("510", _LAST_DAY_BEFORE))
    .replace("__310_after__", _rate_in_force("310", "merger.merger_date"))
    .replace("__510_after__", _rate_in_force("510", "merger.merger_date"))
)

M05 = Check(
    code="M05",
    title_zh="合并后费率等于合并前两险费率之和",
    title_en="the rate after the merger is the sum of the two before it",
    severity="fail",
    owner=ACCOUNTING,
    clause="国办发〔2019〕10号 二（二）：费率为两险之和，个人不缴纳生育保险费；宁政办发〔2019〕52号：灵活就业按原费率",
    offending=f"""
        select
            concat_ws('/', enrollment_category, coalesce(employer_type, '*')) as item,
            enrollment_category, coalesce(employer_type, '*') as employer_type, merger_date,
            medical_before, maternity_before, expected_rate, merged_rate,
            medical_personal_before, maternity_personal_before, expected_personal_rate, merged_personal_rate,
            maternity_after,
            concat_ws('；',
                case when merged_rate is null and expected_rate is null
                    then '没有费率：缺少不写单位类型、适用于其余单位的一行 / no rate: the row that names no type,'
                        || ' and speaks for all others, is missing' end,
                case when merged_rate is distinct from expected_rate
                    then '单位费率不等于两险之和 / the employer rate is not the sum of the two' end,
                case when merged_personal_rate is distinct from expected_personal_rate
                    then '个人费率不等于原医疗费率 / the personal rate is not that of medical insurance before' end,
                case when maternity_after is not null
                    then '合并后仍有单独的生育费率 / a rate of maternity insurance is still in force' end,
                case when coalesce(maternity_personal_before, 0) <> 0
                    then '个人不缴纳生育保险费 / individuals pay nothing for maternity' end
            ) as reason,
            null::numeric as amount
        from (
            select *,
                medical_before + case enrollment_category
                    when 'employee' then maternity_before else coalesce(maternity_before, 0)
                end as expected_rate,
                medical_personal_before as expected_personal_rate
            from ({_RATES}) as rates
        ) as compared
        where merged_rate is distinct from expected_rate or merged_personal_rate is distinct from expected_personal_rate
            or merged_rate is null or maternity_after is not null or coalesce(maternity_personal_before, 0) <> 0
    """,
    examined=f"select count(*) from ({_RATES}) as rates",
    population="select count(*) from policy.policy_region where region_code = $region",
)

# The day whose rule counts is that of the treatment, not of the payment.
_METHOD_DAY = "coalesce(event.discharged_on, event.service_on, event.occurred_on)"

M07 = Check(
    code="M07",
    title_zh="生育支付记明待遇项目，付费方式符合本统筹区规定",
    title_en="maternity payments carry their item and the payment method of the region's rule",
    severity="warn",
    owner=BENEFITS,
    clause="淮医保发〔2019〕87号：住院分娩按病种、产前检查按人头；宁政办发〔2019〕52号：产前检查按单元",
    offending=f"""
        select
            'event/' || event.seq as item, event.seq as event_seq, event.claim_no, event.person_no,
            event.institution_code, event.benefit_item, event.payment_method, rule.payment_method as method_demanded,
            {_METHOD_DAY} as rule_date,
            case
                when event.benefit_item is null or event.benefit_item not in ({_ITEMS})
                    then '未记生育待遇项目 / no maternity item'
                when event.payment_method is null then '未记付费方式 / no payment method'
                when rule.payment_method is null then '本统筹区规定无此项目 / the region''s rules do not know the item'
                else '付费方式与规定不符 / another method than the rule says'
            end as reason,
            coalesce(event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
        from events.event as event
        cross join (select {MERGER_DATE} as merger_date) as merger
        left join lateral (
            select known.payment_method from policy.policy_payment_method as known
            where known.region_code = $region and known.benefit_item = event.benefit_item
                and {_METHOD_DAY} between known.effective_from and coalesce(known.effective_to, 'infinity')
            order by known.known_from desc, known.effective_from desc limit 1
        ) as rule on true
        where event.region_code = $region and event.seq > $after and event.seq <= $head
            and event.event_type in ('claim.paid', 'advance.offset')
            and (event.benefit_item in ({_ITEMS}) or event.insurance_type = '510')
            and (
                event.benefit_item is null or event.benefit_item not in ({_ITEMS}) or event.payment_method is null
                or event.payment_method <> rule.payment_method
                or (rule.payment_method is null and {_METHOD_DAY} >= merger.merger_date)
            )
    """,
    examined=f"""
        select count(*) from {EVENTS} and event.event_type in ('claim.paid', 'advance.offset')
            and (event.benefit_item in ({_ITEMS}) or event.insurance_type = '510')
    """,
    population="""
        select count(distinct line.event_seq) from ledger.journal_line as line
        where line.region_code = $region and line.event_seq > $after and line.event_seq <= $head
            and line.event_type in ('claim.paid', 'advance.offset')
            and (line.account_code like '50010103%' or line.account_code like '500110%')
    """,
)

# Claims of which the increment brought a settlement, a payment or a correction, or the birth or operation behind them.
_CARE_ITEMS = "'delivery_normal', 'delivery_assisted', 'delivery_caesarean', 'miscarriage', 'family_planning'"
_TOUCHED_CLAIMS = f"""
    select event.claim_no from {EVENTS} and event.benefit_item in ({_CASH_ITEMS})
    union
    select paid.claim_no
    from events.event as event
    inner join events.event as returned on returned.region_code = $region and returned.seq = event.original_seq
    inner join events.event as paid on paid.region_code = $region and paid.seq = returned.original_seq
    where event.region_code = $region and event.seq > $after and event.seq <= $head
        and event.event_type = 'return.written_back' and paid.benefit_item in ({_CASH_ITEMS})
    union
    select paid.claim_no
    from events.event as event
    inner join events.event as paid on paid.region_code = $region and paid.person_no = event.person_no
    where event.region_code = $region and event.seq > $after and event.seq <= $head
        and event.event_type in ('claim.settled', 'claim.paid') and event.benefit_item in ({_CARE_ITEMS})
        and paid.event_type = 'claim.paid' and paid.benefit_item in ({_CASH_ITEMS}) and paid.seq <= $head
"""
_ENTITLEMENTS = f"""ledger.maternity_entitlement as entitlement
    where entitlement.region_code = $region and entitlement.claim_no = any(array({_TOUCHED_CLAIMS}))"""

M08 = Check(
    code="M08",
    title_zh="生育津贴与一次性营养补助金额按规则计算",
    title_en="maternity allowances and nutrition subsidies are as computed",
    severity="warn",
    owner=BENEFITS,
    clause="社会保险法 第五十六条；女职工劳动保护特别规定 第七条、第八条；宁政办发〔2019〕52号：待遇不变",
    offending=f"""
        select
            concat_ws('/', outcome, benefit_item, 'event', event_seq) as item, event_seq,
            claim_no, benefit_item, person_no,
            employer_no, rule_date, paid_on, care_item, care_claim_no, rules, days, stated_days, daily_base,
            stated_base, demanded_base, waiting_months, months_lacking, payee_type, payee_demanded, paid_amount,
            awaited_amount, computed_amount,
            greatest(difference, 0) as overpaid_amount, greatest(-difference, 0) as underpaid_amount,
            outcome, reason, clause,
            case when outcome in ('not_computable', 'payee') then paid_amount else abs(difference) end as amount
        from {_ENTITLEMENTS} and outcome <> 'as_computed'
    """,
    examined=f"select count(*) from {_ENTITLEMENTS}",
    population=f"""
        select count(*) from {EVENTS} and event.event_type = 'claim.paid'
            and event.benefit_item in ({_CASH_ITEMS}) and not exists (
                select from events.event as reversal
                where reversal.region_code = $region and reversal.original_seq = event.seq
                    and reversal.event_type = 'claim.reversed' and reversal.seq <= $head
            )
    """,
)

_STATED_MONTH = "coalesce(event.accounting_month, date_trunc('month', event.occurred_on::timestamp)::date)"
# What a platform states of a month: the last total of each institution, else its last figure of each day or payment.
# What was taken back does not count.
_STATED = f"""
    select figure.source_system, figure.accounting_month as paid_month, sum(figure.amount) as amount,
        max(figure.event_seq) as seq
    from (
        select *, bool_or(is_total) over (
            partition by source_system, accounting_month, fund_code, institution_code, counterparty
        ) as has_total
        from (
            select distinct on (
                said.source_system, said.accounting_month, said.fund_code, said.institution_code, said.counterparty,
                part.is_total, part.stated_on, part.number
            ) said.*, part.is_total
            from ledger.candidate_outside_statement as said
            cross join lateral (
                select coalesce(said.payment_no, said.receipt_no) as number,
                    said.is_month_total and coalesce(said.payment_no, said.receipt_no) is null as is_total,
                    case when not said.is_month_total then said.stated_on end as stated_on
            ) as part
            where said.region_code = $region and said.event_seq <= $head and said.statement_kind = 'institution_settled'
                and said.source_system in (select source_system from ({PLATFORMS}) as platform)
            order by said.source_system, said.accounting_month, said.fund_code, said.institution_code,
                said.counterparty, part.is_total, part.stated_on, part.number, said.event_seq desc
        ) as newest
    ) as figure
    where figure.is_total = figure.has_total
    group by figure.source_system, figure.accounting_month
"""
_PLATFORM_PAYMENTS = f"""
    select turnover.source_system, turnover.paid_month, sum(turnover.paid_amount) as amount,
        max(turnover.last_seq) as seq
    from ledger.maternity_source_turnover as turnover
    where turnover.region_code = $region and turnover.last_seq <= $head
        and turnover.source_system in (select source_system from ({PLATFORMS}) as platform)
    group by turnover.source_system, turnover.paid_month
"""
_PLATFORM_FACTS = f"""events.event as event
    inner join ({PLATFORMS}) as platform on platform.source_system = event.source_system
    where event.region_code = $region and event.seq > $after and event.seq <= $head"""

M09 = Check(
    code="M09",
    title_zh="原生育结算平台：并入后无业务，并入前金额相符",
    title_en="legacy settlement platform: nothing after its migration, equal totals before",
    severity="fail",
    owner=BENEFITS,
    clause="淮医保发〔2019〕87号 二（四）：原有生育保险医疗费用结算平台可暂时保留，条件成熟后并入",
    relists=True,
    offending=f"""
        select
            'event/' || event.seq as item, event.seq as event_seq, platform.source_system, platform.migrated_on,
            null::date as month, event.claim_no, event.institution_code,
            '平台并入之后的业务 / dated after the migration of the platform' as reason,
            null::numeric as stated_amount, null::numeric as paid_amount,
            coalesce(event.amount, event.pooled_amount, 0) + coalesce(event.personal_account_amount, 0) as amount
        from {_PLATFORM_FACTS}
            and event.occurred_on >= platform.migrated_on
            -- a statement on a month before the migration may come after it
            and not (event.event_type = 'balance.stated' and (
                {_STATED_MONTH} < platform.migrated_on
                or not exists (
                    select from ledger.candidate_outside_statement as said
                    where said.region_code = $region and said.event_seq = event.seq
                )
            ))
        union all
        select
            concat_ws('/', 'total', source_system, to_char(paid_month, 'YYYY-MM')),
            coalesce(stated.seq, paid.seq), source_system, null, paid_month, null, null,
            case
                when stated.amount is null then '平台未报该月合计 / the platform states no total of the month'
                else '平台所报合计与本系统支付不符 / the platform''s total is not what was paid'
            end,
            stated.amount, paid.amount, abs(coalesce(stated.amount, 0) - coalesce(paid.amount, 0))
        from ({_STATED}) as stated
        full join ({_PLATFORM_PAYMENTS}) as paid using (source_system, paid_month)
        where stated.amount is distinct from coalesce(paid.amount, 0)
            -- a month that is not over yet, or whose statement is not due yet, has none
            and (stated.amount is not null or paid_month + interval '2 months' <= $business_date)
    """,
    examined=f"select (select count(*) from {_PLATFORM_FACTS}) + (select count(*) from ({_STATED}) as stated)",
    # By the files, whatever the log says of who sent its rows.
    population="""
        select coalesce(sum(batch.last_seq - batch.first_seq + 1), 0) from events.batch as batch
        inner join events.file_registry as file on file.file_id = batch.file_id
        where batch.region_code = $region and batch.last_seq > $after and batch.last_seq <= $head
            and file.source_system in (
                select known.source_system from policy.policy_settlement_platform as known
                where known.region_code = $region
            )
    """,
)

CHECKS: tuple[Check, ...] = (M04, M05, M07, M08, M09)
