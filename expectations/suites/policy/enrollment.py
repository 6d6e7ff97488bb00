"""Enrolment: checks of the suite `policy` (P01, P02). Same-time enrolment, M04, is made before publication."""

from __future__ import annotations

from expectations.check import REVIEW, Check

ACCOUNTING = "fund_accounting"
_REVIEW = frozenset({REVIEW})

P01 = Check(
    code="P01",
    title_zh="无重复参保",
    title_en="nobody is insured twice",
    severity="warn",
    owner=ACCOUNTING,
    clause="医疗保障法第13条（2027年1月1日施行）：不得重复参保；社会保险法第58条第三款：一人一个社会保障号码",
    offending="""
        select
            concat_ws('/', twice.kind, twice.person_no, twice.other_region_code,
                case when twice.kind <> 'two_regions' then twice.other_person_no end,
                case when twice.kind = 'two_employers'
                    then concat_ws('-', twice.employer_no, twice.other_employer_no) end,
                coalesce(twice.overlap_from::text, '-')) as item,
            twice.kind, twice.person_no, twice.enrollment_category, twice.employer_no, twice.insured_from,
            twice.insured_until, twice.other_region_code,
            -- findings of a region are read by whoever may read the region, not by who may read the other
            case when twice.kind <> 'two_regions' then twice.other_person_no end as other_person_no,
            case when twice.kind <> 'two_regions' then twice.other_employer_no end as other_employer_no,
            twice.other_insured_from, twice.other_insured_until,
            twice.overlap_from, twice.overlap_until, twice.overlap_days, twice.days_tolerated,
            case twice.kind
                when 'two_regions'
                    then '同一证件号码在另一统筹区同时参保 / the same identity number is insured in another region'
                when 'two_numbers' then '同一证件号码有两个人员编号 / one identity number has two person numbers'
                else '两个单位同时登记为其职工 / two employers keep the person registered'
            end as reason,
            null::numeric as amount
        from marts.double_participation as twice
        where twice.region_code = $region and not twice.is_tolerated
    """,
    examined="""
        select count(distinct person_no) from ledger.enrollment_spell
        where region_code = $region and last_seq <= $head and insurance_type = '310'
    """,
    population="""
        select count(*) from events.event
        where region_code = $region and seq <= $head and event_type = 'enrollment.started' and insurance_type = '310'
    """,
    scopes=_REVIEW,
    relists=True,
)

P02 = Check(
    code="P02",
    title_zh="职工按期参保，无逾期与补报",
    title_en="employees are enrolled in time, neither late nor backdated",
    severity="warn",
    owner=ACCOUNTING,
    clause="社会保险法第58条：自用工之日起三十日内为职工申请办理社会保险登记；国办发〔2019〕10号二（一）：应保尽保",
    offending="""
        select
            concat_ws('/', late.late_kind, late.employer_no, late.person_no, late.insured_from) as item,
            late.late_kind, late.employer_no, late.employer_name, late.person_no, late.insured_from,
            late.first_assessed_month, late.told_before, late.recorded_at, late.late_days, late.days_allowed,
            late.event_seq,
            case late.late_kind
                when 'started_late'
                    then '单位已为更早的月份缴费核定，参保登记逾期 / the employer was assessed for earlier months'
                else '参保日期早于来源系统此前已报至的日期 / enrolled for a day that the source had passed before'
            end as reason,
            null::numeric as amount
        from marts.late_joiner as late
        where late.region_code = $region
    """,
    examined="""
        select count(distinct person_no) from ledger.enrollment_spell
        where region_code = $region and last_seq <= $head and insurance_type = '310'
            and enrollment_category = 'employee'
    """,
    population="""
        select count(*) from events.event
        where region_code = $region and seq <= $head and event_type = 'enrollment.started' and insurance_type = '310'
            and enrollment_category = 'employee'
    """,
    scopes=_REVIEW,
    relists=True,
)

CHECKS: tuple[Check, ...] = (P01, P02)
