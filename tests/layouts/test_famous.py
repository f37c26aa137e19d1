"""Well-known data sets, small, as their folders lie: what is read of each, and that nothing in them is blamed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import soundfile
from PIL import Image, ImageDraw
from scipy.io import netcdf_file, savemat

import datalint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

RNG = np.random.default_rng(5)
COLOURS = ((230, 40, 40), (40, 230, 40), (40, 40, 230))
WORDS = [
    "the",
    "of",
    "and",
    "a",
    "in",
    "is",
    "it",
    "you",
    "that",
    "he",
    "was",
    "for",
    "on",
    "are",
    "with",
    "as",
    "his",
    "they",
    "at",
    "be",
    "this",
    "from",
    "have",
    "or",
    "by",
    "one",
    "had",
    "not",
    "but",
]


def put(root: Path, name: str, text: str | Sequence[str]) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if isinstance(text, str) else "".join(f"{line}\n" for line in text))


def picture(root: Path, name: str, kind: int, side: int = 48) -> tuple[int, int, int, int]:
    """A shape of the kind's colour on a ground of noise; answers its box."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    ground = np.sin(np.linspace(0, 9, side) + RNG.random() * 6)[:, None, None] * 50 + RNG.normal(
        128, 15, (side, side, 3)
    )
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    x, y, width = (int(n) for n in (*RNG.integers(2, side - 22, 2), RNG.integers(12, 20)))
    draw = ImageDraw.Draw(image)
    (draw.ellipse if kind % 2 else draw.rectangle)([x, y, x + width, y + width], fill=COLOURS[kind % 3])
    image.save(path, format="JPEG" if path.suffix.lower() in {".jpg", ".jpeg"} else None)
    return x, y, x + width, y + width


def sound(root: Path, name: str, kind: int, seconds: float = 1) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    at = np.arange(int(seconds * 16_000)) / 16_000
    wave = np.abs(np.sin(3 * at + RNG.random() * 6)) * 0.4 * np.sin(2 * np.pi * (200 + 150 * kind) * at)
    soundfile.write(path, wave + RNG.normal(0, 0.005, len(at)), 16_000)


def words(count: int) -> str:
    return " ".join(RNG.choice(WORDS, count))


def dogs_vs_cats(root: Path) -> None:
    for k in range(60):
        picture(root, f"train/{('cat', 'dog')[k % 2]}.{k // 2}.jpg", k % 2)
    for k in range(30):
        picture(root, f"test1/{k + 1}.jpg", k % 2)
    pd.DataFrame({"id": range(1, 31), "label": 0}).to_csv(root / "sampleSubmission.csv", index=False)


def dog_breeds(root: Path) -> None:
    names = [f"{k * 7919:08x}" for k in range(90)]
    for k, name in enumerate(names):
        picture(root, f"{'train' if k < 60 else 'test'}/{name}.jpg", k)
    breeds = [("beagle", "pug", "boxer")[k % 3] for k in range(60)]
    pd.DataFrame({"id": names[:60], "breed": breeds}).to_csv(root / "labels.csv", index=False)
    pd.DataFrame({"id": names[60:], "beagle": 0.3, "boxer": 0.3, "pug": 0.3}).to_csv(
        root / "sample_submission.csv", index=False
    )


def tiny_imagenet(root: Path) -> None:
    kinds = ("n01443537", "n01629819", "n01641577")
    for k in range(90):
        picture(root, f"train/{kinds[k % 3]}/images/{kinds[k % 3]}_{k}.JPEG", k)
    for c, kind in enumerate(kinds):
        put(
            root,
            f"train/{kind}/{kind}_boxes.txt",
            [f"{kind}_{k}.JPEG\t{k % 9}\t{k % 7}\t40\t41" for k in range(c, 90, 3)],
        )
    put(root, "val/val_annotations.txt", [f"val_{k}.JPEG\t{kinds[k % 3]}\t{k % 9}\t{k % 7}\t40\t41" for k in range(30)])
    for k in range(30):
        picture(root, f"val/images/val_{k}.JPEG", k)
        picture(root, f"test/images/test_{k}.JPEG", k)
    put(root, "wnids.txt", kinds)


