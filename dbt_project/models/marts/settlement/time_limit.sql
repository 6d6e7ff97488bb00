with head as (
    {{ ledger_head('published') }}
),

{{ time_limit_ctes() }}

select
    region_code,
    matter,
    claim_no,
    event_seq,
    benefit_item,
    person_no,
    employer_no,
    institution_code,
    applied_on,
    decided_on,
    decided_month,
    working_days_used::integer as working_days_used,
    limit_value::integer as limit_working_days,
    limit_status,
    coalesce(is_calendar_known, false) as is_calendar_known,
    amount::numeric(18, 2) as amount,
    outcome,
    case
        when applied_on is null then '未载申请日期（第1版接口） / no day of application: sent in version 1 or left out'
        when decided_on < applied_on then '申请日晚于核定日 / applied for after it was decided'
        when working_days_used is null then '超出工作日历范围 / beyond the calendar of working days'
        when not is_calendar_known then '该年节假日安排未公布，按周一至周五计（假定） / holidays of that year not known: Monday to Friday, assumed'
    end as reason
from judged
