"""pandera with the schema a careful user writes: no gaps, no constant column, no repeated row."""

from __future__ import annotations

from importlib import import_module

import pandas as pd

from benchmarks.peers.protocol import INPUT, found

if __name__ == "__main__":
    pa = import_module("pandera.pandas")
    frame = pd.read_csv(INPUT)
    varies = pa.Check(lambda column: column.nunique() > 1, error="constant")
    columns = {column: pa.Column(nullable=False, checks=varies) for column in frame.columns}
    schema = pa.DataFrameSchema(columns, unique=list(frame.columns))
    failed = pd.DataFrame(columns=["check", "column", "index"])
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as error:
        failed = error.failure_cases
    checks = failed["check"].astype(str)
    found(
        constant=sorted(set(failed.loc[checks == "constant", "column"].astype(str))),
        missing=sorted(set(failed.loc[checks == "not_nullable", "column"].astype(str))),
        repeated=sorted({int(row) for row in failed.loc[checks.str.contains("uniqu"), "index"].dropna()}),
    )
