"""### 记账、核对、发布与报告 · ledger, checks, publication, reports

Posts every event after the last built head, checks the candidate statements, and moves the published head of each
region whose checks are all green, all in one transaction. A region with a failed check keeps its last good statements
and the run is red; the overview page, written by every run whatever its end, says why. Every run reads all events after
its own head, so a missed trigger is made good by the next one. Owners get one digest a run of what is new to them.

对上次之后的全部事件记账并核对候选报表；全部通过的统筹区同时发布，其余保留上次结果；每次运行更新总览页，并向责任岗位发送一份摘要。
"""

import os
from datetime import timedelta

from airflow.sdk import Asset, AssetOrTimeSchedule, CronTriggerTimetable, chain, dag, task

SCHEDULE = os.environ.get("FUND_BUILD_SCHEDULE", "0 2 * * *")
NIGHTLY = CronTriggerTimetable(SCHEDULE, timezone="Asia/Shanghai", run_immediately=False) if SCHEDULE else None
LOG = [Asset("events_log")]


@dag(
    schedule=AssetOrTimeSchedule(timetable=NIGHTLY, assets=LOG) if NIGHTLY else LOG,
    catchup=False,
    max_active_runs=1,
    tags=["ledger", "impact/tier_1"],
    default_args={"owner": "fund-finance", "retries": 2, "retry_delay": timedelta(seconds=20)},
    doc_md=__doc__,
)
def build_ledger() -> None:
    @task(execution_timeout=timedelta(minutes=30))
    def deploy_models(run: str) -> bool:
        from runtime.dbt import deploy

        return deploy(run)

    @task(execution_timeout=timedelta(hours=4))
    def build_models(run: str) -> object:
        from runtime.dbt import build

        return build(run)

    @task(execution_timeout=timedelta(hours=2))
    def check_candidate(run: str) -> None:
        from expectations.gate import check

        check(run)

    @task(execution_timeout=timedelta(minutes=10), retries=0)  # a refusal is a verdict; the next run decides again
    def publish(run: str) -> None:
        from expectations.gate import publish

        publish(run)

    def tell_owners(context: object) -> None:
        from reporting.alerts.notifier import DigestNotifier

        DigestNotifier()(context)

    @task(
        trigger_rule="all_done",
        execution_timeout=timedelta(minutes=10),
        on_success_callback=tell_owners,
        on_failure_callback=tell_owners,
    )
    def write_reports(run: str) -> list[str]:
        from reporting import write

        return [str(path) for path in write(run)]

    @task(trigger_rule="one_failed", retries=0, execution_timeout=timedelta(minutes=1))
    def report_failure() -> None:
        raise RuntimeError("a task above has failed; its log and the overview page say why")

    run = "{{ run_id }}"
    steps = [deploy_models(run), build_models(run), check_candidate(run), publish(run), write_reports(run)]
    chain(*steps)
    steps >> report_failure()


build_ledger()
