"""Classes in the names of pictures: read where they recur, and not where the words say anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import datalint
from datalint.sources.named_classes import classes_in_names
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from pathlib import Path


def numbered(pattern: str, *words: str, count: int = 6) -> list[str]:
    return [pattern.format(word=word, k=k) for word in words for k in range(count)]


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (numbered("{word}.{k}.jpg", "cat", "dog"), {"cat", "dog"}),
        (numbered("{word}_{k:03}.jpg", "beagle", "american_bulldog"), {"beagle", "american_bulldog"}),
        (numbered("{word} ({k}).png", "rose", "tulip"), {"rose", "tulip"}),
        (numbered("{word}_0046_{k}.jpg", "Crested_Auklet", "Least_Auklet"), {"Crested_Auklet", "Least_Auklet"}),
        (numbered("{word}_{k}.JPEG", "n01440764", "n01443537"), {"n01440764", "n01443537"}),
        (numbered("{word}{k}.jpg", "été", "冬"), {"été", "冬"}),
    ],
)
def test_the_word_before_the_number(names: list[str], classes: set[str]) -> None:
    found = classes_in_names({"train": names})
    assert set(found["train"]) == classes
    assert all(name.startswith(word) for name, word in zip(names, found["train"], strict=True))


@pytest.mark.parametrize(
    "names",
    [
        numbered("{word}_{k:04}.jpg", "IMG"),
        numbered("{word}_{k:04}.jpg", "IMG", "DSC", "beach"),  # two cameras, and some that were renamed
        numbered("{word}_{k}.png", "left", "right"),  # views of one scene
        numbered("{word}{k}.png", "scene_before", "scene_after"),
        numbered("{word}_{k}.png", "video_a", "video_b"),
        numbered("{word}_{k}.png", "train", "test"),
        [*numbered("{word}_{k}.jpg", "cat", "dog"), "logo.png"],
        numbered("{word}_{k}.jpg", "anna", "ben", "carla", count=3),
        numbered("{k:05}.jpg", ""),
        numbered("{k}_{k}_1_2017.jpg", "", "x"),  # ages
    ],
)
def test_words_that_say_anything_else(names: list[str]) -> None:
    assert classes_in_names({"train": names}) == {}


def test_a_split_of_bare_numbers_has_no_labels() -> None:
    found = classes_in_names({"train": numbered("{word}.{k}.jpg", "cat", "dog"), "test": numbered("{k}.jpg", "")})
    assert set(found) == {"train"}


@pytest.mark.parametrize("pattern", ["train/{word}.{k}.jpg", "images/{word}_{k}.jpg"])
def test_a_folder_of_them(tmp_path: Path, pattern: str) -> None:
    for k, (data, label) in enumerate(crops(100)):
        path = tmp_path / pattern.format(word=CLASSES[label], k=k)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    if "train" in pattern:
        (tmp_path / "test1").mkdir()
        for k, (data, _) in enumerate(crops(40, seed=1)):
            (tmp_path / "test1" / f"{k + 1}.jpg").write_bytes(data)
    (dataset,) = datalint.scan(tmp_path, cache=False).datasets
    assert dataset.label is not None
    assert (dataset.label.name, dataset.label.confidence) == ("file name", "medium")
    assert set(dataset.splits[0].classes or ()) == set(CLASSES)
    assert [split.name for split in dataset.splits] == (["train", "test"] if "train" in pattern else ["all"])
    assert [f"{f.code} {f.message}" for f in dataset.findings if f.severity != "info"] == []
    order = next(f for f in dataset.findings if f.code == "ORD101")
    assert "files are read in the order of their names" in order.remedy
