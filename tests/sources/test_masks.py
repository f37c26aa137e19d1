"""Pictures with masks as they lie in the wild: which mask is whose, and what is wrong with masks."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

import datalint
from tests.reference import named

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from datalint.report.models import Finding

DIGITS = named("digits with masks")
SPLITS = {"train": 75, "validation": 25}
ANN = ("ANN", "FIL101")


def lay(
    root: Path,
    images: str = "{}/images/{}.jpg",
    masks: str = "{}/masks/{}.png",
    change: Callable[[Image.Image, int], Image.Image] = lambda mask, _: mask,
    **how: Any,
) -> Path:
    """The photos and their masks; places are those of the split and the stem."""
    for kind, files, place in (("images", DIGITS.files, images), ("masks", DIGITS.annotations, masks)):
        for path, data in files.items():
            split, _, name = path.split("/")
            stem = name.rpartition(".")[0]
            target = root / place.format(split, stem)
            target.parent.mkdir(parents=True, exist_ok=True)
            if kind == "masks" and split == "train":
                with Image.open(io.BytesIO(data)) as mask:
                    change(mask, int(stem)).save(target, **how)
            else:
                target.write_bytes(data)
    return root


def findings(root: Path, *codes: str) -> list[Finding]:
    report = datalint.scan(root, select=list(codes or ANN), config=False, cache=False)
    return [finding for finding in report.findings if finding.severity != "info"]


@pytest.mark.parametrize(
    ("images", "masks", "splits"),
    [
        ("{}/images/{}.jpg", "{}/masks/{}.png", True),
        ("images/{}/{}.jpg", "masks/{}/{}.png", True),
        ("{}/{}.jpg", "{}annot/{}.png", True),
        ("img_dir/{}/{}.jpg", "ann_dir/{}/{}.png", True),
        ("{}/{}.jpg", "{}/{}_mask.png", True),
        ("images/{1}.jpg", "masks/{1}.png", False),
        ("JPEGImages/{1}.jpg", "SegmentationClass/{1}.png", False),
        ("leftImg8bit/{}/town/{}_leftImg8bit.png", "gtFine/{}/town/{}_gtFine_labelIds.png", True),
    ],
)
def test_pictures_and_masks_find_each_other(tmp_path: Path, images: str, masks: str, splits: bool) -> None:
    root = lay(tmp_path, images, masks)
    (dataset,) = datalint.detect(root)
    assert (dataset.layout, dataset.task) == ("pictures with masks", "segmentation")
    assert dataset.evidence == "100 pictures, 100 masks"
    assert not dataset.problems
    for partition in dataset.partitions:
        for batch in partition.batches(frozenset({"masks"})):
            assert batch.masks is not None
            assert {*batch.masks.values} <= {0, 255}
            assert (batch.masks.size == (96, 72)).all()
    found = {part.split for part in dataset.partitions}
    assert found == ({*SPLITS} if splits else {"all"})
    assert not findings(root)


def test_masks_of_instances_are_left_out_where_there_are_those_of_classes(tmp_path: Path) -> None:
    root = lay(tmp_path, "JPEGImages/{1}.jpg", "SegmentationClass/{1}.png")
    shutil.copytree(root / "SegmentationClass", root / "SegmentationObject")
    (dataset,) = datalint.detect(root)
    assert dataset.evidence == "100 pictures, 100 masks"
    (problem,) = dataset.problems
    assert problem.path.endswith("SegmentationObject/000.png")
    assert not findings(root)


def test_classes_by_folder_stay_classes(tmp_path: Path) -> None:
    for path, data in DIGITS.files.items():
        stem = path.split("/")[-1].removesuffix(".jpg")
        kind = ("benign", "malignant")[int(stem) % 2]
        target = tmp_path / kind / f"{stem}.jpg"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
        mask = DIGITS.annotations[path.replace("images", "masks").replace(".jpg", ".png")]
        target.with_name(f"{stem}_mask.png").write_bytes(mask)
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.label is not None
    assert [problem.message.partition(" ")[2][:17] for problem in dataset.problems] == ["masks of pictures"] * 2


def _grow(mask: Image.Image, k: int) -> Image.Image:
    return mask.resize((100, 72), Image.Resampling.NEAREST) if k % 9 == 1 else mask


def _turn(mask: Image.Image, _: int) -> Image.Image:
    return mask.transpose(Image.Transpose.TRANSPOSE)


def _ones(mask: Image.Image, k: int) -> Image.Image:
    return mask.point(lambda value: value // 255) if k % 3 else mask


def _smooth(mask: Image.Image, k: int) -> Image.Image:
    return mask.filter(ImageFilter.GaussianBlur(1.5)) if k % 5 == 1 else mask


def _stray(mask: Image.Image, k: int) -> Image.Image:
    values = np.asarray(mask) // 255
    if k == 7:
        values[3, 4] = 250
    return Image.fromarray(values)


def _ignored(mask: Image.Image, _: int) -> Image.Image:
    values = np.asarray(mask) // 255
    values[:, :2] = 255
    return Image.fromarray(values)


def _many(mask: Image.Image, k: int) -> Image.Image:
    """Each object a number of its own."""
    values = np.zeros((72, 96), np.uint16)
    for number in range(k % 30 + 1):
        values[2 * number : 2 * number + 2, :50] = number + 1
    return Image.fromarray(values)


def _colours(mask: Image.Image, _: int) -> Image.Image:
    colours = np.array([[0, 0, 0], [128, 64, 32]], np.uint8)
    return Image.fromarray(colours[np.asarray(mask) // 255])


def _palette(mask: Image.Image, _: int) -> Image.Image:
    values = Image.fromarray(np.asarray(mask) // 255).convert("P")
    values.putpalette([0, 0, 0, 200, 10, 10])
    return values


@pytest.mark.parametrize(
    ("change", "code", "severity", "words"),
    [
        (_grow, "ANN111", "warning", "another size than the picture: of another shape"),
        (_turn, "ANN111", "error", "75 of 75 masks have another size than the picture: with width and height exchanged"),
        (_smooth, "ANN112", "warning", "values between their classes"),
        (lambda mask, _: mask.point(lambda _: 255), "ANN113", "error", "75 of 75 masks are of one value"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_masks(
    tmp_path: Path, change: Callable[[Image.Image, int], Image.Image], code: str, severity: str, words: str
) -> None:
    (found,) = findings(lay(tmp_path, change=change))
    assert (found.code, found.severity, found.split) == (code, severity, "train")
    assert words in found.message


def _alike(root: Path) -> Path:
    """Masks of validation by the same change as those of train."""
    shutil.rmtree(root / "validation")
    return root


@pytest.mark.parametrize("change", [_ignored, _many, _colours, _palette, lambda mask, _: mask.convert("1")])
def test_masks_of_other_kinds_are_no_fault(tmp_path: Path, change: Callable[[Image.Image, int], Image.Image]) -> None:
    assert not findings(_alike(lay(tmp_path, change=change)))


def test_two_codings_of_one_class(tmp_path: Path) -> None:
    (found,) = findings(_alike(lay(tmp_path, change=_ones)))
    assert (found.code, found.severity) == ("ANN112", "warning")
    assert found.message.endswith("255 where the others have 1")


def test_a_split_of_another_coding_is_an_error(tmp_path: Path) -> None:
    (found,) = findings(lay(tmp_path, change=lambda mask, _: mask.point(lambda value: value // 255)))
    assert (found.code, found.severity, found.split) == ("ANN112", "error", "validation")


@pytest.mark.parametrize("mode", ["RGB", "LA", "RGBA"])
def test_masks_in_colours_among_those_of_numbers(tmp_path: Path, mode: str) -> None:
    def some(mask: Image.Image, k: int) -> Image.Image:
        return mask.convert(mode) if k % 5 == 0 else mask

    (found,) = findings(lay(tmp_path, change=some))
    assert (found.code, found.severity, found.split, found.affected.count) == ("ANN112", "warning", "train", 15)
    assert "several channels (colours) where the others have one" in found.message


def test_a_split_of_masks_in_colours(tmp_path: Path) -> None:
    (found,) = findings(lay(tmp_path, change=_colours))
    assert (found.code, found.severity, found.split) == ("ANN112", "error", "validation")
    assert "25 of 25 masks have one channel (numbers of classes) where the others have several" in found.message


def halves(mask: Image.Image) -> Any:
    """The digit as the classes 1 (left) and 2 (right)."""
    values = (np.asarray(mask) > 0).astype(np.uint8)
    return values * (1 + (np.arange(values.shape[1]) >= values.shape[1] // 2)).astype(np.uint8)


@pytest.mark.parametrize("every", [30, 5, 3])
def test_masks_that_were_scaled_to_be_looked_at(tmp_path: Path, every: int) -> None:
    root = lay(tmp_path, change=lambda mask, k: Image.fromarray(halves(mask) * (1 if k % every else 85)))
    for path in (root / "validation" / "masks").iterdir():
        with Image.open(path) as mask:
            values = halves(mask)
        Image.fromarray(values).save(path)
    (finding,) = findings(root, "ANN112")
    assert "85 times the values of the others" in finding.message
    assert finding.affected.count == sum(k % every == 0 for k in range(100) if k % 4)


def test_a_rare_class_is_no_other_scale(tmp_path: Path) -> None:
    def change(mask: Image.Image, k: int) -> Image.Image:
        values = halves(mask)
        return Image.fromarray(np.where(values > 0, 7, 0).astype(np.uint8) if k % 9 == 0 else values)

    root = lay(tmp_path, change=change)
    shutil.rmtree(root / "validation")
    assert not findings(root, "ANN112")


@pytest.mark.parametrize("smooth", [0, 40])
def test_smooth_masks_are_masks_all_the_same(tmp_path: Path, smooth: int) -> None:
    def change(mask: Image.Image, k: int) -> Image.Image:
        return mask.filter(ImageFilter.GaussianBlur(6)) if k == smooth else mask

    root = lay(tmp_path, change=change)
    assert datalint.detect(root)[0].layout == "pictures with masks"


def test_a_value_beyond_the_classes(tmp_path: Path) -> None:
    (found,) = findings(_alike(lay(tmp_path, change=_stray)))
    assert (found.code, found.affected.count) == ("ANN112", 1)
    assert "beyond those of the others (0, 1)" in found.message


def _moved(root: Path, by: int, split: str = "train") -> Path:
    """Each mask of a split under the name of a later one."""
    paths = sorted((root / split / "masks").iterdir())
    data = [path.read_bytes() for path in paths]
    for k, path in enumerate(paths):
        path.write_bytes(data[(k + by) % len(data)])
    return root


@pytest.mark.parametrize(("by", "words"), [(1, "of the picture before"), (-1, "of the next picture"), (0, "")])
@pytest.mark.parametrize("inverted", [False, True])
def test_masks_of_the_picture_next_to_it(tmp_path: Path, by: int, words: str, inverted: bool) -> None:
    root = _moved(lay(tmp_path, change=lambda mask, _: mask.point(lambda v: 255 - v) if inverted else mask), by)
    told = [(f.code, f.severity, f.split) for f in findings(root, "ANN114")]
    assert told == ([("ANN114", "error", "train")] if by else [])
    if by:
        assert findings(root, "ANN114")[0].message.startswith(f"the masks {words} fit the pictures better")


@pytest.mark.parametrize("change", [_many, _colours, _palette, _ignored])
def test_masks_in_their_place_fit(tmp_path: Path, change: Callable[[Image.Image, int], Image.Image]) -> None:
    assert not findings(_alike(lay(tmp_path, change=change)), "ANN114")


def test_masks_that_are_mirrored(tmp_path: Path) -> None:
    (found,) = findings(lay(tmp_path, change=lambda mask, _: ImageOps.mirror(mask)), "ANN114")
    assert (found.severity, found.split) == ("error", "train")
    assert "masks mirrored from left to right" in found.message


def test_masks_in_jpeg(tmp_path: Path) -> None:
    root = _alike(lay(tmp_path, masks="{}/masks/{}.jpg", format="JPEG", quality=85))
    (found,) = findings(root)
    assert (found.code, found.severity) == ("ANN111", "error")
    assert "stored as JPEG" in found.message


def test_what_is_missing_or_broken(tmp_path: Path) -> None:
    root = lay(tmp_path)
    masks = sorted((root / "train/masks").iterdir())
    for path in masks[:20]:
        path.unlink()
    masks[30].write_bytes(masks[30].read_bytes()[:40])
    (root / "train/images" / masks[40].with_suffix(".jpg").name).unlink()
    told = {(f.code, f.severity, f.message.split(":")[0]) for f in findings(root)}
    assert told == {
        ("ANN101", "warning", "20 of 74 pictures have no file of annotations"),
        ("ANN101", "warning", "1 file of annotations whose picture is not there"),
        ("FIL101", "error", masks[30].as_posix()),
    }


def test_changed_masks_are_read_again(tmp_path: Path) -> None:
    root, cache = lay(tmp_path / "data"), tmp_path / "cache"
    assert not datalint.scan(root, select=["ANN111"], config=False, cache_dir=cache).findings
    lay(root, change=_grow)
    assert len(datalint.scan(root, select=["ANN111"], config=False, cache_dir=cache).findings) == 1


def test_rules_about_boxes_are_skipped_with_a_reason(tmp_path: Path) -> None:
    report = datalint.scan(lay(tmp_path), select=["ANN"], config=False, cache=False)
    reasons = {status.code: status.reason for status in report.datasets[0].rules}
    assert reasons["ANN103"] == "the pictures have masks, and no boxes"
    assert reasons["ANN101"] is None