def imagenet(root: Path) -> None:
    for k in range(90):
        kind = ("n01440764", "n01443537", "n01484850")[k % 3]
        picture(root, f"train/{kind}/{kind}_{k}.JPEG", k)
    for k in range(30):
        picture(root, f"val/ILSVRC2012_val_{k:08d}.JPEG", k)


def traffic_signs(root: Path) -> None:
    rows: dict[str, list[dict[str, Any]]] = {"Train": [], "Test": []}
    for k in range(120):
        split, kind = ("Train", k % 3) if k < 90 else ("Test", k % 3)
        name = f"Train/{kind}/{kind:05d}_{k:05d}.png" if split == "Train" else f"Test/{k:05d}.png"
        x0, y0, x1, y1 = picture(root, name, kind)
        box = {"Roi.X1": x0, "Roi.Y1": y0, "Roi.X2": x1, "Roi.Y2": y1}
        rows[split].append({"Width": 48, "Height": 48, **box, "ClassId": kind, "Path": name})
    for split, held in rows.items():
        pd.DataFrame(held).to_csv(root / f"{split}.csv", index=False)
    for kind in range(3):
        picture(root, f"Meta/{kind}.png", kind)
    pd.DataFrame({"Path": [f"Meta/{k}.png" for k in range(3)], "ClassId": range(3)}).to_csv(
        root / "Meta.csv", index=False
    )


def one_folder(root: Path) -> None:
    for k in range(40):
        picture(root, f"jpg/image_{k:05d}.jpg", k)


def birds(root: Path) -> None:
    lists: dict[str, list[str]] = {
        name: [] for name in ("images", "image_class_labels", "train_test_split", "bounding_boxes")
    }
    for k in range(60):
        name = f"00{k % 3 + 1}.{('Albatross', 'Auklet', 'Bunting')[k % 3]}/bird_{k:04d}.jpg"
        x0, y0, x1, y1 = picture(root, f"images/{name}", k)
        told = (name, str(k % 3 + 1), str(k % 2), f"{x0}.0 {y0}.0 {x1 - x0}.0 {y1 - y0}.0")
        for (_, lines), text in zip(lists.items(), told, strict=True):
            lines.append(f"{k + 1} {text}")
    for name, lines in lists.items():
        put(root, f"{name}.txt", lines)


FLOWERS = {"train": 3, "validation": 3, "test": 3}


def flowers(root: Path) -> None:
    for k in range(90):
        picture(root, f"jpg/image_{k + 1:05d}.jpg", k)
    order = RNG.permutation(90).astype(np.uint16) + 1
    sets = {"trnid": order[None, :30], "valid": order[None, 30:60], "tstid": order[None, 60:]}
    savemat(root / "imagelabels.mat", {"labels": np.arange(90, dtype=np.uint8)[None] % 3 + 1})
    savemat(root / "setid.mat", sets)


def ages_in_names(root: Path) -> None:
    for k in range(60):
        time = f"201701{RNG.integers(10, 31)}{RNG.integers(0, 10**9):09d}"
        picture(root, f"UTKFace/{RNG.integers(1, 90)}_{k % 2}_{RNG.integers(0, 5)}_{time}.jpg.chip.jpg", k)


def faces_with_ages(root: Path) -> None:
    ages = RNG.integers(20, 80, 60)
    for k in range(60):
        picture(root, f"images/p{k}.jpg", k)
    pd.DataFrame({"filename": [f"p{k}.jpg" for k in range(60)], "age": ages}).to_csv(root / "ages.csv", index=False)


def pedestrians(root: Path) -> None:
    for k in range(40):
        x0, y0, x1, y1 = picture(root, f"PNGImages/FudanPed{k:05d}.png", 1)
        mask = np.zeros((48, 48), np.uint8)
        mask[y0:y1, x0:x1] = 1
        (root / "PedMasks").mkdir(exist_ok=True)
        Image.fromarray(mask).save(root / "PedMasks" / f"FudanPed{k:05d}_mask.png")


