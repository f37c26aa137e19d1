"""MLflow: attach a report to the run that was trained on the data."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import mlflow

if TYPE_CHECKING:
    from datalint.report.models import Report


def log_report(report: Report, *, name: str = "datalint") -> None:
    """Log a report to the active run of MLflow, or to a new one.

    The page and the JSON file become artifacts (``datalint/report.html`` and ``report.json``), the numbers of errors,
    warnings and infos metrics (``datalint.error`` ...), the codes of what was found and a fingerprint tags.
    ``datalint.fingerprint`` is the same for runs on data with the same splits, figures and findings, wherever it lies.

    Args:
        report: of ``datalint.scan``.
        name: begins the names of all that is logged; give each its own where one run has several reports.
    """
    mlflow.log_text(report.to_html(), f"{name}/report.html")
    mlflow.log_text(report.to_json(), f"{name}/report.json")
    counts = report.summary.model_dump(exclude={"datasets"})
    mlflow.log_metrics({f"{name}.{severity}": count for severity, count in counts.items()})
    mlflow.set_tags(
        {
            f"{name}.codes": ",".join(sorted({finding.code for finding in report.findings})),
            f"{name}.fingerprint": _fingerprint(report),
            f"{name}.version": report.tool.version,
        }
    )


def _fingerprint(report: Report) -> str:
    """Of what was found in the data; paths and names of the data sets and the run itself play no part."""
    said = [
        [
            [[split.name, split.samples, split.classes] for split in dataset.splits],
            dataset.facts,
            sorted(finding.fingerprint for finding in dataset.findings),
        ]
        for dataset in report.datasets
    ]
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:20]
