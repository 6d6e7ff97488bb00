"""Payment methods, settlement and providers: checks of the suite `policy` (P06-P10).

They read the marts, which are bounded by the published head themselves; `population` counts from the log or the journal
what there was to look at. Keys of findings name events, institutions and periods, never claims or persons.
"""

from __future__ import annotations

from expectations.check import REVIEW, Check
from expectations.suites.maternity_line import MEDICAL_ITEMS

BENEFITS = "benefit_settlement"
ACCOUNTING = "fund_accounting"

_LOGGED = "select count(*) from events.event as event where event.region_code = $region and event.seq <= $head"
_EXAMINED = "select count(*) from marts.{} as examined where examined.region_code = $region"

P06 = Check(
    code="P06",
    title_zh="生育医疗费用按病种、单元、人头的结算与价格相符",
    title_en="maternity care settled by disease, unit or head is settled at its price",
    severity="warn",
    owner=BENEFITS,
    clause="淮医保发〔2019〕87号 二（三）：分娩按病种、产前检查按人头；宁政办发〔2019〕52号 二（三）：按病种、按单元",
    scopes=frozenset({REVIEW}),
    relists=True,
    offending="""
        select
            'event/' || difference.event_seq as item, difference.event_seq, difference.claim_no, difference.person_no,
            difference.institution_code, difference.hospital_level, difference.benefit_item,
            difference.payment_method, difference.rule_date, difference.basis, difference.stage,
            difference.price, difference.stage_limit, difference.unit_count, difference.settled_amount,
            difference.pregnancy_amount, difference.due_amount, difference.over_amount, difference.under_amount,
            difference.price_status, difference.rules, difference.reason,
            coalesce(difference.over_amount + difference.under_amount, 0) as amount
        from marts.price_difference as difference
        where
            difference.region_code = $region
            and (
                difference.outcome in ('over', 'under')
                -- not the price of any number of heads: wrong for sure, in which direction the log can't tell
                or difference.basis = 'heads' and difference.price > 0 and difference.unit_count is null
            )
    """,
    examined=_EXAMINED.format("price_difference"),
    population=f"""{_LOGGED}
        and event.event_type = 'claim.settled' and event.benefit_item in ({MEDICAL_ITEMS})
        and event.payment_method in ('per_disease', 'per_unit', 'per_capita')
    """,
)

P07 = Check(
    code="P07",
    title_zh="收取生育医疗费用的机构有写明生育医疗服务的有效协议",
    title_en="every institution paid for maternity care has a valid agreement that names it",
    severity="warn",
    owner=BENEFITS,
    clause="淮医保发〔2019〕87号 二（三）、宁政办发〔2019〕52号 二（三）：生育医疗服务有关要求和指标增加到协议内容中",
    scopes=frozenset({REVIEW}),
    relists=True,
    offending="""
        select
            concat_ws('/', payee.outcome, payee.institution_code, payee.agreement_from) as item,
            payee.institution_code, payee.institution_name, payee.agreement_from, payee.agreement_to,
            payee.claim_count, payee.person_count, payee.first_service_on, payee.last_service_on,
            case payee.outcome
                when 'none' then '没有协议 / no agreement'
                when 'not_in_force' then '服务当日协议不在有效期 / no agreement in force on the day of service'
                else '协议未写明生育医疗服务 / the agreement does not name maternity care'
            end as reason,
            payee.amount_without as amount
        from marts.provider_agreement_status as payee
        where payee.region_code = $region and payee.outcome <> 'valid'
    """,
    examined=_EXAMINED.format("provider_agreement_status"),
    population=f"""{_LOGGED}
        and event.event_type = 'claim.paid' and event.payee_type = 'institution'
        and event.benefit_item in ({MEDICAL_ITEMS})
    """,
)

P08 = Check(
    code="P08",
    title_zh="生育津贴与手工报销在时限内核定",
    title_en="allowances and reimbursements are decided within their time limits",
    severity="warn",
    owner=BENEFITS,
    clause="社会保险经办条例 第二十条：生育津贴 10 个工作日，手工报销 30 个工作日",
    scopes=frozenset({REVIEW}),
    relists=True,
    offending="""
        select
            'event/' || decided.event_seq as item, decided.event_seq, decided.claim_no, decided.person_no,
            decided.employer_no, decided.matter, decided.applied_on, decided.decided_on, decided.working_days_used,
            decided.limit_working_days, decided.limit_status, decided.is_calendar_known,
            coalesce(decided.reason, '超过时限 / beyond the limit') as reason,
            decided.amount
        from marts.time_limit as decided
        where decided.region_code = $region and decided.outcome in ('late', 'not_computable')
    """,
    examined=_EXAMINED.format("time_limit"),
    population=f"""{_LOGGED}
        and event.event_type = 'claim.settled'
        and (event.benefit_item = 'maternity_allowance' or event.applied_on is not null)
    """,
)

P09 = Check(
    code="P09",
    title_zh="预付款和质量保证金在时限内清理、返还",
    title_en="advances are settled and quality deposits released within their limits",
    severity="warn",
    owner=ACCOUNTING,
    clause="国令735号 第十一条；财社〔2017〕144号：暂付款项应及时清理",
    scopes=frozenset({REVIEW}),
    relists=True,
    offending="""
        select
            concat_ws('/', open_item.item_kind, open_item.item_key) as item, open_item.event_seq,
            open_item.institution_code, open_item.institution_name, open_item.opened_on, open_item.opened_amount,
            open_item.settled_amount, open_item.returned_amount, open_item.age_days, open_item.limit_days,
            open_item.limit_status,
            case open_item.item_kind
                when 'advance' then '预付款超过时限未冲抵、未收回 / an advance is outstanding beyond the limit'
                else '质量保证金超过时限未返还 / a quality deposit is not released within the limit'
            end as reason,
            open_item.outstanding_amount as amount
        from marts.advance_and_deposit as open_item
        where open_item.region_code = $region and open_item.is_beyond_limit
    """,
    examined=_EXAMINED.format("advance_and_deposit"),
    population=f"{_LOGGED} and event.event_type = 'advance.paid'",
)

P10 = Check(
    code="P10",
    title_zh="定点机构达到协议指标",
    title_en="institutions meet the indicators of their agreements",
    severity="warn",
    owner=BENEFITS,
    clause="淮医保发〔2019〕87号 二（三）、宁政办发〔2019〕52号 二（三）：充分利用协议管理，强化对生育医疗服务的监控",
    scopes=frozenset({REVIEW}),
    relists=True,
    offending="""
        select
            concat_ws('/', measured.indicator_code, measured.institution_code, measured.period_kind,
                measured.period_from) as item,
            measured.institution_code, measured.institution_name, measured.indicator_code, measured.period_from,
            measured.period_to, measured.value, measured.comparison, measured.target, measured.target_status,
            measured.denominator,
            '未达协议指标 / the target of the agreement is missed' as reason,
            measured.numerator as amount
        from marts.provider_indicator as measured
        where measured.region_code = $region and measured.outcome = 'missed'
    """,
    examined=_EXAMINED.format("provider_indicator"),
    population=f"""{_LOGGED}
        and event.event_type = 'claim.settled' and event.benefit_item in ({MEDICAL_ITEMS})
        and event.institution_code is not null
    """,
)

CHECKS: tuple[Check, ...] = (P06, P07, P08, P09, P10)
