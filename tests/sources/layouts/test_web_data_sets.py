"""Shards as the library WebDataset writes them."""

from __future__ import annotations

import io
import tarfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import webdataset

import datalint
from datalint.core.errors import DatalintError
from tests.command import call
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from datalint.report.models import Report

Part = dict[str, Any]
PARTS: dict[str, Callable[[int, int], Part]] = {
    "cls": lambda k, kind: {"cls": kind},
    "json": lambda k, kind: {"json": {"label": CLASSES[kind], "width": 96, "number": k}},
    "word": lambda k, kind: {"txt": CLASSES[kind]},
    "caption": lambda k, kind: {"txt": f"photo {k} of a {CLASSES[kind]}, seen from afar"},
}


def write(path: Path, items: Iterable[tuple[str, Part]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with webdataset.TarWriter(str(path)) as out:
        for key, parts in items:
            out.write({"__key__": key, **parts})


def shards(root: Path, parts: str = "cls") -> Path:
    """160 samples to train on in two shards, 40 to validate."""
    made = [(f"{k:06d}", {"jpg": data, **PARTS[parts](k, kind)}) for k, (data, kind) in enumerate(crops(200))]
    for number in range(2):
        write(root / f"train-{number:06d}.tar", made[80 * number : 80 * number + 80])
    write(root / "val-000000.tar", made[160:])
    return root


def faults(report: Report) -> dict[str, int]:
    return {f.code: f.affected.count for f in report.findings if f.severity in {"error", "warning"}}


def messages(report: Report) -> str:
    return "\n".join(finding.message for finding in report.findings)


@pytest.mark.parametrize(
    ("parts", "label"), [("cls", "cls"), ("json", "json.label"), ("word", "txt"), ("caption", None)]
)
def test_samples_with_their_labels(tmp_path: Path, parts: str, label: str | None) -> None:
    report = datalint.scan(shards(tmp_path, parts), preset="fast")
    (dataset,) = report.datasets
    assert (dataset.layout, dataset.modality) == ("WebDataset shards", "images")
    assert {split.name: split.samples for split in dataset.splits} == {"train": 160, "validation": 40}
    assert (dataset.label and dataset.label.name) == label
    if label is not None:
        assert all(len(split.classes or {}) == 2 for split in dataset.splits)
    assert faults(report) == {}


def test_what_is_wrong_with_the_pictures_is_found(tmp_path: Path) -> None:
    items = crops(200)
    shards(tmp_path)
    spoilt = [
        (f"{k:06d}", {"jpg": data[:300] if k % 10 == 3 else data, "cls": kind})
        for k, (data, kind) in enumerate(items[:80])
    ]
    write(tmp_path / "train-000000.tar", spoilt)
    write(tmp_path / "val-000000.tar", [(f"{k}", {"jpg": d, "cls": kind}) for k, (d, kind) in enumerate(items[140:])])
    report = datalint.scan(tmp_path, preset="fast")
    assert faults(report) == {"IMG103": 8, "SPL101": 20}
    first = next(finding for finding in report.findings if finding.code == "IMG103")
    assert first.affected.samples[0].id == f"{tmp_path.as_posix()}/train-000000.tar[3]"
    assert report.to_html().count("data:image/webp") > 3


@pytest.mark.parametrize("parts", ["cls", "caption"])
def test_a_sample_that_lacks_a_part(tmp_path: Path, parts: str) -> None:
    shards(tmp_path, parts)
    made = [(f"{k:06d}", {"jpg": data, **PARTS[parts](k, kind)}) for k, (data, kind) in enumerate(crops(40, 1))]
    gone = next(part for part in made[7][1] if part != "jpg")
    del made[7][1][gone], made[9][1]["jpg"]
    write(tmp_path / "train-000001.tar", made)
    text = messages(datalint.scan(tmp_path, select=["FIL101", "IMG103"]))
    assert f"1 of 40 samples without .{gone}, which the others have, such as '000007'" in text
    assert "1 image file cannot be decoded" in text


def test_a_shard_that_is_cut(tmp_path: Path) -> None:
    shards(tmp_path)
    path = tmp_path / "train-000001.tar"
    path.write_bytes(path.read_bytes()[:-50_000])
    report = datalint.scan(tmp_path, select=["FIL101"])
    assert "train-000001.tar: ends within a member: it was cut short" in messages(report)
    assert 80 < next(split.samples for split in report.datasets[0].splits) < 160
    whole = shards(tmp_path / "again") / "train-000001.tar"
    header = whole.read_bytes().rindex(b"ustar") - 200
    path.write_bytes(whole.read_bytes()[:header])
    assert "ends within a" in messages(datalint.scan(path, select=["FIL101"]))
    path.write_bytes(whole.read_bytes() * 2)
    assert "holds more after the mark of its end" in messages(datalint.scan(path, select=["FIL101"]))
    path.write_bytes(b"")
    assert "train-000001.tar" in messages(datalint.scan(tmp_path, select=["FIL101"]))


@pytest.mark.parametrize("packed", ["gz", "zst"])
def test_shards_that_are_packed(tmp_path: Path, packed: str) -> None:
    shards(tmp_path / "plain")
    for path in sorted((tmp_path / "plain").iterdir()):
        goal = tmp_path / f"{path.name}.{packed}"
        with pa.output_stream(str(goal), compression="zstd" if packed == "zst" else "gzip") as out:
            out.write(path.read_bytes())
        path.unlink()
    report = datalint.scan(tmp_path, preset="fast")
    assert {split.name: split.samples for split in report.datasets[0].splits} == {"train": 160, "validation": 40}
    assert faults(report) == {}


def test_split_folders_and_missing_shards(tmp_path: Path) -> None:
    shards(tmp_path / "all")
    for split, name in (("train", "000"), ("val", "000")):
        (tmp_path / split).mkdir()
        (tmp_path / "all" / f"{split}-{name}000.tar").rename(tmp_path / split / "part-00001-of-00003.tar")
    (tmp_path / "all/train-000001.tar").unlink()
    report = datalint.scan(tmp_path, select=["FIL101"])
    assert [split.name for split in report.datasets[0].splits] == ["train", "validation"]
    assert "the file names promise 2 more shards: number 0, 2" in messages(report)


def add(archive: tarfile.TarFile, name: str, data: bytes, **kind: Any) -> None:
    item = tarfile.TarInfo(name)
    item.size = len(data)
    for key, value in kind.items():
        setattr(item, key, value)
    archive.addfile(item, io.BytesIO(data))


def test_members_that_are_no_samples(tmp_path: Path) -> None:
    shards(tmp_path)
    (tmp_path / "secret.jpg.txt").write_text("Zaphod")
    with tarfile.open(tmp_path / "train-000001.tar", "a") as archive:
        add(archive, "../../etc/x.jpg", b"x")
        add(archive, "link.jpg", b"", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        add(archive, "hard.jpg", b"", type=tarfile.LNKTYPE, linkname="000080.jpg")
        add(archive, "pipe.jpg", b"", type=tarfile.FIFOTYPE)
        add(archive, "notes", b"about the shard")
        for _ in range(2):
            add(archive, "twice.jpg", crops(1)[0][0])
        add(archive, "twice.cls", b"1")
    report = datalint.scan(tmp_path, select=["FIL101"])
    (found,) = [finding for finding in report.findings if "left out" in finding.message]
    told = found.model_dump_json()
    for why in ("leads out of the archive", "not followed", "device or pipe", "has no suffix", "comes twice"):
        assert why in told
    assert "root:" not in report.to_json()


def test_a_shard_that_is_not_sorted(tmp_path: Path) -> None:
    items = crops(60)
    with tarfile.open(tmp_path / "train.tar", "w") as archive:
        for k, (data, _) in enumerate(items):
            add(archive, f"{k:03d}.jpg", data)
        for k, (_, kind) in enumerate(items):
            add(archive, f"{k:03d}.cls", str(kind).encode())
    text = messages(datalint.scan(tmp_path, select=["FIL101"]))
    assert "'000.jpg' and '000.cls' do not lie next to each other" in text


def test_the_label_that_was_asked_for(tmp_path: Path) -> None:
    shards(tmp_path, "json")
    report = datalint.scan(tmp_path, label="json.number", select=["FIL101"])
    assert report.datasets[0].label is not None
    assert report.datasets[0].label.name == "json.number"
    with pytest.raises(DatalintError, match="none of the data sets"):
        datalint.scan(tmp_path, label="colour")


def test_what_detect_says(tmp_path: Path) -> None:
    shards(tmp_path)
    done = call(tmp_path, "detect", "val-000000.tar", "train-000000.tar")
    assert "WebDataset shards (2 tar archives, samples of .cls, .jpg)" in done.out
    assert "label 'cls': each sample has a part .cls" in done.out
