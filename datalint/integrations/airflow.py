"""Airflow 3.2 or newer: a task that fails at once, without retries, where the data is bad."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.severity import FailOn


class DatalintOperator(BaseOperator):
    """Scan a data set; the task returns the counts and codes of what was found.

    Args:
        path: of the data set (templated), or several.
        fail_on: the least severity that fails the task, or ``never``; what the configuration says if not given.
        output_dir: folder for ``report.json`` and ``report.html`` (templated); not written if not given.
        options: those of ``datalint.scan``, such as ``label``, ``select`` and ``config`` (templated).
        kwargs: those of every operator.

    Raises:
        AirflowFailException: the data is bad or cannot be scanned; trying again would not make it better.
    """

    template_fields: ClassVar[Sequence[str]] = ("path", "output_dir", "options")

    def __init__(
        self,
        *,
        path: str | Sequence[str],
        fail_on: FailOn | None = None,
        output_dir: str | None = None,
        options: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.path = path
        self.fail_on = fail_on
        self.output_dir = output_dir
        self.options = options

    def execute(self, context: Any) -> dict[str, Any]:  # noqa: ARG002 - Airflow's
        """Scan; called by Airflow."""
        from datalint.core.errors import DatalintError
        from datalint.integrations.check import check

        try:
            verdict = check(self.path, fail_on=self.fail_on, **(self.options or {}))
            if self.output_dir is not None:
                verdict.report.to_json(Path(self.output_dir) / "report.json")
                verdict.report.to_html(Path(self.output_dir) / "report.html")
        except DatalintError as error:
            raise AirflowFailException(str(error)) from error
        if not verdict.passed:
            raise AirflowFailException(verdict.text)
        codes = sorted({finding.code for finding in verdict.report.findings})
        return {**verdict.report.summary.model_dump(), "codes": codes}
