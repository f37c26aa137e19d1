"""Kedro: hooks that scan data sets of the catalogue as a pipeline loads and saves them."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from kedro.framework.hooks import hook_impl

from datalint.core.errors import DatalintError, FindingsError

if TYPE_CHECKING:
    from collections.abc import Mapping


class DatalintHooks:
    """Stop a pipeline at bad data; put it into ``HOOKS`` of the project's ``settings.py``.

    Data is scanned when it is first loaded, or before it is saved, so that what is bad never reaches the catalogue.

    Args:
        datasets: the names of the data sets to scan, each with options of ``datalint.scan`` and ``fail_on``:
            ``{"raw": {"label": "species", "fail_on": "warning"}}``. No other is touched.

    Raises:
        FindingsError: from the pipeline, where something at or above ``fail_on`` is found.
        DatalintError: from the pipeline, where a data set cannot be scanned or nothing has that name.
    """

    def __init__(self, datasets: Mapping[str, Mapping[str, Any]]) -> None:
        self._datasets = datasets
        self._passed: set[str] = set()

    @hook_impl
    def before_pipeline_run(self, pipeline: Any, catalog: Any) -> None:
        """Scan again in each run; reject a name that no data set has."""
        self._passed.clear()
        known = pipeline.datasets()
        for name in self._datasets:
            if name not in known and name not in catalog:
                raise DatalintError(f"DatalintHooks: neither the pipeline nor the catalogue has a data set {name!r}")

    @hook_impl
    def after_dataset_loaded(self, dataset_name: str, data: Any) -> None:
        """Scan what comes in, once per run."""
        if dataset_name not in self._passed:
            self._check(dataset_name, data)

    @hook_impl
    def before_dataset_saved(self, dataset_name: str, data: Any) -> None:
        """Scan what would go out."""
        self._check(dataset_name, data)

    def _check(self, name: str, data: Any) -> None:
        if name not in self._datasets:
            return
        from datalint.integrations.check import check
        from datalint.report.wording import totals

        verdict = check(data, **self._datasets[name])
        if not verdict.passed:
            raise FindingsError(f"{name} is {verdict.text}")
        logging.getLogger(__name__).info("%s: %s", name, totals(verdict.report))
        self._passed.add(name)
