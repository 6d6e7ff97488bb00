"""### 时效巡视 · a look at freshness

Looks by day at who has gone silent: sources that have sent nothing for longer than their rhythm allows, events that are
recorded and not public, a nightly audit that has not come to its end. Red beyond the deadline; publishes and freezes
nothing. Limits are the seed `freshness_limit`.

白天定时查看：来源系统是否静默、已入日志的业务是否逾期未发布、夜间审计是否逾期未完成；超过时限则运行为红色。
阈值见 `freshness_limit`。
"""

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, chain, dag, task

SCHEDULE = os.environ.get("FUND_WATCH_SCHEDULE", "30 8,14 * * *")


@dag(
    schedule=CronTriggerTimetable(SCHEDULE, timezone="Asia/Shanghai", run_immediately=False) if SCHEDULE else None,
    catchup=False,
    max_active_runs=1,
    tags=["quality", "impact/tier_1"],
    default_args={"owner": "data-platform", "retries": 2, "retry_delay": timedelta(seconds=20)},
    doc_md=__doc__,
)
def watch_freshness() -> None:
    def tell_owners(context: object) -> None:
        from reporting.alerts.notifier import DigestNotifier

        DigestNotifier("look__{{ run_id }}")(context)

    @task(retries=0, execution_timeout=timedelta(minutes=30))  # what is late is late at the next try as well
    def look_at_freshness(run: str) -> None:
        from expectations.look import look

        look(run)

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

    steps = [look_at_freshness("look__{{ run_id }}"), write_reports()]
    chain(*steps)
    steps >> report_failure()


watch_freshness()
