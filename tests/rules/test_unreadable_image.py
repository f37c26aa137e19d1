"""IMG103 on image trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import datalint
from datalint.core.clean import POINTER
from tests.reference import crop, named, photos, picture

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return named("photo crops").write(tmp_path / "photos")


def scan(folder: Path) -> Report:
    return datalint.scan(folder, select=["IMG103"])


def test_good_pictures_of_every_format_are_silent(folder: Path) -> None:
    pixels = crop(photos()["china"], 70, 50, np.random.default_rng(0))
    for suffix, kind in {
        "jpeg": "JPEG",
        "JPG": "JPEG",
        "bmp": "BMP",
        "gif": "GIF",
        "tif": "TIFF",
        "tiff": "TIFF",
        "webp": "WEBP",
        "ppm": "PPM",
    }.items():
        (folder / "china" / f"more.{suffix}").write_bytes(picture(pixels, kind))
    assert not scan(folder).findings


def broken(kind: str) -> bytes:
    pixels = crop(photos()["flower"], 96, 64, np.random.default_rng(1))
    jpeg, png = picture(pixels, "JPEG"), picture(pixels)
    return {
        "cut JPEG": jpeg[: len(jpeg) // 2],
        "cut PNG": png[: len(png) // 2],
        "header only": png[:40],
        "zeros": bytes(2_000),
        "empty": b"",
        "text": b"<html>404 not found</html>",
        "pointer": POINTER,
    }[kind]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cut JPEG", "truncated or damaged"),
        ("cut PNG", "truncated or damaged"),
        ("header only", "no image"),
        ("zeros", "no image"),
        ("empty", "empty"),
        ("text", "no image"),
        ("pointer", "Git LFS pointer"),
    ],
)
def test_what_cannot_be_decoded(folder: Path, kind: str, words: str) -> None:
    name = "bad.png" if "PNG" in kind or kind == "header only" else "bad.jpg"
    (folder / "flower" / name).write_bytes(broken(kind))
    (finding,) = scan(folder).findings
    assert finding.severity == "error"
    assert words in finding.message
    assert finding.affected.count == 1
    assert finding.affected.samples[0].id == (folder / "flower" / name).as_posix()
    assert finding.affected.samples[0].detail["problem"]


def test_a_wrong_suffix_is_info(folder: Path) -> None:
    pixels = crop(photos()["china"], 96, 64, np.random.default_rng(2))
    (folder / "china" / "photo.jpg").write_bytes(picture(pixels, "PNG"))
    (finding,) = scan(folder).findings
    assert finding.severity == "info"
    assert "of another format than the suffix says" in finding.message


def test_the_scan_goes_on_and_counts_all(folder: Path) -> None:
    for k, kind in enumerate(["cut JPEG", "empty", "text"]):
        (folder / "china" / f"bad{k}.jpg").write_bytes(broken(kind))
    report = datalint.scan(folder)
    (finding,) = [finding for finding in report.findings if finding.code == "IMG103"]
    assert finding.affected.count == 3
    assert report.datasets[0].splits[0].samples == 123
    assert not [status for status in report.datasets[0].rules if status.status == "failed"]


def test_each_split_by_itself(tmp_path: Path) -> None:
    folder = named("snapshots").write(tmp_path / "photos")
    (folder / "val" / "china" / "bad.png").write_bytes(b"")
    (finding,) = scan(folder).findings
    assert finding.split == "validation"
