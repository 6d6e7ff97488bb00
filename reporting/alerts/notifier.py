"""The digest as an Airflow notifier: called back when the reports of a run are written, or could not be.

A callback of a task runs in the worker, with the task's own settings and connections; one of a DAG would run in the
process that reads DAG files, which has neither. What goes wrong here is logged and changes nothing of the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseNotifier

if TYPE_CHECKING:
    from airflow.sdk import Context


class DigestNotifier(BaseNotifier):
    """Sends the digests of the run whose task calls back."""

    template_fields = ("run",)

    def __init__(self, run: str = "{{ run_id }}", **given: Any) -> None:  # noqa: ANN401 - handed on to the base
        super().__init__(**given)
        self.run = run

    def notify(self, context: Context) -> None:
        """Send what the run has left to be told."""
        from reporting.alerts.sending import send  # noqa: PLC0415 - the books are read only when something is sent

        del context
        for sent in send(self.run):
            self.log.info("%s %s: %s", sent.route.channel, ", ".join(sent.route.audience) or "all", sent.outcome)