def pets(root: Path) -> None:
    lists: dict[str, list[str]] = {"trainval": [], "test": []}
    form = (
        "<object><name>{}</name><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"
    )
    for k in range(60):
        name = f"{('Abyssinian', 'beagle', 'pug')[k % 3]}_{k}"
        box = picture(root, f"images/{name}.jpg", k)
        trimap = np.full((48, 48), 2, np.uint8)
        trimap[box[1] : box[3], box[0] : box[2]] = 1
        (root / "annotations" / "trimaps").mkdir(parents=True, exist_ok=True)
        Image.fromarray(trimap).save(root / "annotations" / "trimaps" / f"{name}.png")
        size = "<size><width>48</width><height>48</height><depth>3</depth></size>"
        text = f"<annotation><filename>{name}.jpg</filename>{size}{form.format('dog', *box)}</annotation>"
        put(root, f"annotations/xmls/{name}.xml", text)
        lists["trainval" if k < 40 else "test"].append(f"{name} {k % 3 + 1} 1 {k + 1}")
    for split, lines in lists.items():
        put(root, f"annotations/{split}.txt", lines)


def commands(root: Path) -> None:
    for k in range(60):
        sound(root, f"{('yes', 'no', 'up')[k % 3]}/{k * 7919:08x}_nohash_{k}.wav", k % 3)
    sound(root, "_background_noise_/white_noise.wav", 9, 10)


def common_voice(root: Path) -> None:
    rows = []
    for k in range(80):
        text = words(6)
        sound(root, f"clips/common_voice_de_{k}.flac", k % 9, len(text) / 15)
        rows.append(
            {"client_id": f"{k // 4:064x}", "path": f"common_voice_de_{k}.flac", "sentence": text, "up_votes": 2}
        )
    frame = pd.DataFrame(rows)
    parts = {"train": frame[:48], "dev": frame[48:64], "test": frame[64:], "validated": frame}
    for split, part in parts.items():
        part.to_csv(root / f"{split}.tsv", sep="\t", index=False)


def emotions(root: Path) -> None:
    kinds = RNG.integers(0, 7, 300)
    pixels = (RNG.normal(0, 20, (300, 144)) + 60 + 20 * kinds[:, None]).clip(0, 255).astype(int)
    rows = {"emotion": kinds, "pixels": [" ".join(map(str, row)) for row in pixels]}
    rows["Usage"] = ["Training"] * 240 + ["PublicTest"] * 30 + ["PrivateTest"] * 30
    pd.DataFrame(rows).to_csv(root / "fer2013.csv", index=False)


CELEBA = ("Bald", "Male", "Smiling", "Young")
CELEBA_SPLITS = np.repeat([0, 1, 2], [60, 15, 15])


def celeba(root: Path) -> None:
    names = [f"{k + 1:06d}.jpg" for k in range(90)]
    for k, name in enumerate(names):
        picture(root, f"img_align_celeba/img_align_celeba/{name}", k)
    tables: dict[str, dict[str, Any]] = {
        "attr": {name: np.where(RNG.random(90) < 0.4, 1, -1) for name in CELEBA},
        "eval_partition": {"partition": CELEBA_SPLITS},
        "landmarks_align": {name: RNG.integers(5, 40, 90) for name in ("lefteye_x", "lefteye_y", "nose_x", "nose_y")},
        "bbox": {"x_1": RNG.integers(0, 9, 90), "y_1": RNG.integers(0, 9, 90), "width": 30, "height": 35},
    }
    for what, columns in tables.items():
        name = f"list_{what}.csv" if what == "eval_partition" else f"list_{what}_celeba.csv"
        pd.DataFrame({"image_id": names} | columns).to_csv(root / name, index=False)


def celeba_as_published(root: Path) -> None:
    names = [f"{k + 1:06d}.jpg" for k in range(90)]
    for k, name in enumerate(names):
        picture(root, f"img_align_celeba/{name}", k)
    flags = np.where(RNG.random((90, 4)) < 0.4, 1, -1)
    rows = [f"{name} " + " ".join(f"{n:2d}" for n in row) for name, row in zip(names, flags, strict=True)]
    put(root, "list_attr_celeba.txt", ["90", " ".join(CELEBA) + " ", *rows])
    put(root, "list_eval_partition.txt", [f"{name} {k}" for name, k in zip(names, CELEBA_SPLITS, strict=True)])
    put(root, "identity_CelebA.txt", [f"{name} {RNG.integers(1, 20)}" for name in names])


