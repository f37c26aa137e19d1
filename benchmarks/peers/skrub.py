"""skrub's TableReport."""

from __future__ import annotations

import json
from importlib import import_module

import pandas as pd

from benchmarks.peers.protocol import INPUT, OUT, found

if __name__ == "__main__":
    report = import_module("skrub").TableReport(pd.read_csv(INPUT), verbose=0)
    page = OUT.with_suffix(".html")
    report.write_html(str(page))
    columns = json.loads(report.json())["columns"]
    found(
        constant=[column["name"] for column in columns if column.get("value_is_constant")],
        missing=[column["name"] for column in columns if column.get("null_count")],
    )
    page.unlink()
