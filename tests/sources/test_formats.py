"""What holds of every table format: all who read a file see the same rows, and rows that are written come back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import datalint
from datalint.planting.load import load
from datalint.sources.folder import data_suffixes
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.formats import formats, look


def table(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "a": rng.normal(size=rows).round(4),
            "n": rng.integers(0, 9, rows),
            "town": rng.choice(["Rom", "Ulm", "Bonn"], rows),
            "label": rng.choice(["x", "y"], rows),
        }
    )


def seen(path: Path) -> tuple[int, pd.DataFrame]:
    """Samples of a scan, and the rows into which faults are planted."""
    (report,) = datalint.scan(path, select=["FIL101"], cache=False).datasets
    (dataset,) = datalint.detect(path)
    (rows,) = load(dataset).clean.tables.values()
    return sum(split.samples for split in report.splits), rows


def test_rows_that_are_torn_are_left_out_by_all(tmp_path: Path) -> None:
    lines = table().to_csv(index=False).splitlines()
    for k in (50, 120, 290):
        lines[k] = lines[k].rsplit(",", 2)[0]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    samples, rows = seen(tmp_path / "t.csv")
    assert samples == len(rows) == 297
    assert not rows.isna().any(axis=None)
    assert rows["n"].dtype == np.int64


def test_a_late_line_in_latin_1_is_read_as_latin_1_by_all(tmp_path: Path) -> None:
    frame = table(40_000)
    frame.loc[30_000, "town"] = "Köln"
    (tmp_path / "t.csv").write_bytes(frame.to_csv(index=False).encode("latin-1"))
    samples, rows = seen(tmp_path / "t.csv")
    assert samples == len(rows) == 40_000
    assert rows["town"].unique().tolist() == [*frame["town"][:30_000].unique(), "Köln"]


def test_the_hooks_look_at_every_format() -> None:
    hooks = yaml.safe_load((Path(__file__).parents[2] / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    (pattern,) = {hook["files"] for hook in hooks}
    packed = {f"{suffix}.gz" for known in formats() if known.sure and not known.magic for suffix in known.suffixes}
    names = {f"folder/name{suffix}" for suffix in data_suffixes() | packed}
    assert {name for name in names if not re.search(pattern, name)} == set()
    assert not any(re.search(pattern, name) for name in ("notes.txt", "t.csv.zip", "model.py", "data"))


def test_what_begins_like_a_format_is_that_format_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"PAR1\x15\x04")
    with pytest.raises(NotATable, match="a damaged Parquet file"):
        look(tmp_path / "x.csv", "x.csv", "x.csv")
