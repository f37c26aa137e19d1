"""Hostile shards, records, repositories and files of arrays."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.io
from PIL import Image
from safetensors.numpy import save

from datalint.sources.records.examples import example
from datalint.sources.records.frames import frame
from tests.fuzz.case import Case
from tests.fuzz.damage import NUMBERS, damaged
from tests.fuzz.tables import odd_key, odd_text, odd_value

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.case import Content

SAVED = Path(__file__).parents[1] / "sources/saved_tensors"


def _picture(r: Random) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (9, 8), r.randbytes(9 * 8 * 3)).save(out, r.choice(("PNG", "JPEG")))
    data = out.getvalue()
    return damaged(r, data) if r.random() < 0.05 else data


def shards_case(r: Random) -> Case:
    """A shard of WebDataset, with odd members, then damage."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=r.choice((tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT))) as archive:
        for k in range(r.choice((0, 1, 30, 60))):
            parts = [(f"{k:04d}.jpg", _picture(r)), (f"{k:04d}.{r.choice(('cls', 'cls', 'cls', 'txt', 'json'))}", b"1")]
            if r.random() < 0.1:
                parts.append(
                    (r.choice(("../x.jpg", "/x.cls", "a/../../x.cls", f"{k:04d}.jpg", "x", ".x", "a\\b.cls")), b"1")
                )
            if r.random() < 0.2:
                parts[1] = (
                    f"{k:04d}.json",
                    json.dumps({"label": odd_value(r), odd_key(r): 1}).encode("utf-8", "replace"),
                )
            for name, data in r.sample(parts, len(parts)) if r.random() < 0.1 else parts:
                item = tarfile.TarInfo(name)
                item.size = len(data)
                if r.random() < 0.03:
                    item.type, item.linkname = (
                        r.choice((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)),
                        "/etc/passwd",
                    )
                archive.addfile(item, io.BytesIO(data))
    data = damaged(r, out.getvalue()) if r.random() < 0.7 else out.getvalue()
    packed = r.random() < 0.2
    return Case({"train-0000.tar.gz" if packed else "train-0000.tar": gzip.compress(data, 1) if packed else data})


def records_case(r: Random) -> Case:
    """A TFRecord file of Examples or of anything, then damage."""
    records = []
    for _ in range(r.choice((0, 1, 30, 60))):
        features: dict[str, list[bytes] | list[int] | list[float]] = {
            "label": [r.randrange(3)],
            "text": [odd_text(r).encode("utf-8", "surrogatepass")],
            "image": [_picture(r)],
            "many": [r.random() for _ in range(r.choice((0, 1, 3)))],
        }
        if r.random() < 0.05:
            features[r.choice(("label", "many", odd_key(r)))] = r.choice(([b"x"], [r.choice(NUMBERS)], [0.5], []))
        data = example(features)
        records.append(damaged(r, data) if r.random() < 0.03 else data)
    data = b"".join(map(frame, records))
    return Case(
        {r.choice(("bad.tfrecord", "x.tfrecord-00000-of-00001")): damaged(r, data) if r.random() < 0.7 else data}
    )


def stores_case(r: Random) -> Case:
    """Arrays in a file of another kind, then damage, mostly of what describes them."""
    rng = np.random.default_rng(r.randrange(10**6))
    rows = r.choice((1, 20, 60))
    X = rng.integers(0, 255, (rows, 9, 9)).astype(r.choice(("u1", "f4", "f8", ">i2")))
    y = rng.integers(0, 3, rows)
    kind = r.choice(("safetensors", "mat", "h5", "pt"))
    within = r.choice((None, slice(0, 300), slice(-400, None)))
    if kind == "safetensors":
        data = save({"x": X.astype(X.dtype.newbyteorder("<")), "y": y})
    elif kind == "mat":
        out = io.BytesIO()
        scipy.io.savemat(out, {"X": np.moveaxis(X, 0, -1), "y": y[:, None]}, do_compression=r.random() < 0.5)
        data = out.getvalue()
    elif kind == "h5":
        out = io.BytesIO()
        with h5py.File(out, "w") as file:
            file.create_dataset("x", data=X, chunks=r.choice((None, True)), compression=r.choice((None, "gzip")))
            file["group/y"] = y
            file.attrs["about"] = "x"
        data, within = out.getvalue(), slice(0, 4096)
    else:
        data = (SAVED / r.choice(("pair.pt", "named.pth", "half.pt", "splits.pt", "weights.pt"))).read_bytes()
    return Case({f"bad.{kind}": damaged(r, data, within=within) if r.random() < 0.9 else data})


def hub_case(r: Random) -> Case:
    """A repository of Parquet with pictures, and a card that may be anything."""
    count = r.choice((1, 20, 60))
    cells: list[dict[str, Any] | None] = []
    for _ in range(count):
        name = odd_text(r).encode("utf-8", "replace").decode()
        held = {"bytes": None if r.random() < 0.05 else _picture(r), "path": name}
        cells.append(None if r.random() < 0.03 else held)
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(cells, kind), "label": [r.randint(-1, 2) for _ in range(count)]})
    features = {
        "image": {"_type": "Image"},
        "label": {"_type": "ClassLabel", "names": r.choice((["a", "b"], ["a", "a"], odd_value(r)))},
    }
    about = json.dumps({"info": {"features": features if r.random() < 0.8 else odd_value(r)}})
    out = io.BytesIO()
    pq.write_table(
        table.replace_schema_metadata({"huggingface": about.encode("utf-8", "replace")}), out, row_group_size=20
    )
    data = damaged(r, out.getvalue()) if r.random() < 0.4 else out.getvalue()
    path = r.choice(("data/*", "**", "data/x.parquet", "../*", "[", "*" * 40, "/etc/*", odd_text(r)))
    card = (
        "---\ndataset_info:\n  features:\n  - name: label\n    dtype:\n      class_label:\n        names: [a, b]\n"
        f"  splits:\n  - name: train\n    num_examples: {r.choice(NUMBERS)}\n"
        f"configs:\n- config_name: default\n  data_files:\n  - split: train\n    path: {json.dumps(path)}\n---\n"
    ).encode("utf-8", "replace")
    files: dict[str, Content] = {"data/x.parquet": data, "README.md": damaged(r, card) if r.random() < 0.5 else card}
    if r.random() < 0.2:
        text = json.dumps(
            {
                "_data_files": r.choice(([{"filename": "x.parquet"}], odd_value(r), [odd_value(r)])),
                "features": odd_value(r),
            }
        )
        files |= {
            "data/state.json": text.encode("utf-8", "replace"),
            "data/dataset_info.json": text.encode("utf-8", "replace"),
        }
    every = "**" in path  # takes all files for one data set, so that nothing is left where that one is damaged
    return Case(files, good=not every, may_refuse=every)
