"""Streaming data sets of MosaicML: what is read of shards as its writer lays them out, and what is told of damage.

The writer itself needs PyTorch (tests/integrations/streaming); the bytes here are made as it makes them.
"""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RNG = np.random.default_rng(6)
WORDS = ["time", "people", "way", "day", "man", "thing", "woman", "life", "child", "world", "school", "state"]
FIXED = {"int": 8, "float32": 4, "ndarray:float32:4": 16}


def jpeg(kind: int) -> bytes:
    made = io.BytesIO()
    pixels = RNG.normal(90, 20, (32, 32, 3))
    pixels[8:24, 8:24, kind] += 120
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(made, "JPEG")
    return made.getvalue()


def picture(k: int) -> list[bytes]:
    return [jpeg(k % 3), np.int64(k % 3).tobytes()]


def text(k: int) -> list[bytes]:
    kind = int(RNG.integers(2))
    words = f"{('good', 'bad')[kind]} {k} {' '.join(RNG.choice(WORDS, 12))}"
    return [np.int64(kind).tobytes(), words.encode(), (RNG.normal(size=4) + kind).astype(np.float32).tobytes()]


COLUMNS: dict[Any, dict[str, str]] = {
    picture: {"image": "jpeg", "label": "int"},
    text: {"label": "int", "text": "str", "vector": "ndarray:float32:4"},
}


def shard(samples: Sequence[Sequence[bytes]], sizes: Sequence[int | None]) -> bytes:
    rows = []
    for sample in samples:
        lengths = [len(data) for data, size in zip(sample, sizes, strict=True) if size is None]
        rows.append(np.array(lengths, np.uint32).tobytes() + b"".join(sample))
    head = b'{"about": "columns"}'
    ends = np.array([0, *map(len, rows)]).cumsum() + 4 * (len(rows) + 2) + len(head)
    return b"".join([np.uint32(len(rows)).tobytes(), ends.astype(np.uint32).tobytes(), head, *rows])


def write(root: Path, make: Any, compression: str | None = None) -> None:
    columns = COLUMNS[make]
    sizes = [FIXED.get(encoding) for encoding in columns.values()]
    for split, count in {"train": 2, "val": 1}.items():
        (root / split).mkdir()
        listed = []
        for number in range(count):
            raw = shard([make(60 * number + k) for k in range(60)], sizes)
            name = f"shard.{number:05d}.mds"
            packed = pa.compress(raw, "zstd", asbytes=True) if compression else raw
            (root / split / (f"{name}.zstd" if compression else name)).write_bytes(packed)
            listed.append(
                {
                    "version": 2,
                    "format": "mds",
                    "column_names": [*columns],
                    "column_encodings": [*columns.values()],
                    "column_sizes": sizes,
                    "compression": compression,
                    "raw_data": {"basename": name, "bytes": len(raw), "hashes": {}},
                    "zip_data": {"basename": f"{name}.zstd", "bytes": len(packed)} if compression else None,
                    "samples": 60,
                }
            )
        (root / split / "index.json").write_text(json.dumps({"version": 2, "shards": listed}))


@pytest.mark.parametrize(
    ("make", "modality", "compression"), [(picture, "images", None), (text, "table", None), (text, "table", "zstd:7")]
)
def test_what_is_read(tmp_path: Path, make: Any, modality: str, compression: str | None) -> None:
    write(tmp_path, make, compression)
    report = datalint.scan(tmp_path, cache=False, jobs=1, preset="fast")
    (info,) = report.datasets
    assert info.layout.startswith("MDS shards")
    assert (info.modality, info.label and info.label.name) == (modality, "label")
    assert {split.name: split.samples for split in info.splits} == {"train": 120, "validation": 60}
    assert not [f.message for f in report.findings if f.severity == "error"]


def test_damage(tmp_path: Path) -> None:
    write(tmp_path, text)
    (tmp_path / "train" / "shard.00001.mds").unlink()
    first = tmp_path / "val" / "shard.00000.mds"
    first.write_bytes(first.read_bytes()[:2_000])
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["FIL101"])
    told = " ".join(found.model_dump_json() for found in report.findings)
    assert "lists 1 shard that is not there, such as 'shard.00001.mds'" in told
    assert "shard.00000.mds" in told