def skin_lesions(root: Path) -> None:
    rows = []
    for k in range(120):
        name = f"ISIC_{24306 + k:07d}"
        picture(root, f"HAM10000_images_part_{1 + k // 60}/{name}.jpg", k)
        told: dict[str, Any] = {"lesion_id": f"HAM_{k:07d}", "image_id": name, "dx": ("nv", "mel", "bkl")[k % 3]}
        rows.append(told | {"dx_type": ("histo", "follow_up")[k % 2], "age": 5.0 * RNG.integers(4, 17), "sex": "male"})
    pd.DataFrame(rows).to_csv(root / "HAM10000_metadata.csv", index=False)


def ratings(root: Path, apart: str) -> None:
    rows = []
    for user in range(1, 61):
        for item in RNG.choice(120, 25, replace=False):
            rating = int(np.clip(round(1 + 4 * item / 120 + RNG.normal(0, 0.8)), 1, 5))
            rows.append((user, item + 1, rating, 874_724_710 + int(RNG.integers(10**7))))
    lines = [apart.join(map(str, rows[k])) for k in RNG.permutation(len(rows))]
    put(root, "u.data" if apart == "\t" else "ratings.dat", lines)


def movielens(root: Path) -> None:
    ratings(root, "\t")
    put(root, "u.item", [f"{k}|Film {k} (1995)|01-Jan-1995||http://example.com/{k}|0|1" for k in range(1, 121)])
    put(root, "u.occupation", ["student", "writer"])


def movielens_1m(root: Path) -> None:
    ratings(root, "::")


