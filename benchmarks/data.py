"""The data of the speed benchmark: tables and photos with planted faults, and a file that says where each fault lies.

A table is ``T0.csv``, ``T0.parquet`` and ``T0.truth.json``, a set of photos ``I0/<class>/*.jpg`` and ``I0.truth.json``. Same name, same bytes: everything is drawn from fixed seeds. T0 and T1 are 50,000 and 1,000,000 rows of 30
columns, I0 and I1 are 1,000 and 10,000 JPEG photos in ten class folders.
"""

from __future__ import annotations

import functools
import io
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ROWS = {"T0": 50_000, "T1": 1_000_000}
PHOTOS = {"I0": 1_000, "I1": 10_000}
SIZE = (640, 480)

Truth = dict[str, Any]


class NoPhotos(RuntimeError):
    """The sample photos that every picture is cut from are not installed."""


def ensure(folder: Path, work: str) -> Truth:
    """Make one data set unless it is there; returns what is planted in it."""
    note = folder / f"{work}.truth.json"
    # Written last: where it lies, the data is whole.
    if not note.exists() or not (folder / (work if work in PHOTOS else f"{work}.csv")).exists():
        folder.mkdir(parents=True, exist_ok=True)
        truth = make_photos(folder / work, PHOTOS[work]) if work in PHOTOS else make_table(folder, work, ROWS[work])
        note.write_text(json.dumps(truth))
    truth = json.loads(note.read_text())
    return dict(truth)


# ---------------------------------------------------------------- tables


