"""ORD107: blocks of one source, and order that is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import datalint
from tests.reference import crop, named, photos, picture

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding


def found(source: Any, **options: Any) -> list[Finding]:
    return datalint.scan(source, select=["ORD107"], **options).findings


def visits() -> pd.DataFrame:
    return named("visits").tables["all"]


def test_sorted_by_patient() -> None:
    table = visits().sort_values("patient_id")
    (finding,) = found(table, label="readmitted")
    assert finding.severity == "warning"
    assert finding.column == "patient_id"
    assert finding.evidence["sources"] == finding.evidence["runs"] == table["patient_id"].nunique()
    assert not found(visits(), label="readmitted")


def test_a_split_set_is_told_but_not_warned() -> None:
    tables = {name: table.sort_values("patient_id") for name, table in named("visits, 2 splits").tables.items()}
    assert {finding.severity for finding in found(tables, label="readmitted")} == {"info"}


def test_the_label_a_time_and_a_sorted_number_are_no_keys() -> None:
    rng = np.random.default_rng(0)
    table = visits().drop(columns="patient_id")
    classes = np.sort(rng.integers(0, 30, len(table)))
    table = table.assign(
        kind=[f"k{k}" for k in classes],
        kind_name=[f"name of k{k}" for k in classes],
        when=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(table)) // 9, unit="D"),
        age=np.sort(rng.integers(18, 90, len(table))),
    )
    assert not found(table, label="kind")


def test_a_sorted_category_is_only_info() -> None:
    rng = np.random.default_rng(0)
    table = (
        visits()
        .drop(columns="patient_id")
        .assign(town=np.sort(rng.choice([f"town {k}" for k in range(40)], len(visits()))))
    )
    (finding,) = found(table, label="readmitted")
    assert finding.severity == "info"
    assert finding.column == "town"


def test_frames_without_a_key() -> None:
    rng = np.random.default_rng(0)
    scenes = np.repeat(rng.normal(size=(150, 12)), 4, axis=0)
    frames = pd.DataFrame(np.round(scenes + 0.0005 * rng.normal(size=scenes.shape), 5)).add_prefix("f")
    frames = frames.assign(y=rng.choice(["a", "b"], len(frames)))
    (finding,) = found(frames, label="y")
    assert finding.severity == "warning"
    assert finding.evidence["samples"] == 600
    assert not found(frames.sample(frac=1, random_state=0), label="y")


def test_file_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (china, flower) = photos().values()
    for n in range(120):
        p, s = divmod(n, 6)
        path = tmp_path / ("ab"[p % 2]) / f"patient{p:02d}_slice{s}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(crop(china if p % 2 else flower, 24, 24, rng)))
    (finding,) = found(tmp_path)
    assert finding.severity == "warning"
    assert finding.evidence["key"] == "file names"
    assert finding.evidence["examples"][0] == "patient00"  # type: ignore[index]
