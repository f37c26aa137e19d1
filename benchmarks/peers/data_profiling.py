"""fg-data-profiling, the successor of ydata-profiling, in its minimal mode."""

from __future__ import annotations

from importlib import import_module

import pandas as pd

from benchmarks.peers.protocol import INPUT, OUT, found

if __name__ == "__main__":
    report = import_module("data_profiling").ProfileReport(pd.read_csv(INPUT), minimal=True, progress_bar=False)
    page = OUT.with_suffix(".html")
    report.to_file(str(page))
    described = report.get_description()
    alerts = [(str(alert.alert_type).rsplit(".", 1)[-1], alert.column_name) for alert in described.alerts]
    found(
        constant=[column for kind, column in alerts if kind == "CONSTANT"],
        missing=[column for column, facts in described.variables.items() if facts.get("n_missing")],
    )
    page.unlink()