def super_resolution(root: Path) -> None:
    for k in range(60):
        split = "train" if k < 45 else "valid"
        picture(root, f"DIV2K_{split}_HR/{k + 1:04d}.png", k, 64)
        for scale in (2, 4):
            small = root / f"DIV2K_{split}_LR_bicubic" / f"X{scale}" / f"{k + 1:04d}x{scale}.png"
            small.parent.mkdir(parents=True, exist_ok=True)
            with Image.open(root / f"DIV2K_{split}_HR" / f"{k + 1:04d}.png") as image:
                image.resize((64 // scale, 64 // scale)).save(small)


def edges(root: Path) -> None:
    ends = {"source": RNG.integers(0, 200, 800), "target": RNG.integers(0, 200, 800)}
    pd.DataFrame(ends | {"weight": RNG.random(800).round(3)}).drop_duplicates().to_csv(root / "edges.csv", index=False)


def panel(root: Path) -> None:
    days = pd.date_range("2022-01-01", periods=150)
    series = [
        pd.DataFrame(
            {
                "unique_id": f"S{k}",
                "ds": days,
                "y": 50 + 10 * k + 9 * np.sin(np.arange(150) / 7) + RNG.normal(0, 2, 150),
            }
        )
        for k in range(8)
    ]
    pd.concat(series).to_csv(root / "panel.csv", index=False)


def lists_beside(root: Path) -> None:
    x = RNG.normal(size=(200, 4)).round(4)
    frame = pd.DataFrame(x, columns=[*"abcd"]).assign(label=np.where(x[:, 0] > 0, "yes", "no"))
    frame.to_csv(root / "samples.csv", index=False)
    pd.DataFrame({"name": ["yes", "no"], "colour": ["red", "blue"]}).to_csv(root / "classes.csv", index=False)


def comments(root: Path) -> None:
    rows = [
        {"id": f"{k * 7919:016x}", "comment_text": words(20), "toxic": k % 3 == 0, "threat": k % 7 == 0}
        for k in range(240)
    ]
    frame = pd.DataFrame(rows).astype({"toxic": int, "threat": int})
    frame[:160].to_csv(root / "train.csv", index=False)
    frame[160:].drop(columns=["toxic", "threat"]).to_csv(root / "test.csv", index=False)


@dataclass(frozen=True)
class Read:
    """What a scan says of a folder."""

    make: Callable[[Path], None]
    layout: str
    splits: Mapping[str, int]
    label: str | None = None
    classes: Mapping[str, int] = field(default_factory=dict)
    """Of the splits that have any, how many."""


FAMOUS = [
    Read(dogs_vs_cats, "split folders", {"train": 60, "test": 30}, "file name", {"train": 2}),
    Read(dog_breeds, "images listed in a table", {"train": 60, "test": 30}, "breed", {"train": 3}),
    Read(
        tiny_imagenet,
        "image class folders in split folders",
        {"train": 90, "validation": 30, "test": 30},
        "class folder",
        {"train": 3, "validation": 3},
    ),
    Read(
        imagenet, "image class folders in split folders", {"train": 90, "validation": 30}, "class folder", {"train": 3}
    ),
    Read(traffic_signs, "images listed in a table", {"train": 90, "test": 30}, "ClassId", {"train": 3, "test": 3}),
    Read(one_folder, "a folder of images", {"all": 40}),
    Read(birds, "images listed by number", {"train": 30, "test": 30}, "class", {"train": 3, "test": 3}),
    Read(flowers, "images listed by number", {"train": 30, "validation": 30, "test": 30}, "class", FLOWERS),
    Read(ages_in_names, "a folder of images", {"all": 60}, "age"),
    Read(faces_with_ages, "images listed in a table", {"all": 60}, "age"),
    Read(pedestrians, "pictures with masks", {"all": 40}),
    Read(pets, "Pascal VOC", {"train": 40, "test": 20}),
    Read(commands, "recordings in class folders", {"all": 60}, "class folder", {"all": 3}),
    Read(common_voice, "recordings listed in a table", {"train": 48, "validation": 16, "test": 16}),
    Read(emotions, "delimited text file", {"train": 240, "test": 60}, "emotion", {"train": 7, "test": 7}),
    Read(
        celeba,
        "images listed in a table",
        {"train": 60, "validation": 15, "test": 15},
        ",".join(CELEBA),
        {"train": 4, "validation": 4, "test": 4},
    ),
    Read(
        celeba_as_published,
        "images listed in a table",
        {"train": 60, "validation": 15, "test": 15},
        ",".join(CELEBA),
        {"train": 4, "validation": 4, "test": 4},
    ),
    Read(movielens, "delimited text file", {"all": 1_500}, "column_3", {"all": 5}),
    Read(movielens_1m, "text with double colons file", {"all": 1_500}, "column_3", {"all": 5}),
    Read(skin_lesions, "images listed in a table", {"all": 120}, "dx", {"all": 3}),
    Read(edges, "delimited text file", {"all": 0}),
    Read(panel, "delimited text file", {"all": 1_200}, "y"),
    Read(comments, "delimited text, one file per split", {"train": 160, "test": 80}, "toxic,threat", {"train": 2}),
    Read(lists_beside, "delimited text file", {"all": 200}, "label", {"all": 2}),
]


@pytest.mark.parametrize("read", FAMOUS, ids=lambda read: read.make.__name__)
def test_what_is_read(tmp_path: Path, read: Read) -> None:
    read.make(tmp_path)
    report = datalint.scan(tmp_path, cache=False, jobs=1, preset="fast")
    (info,) = report.datasets
    assert (info.layout, info.label and info.label.name) == (read.layout, read.label)
    counts = {split.name: split.samples for split in info.splits}
    assert counts == read.splits or (not sum(read.splits.values()) and counts.keys() == read.splits.keys())
    assert {split.name: len(split.classes) for split in info.splits if split.classes} == read.classes
    blamed = [(f.code, f.message) for f in report.findings if f.severity != "info"]
    assert not [item for item in blamed if item[0] not in {"LBL103", "ORD106", "SPL109"}], json.dumps(blamed, indent=1)


def test_copies_are_found_where_a_list_says_the_splits(tmp_path: Path) -> None:
    celeba(tmp_path)
    folder = tmp_path / "img_align_celeba" / "img_align_celeba"
    for k in range(1, 9):
        (folder / f"{75 + k:06d}.jpg").write_bytes((folder / f"{k:06d}.jpg").read_bytes())
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["SPL101"])
    (found,) = report.findings
    assert (found.severity, found.split) == ("error", "test")
    assert "8 of 15" in found.message


def test_kinds_of_pictures_are_sets_and_no_classes(tmp_path: Path) -> None:
    super_resolution(tmp_path)
    report = datalint.scan(tmp_path, cache=False, jobs=1)
    assert {info.name: [s.samples for s in info.splits] for info in report.datasets} == {
        "hr": [45, 15],
        "lr/X2": [45, 15],
        "lr/X4": [45, 15],
    }
    assert not [info.label for info in report.datasets if info.label]
    assert not [f.message for f in report.findings if f.severity != "info"]


def test_volumes_are_no_table(tmp_path: Path) -> None:
    cases = [f"./imagesTr/case_{k:03d}.nrrd" for k in range(12)]
    for name in cases:
        put(tmp_path, name, "NRRD")
    pairs = [{"image": name, "label": name.replace("images", "labels")} for name in cases]
    tasks = {"name": "Hippocampus", "numTraining": 12, "training": pairs, "test": ["./imagesTs/case_100.nrrd"]}
    put(tmp_path, "dataset.json", json.dumps(tasks))
    with pytest.raises(datalint.DatalintError, match=r"dataset\.json: lists 25 volumes of another format than NIfTI"):
        datalint.scan(tmp_path, cache=False)


def test_a_list_by_number_names_pictures_that_are_not_there(tmp_path: Path) -> None:
    birds(tmp_path)
    lost = sorted((tmp_path / "images").rglob("*.jpg"))[:2]
    for path in lost:
        path.unlink()
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["FIL101"])
    assert [(f.severity, "names 2 pictures that are not there" in f.message) for f in report.findings] == [
        ("error", True)
    ]


