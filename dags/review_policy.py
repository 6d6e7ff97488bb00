"""### 政策审视 · the review of policy

Forecasts every morning what is published, then looks at it: whether the policy is carried out (enrolment, rates,
benefits, settlement), and whether claims look as they should (suites `policy` and `monitoring`). What it finds is a
warning with an owner, recorded in `quality.finding` and told by digest; it refuses and freezes nothing. Red when a
check could not be run.

每天早晨先对已发布的数据作预测，再检查：政策是否执行到位（参保、费率、待遇、结算），结算是否异常（智能监控）。发现的问题均为提示，
记入 `quality.finding` 并告知责任岗位，不影响发布；有检查未能执行时运行为红色。
"""

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, chain, dag, task

SCHEDULE = os.environ.get("FUND_REVIEW_SCHEDULE", "0 6 * * *")


@dag(
    schedule=CronTriggerTimetable(SCHEDULE, timezone="Asia/Shanghai", run_immediately=False) if SCHEDULE else None,
    catchup=False,
    max_active_runs=1,
    tags=["quality", "impact/tier_1"],
    default_args={"owner": "data-platform", "retries": 2, "retry_delay": timedelta(seconds=20)},
    doc_md=__doc__,
)
def review_policy() -> None:
    def tell_owners(context: object) -> None:
        from reporting.alerts.notifier import DigestNotifier

        DigestNotifier("review__{{ run_id }}")(context)

    @task(execution_timeout=timedelta(hours=1))
    def forecast() -> None:
        from forecasting import run as make

        make()

    # What cannot be checked cannot at the next try either; without a new forecast the last one stands.
    @task(trigger_rule="all_done", retries=0, execution_timeout=timedelta(hours=2))
    def review(run: str) -> None:
        from expectations.review import review as make

        make(run)

    @task(
        trigger_rule="all_done",
        execution_timeout=timedelta(minutes=10),
        on_success_callback=tell_owners,
        on_failure_callback=tell_owners,
    )
    def write_reports() -> list[str]:
        from reporting import write

        return [str(path) for path in write()]

    @task(trigger_rule="one_failed", retries=0, execution_timeout=timedelta(minutes=1))
    def report_failure() -> None:
        raise RuntimeError("a task above has failed; its log and the overview page say why")

    steps = [forecast(), review("review__{{ run_id }}"), write_reports()]
    chain(*steps)
    steps >> report_failure()


review_policy()
