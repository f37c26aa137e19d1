"""Dagster: a check of an asset, which holds back what depends on it where the data is bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.core.severity import FailOn


def datalint_check(
    asset: Any,
    *,
    path: str | Path | None = None,
    fail_on: FailOn | None = None,
    blocking: bool = True,
    name: str = "datalint",
    **options: Any,
) -> dagster.AssetChecksDefinition:
    """A check that scans an asset; put it into ``asset_checks`` of the definitions.

    Args:
        asset: the asset or its key.
        path: where the asset's data lies; the value of the asset itself is loaded and scanned if not given.
        fail_on: the least severity that fails the check, or ``never``; what the configuration says if not given.
        blocking: whether assets downstream wait for the check to pass.
        name: of the check.
        options: those of ``datalint.scan``, such as ``label`` and ``select``.

    A data set that cannot be scanned at all is an error of the run (``datalint.DatalintError``), not a failed check.
    """

    def run(source: Any) -> dagster.AssetCheckResult:
        from datalint.integrations.check import check
        from datalint.report.formats import comment

        verdict = check(source, fail_on=fail_on, **options)
        counts = verdict.report.summary.model_dump(exclude={"datasets"})
        return dagster.AssetCheckResult(
            passed=verdict.passed,
            description=verdict.text or None,
            metadata={**counts, "report": dagster.MetadataValue.md(comment.render(verdict.report))},
        )

    def of_path() -> dagster.AssetCheckResult:
        return run(path)

    # Dagster takes the only parameter for the value of the asset.
    return dagster.asset_check(asset=asset, name=name, blocking=blocking, description="The data is fit for training.")(
        run if path is None else of_path
    )
