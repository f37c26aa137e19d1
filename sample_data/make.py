"""Make the data sets in this folder, from the sets that scikit-learn brings along: ``python sample_data/make.py``.

What is wrong with each, and where it comes from, is in its NOTE.md; what a scan must say of it in its expected.json.
Everything random is seeded by the folder's name, so a second run gives the same data.
"""

from __future__ import annotations

import argparse
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    from numpy.typing import NDArray

POINTER = """version https://git-lfs.github.com/spec/v1
oid sha256:{digest}
size {size}
"""


def clean_breast_cancer(folder: Path) -> None:
    """Split first, scaled by the training rows alone, shuffled: as it should be."""
    table, label = _table(datasets.load_breast_cancer(as_frame=True), "diagnosis")
    train, test = train_test_split(table, test_size=0.25, stratify=table[label], random_state=_seed(folder))
    _write_scaled(folder, train, test, label, StandardScaler().fit(train.drop(columns=label)))


def clean_diabetes(folder: Path) -> None:
    """The raw measurements (not the scaled ones that scikit-learn gives by default), shuffled; a number to predict."""
    bunch = datasets.load_diabetes(as_frame=True, scaled=False)
    _shuffled(bunch.frame.rename(columns={"target": "progression"}), folder).to_parquet(folder / "diabetes.parquet")


def clean_digit_pictures(folder: Path) -> None:
    """Pictures in class folders, in a training and a test folder."""
    pictures, labels = _digits(folder, 200)
    for k, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        _save(folder / ("train" if k < 150 else "test") / str(label) / f"{k:03d}.png", picture)


def iris_sorted(folder: Path) -> None:
    """Stored class by class, as it is shipped everywhere."""
    table, _ = _table(datasets.load_iris(as_frame=True), "species")
    table.to_csv(folder / "iris.csv", index=False)


def breast_cancer_imbalanced(folder: Path) -> None:
    """All 357 benign cases and only 21 of the 212 malignant ones."""
    table, label = _table(datasets.load_breast_cancer(as_frame=True), "diagnosis")
    rare = table[table[label] == "malignant"].head(21)
    kept = pd.concat([table[table[label] == "benign"], rare])
    _shuffled(kept, folder).to_csv(folder / "breast_cancer.csv", index=False)


def digits_noisy(folder: Path) -> None:
    """Five of a hundred rows have another digit's label."""
    table = _shuffled(datasets.load_digits(as_frame=True).frame, folder)
    table["digit"] = _flipped(table.pop("target").to_numpy(), folder)
    table.astype(int).to_csv(folder / "digits.csv", index=False)


def digit_pictures_noisy(folder: Path) -> None:
    """Five of a hundred pictures lie in another digit's folder."""
    pictures, labels = _digits(folder, 500)
    for k, (picture, label) in enumerate(zip(pictures, _flipped(labels, folder), strict=True)):
        _save(folder / str(label) / f"{k:03d}.png", picture)


def wine_scaled_before_split(folder: Path) -> None:
    """The scaler was fitted on all rows, and then the rows were split."""
    table, label = _table(datasets.load_wine(as_frame=True), "cultivar")
    train, test = train_test_split(table, test_size=0.3, stratify=table[label], random_state=_seed(folder))
    _write_scaled(folder, train, test, label, StandardScaler().fit(table.drop(columns=label)))


def digit_pictures_transposed(folder: Path) -> None:
    """Cut to 6 x 8 pixels; four pictures have rows and columns exchanged."""
    pictures, labels = _digits(folder, 120)
    for k, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        narrow = picture[:, 1:7]
        _save(folder / str(label) / f"{k:03d}.png", narrow.T if k in {17, 60, 101, 111} else narrow)


def digits_all_zero(folder: Path) -> None:
    """Nine of 600 pictures in one array hold nothing but zeros."""
    pictures, labels = _digits(folder, 600)
    pictures[_rng(folder).choice(600, 9, replace=False)] = 0
    np.savez_compressed(folder / "digits.npz", X=pictures, y=labels)


