"""``metadata.jsonl`` and ``metadata.csv`` next to pictures, as ImageFolder of Hugging Face reads them."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

import datalint
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def lay_out(root: Path, names: str, pictures: str = "train/{k:03d}.jpg", kind: str = "jsonl") -> Path:
    """60 pictures and a list of them in ``train`` that calls them so."""
    rows = []
    for k, (data, label) in enumerate(crops(60)):
        path = root / pictures.format(k=k)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        rows.append({"file_name": names.format(k=k), "text": f"photo {k} of {CLASSES[label]}, seen from afar"})
    home = root / "train"
    home.mkdir(exist_ok=True)
    if kind == "jsonl":
        (home / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        lines = [f'{row["file_name"]},"{row["text"]}"\n' for row in rows]
        (home / "metadata.csv").write_text("file_name,text\n" + "".join(lines))
    return root


def told(report: Report) -> list[str]:
    assert len(report.datasets) == 1
    return [finding.message for finding in report.findings if finding.severity != "info"]


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize(
    ("names", "pictures"),
    [
        ("{k:03d}.jpg", "train/{k:03d}.jpg"),
        ("images/{k:03d}.jpg", "train/images/{k:03d}.jpg"),
        ("./{k:03d}.jpg", "train/{k:03d}.jpg"),
    ],
)
def test_captions_and_their_pictures_are_one_set(tmp_path: Path, names: str, pictures: str, kind: str) -> None:
    report = datalint.scan(lay_out(tmp_path, names, pictures, kind), preset="fast")
    assert not told(report)
    (dataset,) = report.datasets
    assert (dataset.modality, dataset.splits[0].samples) == ("images", 60)
    assert f"described in 'metadata.{kind}', whose texts are not looked at" in dataset.evidence


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
@pytest.mark.parametrize(
    ("names", "pictures"),
    [
        ("train/{k:03d}.jpg", "train/{k:03d}.jpg"),
        ("images/{k:03d}.jpg", "train/{k:03d}.jpg"),
        ("b/{k:03d}.jpg", "train/img/b/{k:03d}.jpg"),
    ],
)
def test_names_that_lead_elsewhere(tmp_path: Path, names: str, pictures: str, kind: str) -> None:
    report = datalint.scan(lay_out(tmp_path, names, pictures, kind), preset="fast")
    messages = " ".join(told(report))
    there = PurePosixPath(pictures.format(k=0)).relative_to("train").as_posix()
    assert f"'{names.format(k=0)}' is meant from the folder of the list, where it is '{there}'" in messages
    assert "(and" not in messages


def test_bare_names_of_pictures_in_a_folder_below(tmp_path: Path) -> None:
    assert told(datalint.scan(lay_out(tmp_path / "a", "{k:03d}.jpg", "train/images/{k:03d}.jpg"), preset="fast"))
    # Others than ImageFolder read such lists too.
    assert not told(
        datalint.scan(lay_out(tmp_path / "b", "{k:03d}.jpg", "train/images/{k:03d}.jpg", "csv"), preset="fast")
    )


def test_labels_in_a_description(tmp_path: Path) -> None:
    lay_out(tmp_path, "{k:03d}.jpg", kind="csv")
    rows = "".join(f"train/{k:03d}.jpg,{CLASSES[label]}\n" for k, (_, label) in enumerate(crops(60)))
    (tmp_path / "train/metadata.csv").write_text("file_name,label\n" + rows)
    report = datalint.scan(tmp_path, preset="fast")
    assert "names 60 of 60 pictures in 'file_name'" in " ".join(told(report))
    assert set(report.datasets[0].splits[0].classes or ()) == set(CLASSES)
