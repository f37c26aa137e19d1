"""Hostile files of the smaller formats: documents of JSON, databases, IDX files, pickled batches, lines, texts in folders."""

from __future__ import annotations

import json
import pickle
import sqlite3
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.fuzz.case import Case
from tests.fuzz.damage import NUMBERS, damaged
from tests.fuzz.tables import WORDS, odd_key, odd_text, odd_value

if TYPE_CHECKING:
    from random import Random

    from tests.fuzz.case import Content


def _records(r: Random) -> list[Any]:
    odd = r.choice((0.0, 0.02, 0.2))
    names = [odd_key(r) for _ in range(r.choice((1, 2, 4, 9)))]
    rows: list[Any] = []
    for _ in range(r.choice((0, 1, 2, 30, 60))):
        row: Any = {name: odd_value(r) if r.random() < odd else r.randint(0, 9) for name in names}
        row["label"] = r.choice("xy")
        if r.random() < 0.3:
            row["meta"] = odd_value(r) if r.random() < odd else {"a": r.random(), "b": {"c": r.choice(WORDS)}}
        rows.append(odd_value(r) if r.random() < odd / 2 else row)
    return rows


def json_case(r: Random) -> Case:
    """A document of records or columns, then damage."""
    rows = _records(r)
    whole = [row for row in rows if isinstance(row, dict)]
    document: Any = r.choice(
        (
            rows,
            {"data": rows},
            {"version": odd_value(r), "data": rows, odd_key(r): odd_value(r)},
            {"train": rows, "test": rows[: len(rows) // 2]},
            {str(k): row for k, row in enumerate(rows)},
            {name: [row.get(name) for row in whole] for name in (whole[0] if whole else {})},
            {name: {str(k): row.get(name) for k, row in enumerate(whole)} for name in (whole[0] if whole else {})},
            {"columns": ["a", "label"], "index": [0], "data": [[1, r.choice("xy")] for _ in range(40)]},
            odd_value(r),
        )
    )
    text = json.dumps(document, indent=r.choice((None, None, 1)), ensure_ascii=r.random() < 0.9)
    data = text.encode("utf-8", "surrogatepass")
    return Case({r.choice(("bad.json", "train.json")): damaged(r, data) if r.random() < 0.6 else data})


def database_case(r: Random) -> Case:
    """A database of SQLite, then damage."""
    with sqlite3.connect(":memory:") as base:
        for name in r.sample(("train", "test", 'odd "name"', "other"), r.randint(1, 3)):
            quoted = '"' + name.replace('"', '""') + '"'
            base.execute(f"CREATE TABLE {quoted} (a REAL, b, label TEXT)")
            values = (
                1,
                2.5,
                None,
                "x",
                b"\xff\x00",
                2**62,
                float("inf"),
                odd_text(r).encode("utf-8", "replace").decode(),
            )
            rows = [(r.random(), r.choice(values), r.choice("xy")) for _ in range(r.choice((0, 1, 30, 300)))]
            base.executemany(f"INSERT INTO {quoted} VALUES (?, ?, ?)", rows)
        base.commit()
        data = base.serialize()
    base.close()
    within = r.choice((None, slice(0, 100), slice(100, 4096)))
    data = damaged(r, data, within=within) if r.random() < 0.8 else data
    return Case({r.choice(("bad.db", "bad.sqlite", "bad.csv")): data})


def _idx(r: Random, array: np.ndarray[Any, Any]) -> bytes:
    shape = [size if r.random() < 0.9 else r.choice(NUMBERS) for size in array.shape]
    kind = 0x08 if r.random() < 0.95 else r.choice((0x09, 0x0B, 0x0D, 0x0E, 0xFF))
    head = b"\0\0" + bytes([kind, array.ndim]) + struct.pack(f">{array.ndim}I", *shape)
    return head + array.tobytes()


def batches_case(r: Random) -> Case:
    """IDX files or batches of CIFAR, then damage."""
    rng = np.random.default_rng(r.randrange(10**6))
    rows = r.choice((1, 20, 60))
    labels = rng.integers(0, 3, rows).astype(np.uint8)
    files: dict[str, Content]
    if r.random() < 0.5:
        files = {
            "train-images-idx3-ubyte": _idx(r, rng.integers(0, 255, (rows, 9, 9)).astype(np.uint8)),
            "train-labels-idx1-ubyte": _idx(r, labels),
        }
    else:
        pictures = rng.integers(0, 255, (rows, 3072)).astype(np.uint8)
        batch = {b"data": pictures, b"labels": labels.tolist(), b"more": r.choice((1, print, [None], {"a": object}))}
        files = {
            "data_batch_1": pickle.dumps(batch, r.choice((2, 4, 5))),
            "test_batch": pickle.dumps({b"data": pictures, b"labels": labels.tolist()}, 2),
            "batches.meta": pickle.dumps({b"label_names": [b"a", b"b", b"c"]}, 2),
        }
    name = r.choice(sorted(files))
    data = files[name]
    assert isinstance(data, bytes)
    files[name] = damaged(r, data, within=r.choice((None, slice(0, 60))))
    return Case(files)


def lines_case(r: Random) -> Case:
    """Sparse or labelled lines, then damage."""
    if r.random() < 0.5:
        text = "".join(
            f"{r.choice((0, 1, -1))} {r.randint(1, 4)}:{r.random():.3f} 7:{r.choice(NUMBERS)}\n" for _ in range(60)
        )
        return Case({r.choice(("bad.svm", "bad.txt", "train.libsvm")): damaged(r, text.encode())})
    text = "".join(f"__label__{r.choice('ab')} {odd_text(r)} {r.choice(WORDS)}\n" for _ in range(60))
    return Case({r.choice(("bad.txt", "train.txt")): damaged(r, text.encode("utf-8", "surrogatepass"))})


def texts_case(r: Random) -> Case:
    """Texts in class folders, some of them damaged."""
    files: dict[str, Content] = {}
    for folder in ("ham", "spam"):
        for k in range(15):
            text = " ".join(r.choices(WORDS, k=12)) + odd_text(r)
            data = text.encode(r.choice(("utf-8", "utf-8", "cp1252", "utf-16")), "replace")
            files[f"{folder}/{k}.txt"] = damaged(r, data) if r.random() < 0.2 else data
    return Case(files)
