"""### 夜间审计 · nightly audit

Verifies the chain and all content hashes of every region and compares with the heads kept outside the database; makes
all books anew from the log and compares row for row; runs all checks over all history, closed months and outside
statements included. A check of severity `fail` freezes publication of its region until a named person lifts it; the run
is red, other regions go on. A part that breaks freezes nothing by itself; the run is red and says what was not done.

核验全部日志的哈希链与内容，并与库外链头核对；自日志重算账簿并逐行比较；对全部历史执行全部检查。不通过的统筹区暂停发布，须由专人说明原因后恢复；
审计中断不暂停发布，但运行为红色并写明未完成的部分。
"""

import os
from datetime import timedelta

from airflow.sdk import CronTriggerTimetable, chain, dag, task

SCHEDULE = os.environ.get("FUND_AUDIT_SCHEDULE", "0 4 * * *")


@dag(
    schedule=CronTriggerTimetable(SCHEDULE, timezone="Asia/Shanghai", run_immediately=False) if SCHEDULE else None,
    catchup=False,
    max_active_runs=1,
    tags=["quality", "impact/tier_1"],
    default_args={"owner": "fund-finance", "retries": 2, "retry_delay": timedelta(seconds=20)},
    doc_md=__doc__,
)
def audit_log() -> None:
    @task(execution_timeout=timedelta(hours=4))
    def verify_log(run: str) -> int:
        from expectations.audit.parts import verify_log

        return verify_log(run)

    @task(trigger_rule="all_done", execution_timeout=timedelta(hours=6))  # what one part finds waits for no other
    def rebuild_books(run: str) -> int:
        from expectations.audit.parts import rebuild

        return rebuild(run)

    @task(trigger_rule="all_done", execution_timeout=timedelta(hours=4))
    def check_history(run: str) -> None:
        from expectations.audit.parts import check_history

        check_history(run)

    @task(trigger_rule="all_done", retries=0, execution_timeout=timedelta(minutes=10))  # a verdict, not a mishap
    def conclude(run: str) -> None:
        from expectations.audit.parts import conclude

        print(conclude(run).text())

    def tell_owners(context: object) -> None:
        from reporting.alerts.notifier import DigestNotifier

        DigestNotifier("audit__{{ run_id }}")(context)

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

    run = "audit__{{ run_id }}"  # two DAGs may have runs of the same name
    steps = [verify_log(run), rebuild_books(run), check_history(run), conclude(run), write_reports()]
    chain(*steps)
    steps >> report_failure()


audit_log()
