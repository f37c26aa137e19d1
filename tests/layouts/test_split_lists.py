"""Lists of the names of each split: which files they split, and when they say nothing."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

import datalint
from tests.layouts.laying import picture, put

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from datalint.report.models import Report

RNG = np.random.default_rng(11)
KINDS = ("cat", "dog", "owl")
WORDS = [
    "a",
    "the",
    "dog",
    "cat",
    "man",
    "runs",
    "jumps",
    "plays",
    "in",
    "on",
    "with",
    "red",
    "blue",
    "field",
    "street",
    "water",
    "ball",
    "two",
    "child",
]


def recording(kind: int) -> bytes:
    made = io.BytesIO()
    with wave.open(made, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8_000)
        tone = 8_000 * np.sin(np.arange(4_000) * (0.2 + 0.1 * kind)) + RNG.normal(0, 500, 4_000)
        out.writeframes(tone.astype("<i2").tobytes())
    return made.getvalue()


def listed(root: Path, names: Sequence[str], **counts: int) -> None:
    """Lists of so many names each, in random order; ``train__meta`` is ``meta/train.txt``."""
    order = RNG.permutation(names).tolist()
    for name, count in counts.items():
        place = "/".join(reversed(name.split("__")))
        put(root / f"{place}.txt", "".join(f"{line}\n" for line in order[:count]))
        order = order[count:]


def scanned(path: Path) -> Report:
    return datalint.scan(path, cache=False, jobs=1, preset="fast")


def splits(report: Report, number: int = 0) -> dict[str, int]:
    return {split.name: split.samples for split in report.datasets[number].splits}


def class_folders(root: Path, suffix: str = ".jpg", count: int = 90) -> list[str]:
    names = [f"{KINDS[k % 3]}/{k:04d}{suffix}" for k in range(count)]
    for k, name in enumerate(names):
        put(root / name, recording(k % 3) if suffix == ".wav" else picture(k, RNG))
    return names


def test_pictures_in_class_folders(tmp_path: Path) -> None:
    names = class_folders(tmp_path / "images")
    listed(tmp_path, [name.removesuffix(".jpg") for name in names], train__meta=60, test__meta=30)
    put(tmp_path / "meta" / "classes.txt", "\n".join(KINDS))
    report = scanned(tmp_path)
    assert splits(report) == {"train": 60, "test": 30}
    assert report.datasets[0].label and report.datasets[0].label.name == "class folder"
    assert not [found.message for found in report.findings if found.severity != "info"]


def test_the_rest_is_train(tmp_path: Path) -> None:
    names = class_folders(tmp_path, ".wav")
    listed(tmp_path, names, validation_list=12, testing_list=15)
    assert splits(scanned(tmp_path)) == {"train": 63, "validation": 12, "test": 15}


def test_pictures_with_masks(tmp_path: Path) -> None:
    for k in range(40):
        put(tmp_path / "images" / f"{k:03d}.jpg", picture(k, RNG))
        mask = np.zeros((32, 32), np.uint8)
        mask[8:24, 8:24] = 1
        made = io.BytesIO()
        Image.fromarray(mask).save(made, "PNG")
        put(tmp_path / "masks" / f"{k:03d}.png", made.getvalue())
    listed(tmp_path, [f"{k:03d}" for k in range(40)], train=30, val=10)
    report = scanned(tmp_path)
    assert report.datasets[0].layout == "pictures with masks"
    assert splits(report) == {"train": 30, "validation": 10}
    assert not [found.message for found in report.findings if found.severity == "error"]


def test_flickr8k(tmp_path: Path) -> None:
    names = [f"{RNG.integers(10**9)}_{RNG.bytes(5).hex()}.jpg" for _ in range(80)]
    for k, name in enumerate(names):
        put(tmp_path / "Flicker8k_Dataset" / name, picture(k, RNG))
    lines = [f"{name}#{k}\t{' '.join(RNG.choice(WORDS, 8))} .\n" for name in names for k in range(5)]
    for name in ("Flickr8k.token.txt", "Flickr8k.lemma.token.txt"):
        put(tmp_path / "Flickr8k_text" / name, "".join(lines))
    listed(tmp_path / "Flickr8k_text", names, **{"Flickr_8k.trainImages": 60, "Flickr_8k.testImages": 20})
    report = scanned(tmp_path)
    found = {info.layout: {split.name: split.samples for split in info.splits} for info in report.datasets}
    assert found == {"captions": {"all": 400}, "a folder of images": {"train": 60, "test": 20}}


def test_a_name_in_two_lists_is_a_leak(tmp_path: Path) -> None:
    names = class_folders(tmp_path / "images")
    put(tmp_path / "train.txt", "\n".join(names[:70]))
    put(tmp_path / "test.txt", "\n".join(names[60:]))
    (leak,) = [found for found in scanned(tmp_path).findings if found.code == "SPL101"]
    assert leak.affected.count == 10


def test_names_that_are_not_there(tmp_path: Path) -> None:
    names = class_folders(tmp_path / "images")
    (tmp_path / "images" / names[3]).unlink()
    put(tmp_path / "train.txt", "\n".join(names[:70]))
    put(tmp_path / "test.txt", "\n".join(names[70:]))
    report = scanned(tmp_path)
    assert splits(report) == {"train": 69, "test": 20}
    told = [found.message for found in report.findings if found.code == "FIL101"]
    assert any(f"train.txt: lists 1 sample that is not there, such as {names[3]!r}" in text for text in told)


@pytest.mark.parametrize("folds", [1, 3])
def test_of_several_divisions_the_first(tmp_path: Path, folds: int) -> None:
    names = class_folders(tmp_path / "images")
    for fold in range(1, folds + 1):
        listed(tmp_path / "labels", names, **{f"train{fold}": 60, f"test{fold}": 30})
    assert splits(scanned(tmp_path)) == {"train": 60, "test": 30}


@pytest.mark.parametrize("kind", ["few", "others", "words"])
def test_other_lists_say_nothing(tmp_path: Path, kind: str) -> None:
    names = class_folders(tmp_path / "images")
    if kind == "few":  # a third of the pictures
        put(tmp_path / "train.txt", "\n".join(names[:20]))
        put(tmp_path / "test.txt", "\n".join(names[20:30]))
    elif kind == "others":
        put(tmp_path / "train.txt", "\n".join(f"x/{name}" for name in names[:60]))
        put(tmp_path / "test.txt", "\n".join(f"x/{name}" for name in names[60:]))
    else:
        put(tmp_path / "train.txt", "".join(f"{' '.join(RNG.choice(WORDS, 6))}\n" for _ in range(60)))
        put(tmp_path / "test.txt", "".join(f"{' '.join(RNG.choice(WORDS, 6))}\n" for _ in range(30)))
    report = scanned(tmp_path)
    number = next(k for k, info in enumerate(report.datasets) if info.layout.startswith("image class folders"))
    assert splits(report, number) == {"all": 90}


def test_lists_of_a_neighbour(tmp_path: Path) -> None:
    for name in ("one", "other"):
        for k in range(60):
            put(tmp_path / name / "images" / f"{k:04d}.jpg", picture(k, RNG))
    listed(tmp_path / "one", [f"{k:04d}" for k in range(60)], train=40, test=20)
    report = scanned(tmp_path)
    assert {info.path.rpartition("/")[0][-3:]: splits(report, k) for k, info in enumerate(report.datasets)} == {
        "one": {"train": 40, "test": 20},
        "her": {"all": 60},
    }
