"""Data sets to be served, and reports to be compared."""

from __future__ import annotations

import io
import sqlite3
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
import webdataset
from PIL import Image
from sklearn import datasets

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report

SETS = (
    "one.csv",
    "tables",
    "shards/*.parquet",
    "pictures",
    "arrays.npz",
    "base.db",
    "texts",
    "lines.jsonl.gz",
    "boxes",
    "npys",
    "web",
    "groups.h5",
    "hub",
)


def make(root: Path) -> None:
    """Small sets of many layouts, some with faults."""
    iris = datasets.load_iris(as_frame=True).frame
    iris.to_csv(root / "one.csv", index=False)
    shuffled = iris.sample(frac=1, random_state=0)
    (root / "tables").mkdir()
    shuffled[:100].to_csv(root / "tables" / "train.csv", index=False)
    shuffled[90:].to_csv(root / "tables" / "test.csv", index=False)
    rng = np.random.default_rng(0)
    (root / "shards").mkdir()
    for k in range(2):
        wide = pd.DataFrame(rng.normal(size=(4_000, 8)), columns=[f"c{j}" for j in range(8)])
        wide["label"] = rng.integers(0, 3, len(wide))
        wide.to_parquet(root / "shards" / f"part-{k}.parquet", row_group_size=1_000)
        wide.to_csv(root / "shards" / f"part-{k}.csv", index=False)
    for split, count in (("train", 8), ("test", 4)):
        for name in ("cat", "a dog"):
            (root / "pictures" / split / name).mkdir(parents=True)
            for k in range(count):
                picture = Image.fromarray(rng.integers(0, 255, (40, 40, 3), dtype=np.uint8))
                picture.save(root / "pictures" / split / name / f"{k} é.png")
    (root / "pictures" / "train" / "cat" / "broken.png").write_bytes(b"no picture")
    np.savez(root / "arrays.npz", X=rng.normal(size=(300, 6)), y=rng.integers(0, 2, 300))
    base = sqlite3.connect(root / "base.db")
    shuffled.to_sql("iris", base, index=False)
    base.commit()
    base.close()
    for name in ("ham", "spam"):
        (root / "texts" / name).mkdir(parents=True)
        for k in range(30):
            (root / "texts" / name / f"{k}.txt").write_text(f"This is {name} and has the number {k}.\n")
    shuffled.to_json(root / "lines.jsonl.gz", orient="records", lines=True)
    for kind in ("cat", "dog"):
        (root / "npys" / kind).mkdir(parents=True)
        for k in range(10):
            np.save(root / "npys" / kind / f"{k}.npy", rng.normal(size=(6, 5)))
    with h5py.File(root / "groups.h5", "w") as groups:
        groups["X"], groups["y"] = rng.normal(size=(300, 6)), rng.integers(0, 2, 300)
    (root / "web").mkdir()
    for k in range(2):
        with webdataset.TarWriter(str(root / "web" / f"train-{k:04}.tar")) as shard:
            for j in range(10):
                png = io.BytesIO()
                Image.effect_noise((48, 48), 20 + 3 * j + k).save(png, "png")
                shard.write({"__key__": f"{k}{j:03}", "png": png.getvalue(), "cls": str(j % 2).encode()})
    (root / "hub" / "data").mkdir(parents=True)
    card = "configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: data/a.csv\n"
    (root / "hub" / "README.md").write_text(f"---\n{card}  - split: test\n    path: data/b.csv\n---\n# Irises\n")
    shuffled[:100].to_csv(root / "hub" / "data" / "a.csv", index=False)
    shuffled[100:].to_csv(root / "hub" / "data" / "b.csv", index=False)
    for kind in ("images", "labels"):
        (root / "boxes" / kind).mkdir(parents=True)
    (root / "boxes" / "data.yaml").write_text("train: images\nval: images\nnames: [cat, dog]\n")
    for k in range(6):
        Image.effect_noise((64, 64), 30 + k).save(root / "boxes" / "images" / f"{k}.jpg")
        (root / "boxes" / "labels" / f"{k}.txt").write_text(f"{k % 2} 0.5 0.5 0.{k + 1} 0.2\n")


def scan(source: Any, **options: Any) -> Report:
    """A fast scan that keeps nothing."""
    return datalint.scan(source, **{"cache": False, "preset": "fast", "config": False, **options})


def said(report: Report, place: str) -> str:
    """All that a report says of the data, with the place where it lies taken out."""
    text = report.model_dump_json(
        exclude={"run": True, "datasets": {"__all__": {"findings": {"__all__": {"fingerprint"}}}}}
    )
    return text.replace(place, "PLACE")
