"""deepchecks' data integrity suite."""

from __future__ import annotations

from importlib import import_module

import pandas as pd

from benchmarks.peers.protocol import INPUT, WORDS, found

if __name__ == "__main__":
    tabular = import_module("deepchecks.tabular")
    suites = import_module("deepchecks.tabular.suites")
    dataset = tabular.Dataset(pd.read_csv(INPUT), label="label", cat_features=WORDS)
    result = suites.data_integrity().run(dataset)
    values = {item.get_header(): item.value for item in result.results if hasattr(item, "value")}
    gaps = values.get("Percent Of Nulls")
    found(
        constant=[column for column, n in (values.get("Single Value in Column") or {}).items() if n == 1],
        missing=[] if gaps is None else [column for column in gaps.index if float(gaps.loc[column].iloc[0]) > 0],
    )