def test_captions_are_read_beside_their_pictures(tmp_path: Path) -> None:
    lines = ["image,caption"]
    for k in range(40):
        name = f"{1000268201 + k}_{k * 7919:010x}.jpg"
        picture(tmp_path, f"Images/{name}", k)
        lines += [f"{name},A {words(9)} ." for _ in range(5)]
    put(tmp_path, "captions.txt", lines)
    report = datalint.scan(tmp_path, cache=False, jobs=1)
    assert {info.name: info.splits[0].samples for info in report.datasets} == {"Images": 40, "captions": 200}
    assert not [f.message for f in report.findings if f.severity != "info"]


def test_classic_netcdf(tmp_path: Path) -> None:
    kinds = RNG.integers(0, 2, 120)
    with netcdf_file(str(tmp_path / "stations.nc"), "w") as file:
        file.createDimension("time", 120)
        file.createDimension("place", 6)
        file.createVariable("X", "f4", ("time", "place"))[:] = RNG.normal(size=(120, 6)) + kinds[:, None]
        file.createVariable("y", "i4", ("time",))[:] = kinds
    (info,) = datalint.scan(tmp_path, cache=False, jobs=1, preset="fast").datasets
    assert (info.layout, info.splits[0].samples, info.label and info.label.name) == (
        "NetCDF variables",
        120,
        "y",
    )
    (tmp_path / "stations.nc").write_bytes((tmp_path / "stations.nc").read_bytes()[:200])
    with pytest.raises(datalint.DatalintError, match="not a readable NetCDF file"):
        datalint.scan(tmp_path, cache=False)


def test_pointers_of_dvc_are_told_with_their_size(tmp_path: Path) -> None:
    put(
        tmp_path, "data.csv.dvc", "outs:\n- md5: a304afb96060aad90176268345e10355\n  size: 37891850\n  path: data.csv\n"
    )
    with pytest.raises(datalint.DatalintError, match=r"'data.csv' of 37,891,850 bytes, .*dvc pull"):
        datalint.scan(tmp_path, cache=False)


def test_a_label_that_croissant_declares(tmp_path: Path) -> None:
    x = RNG.normal(size=(200, 2)).round(3)
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "kind": np.where(x[:, 0] > 0, "x", "z")})
    frame.assign(outcome=np.where(x[:, 1] > 0, "p", "q")).to_csv(tmp_path / "flowers.csv", index=False)
    source = {"fileObject": {"@id": "file"}, "extract": {"column": "kind"}}
    field_ = {"@type": "cr:Field", "@id": "r/kind", "dataType": ["sc:Text", "cr:Label"], "source": source}
    card = {
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "distribution": [{"@type": "cr:FileObject", "@id": "file", "contentUrl": "data/flowers.csv"}],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "r", "field": [field_]}],
    }
    put(tmp_path, "croissant.json", json.dumps(card))
    (info,) = datalint.detect(tmp_path)
    assert info.label is not None
    assert (info.label.name, info.label.confidence) == ("kind", "certain")
