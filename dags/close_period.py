"""### 关账 · closing a month

Draws up the checklist of a region's month at its published head, waits for an approver who is not the preparer, closes
the month in the log (December after its year), publishes the close and keeps what was signed. A rejection, a timeout or
facts that arrive in between leave the month open and the run red; the decision is recorded either way. A run for a
month whose close was interrupted finishes that close and asks nobody.

列出关账清单，等待非制表人的批准；批准后在日志中关账（十二月先年结）、发布并留存签署文件。退回、逾期或期间有新业务则不关账，运行标红并记录原因；
中断后再次运行会完成原来的关账，不会重复关账。
"""

import os
from datetime import timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param, dag, get_current_context, task

HOURS = float(os.environ.get("FUND_CLOSE_APPROVAL_HOURS") or 72)
TOLD = "{{ ti.xcom_pull(task_ids='prepare_close')['%s'] }}"
REASON = Param("", type="string", title="原因 / reason", description="放行项目或退回时必填 / to waive or to reject")


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=16,  # one a region may wait for its approver
    tags=["closing", "impact/tier_1"],
    default_args={"owner": "fund-finance", "retries": 2, "retry_delay": timedelta(seconds=20)},
    params={
        "region": Param(type="string", pattern=r"^\d{6}$", title="统筹区 / region"),
        "month": Param(type="string", pattern=r"^\d{4}-(0[1-9]|1[0-2])$", title="会计月份 / accounting month"),
        "prepared_by": Param("", type="string", title="制表人，空为当前用户 / preparer, empty: the user who triggers"),
    },
    doc_md=__doc__,
)
def close_period() -> None:
    @task.short_circuit(ignore_downstream_trigger_rules=False, execution_timeout=timedelta(hours=2))
    def prepare_close() -> dict[str, str] | None:
        from closing.run import prepare

        return prepare(get_current_context())

    approve = HITLOperator(  # an ApprovalOperator forgets who rejected and why
        task_id="approve",
        options=["Approve", "Reject"],
        subject=TOLD % "subject",
        body=TOLD % "body",
        defaults="Reject",  # what a timeout means
        params={"reason": REASON},
        response_timeout=timedelta(hours=HOURS),
        execution_timeout=timedelta(minutes=10),
        retries=0,
    )

    @task(execution_timeout=timedelta(hours=6))
    def close_month() -> int:
        from closing.run import close

        return close(get_current_context())

    @task(execution_timeout=timedelta(hours=6))
    def publish_and_sign() -> str:
        from closing.run import finish

        return finish(get_current_context())

    @task(trigger_rule="all_done", retries=0, execution_timeout=timedelta(minutes=10))
    def conclude() -> str:
        from closing.run import conclude

        return conclude(get_current_context())

    prepare_close() >> approve >> close_month() >> publish_and_sign() >> conclude()


close_period()