def photos_damaged(folder: Path) -> None:
    """One photo is cut short, one is a Git LFS pointer, and one lies on its side and says so in its EXIF tag."""
    for photo, name in zip(datasets.load_sample_images().images, ("china", "flower"), strict=True):
        # A step that does not divide the photo's size keeps the crops from being near-copies of each other.
        places = [(top, left) for top in range(0, 330, 83) for left in range(0, 530, 107)]
        for k, (top, left) in enumerate(places[:20]):
            crop = Image.fromarray(photo[top : top + 72, left : left + 96])
            path = folder / name / f"{k:02d}.jpg"
            path.parent.mkdir(exist_ok=True)
            crop.save(path, quality=85)
    broken, pointer, turned = folder / "china/07.jpg", folder / "flower/03.jpg", folder / "flower/12.jpg"
    broken.write_bytes(broken.read_bytes()[:900])
    pointer.write_text(POINTER.format(digest="4d7a214614ab2935c943f9e0ff69d22e" * 2, size=pointer.stat().st_size))
    with Image.open(io.BytesIO(turned.read_bytes())) as photo:
        exif = photo.getexif()
        exif[0x0112] = 6  # "turn me clockwise by 90 degrees to show me"
        photo.transpose(Image.Transpose.ROTATE_90).save(turned, quality=85, exif=exif)


def wine_unreadable(folder: Path) -> None:
    """Three shards, of which the second was never fetched."""
    table, _ = _table(datasets.load_wine(as_frame=True), "cultivar")
    for k, rows in enumerate(np.array_split(np.arange(len(table)), 3)):
        path = folder / f"wine-{k}.csv"
        _shuffled(table, folder).iloc[rows].to_csv(path, index=False)
        if k == 1:
            path.write_text(POINTER.format(digest="b5bb9d8014a0f9b1d61e21e796d78dcc" * 2, size=path.stat().st_size))


SETS = (
    clean_breast_cancer,
    clean_diabetes,
    clean_digit_pictures,
    breast_cancer_imbalanced,
    digit_pictures_noisy,
    digit_pictures_transposed,
    digits_all_zero,
    digits_noisy,
    iris_sorted,
    photos_damaged,
    wine_scaled_before_split,
    wine_unreadable,
)


def make(target: Path) -> None:
    """Write every set into its own folder below ``target``."""
    for build in SETS:
        folder = target / build.__name__
        folder.mkdir(parents=True, exist_ok=True)
        build(folder)


def _seed(folder: Path) -> int:
    return zlib.crc32(folder.name.encode())


def _rng(folder: Path) -> np.random.Generator:
    return np.random.default_rng(_seed(folder))


def _table(bunch: Any, label: str) -> tuple[pd.DataFrame, str]:
    """Features and the class by name, under plain column names."""
    table = bunch.frame.rename(columns=lambda name: name.replace(" (cm)", "").replace(" ", "_"))
    table[label] = bunch.target_names[table.pop("target")]
    return table, label


def _shuffled(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    return table.iloc[_rng(folder).permutation(len(table))].reset_index(drop=True)


def _write_scaled(folder: Path, train: pd.DataFrame, test: pd.DataFrame, label: str, scaler: StandardScaler) -> None:
    for name, rows in (("train", train), ("test", test)):
        inputs = rows.drop(columns=label)
        scaled = pd.DataFrame(scaler.transform(inputs), columns=inputs.columns)
        scaled[label] = rows[label].to_numpy()
        scaled.to_csv(folder / f"{name}.csv", index=False, float_format="%.6f")


def _digits(folder: Path, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """So many of the digits, drawn at random: pictures [count, 8, 8] from 0 to 240, and their classes."""
    bunch = datasets.load_digits()
    chosen = _rng(folder).choice(len(bunch.target), count, replace=False)
    return (bunch.images[chosen] * 15).astype(np.uint8), bunch.target[chosen]


def _flipped(labels: NDArray[np.int64], folder: Path) -> NDArray[np.int64]:
    """Five of a hundred labels moved to one of the nine others, each as likely."""
    rng, labels = _rng(folder), labels.copy()
    chosen = rng.choice(len(labels), round(0.05 * len(labels)), replace=False)
    labels[chosen] = (labels[chosen] + rng.integers(1, 10, len(chosen))) % 10
    return labels


def _save(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the sample data sets.")
    parser.add_argument("target", nargs="?", type=Path, default=Path(__file__).parent)
    make(parser.parse_args().target)
