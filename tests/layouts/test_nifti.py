"""Medical volumes as nibabel writes them: what is read of the usual folders, and what is told of damage."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING, Any

import nibabel
import numpy as np
import pytest

import datalint
from tests.layouts.laying import errors, scanned, splits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


RNG = np.random.default_rng(8)
SHAPE = (24, 20, 12)


def volume(kind: int = 0, shape: tuple[int, ...] = SHAPE) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """A ball in noise, and which of its voxels are left and right."""
    place = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"))
    centre = np.array(shape)[:, None, None, None] / 2 + RNG.uniform(-2, 2, (3, 1, 1, 1))
    ball = ((place - centre) ** 2).sum(0) < (4 + kind) ** 2
    side = 1 + (place[0] > centre[0])
    return (RNG.normal(100, 20, shape) + 80 * ball).astype(np.int16), (ball * side).astype(np.uint8)


def save(path: Path, values: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, np.diag([1.0, 1.0, 3.0, 1.0])), path)


def decathlon(root: Path, train: int = 24, test: int = 12) -> None:
    listed: dict[str, list[Any]] = {"training": [], "test": []}
    for k in range(train + test):
        name = f"case_{k:03d}.nii.gz"
        values, mask = volume(shape=(24, 20, int(RNG.integers(10, 15))))
        save(root / ("imagesTr" if k < train else "imagesTs") / name, values)
        if k < train:
            save(root / "labelsTr" / name, mask)
            listed["training"].append({"image": f"./imagesTr/{name}", "label": f"./labelsTr/{name}"})
        else:
            listed["test"].append(f"./imagesTs/{name}")
    held = {"name": "Balls", "labels": {"0": "background", "1": "left", "2": "right"}, "numTraining": train, **listed}
    (root / "dataset.json").write_text(json.dumps(held))


def test_decathlon(tmp_path: Path) -> None:
    decathlon(tmp_path)
    report = scanned(tmp_path)
    assert report.datasets[0].layout == "volumes with masks"
    assert splits(report) == {"train": 24, "test": 12}
    assert {found.code for found in report.findings} <= {"ANN101", "ORD106", "SPL109"}
    assert not errors(report)


def test_channels_of_a_case_are_one_sample(tmp_path: Path) -> None:
    for k in range(10):
        values, mask = volume()
        for channel in range(2):
            save(
                tmp_path / "Dataset001_Balls" / "imagesTr" / f"Ball_{k:04d}_{channel:04d}.nii.gz",
                values + np.int16(channel),
            )
        save(tmp_path / "Dataset001_Balls" / "labelsTr" / f"Ball_{k:04d}.nii.gz", mask)
    held = {"channel_names": {"0": "T1", "1": "T2"}, "labels": {"background": 0, "both": [1, 2], "right": 2}}
    path = tmp_path / "Dataset001_Balls" / "dataset.json"
    path.write_text(json.dumps({**held, "numTraining": 10, "file_ending": ".nii.gz"}))
    report = scanned(tmp_path)
    assert splits(report) == {"train": 10}
    assert not errors(report)
    assert "DUP102" not in {found.code for found in report.findings}


def test_masks_by_the_ends_of_names(tmp_path: Path) -> None:
    for k in range(12):
        name = f"BraTS20_Training_{k:03d}"
        mask = np.zeros(SHAPE, np.uint8)
        for kind in ("flair", "t1", "t1ce", "t2"):
            values, mask = volume()
            save(tmp_path / name / f"{name}_{kind}.nii", values)
        save(tmp_path / name / f"{name}_seg.nii", mask)
    report = scanned(tmp_path)
    assert report.datasets[0].layout == "volumes with masks"
    assert splits(report) == {"train": 12}


def test_class_folders(tmp_path: Path) -> None:
    for kind, name in enumerate(("healthy", "ill")):
        for k in range(12):
            save(tmp_path / name / f"sub-{kind}{k:02d}" / "anat" / f"scan{kind}{k}.nii.gz", volume(2 * kind)[0])
    report = scanned(tmp_path)
    assert report.datasets[0].layout == "volumes in class folders"
    assert report.datasets[0].label and report.datasets[0].label.name == "class folder"
    assert splits(report) == {"all": 24}


def test_folders_of_persons_are_no_classes(tmp_path: Path) -> None:
    for k in range(12):
        save(tmp_path / f"sub-{k:02d}" / "anat" / f"sub-{k:02d}_T1w.nii.gz", volume()[0])
    report = scanned(tmp_path)
    assert report.datasets[0].label is None
    assert splits(report) == {"all": 12}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_value(path: Path) -> None:
    values = volume()[0].astype(np.float32)
    values[3, 3, 3] = np.nan
    save(path, values)


def relabel(path: Path) -> None:
    save(path, 7 * np.asarray(nibabel.nifti1.Nifti1Image.from_filename(path).dataobj).astype(np.uint8))


FAULTS: dict[str, tuple[str, Callable[[Path], object], str, str]] = {
    "volume cut": ("imagesTr/case_001", cut, "IMG103", "1 image file cannot be decoded"),
    "mask cut": ("labelsTr/case_001", cut, "FIL101", "a mask that cannot be read"),
    "no volume": ("imagesTr/case_001", lambda path: path.write_text("NIfTI"), "IMG103", "1 image file"),
    "not a number": ("imagesTr/case_001", spoil_value, "VAL102", "NaN"),
    "empty mask": ("labelsTr/case_001", lambda path: save(path, np.zeros(SHAPE, np.uint8)), "ANN113", "of one value"),
    "turned": ("labelsTr/case_001", lambda path: save(path, volume(shape=(20, 24, 12))[1]), "ANN111", "exchanged"),
    "fewer slices": (
        *("labelsTr/case_001", lambda path: save(path, volume(shape=(24, 20, 5))[1]), "FIL101"),
        "a mask of 24 x 20 x 5 voxels, of a volume of 24 x 20 x",
    ),
    "undeclared": ("labelsTr/case_001", relabel, "FIL101", "a mask with the values 7, 14, which are not declared"),
    "gone": ("imagesTr/case_001", lambda path: path.unlink(), "FIL101", "lists 1 volume that is not there"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults(tmp_path: Path, fault: str) -> None:
    name, spoil, code, words = FAULTS[fault]
    decathlon(tmp_path, 40, 6)
    spoil(tmp_path / f"{name}.nii.gz")
    told = " ".join(found.model_dump_json() for found in scanned(tmp_path).findings if found.code == code)
    assert words in told
    assert "case_001" in told


def test_more_than_memory_is_not_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.nii"
    save(path, volume()[0])
    head = bytearray(path.read_bytes())
    head[42:48] = np.array([32_000] * 3, np.int16).tobytes()
    path.write_bytes(head)
    told = " ".join(found.model_dump_json() for found in scanned(tmp_path).findings)
    assert "bytes for a volume of 32000 x 32000 x 32000 values" in told


def test_without_the_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decathlon(tmp_path, 3, 0)
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "nibabel" else found(name, *more)
    )
    with pytest.raises(
        datalint.DatalintError, match=r"6 volumes of NIfTI: pip install 'datalint-ml\[nifti\]' reads them"
    ):
        scanned(tmp_path)
