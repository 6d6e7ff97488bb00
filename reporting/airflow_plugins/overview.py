"""The overview page inside Airflow's user interface: an entry of the navigation, and the files behind it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

PREFIX = "/fund-reports"


async def reports(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - types of the ASGI protocol
    """Hand a request on; the application is imported by it, for every task loads plugins and only a server needs it."""
    from reporting.web import application

    await application(scope, receive, send)


class OverviewPlugin(AirflowPlugin):
    """Adds the entry `总览 Overview`, which shows the page that the newest run has written."""

    name = "merged_fund_overview"
    fastapi_apps = [{"app": reports, "url_prefix": PREFIX, "name": "Merged Fund reports"}]  # noqa: RUF012
    external_views = [  # noqa: RUF012
        {
            "name": "总览 Overview",
            "href": urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/") + f"{PREFIX}/index.html",
            "destination": "nav",
            "url_route": "fund-overview",
            "nav_top_level": True,
        }
    ]
