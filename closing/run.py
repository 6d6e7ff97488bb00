"""What the tasks of the DAG `close_period` do, from the context that Airflow gives them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from airflow.sdk.exceptions import AirflowFailException

from closing import close as closes
from closing import prepare as preparing
from ingestion.errors import PeriodRefused
from reporting import write
from reporting.publish import ReportsError

_LOG = logging.getLogger(__name__)
_PREPARE, _APPROVE, _APPROVED = "prepare_close", "approve", "Approve"
_Given = ParamSpec("_Given")
_Told = TypeVar("_Told")


def _for_good(step: Callable[_Given, _Told]) -> Callable[_Given, _Told]:
    """A refusal is a verdict: Airflow does not try the task again."""

    @wraps(step)
    def run(*given: _Given.args, **named: _Given.kwargs) -> _Told:
        try:
            return step(*given, **named)
        except PeriodRefused as refused:
            raise AirflowFailException(str(refused)) from refused

    return run


@_for_good
def prepare(context: Mapping[str, Any]) -> dict[str, str] | None:
    """Ask for the close; None when the month was closed before: then what an interrupted close lacks has been done."""
    params, run = context["params"], context["dag_run"]
    region, month = str(params["region"]), _month(params["month"])
    if preparing.is_closed(region, month):
        closes.finish(region, month, str(run.run_id))
        return None
    user = str(run.triggering_user_name or "").strip()
    prepared_by = str(params["prepared_by"]).strip() or user
    if not prepared_by:
        raise PeriodRefused("E-PERIOD-APPROVER", "prepared_by: 未写明制表人 / nobody is named as the preparer")
    made = preparing.prepare(region, month, prepared_by, f"airflow:{user or prepared_by}")
    subject = f"关账审批 {made.region_name} {month:%Y-%m} / approve the closing of {region} {month:%Y-%m}"
    return {"request_id": made.request.request_id, "subject": subject, "body": made.form}


@_for_good
def close(context: Mapping[str, Any]) -> int:
    """Record the answer, and close an approved month in the log; returns the seq of the event."""
    request_id, answer = _request_id(context), dict(context["ti"].xcom_pull(task_ids=_APPROVE))
    assert request_id is not None
    person, reason, at = _person(answer), _reason(answer), _instant(answer["responded_at"])
    if answer["chosen_options"] == [_APPROVED] and person is not None:
        closes.approve(request_id, person, reason, f"airflow:{person}", at)
    else:
        closes.reject(request_id, person, reason, f"airflow:{person or 'timeout'}", at)
    return closes.close(request_id, str(context["dag_run"].run_id))


@_for_good
def finish(context: Mapping[str, Any]) -> str:
    """Publish and sign, and write the overview anew; returns the hash of what was signed."""
    params, run_id = context["params"], str(context["dag_run"].run_id)
    signed = closes.finish(str(params["region"]), _month(params["month"]), run_id)
    try:
        write(run_id)
    except ReportsError:  # the month is closed all the same; the next build writes the reports
        _LOG.exception("the reports could not be written")
    return signed.report_sha256


@_for_good
def conclude(context: Mapping[str, Any]) -> str:
    """Say how it ended; raises PeriodRefused when the month is not closed, so that the run is red."""
    params = context["params"]
    region, month = str(params["region"]), _month(params["month"])
    request_id = _request_id(context)
    if request_id is None and preparing.is_closed(region, month):
        signed = closes.finish(region, month, str(context["dag_run"].run_id))
        return f"{region} {month:%Y-%m}: {signed.report_sha256}"
    return closes.conclude(request_id)


def _request_id(context: Mapping[str, Any]) -> str | None:
    told = context["ti"].xcom_pull(task_ids=_PREPARE)
    return str(told["request_id"]) if told else None


def _person(answer: Mapping[str, Any]) -> str | None:
    """The name of who answered the approver's form; None when nobody did and the timeout's default counts."""
    user = answer.get("responded_by_user")
    return str(user["name"] or user["id"]) if user else None


def _reason(answer: Mapping[str, Any]) -> str | None:
    """The reason that was given on the form."""
    return str((answer.get("params_input") or {}).get("reason") or "").strip() or None


def _instant(value: Any) -> datetime:  # noqa: ANN401 - XCom brings it as a text or as an instant
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")