def table(rows: int, seed: int = 7) -> tuple[Any, Truth]:
    """An Arrow table of 20 fractional, 5 whole and 4 text columns and a label of ten classes, and what is wrong with it.

    Planted: 1 % gaps in 20 columns, a constant column, a column that is nearly a copy of another, 20 extreme values in
    one column, 500 repeated rows, and 5 % wrong labels.
    """
    import pyarrow as pa

    rng = np.random.default_rng(seed)
    repeated = min(500, rows // 20)
    F = rng.standard_normal((rows, 20))
    F[:, 5] = np.exp(F[:, 5])
    F[:, 6] = F[:, 0] * 0.95 + 0.05 * F[:, 6]
    F *= rng.uniform(0.5, 50, 20)
    F += rng.uniform(-100, 100, 20)
    whole = [rng.integers(0, 100, rows), rng.poisson(3, rows), rng.integers(-5000, 5000, rows)]
    I = np.stack([*whole, rng.integers(0, 2, rows), np.full(rows, 7)], 1)  # noqa: E741
    weights = rng.standard_normal((20, 10))
    scores = (F - F.mean(0)) / F.std(0) @ weights * 2.5 + rng.gumbel(size=(rows, 10))
    right = scores.argmax(1)
    words = {
        "c0": [f"city_{k:03d}" for k in range(200)],
        "c1": ["red", "green", "blue", "violet"],
        "c2": [f"sku-{k:05d}" for k in range(2000)],
        "c3": ["yes", "no"],
    }
    C = {name: rng.integers(0, len(values), rows) for name, values in words.items()}
    extreme = rng.choice(rows, 20, replace=False)
    F[extreme, 3] += 1000 * F[:, 3].std()
    wrong = rng.random(rows) < 0.05
    labels = np.where(wrong, (right + rng.integers(1, 10, rows)) % 10, right)
    gaps = np.zeros((rows, 20), np.bool_)
    gaps[:, :18] = rng.random((rows, 18)) < 0.01
    text_gaps = {name: rng.random(rows) < 0.01 if name in {"c0", "c1"} else None for name in C}
    both = rng.choice(rows, 2 * repeated, replace=False)
    source, copy = both[:repeated], both[repeated:]
    for array in (F, I, labels, gaps, wrong, *C.values(), *text_gaps.values()):
        if array is not None:
            array[copy] = array[source]
    F = np.round(F, 6)
    columns = {f"f{j}": pa.array(F[:, j], mask=gaps[:, j]) for j in range(20)}
    columns |= {f"i{j}": pa.array(I[:, j]) for j in range(5)}
    for name, values in words.items():
        columns[name] = pa.array(np.array(values, object)[C[name]], pa.string(), mask=text_gaps[name])
    columns["label"] = pa.array([f"class_{k}" for k in range(10)]).take(pa.array(labels))
    truth: Truth = {
        "rows": rows,
        "columns": 30,
        "constant": ["i4"],
        "null_columns": [*(f"f{j}" for j in range(18)), "c0", "c1"],
        "null_cells": int(gaps.sum() + sum(int(mask.sum()) for mask in text_gaps.values() if mask is not None)),
        "duplicate_pairs": [[int(a), int(b)] for a, b in zip(source, copy, strict=True)],
        "outlier_rows": sorted({int(row) for row in extreme} - {int(row) for row in copy}),
        "correlated": [["f0", "f6"]],
        "flipped_labels": [int(row) for row in np.flatnonzero(wrong)],
    }
    return pa.table(columns), truth


def make_table(folder: Path, name: str, rows: int) -> Truth:
    """Write one table as CSV and as Parquet."""
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    content, truth = table(rows)
    pacsv.write_csv(content, folder / f"{name}.csv", pacsv.WriteOptions(quoting_style="needed"))
    pq.write_table(content, folder / f"{name}.parquet", row_group_size=131_072)
    return truth


def times(source: Path, target: Path, copies: int, seed: int = 70) -> int:
    """Write a table several times over into one CSV file, each copy with noise of its own; returns the number of rows.

    Batch by batch: neither file is ever held in memory.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    rng = np.random.default_rng(seed)
    reading, gaps = (
        pacsv.ReadOptions(block_size=4 << 20, use_threads=False),
        pacsv.ConvertOptions(strings_can_be_null=True),
    )
    rows, writer = 0, None
    try:
        for _ in range(copies):
            with pacsv.open_csv(source, reading, convert_options=gaps) as reader:
                if writer is None:
                    options = pacsv.WriteOptions(quoting_style="needed")
                    writer = pacsv.CSVWriter(target, reader.schema, write_options=options)
                for batch in reader:
                    columns = [_noisy(column, rng) for column in batch.columns]
                    writer.write(pa.RecordBatch.from_arrays(columns, schema=reader.schema))
                    rows += batch.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows


def _noisy(column: Any, rng: np.random.Generator) -> Any:
    import pyarrow as pa

    if not pa.types.is_floating(column.type):
        return column
    values = np.array(column.to_numpy(zero_copy_only=False))
    gaps = np.isnan(values)
    values += rng.standard_normal(len(values)) * 0.01 * np.nanstd(values)
    return pa.array(np.round(values, 6), mask=gaps)


# ---------------------------------------------------------------- photos


@functools.cache
def _originals() -> tuple[list[Any], NDArray[np.float32]]:
    """The photos that all others are cut from, and noise like that of a camera."""
    from PIL import Image
    from sklearn.datasets import load_sample_images

    try:
        from skimage import data
    except ImportError as error:
        raise NoPhotos("the photos are cut from scikit-image's samples: pip install scikit-image") from error
    names = ("astronaut", "coffee", "chelsea", "rocket")
    grey = ("hubble_deep_field", "immunohistochemistry", "camera", "brick", "grass", "gravel", "coins")
    arrays = [getattr(data, name)() for name in names]
    arrays += [*load_sample_images().images, *(getattr(data, name)() for name in grey)]
    colour = [array if array.ndim == 3 else np.stack([array] * 3, -1) for array in arrays]
    noise = np.random.default_rng(99).standard_normal((700, 900, 3)).astype(np.float32)
    return [Image.fromarray(np.ascontiguousarray(array[..., :3])) for array in colour], noise


def photo(seed: int, size: tuple[int, int] = SIZE) -> Any:
    """A cut of a real photo with scale, mirroring, lighting, colour cast and sensor noise of its own."""
    from PIL import Image

    originals, noise = _originals()
    rng = np.random.default_rng(seed)
    image = originals[rng.integers(len(originals))]
    width, height = image.size
    share = rng.uniform(0.35, 0.95)
    w = int(min(width, height * size[0] / size[1]) * share)
    h = int(w * size[1] / size[0])
    x, y = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
    image = image.resize(size, Image.Resampling.BICUBIC, box=(x, y, x + w, y + h))
    if rng.random() < 0.5:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = np.asarray(image, np.float32)
    field = Image.fromarray(rng.uniform(-70, 70, (5, 6)).astype(np.float32))
    light = np.asarray(field.resize(size, Image.Resampling.BICUBIC))
    pixels = pixels * rng.uniform(0.8, 1.2, 3).astype(np.float32) + light[..., None]
    top, left = rng.integers(0, 700 - 640), rng.integers(0, 900 - 640)
    pixels += noise[top : top + size[1], left : left + size[0]] * rng.uniform(2, 6)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


BROKEN = ("truncated", "empty", "text", "header_only")


def _write(path: Path, kind: str, seed: int, extra: int) -> None:
    """One photo with one fault, or none; ``extra`` is the seed of the original of a near copy, or how a file is broken."""
    from PIL import Image, ImageFilter

    rng = np.random.default_rng(seed + 1_000_003)
    quality = int(rng.integers(82, 95))
    options: dict[str, Any] = {}
    if kind in {"black", "white"}:
        low = 0 if kind == "black" else 253
        image = Image.fromarray(rng.integers(low, low + 3, (SIZE[1], SIZE[0], 3), dtype=np.uint8))
    elif kind == "transposed":
        image = photo(seed, (SIZE[1], SIZE[0]))
    elif kind == "near_dup":
        image, quality = photo(extra), 55
    elif kind == "blurry":
        image = photo(seed).filter(ImageFilter.GaussianBlur(9))
    else:
        image = photo(seed)
    if kind == "exif":
        exif = Image.Exif()
        exif[0x0112] = int(rng.choice([3, 6, 8]))
        exif[0x010F] = "bench"
        options["exif"] = exif
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality, **options)
    data = file.getvalue()
    if kind == "corrupt":
        data = [data[: len(data) * 2 // 5], b"", b"not an image at all\n" * 50, data[:64]][extra]
    path.write_bytes(data)


def _faults(count: int) -> list[str]:
    share = 1 if count >= 10_000 else 0.2
    many = {"black": 20, "white": 20, "exact_dup": 50, "near_dup": 50, "transposed": 30, "exif": 20}
    plan = [kind for kind, n in many.items() for _ in range(max(1, round(n * share)))]
    return plan + ["corrupt"] * (10 if count >= 10_000 else 4) + ["blurry"] * max(1, round(20 * share))


def make_photos(root: Path, count: int, seed: int = 11) -> Truth:
    """Write a tree of class folders."""
    from joblib import Parallel, delayed

    shutil.rmtree(root, ignore_errors=True)
    for c in range(10):
        (root / f"class_{c}").mkdir(parents=True)
    plan = _faults(count)
    rng = np.random.default_rng(seed)
    kinds = np.array(["ok"] * count, object)
    kinds[rng.choice(count, len(plan), replace=False)] = plan
    healthy = np.flatnonzero(kinds == "ok")
    rng.shuffle(healthy)
    sources = [int(k) for k in healthy]
    names = {i: f"class_{i % 10}/img_{i:05d}.jpg" for i in range(count)}
    first = seed * 10_000_000
    jobs: list[tuple[str, str, int, int]] = []
    copies: list[tuple[int, int]] = []
    truth: Truth = {"n": count}
    broken = 0
    for i in range(count):
        kind, extra = kinds[i], 0
        if kind == "exact_dup":
            source = sources.pop()
            copies.append((source, i))
            # Four in five stay in the class of the original, one in five contradicts it.
            if len(copies) % 5 or i % 10 == source % 10:
                names[i] = f"class_{source % 10}/img_{i:05d}.jpg"
            else:
                truth.setdefault("dup_label_conflict", []).append([names[source], names[i]])
            truth.setdefault(kind, []).append([names[source], names[i]])
            continue
        if kind == "near_dup":
            source = sources.pop()
            extra = first + source
            truth.setdefault(kind, []).append([names[source], names[i]])
        elif kind == "corrupt":
            extra = (0, 0, 0, 1, 2, 0, 3, 0, 1, 2)[broken % 10] if count >= 10_000 else broken
            broken += 1
            truth.setdefault(kind, []).append([names[i], BROKEN[extra]])
        elif kind != "ok":
            truth.setdefault(kind, []).append(names[i])
        jobs.append((names[i], kind, first + i, extra))
    _originals()  # here, so that what is missing is said once
    workers = len(os.sched_getaffinity(0)) if count >= 500 else 1
    Parallel(n_jobs=workers, batch_size=32)(delayed(_write)(root / name, *rest) for name, *rest in jobs)
    for source, i in copies:
        shutil.copyfile(root / names[source], root / names[i])
    return truth
