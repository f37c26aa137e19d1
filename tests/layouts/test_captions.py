"""Captions in a file for each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

import datalint

if TYPE_CHECKING:
    from pathlib import Path

WHO, WHERE = "dog cat horse child sailor robot".split(), "garden kitchen desert harbour forest library".split()  # noqa: SIM905


def lay(folder: Path, split: str = "", count: int = 40) -> None:
    rng = np.random.default_rng(0)
    place = folder / split
    place.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        Image.fromarray(rng.integers(0, 255, (24, 24, 3)).astype(np.uint8)).save(place / f"{k:03}.png")
        said = f"a {rng.choice(WHO)} and a {rng.choice(WHO)} in the {rng.choice(WHERE)}, number {k} of a series"
        (place / f"{k:03}.txt").write_text(said)


def test_captions_are_texts_and_pictures_stay_pictures(tmp_path: Path) -> None:
    lay(tmp_path / "10_mydog")
    report = datalint.scan(tmp_path, select=["FIL101", "TXT", "DUP101"], config=False, cache=False)
    assert {(d.modality, d.splits[0].samples) for d in report.datasets} == {("images", 40), ("table", 40)}
    assert not report.findings
    (tmp_path / "10_mydog" / "007.txt").write_text("")
    (finding,) = datalint.scan(tmp_path, select=["TXT101"], config=False, cache=False).findings
    assert finding.affected.samples[0].id.endswith("007.txt")


def test_numbers_next_to_pictures_are_no_captions(tmp_path: Path) -> None:
    lay(tmp_path)
    for path in tmp_path.glob("*.txt"):
        path.write_text("0 0.5 0.5 0.2 0.1\n")
    assert all(dataset.modality == "images" for dataset in datalint.detect(tmp_path))
