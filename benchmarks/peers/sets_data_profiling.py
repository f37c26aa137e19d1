"""fg-data-profiling on many small tables: ``python -m benchmarks.peers.sets_data_profiling JOBS.json OUT.json``.

Its alerts with its default settings. Plots are left out: no alert rests on them, and those of pairs of columns take
minutes. Of the label column only imbalance and correlation count.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.peers.sets_protocol import answer_all

if TYPE_CHECKING:
    from collections.abc import Mapping


def issues_of(job: Mapping[str, Any]) -> dict[str, Any]:
    """The columns named by kind of alert, and the kinds told of the table as a whole."""
    frame = pd.read_csv(job["tables"]["all"])
    label = job["label"]
    options: dict[str, Any] = {"interactions": {"continuous": False}, "missing_diagrams": None, "samples": None}
    report = import_module("data_profiling").ProfileReport(frame, progress_bar=False, **options)
    columns: dict[str, list[str]] = {}
    sets: set[str] = set()
    for alert in report.get_description().alerts:
        kind = str(alert.alert_type).rsplit(".", 1)[-1].lower()
        if alert.column_name is None:
            sets.add(kind)
        elif kind == "high_correlation":
            others = set(alert.values["fields"])
            if label in others:
                columns.setdefault("high_correlation_label", []).append(alert.column_name)
            if alert.column_name != label and others - {label}:
                columns.setdefault(kind, []).append(alert.column_name)
        elif (kind == "imbalance") == (alert.column_name == label):
            columns.setdefault(kind, []).append(alert.column_name)
    return {"columns": columns, "sets": sorted(sets)}


if __name__ == "__main__":
    answer_all("fg-data-profiling", issues_of)
