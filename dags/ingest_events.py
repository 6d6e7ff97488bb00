"""### 原始文件入账 · source files into the event log

Takes every new file under the landing root: one task a file, one transaction a file. A broken file is rejected, a
broken row quarantined; neither stops the others. Then waiting rows are tried again and the logs' heads written outside.

读取落地目录中的每个新文件：一文件一任务、一文件一事务；整份拒收或单行隔离均有记录，互不影响。重复运行不会重复入账。
"""

import os
from datetime import timedelta

from airflow.sdk import Asset, CronTriggerTimetable, dag, get_current_context, task

SCHEDULE = os.environ.get("FUND_INGEST_SCHEDULE", "*/15 * * * *")


@dag(
    schedule=CronTriggerTimetable(SCHEDULE, timezone="Asia/Shanghai", run_immediately=False) if SCHEDULE else None,
    catchup=False,
    max_active_runs=1,
    tags=["ingestion", "impact/tier_1"],
    default_args={"owner": "data-platform", "retries": 2, "retry_delay": timedelta(seconds=20)},
    doc_md=__doc__,
)
def ingest_events() -> None:
    @task(execution_timeout=timedelta(minutes=10))
    def discover_files() -> list[dict[str, str]]:
        from ingestion.runs import discover

        return discover()[:1000]  # Airflow maps 1,024 at most; the rest comes with the next run

    @task(map_index_template="{{ file }}", max_active_tis_per_dagrun=1, execution_timeout=timedelta(hours=2))
    def ingest_file(item: dict[str, str]) -> object:
        from ingestion.runs import ingest

        file = f"{item['source_system']}/{item['file_name']}"
        get_current_context().update({"file": file})  # type: ignore[misc]
        return ingest(item)

    @task(trigger_rule="all_done", execution_timeout=timedelta(hours=1))
    def retry_waiting() -> object:
        from ingestion.runs import retry_waiting

        return retry_waiting()

    @task(outlets=[Asset("events_log")], execution_timeout=timedelta(minutes=10))
    def record_heads() -> object:
        from ingestion.heads import record

        return record()

    @task(trigger_rule="one_failed", retries=0, execution_timeout=timedelta(minutes=1))
    def report_failure() -> None:
        raise RuntimeError("a task above has failed; what it did not take is taken by the next run")

    (files := ingest_file.expand(item=discover_files())) >> (waiting := retry_waiting())
    waiting >> record_heads() >> report_failure() << [files, waiting]


ingest_events()
