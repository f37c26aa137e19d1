"""ORC, as pyarrow writes it; a damaged file ends no scan."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import orc

import datalint
from datalint.planting.load import load
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path


def table(rows: int = 300, seed: int = 0) -> pa.Table:
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {f"x{k}": rng.normal(size=rows).round(4) for k in range(3)}
    columns["town"] = pd.Series(["Rom", "Ulm", None])[rng.integers(0, 3, rows)].array
    columns["tags"] = [[f"t{k}"] for k in rng.integers(0, 9, rows)]
    columns["label"] = rng.choice(["a", "b"], rows)
    return pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)


def test_splits_stripes_and_faults(tmp_path: Path) -> None:
    train, test = table(), pa.concat_tables([table(200, 1), table().slice(0, 20)])
    with orc.ORCWriter(str(tmp_path / "train.orc"), compression="zstd") as writer:
        for start in range(0, 300, 100):
            writer.write(train.slice(start, 100))
    orc.write_table(test, str(tmp_path / "test.orc"))
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.layout, dataset.label and dataset.label.name) == ("ORC, one file per split", "label")
    assert {field.name: field.kind for field in dataset.fields}["tags"] == "text"
    report = datalint.scan(tmp_path, select=["SPL101", "DUP101"], cache=False)
    assert [(f.code, f.affected.count) for f in report.findings] == [("SPL101", 20)]
    assert {split.name: split.samples for split in report.datasets[0].splits} == {"train": 300, "test": 220}
    rows = load(dataset).clean.tables["train"]
    pd.testing.assert_frame_equal(rows[["x0", "town"]], train.to_pandas()[["x0", "town"]])


def test_mending(tmp_path: Path) -> None:
    whole = pa.concat_tables([table(), table().slice(0, 5)])
    orc.write_table(whole, str(tmp_path / "t.orc"), compression="snappy")
    outcome = call(tmp_path, "fix", "t.orc", "--out", "new", "--select", "DUP101")
    assert outcome.status == 0, outcome.err
    written = orc.ORCFile(str(tmp_path / "new" / "t.orc"))
    assert (written.read().to_pylist(), written.compression) == (table().to_pylist(), "SNAPPY")


@pytest.mark.parametrize("seed", range(3))
def test_damage_ends_no_scan(tmp_path: Path, seed: int) -> None:
    """The library behind pyarrow ends its process on some of these."""
    r = random.Random(seed)
    table(60).to_pandas().to_csv(tmp_path / "good.csv", index=False)
    for k in range(4):
        orc.write_table(table(seed=k), str(tmp_path / f"bad{k}.orc"))
        content = bytearray((tmp_path / f"bad{k}.orc").read_bytes())
        for _ in range(20):
            content[r.randrange(len(content))] = r.randrange(256)
        (tmp_path / f"bad{k}.orc").write_bytes(content[: r.choice([None, -200])])
    report = datalint.scan(tmp_path, select=["FIL101"], cache=False)
    assert "good" in {dataset.name for dataset in report.datasets}
    assert any(finding.severity == "error" and "orc" in finding.message for finding in report.findings)


def test_a_program_beside_the_data_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    orc.write_table(table(), str(tmp_path / "t.orc"))
    for name in ("pyarrow", "json", "datalint"):
        (tmp_path / f"{name}.py").write_text("open('ran', 'w')")
    monkeypatch.chdir(tmp_path)
    assert len(datalint.detect("t.orc")) == 1
    assert not (tmp_path / "ran").exists()


def test_a_stripe_that_unpacks_to_too_much_ends_in_one_line(tmp_path: Path) -> None:
    texts = pa.array([f"{k % 7} lorem ipsum " * 3_000 for k in range(12_000)])
    orc.write_table(pa.table({"a": np.arange(12_000.0), "text": texts}), str(tmp_path / "a.orc"), compression="zstd")
    assert (tmp_path / "a.orc").stat().st_size < 10_000_000
    done = call(tmp_path, "detect", "a.orc")
    assert done.status == 2
    assert ": its stripes take more than 943,718,400 bytes of memory to read; " in done.err
