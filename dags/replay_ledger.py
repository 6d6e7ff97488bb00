"""### 重放账簿 · rebuild the books and compare

Builds the ledger and the marts anew from the first event of every region, beside the live ones, which go on being
built, checked and published; compares both row for row; records the result in quality.replay_*. The run is red when a
row differs. With `swap` the rebuilt books become the live ones, in one transaction. Never scheduled: started by hand.

从每个统筹区的第一个事件起重建账簿与报表，与现行账簿逐行比较并记录结果；有差异则运行为红色。
swap 为真时以重建的账簿替换现行账簿；不一致时须在 reason 中写明接受差异的理由，否则拒绝替换。
"""

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["ledger", "impact/tier_1"],
    params={
        "swap": Param(False, type="boolean", title="替换现行账簿 / make the replayed books the live ones"),
        "reason": Param("", type="string", title="接受差异的理由（一致时留空）/ why differences are accepted"),
    },
    default_args={"owner": "fund-finance"},
    doc_md=__doc__,
)
def replay_ledger() -> None:
    @task(retries=0, execution_timeout=timedelta(hours=12))  # a difference is a verdict, not a mishap
    def replay_books(run: str) -> str:
        from runtime.replay import Request, replay
        from runtime.replay.report import text

        params = get_current_context()["params"]
        ending = replay(run, Request(swap=params["swap"], accepted_reason=params["reason"]))
        print(text(ending))
        if ending.outcome.exit_code:
            raise RuntimeError(f"replay: {ending.outcome.value}; the log of this task says what differs")
        return ending.outcome.value

    replay_books("{{ run_id }}")


replay_ledger()
