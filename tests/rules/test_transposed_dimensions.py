"""IMG101 on image trees and arrays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.sources.images.files import ImagePartition
from tests.reference import crop, named, photos, picture

if TYPE_CHECKING:
    from datalint.report.models import Finding, Report


def scan(source: Any) -> Report:
    return datalint.scan(source, select=["IMG101"])


def tree(folder: Path, sizes: dict[str, list[tuple[int, int]]]) -> Path:
    """Photos of the given sizes (width, height) below split folders, or class folders alone for the split ``""``."""
    rng = np.random.default_rng(0)
    for split, wanted in sizes.items():
        for k, (width, height) in enumerate(wanted):
            name, photo = list(photos().items())[k % 2]
            path = folder / split / name / f"{k:03d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(picture(crop(photo, width, height, rng)))
    return folder


def paths(report: Report) -> set[str]:
    return {"/".join(str(name).split("/")[-2:]) for name in report.affected("IMG101")["id"]}


# --- sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("usual", [(90, 60), (60, 90)])
def test_a_few_against_the_rest(tmp_path: Path, usual: tuple[int, int]) -> None:
    sizes = [usual] * 100
    sizes[31] = sizes[64] = usual[::-1]
    report = scan(tree(tmp_path, {"": sizes}))
    (finding,) = report.findings
    assert finding.severity == "warning"
    assert finding.affected.count == 2
    assert paths(report) == {"flower/031.png", "china/064.png"}


@pytest.mark.parametrize(("wide", "high"), [("width", "height"), ("image_width", "image_height")])
@pytest.mark.parametrize("swapped", [0, 1, 40])
def test_sizes_in_a_list(tmp_path: Path, swapped: int, wide: str, high: str) -> None:
    tree(tmp_path, {"": [(90, 60) if k % 3 else (60, 90) for k in range(40)]})
    rows = []
    for k in range(40):
        width, height = (90, 60) if k % 3 else (60, 90)
        told = (height, width) if k < swapped else (width, height)
        rows.append((f"{list(photos())[k % 2]}/{k:03d}.png", *told, k % 2))
    pd.DataFrame(rows, columns=["file_name", wide, high, "kind"]).to_csv(tmp_path / "metadata.csv", index=False)
    found = [finding for finding in scan(tmp_path).findings if finding.severity != "info"]
    assert [finding.affected.count for finding in found] == ([swapped] if swapped else [])


def test_sizes_stay_with_their_pictures() -> None:
    part = ImagePartition(Path(), ("a.png", "b.png"), None, "all", declared=((1, 2), (3, 4)))
    assert part.of([1, 0], "train").declared == ((3, 4), (1, 2))
    assert part.cut(1, 2).declared == ((3, 4),)


def test_sizes_of_boxes_and_other_sizes_are_no_sizes_of_pictures(tmp_path: Path) -> None:
    tree(tmp_path, {"": [(90, 60)] * 40})
    names = [f"{list(photos())[k % 2]}/{k:03d}.png" for k in range(40)]
    table = pd.DataFrame({"file_name": names, "width": 60, "height": 90, "kind": [k % 2 for k in range(40)]})
    table.assign(x=3, y=5).to_csv(tmp_path / "metadata.csv", index=False)
    assert not scan(tmp_path).findings
    table.assign(width=1_800, height=1_200).to_csv(tmp_path / "metadata.csv", index=False)
    assert not scan(tmp_path).findings


def test_a_few_in_each_split(tmp_path: Path) -> None:
    sizes = {"train": [(90, 60)] * 60, "test": [(90, 60)] * 30}
    sizes["train"][3] = sizes["test"][8] = (60, 90)
    report = scan(tree(tmp_path, sizes))
    assert sorted(str(finding.split) for finding in report.findings) == ["test", "train"]
    assert paths(report) == {"flower/003.png", "china/008.png"}


@pytest.mark.parametrize("upright", [6, 30, 50])
def test_photos_taken_upright_among_others(tmp_path: Path, upright: int) -> None:
    (finding,) = scan(tree(tmp_path, {"": [(60, 90)] * upright + [(90, 60)] * (100 - upright)})).findings
    assert (finding.severity, finding.affected.count) == ("info", upright)
    assert finding.message.endswith("taken upright, or swapped")


def test_a_whole_split(tmp_path: Path) -> None:
    (finding,) = scan(tree(tmp_path, {"train": [(90, 60)] * 40, "test": [(60, 90)] * 15})).findings
    assert finding.split == "test"
    assert finding.affected.count == 15


def test_square_pictures_are_silent(tmp_path: Path) -> None:
    assert not scan(tree(tmp_path, {"": [(64, 64)] * 40})).findings


def test_pictures_of_all_sizes_are_silent(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    assert not scan(tree(tmp_path, {"": [(int(w), int(h)) for w, h in rng.integers(30, 120, (60, 2))]})).findings


def test_one_size_and_a_few_others_that_are_not_swapped(tmp_path: Path) -> None:
    assert not scan(tree(tmp_path, {"": [(90, 60)] * 97 + [(60, 80), (50, 50), (91, 60)]})).findings


# --- EXIF -----------------------------------------------------------------------------------------------------------


def tagged(orientation: int) -> bytes:
    from PIL import Image

    exif = Image.Exif()
    exif[274] = orientation
    return picture(crop(photos()["china"], 90, 60, np.random.default_rng(orientation)), "JPEG", exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_tags(tmp_path: Path, orientation: int) -> None:
    folder = named("photo crops").write(tmp_path / "photos")
    (folder / "china" / "tagged.jpg").write_bytes(tagged(orientation))
    findings = scan(folder).findings
    if orientation < 5:  # mirrored or upside down: width and height stay
        assert not [finding for finding in findings if "EXIF" in finding.message]
        return
    (finding,) = [finding for finding in findings if "EXIF" in finding.message]
    assert finding.affected.samples[0].id.endswith("china/tagged.jpg")
    assert finding.affected.samples[0].detail == {"exif_orientation": orientation}


# --- arrays ---------------------------------------------------------------------------------------------------------


def arrays(train: tuple[int, ...], test: tuple[int, ...]) -> list[Finding]:
    rng = np.random.default_rng(2)
    parts = {
        name: (rng.integers(0, 255, shape, dtype=np.uint8), rng.integers(0, 2, shape[0]))
        for name, shape in (("train", train), ("test", test))
    }
    return scan(parts).findings


@pytest.mark.parametrize(
    ("train", "test"),
    [
        ((40, 3, 24, 24), (12, 24, 24, 3)),
        ((40, 24, 32, 3), (12, 3, 24, 32)),
        ((40, 24, 32, 3), (12, 32, 24, 3)),
        ((40, 3, 24, 32), (12, 3, 32, 24)),
        ((40, 24, 32), (12, 32, 24)),
    ],
)
def test_axes_in_another_order(train: tuple[int, ...], test: tuple[int, ...]) -> None:
    (finding,) = arrays(train, test)
    assert finding.severity == "error"
    assert finding.split == "test"
    assert finding.affected.count == 12


@pytest.mark.parametrize(
    ("train", "test"),
    [((40, 24, 32, 3), (12, 24, 32, 3)), ((40, 24, 24, 3), (12, 32, 32, 3)), ((40, 28, 28), (12, 28, 28))],
)
def test_axes_in_the_same_order(train: tuple[int, ...], test: tuple[int, ...]) -> None:
    assert not arrays(train, test)


def test_axes_of_npz_splits(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    np.savez(tmp_path / "set.npz", x_train=rng.random((30, 3, 16, 20)), x_test=rng.random((9, 16, 20, 3)))
    (finding,) = scan(tmp_path / "set.npz").findings
    assert "16 x 20 x 3" in finding.message
    assert "3 x 16 x 20" in finding.message


def test_tables_are_skipped() -> None:
    (status,) = scan((np.random.default_rng(4).random((50, 6)), np.arange(50) % 2)).datasets[0].rules
    assert (status.status, status.reason) == ("skipped", "applies to images only")
