"""Shards of samples without pictures, as their own writers make them: what is read, and what is told of damage."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soundfile
import webdataset

import datalint

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WORDS = ["time", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"]
RNG = np.random.default_rng(2)


def text(_: int) -> dict[str, Any]:
    kind = int(RNG.integers(2))
    return {"txt": f"{('good', 'bad')[kind]} {' '.join(RNG.choice(WORDS, 12))}", "cls": kind}


def record(_: int) -> dict[str, Any]:
    kind = int(RNG.integers(2))
    return {"json": {"text": f"{('good', 'bad')[kind]} {' '.join(RNG.choice(WORDS, 12))}", "label": kind}}


def vector(_: int) -> dict[str, Any]:
    kind = int(RNG.integers(3))
    return {"npy": (RNG.normal(size=8) + kind).astype(np.float32), "cls": kind}


def spoken(_: int) -> dict[str, Any]:
    at = np.arange(4_000) / 8_000
    data = io.BytesIO()
    wave = 0.4 * np.sin(2 * np.pi * RNG.integers(200, 900) * at) + RNG.normal(0, 0.01, 4_000)
    soundfile.write(data, wave, 8_000, format="WAV")
    return {"wav": data.getvalue(), "txt": " ".join(RNG.choice(WORDS, 6))}


def write(root: Path, make: Callable[[int], dict[str, Any]]) -> None:
    for name, size in {"train-000000": 60, "train-000001": 60, "val-000000": 60}.items():
        with webdataset.TarWriter(str(root / f"{name}.tar")) as shard:
            for k in range(size):
                shard.write({"__key__": f"{name[:5]}{name[-1]}{k:06d}", **make(k)})


@pytest.mark.parametrize(
    ("make", "modality", "label"),
    [(text, "table", "cls"), (record, "table", "json.label"), (vector, "table", "cls"), (spoken, "audio", None)],
)
def test_what_is_read(tmp_path: Path, make: Callable[[int], dict[str, Any]], modality: str, label: str | None) -> None:
    write(tmp_path, make)
    report = datalint.scan(tmp_path, cache=False, jobs=1)
    (info,) = report.datasets
    assert info.layout.startswith("WebDataset shards")
    assert (info.modality, info.label and info.label.name) == (modality, label)
    assert {split.name: split.samples for split in info.splits} == {"train": 120, "validation": 60}
    assert not [f.message for f in report.findings if f.severity != "info"]


def test_a_shard_that_breaks_off(tmp_path: Path) -> None:
    write(tmp_path, text)
    shard = tmp_path / "train-000001.tar"
    shard.write_bytes(shard.read_bytes()[:50_000])
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["FIL101"])
    (found,) = report.findings
    assert found.severity == "error"
    assert "train-000001.tar" in found.message


def test_samples_that_lack_a_part(tmp_path: Path) -> None:
    write(tmp_path, lambda k: text(k) if k % 10 else {"txt": "good time"})
    # The first sample of a shard says what the others have.
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["LBL104"])
    assert report.findings
