"""The one kind of expectation of the gate. Importing this module imports Great Expectations, which takes seconds."""

from __future__ import annotations

from typing import Any

from great_expectations.expectations.core import UnexpectedRowsExpectation  # type: ignore[attr-defined]


class LedgerRowsExpectation(UnexpectedRowsExpectation):
    """Fails when its query returns a row. The query runs once: it counts all rows beside those it lists.

    The stock class runs every query twice, once to count and once to list.
    """

    metric_dependencies = ("unexpected_rows_query.table",)

    def _validate(
        self,
        metrics: dict[str, Any],
        runtime_configuration: Any = None,  # noqa: ANN401
        execution_engine: Any = None,  # noqa: ANN401
    ) -> dict[str, Any]:
        del runtime_configuration, execution_engine
        rows = metrics["unexpected_rows_query.table"]
        return {
            "success": not rows,
            "result": {
                "observed_value": rows[0]["total_rows"] if rows else 0,
                "details": {"unexpected_rows": rows},
            },
        }
