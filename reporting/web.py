"""The reports folder for signed-in users of Airflow: what `write` has left there, read-only."""

from __future__ import annotations

import re
from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.responses import FileResponse, HTMLResponse

from ingestion.settings import reports_dir
from reporting.content_policy import POLICY

DAG_ID = "build_ledger"
_MONTH = r"\d{6}/\d{4}-\d{2}"
_SERVED = re.compile(
    r"[a-z0-9][a-z0-9_-]*\.html|assets(/[A-Za-z0-9_@-][A-Za-z0-9_.@-]*)+\.(css|js|txt)|merged_fund_\d{6}\.xlsx"
    r"|data_docs/(index|validations/[a-z_]+-\d{6}/[A-Za-z0-9_-]+/[0-9T.]+Z/warehouse-[a-z_]+-\d{6})\.html"
    rf"|(draft/{_MONTH}/\d+|signed/{_MONTH})/(close\.html|SHA256SUMS|merged_fund_\d{{6}}_\d{{4}}-\d{{2}}\.xlsx)"
)
_HEADERS = {
    # Scripts from the folder's own files only, and no request to anybody; frames only by Airflow's own pages.
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

_NONE_YET = (
    f"<!doctype html><meta charset=utf-8><p>没有这份报告；{DAG_ID} 每次运行都会生成总览页。"
    f"<p>No such report; every run of {DAG_ID} writes the overview page."
)

application = FastAPI(title="Merged Fund reports", docs_url=None, redoc_url=None, openapi_url=None)


@application.get("/{name:path}")
def report(name: str, user: Annotated[BaseUser, Depends(get_user)]) -> Response:
    """One report. 401 without a session, 403 for users who may not read the DAG `build_ledger`, 404 for other names."""
    if not get_auth_manager().is_authorized_dag(method="GET", details=DagDetails(id=DAG_ID), user=user):
        raise HTTPException(403, f"reading reports needs the right to read the DAG {DAG_ID}")
    path = reports_dir() / name
    if not _SERVED.fullmatch(name) or not path.is_file():
        return HTMLResponse(_NONE_YET, 404, headers=_HEADERS)
    return FileResponse(path, headers=_HEADERS)
