"""The command `python -m reporting notify`: tell the owners again what a run has left, as Airflow does after it."""

from __future__ import annotations

import argparse
from contextlib import closing

from ingestion.database import connect
from reporting import quality
from reporting.publish import ReportsError

_OUTCOMES = {
    "sent": "已发送 / sent",
    "failed": "未能送出 / not sent",
    "unchanged": "无新情况，未发送 / nothing new, not sent",
}


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of the command."""
    parser = commands.add_parser(
        "notify",
        help="向责任岗位发送摘要 / send the digests to the owners",
        description="按 Airflow 连接 fund_alerts_email 和 fund_alerts_webhook 发送一次运行的摘要；已告知的不重复 / "
        "send the digests of a run by the Airflow connections fund_alerts_email and fund_alerts_webhook; what has been"
        " told is not repeated",
    )
    parser.add_argument("--run", metavar="RUN_ID", help="运行编号，缺省为最近一次 / the newest run by default")
    parser.set_defaults(command_main=_main)


def _main(options: argparse.Namespace) -> None:
    """ReportsError when a digest was not taken."""
    from reporting.alerts.sending import send  # noqa: PLC0415 - the other commands need nothing of Airflow

    with closing(connect("auditor")) as connection:
        run_id = options.run or quality.newest_run(connection)
    sent = send(run_id) if run_id else []
    for one in sent:
        print(
            f"{one.route.channel} {', '.join(one.route.audience) or 'all'}: {_OUTCOMES[one.outcome]} {one.error or ''}"
        )
    if not sent:
        print("未配置通知，或尚无运行 / nothing is configured, or there has been no run")
    if failed := [str(one.error) for one in sent if one.outcome == "failed"]:
        raise ReportsError(f"通知未能送出 / digests were not sent: {'; '.join(failed)}")
