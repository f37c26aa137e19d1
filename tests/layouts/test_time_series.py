"""Series of sktime and aeon: what is read, what is told of a class that is not declared, and that TypeScript is no series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(4)


def write(path: Path, dimensions: int, classes: str, odd: int = 0) -> None:
    head = ["#A comment", "@problemName Moves", "@timestamps false", f"@univariate {str(dimensions == 1).lower()}"]
    lines = [*head, "@equalLength true", "@seriesLength 30", f"@classLabel true {classes}", "@data"]
    for k in range(120):
        wave = np.sin(np.arange(30) / 5 * (1 + k % 2) + RNG.random() * 6)
        series = [",".join(f"{x:.4f}" for x in wave + RNG.normal(0, 0.1, 30)) for _ in range(dimensions)]
        lines.append(":".join([*series, "Sitting" if k < odd else classes.split()[k % 2]]))
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("dimensions", [1, 3])
def test_what_is_read(tmp_path: Path, dimensions: int) -> None:
    for split in ("TRAIN", "TEST"):
        write(tmp_path / f"Moves_{split}.ts", dimensions, "Standing Running")
    report = datalint.scan(tmp_path, cache=False, jobs=1, preset="fast")
    (info,) = report.datasets
    assert info.layout == "time series, one file per split"
    assert {split.name: split.samples for split in info.splits} == {"train": 120, "test": 120}
    assert info.label and (info.label.name, info.label.confidence) == ("class", "certain")
    assert len(datalint.detect(tmp_path)[0].fields) == 30 * dimensions + 1
    assert not [f.message for f in report.findings if f.severity != "info"]


def test_a_class_that_is_not_declared(tmp_path: Path) -> None:
    write(tmp_path / "Moves_TRAIN.ts", 1, "Standing Running", odd=2)
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["FIL101"])
    assert any("2 series of a class that @classLabel does not name" in f.message for f in report.findings)


def test_programs_are_no_series(tmp_path: Path) -> None:
    (tmp_path / "app.ts").write_text("import { A } from 'b';\nexport const x: number = 1;\n" * 30)
    with pytest.raises(datalint.DatalintError, match="no time series"):
        datalint.scan(tmp_path, cache=False)
