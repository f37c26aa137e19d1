"""LMDB databases as their own library writes them: what is read of the usual layouts, and what is told of pickles and damage."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from typing import TYPE_CHECKING

import lmdb
import numpy as np
import pytest
from PIL import Image

import datalint
from datalint.sources.recognise import Wishes, recognise
from datalint.sources.records.lmdb import Broken, Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from datalint.report.models import Report

RNG = np.random.default_rng(4)
SYLLABLES = ["ba", "ko", "mi", "ru", "se", "ta", "lo", "ne", "du", "fi"]


def picture(kind: int, form: str = "JPEG") -> bytes:
    made = io.BytesIO()
    pixels = RNG.normal(90, 20, (24, 24, 3))
    pixels[6:18, 6:18, kind % 3] += 120
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(made, form)
    return made.getvalue()


def write(path: Path, items: Iterable[tuple[bytes, bytes]], *, folder: bool = True) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with lmdb.open(str(path), map_size=1 << 26, subdir=folder) as opened, opened.begin(write=True) as transaction:
        for key, value in items:
            transaction.put(key, value)


def words(count: int, said: int | None = None) -> Iterator[tuple[bytes, bytes]]:
    for k in range(1, count + 1):
        yield b"image-%09d" % k, picture(k)
        yield b"label-%09d" % k, "".join(RNG.choice(SYLLABLES, 3)).encode()
    yield b"num-samples", b"%d" % (count if said is None else said)


def scanned(path: Path) -> Report:
    return datalint.scan(path, cache=False, jobs=1, preset="fast")


def splits(report: Report) -> dict[str, int]:
    return {split.name: split.samples for split in report.datasets[0].splits}


def test_text_recognition(tmp_path: Path) -> None:
    write(tmp_path / "training" / "MJ" / "MJ_train", words(90))
    write(tmp_path / "training" / "ST", words(40))
    write(tmp_path / "validation", words(30))
    report = scanned(tmp_path)
    assert report.datasets[0].layout == "LMDB of pictures"
    assert splits(report) == {"train": 130, "validation": 30}
    assert report.datasets[0].label is None, "words in pictures are no classes"
    assert not [found.message for found in report.findings if found.severity != "info"]


def test_numbered_classes(tmp_path: Path) -> None:
    items = [(b"image-%05d" % k, picture(k)) for k in range(60)]
    write(tmp_path / "set.lmdb", [*items, *((b"label-%05d" % k, b"%d" % (k % 3)) for k in range(60))], folder=False)
    report = scanned(tmp_path)
    assert splits(report) == {"all": 60}
    assert report.datasets[0].label and report.datasets[0].label.name == "label"


def test_pictures_by_checksum(tmp_path: Path) -> None:
    for name, count in {"bedroom_train_lmdb": 80, "bedroom_val_lmdb": 30}.items():
        write(tmp_path / name, ((RNG.bytes(20).hex().encode(), picture(k, "WEBP")) for k in range(count)))
    report = scanned(tmp_path)
    assert splits(report) == {"train": 80, "validation": 30}
    assert report.datasets[0].layout == "LMDB of pictures"


def test_folders_in_keys_are_classes(tmp_path: Path) -> None:
    write(tmp_path / "net", ((f"n0{k % 4}/n0{k % 4}_{k}.JPEG".encode(), picture(k)) for k in range(80)))
    label = scanned(tmp_path).datasets[0].label
    assert label and label.name == "class"


def test_datum(tmp_path: Path) -> None:
    pixels = RNG.integers(0, 255, (3, 8, 8), np.uint8).tobytes()  # 192 bytes: a length of two in the message
    head = b"\x08\x03\x10\x08\x18\x08\x22\xc0\x01"
    for name, count in {"train_lmdb": 40, "test_lmdb": 20}.items():
        write(tmp_path / name, ((b"%08d" % k, head + pixels + b"\x28" + bytes([k % 5])) for k in range(count)))
    report = scanned(tmp_path)
    assert splits(report) == {"train": 40, "test": 20}
    assert report.datasets[0].modality == "images"
    assert report.datasets[0].label and report.datasets[0].label.name == "label"


def test_objects(tmp_path: Path) -> None:
    rows = [{"text": " ".join(RNG.choice(SYLLABLES, 8)), "label": k % 2} for k in range(100)]
    write(
        tmp_path / "texts.lmdb",
        ((str(k).encode(), json.dumps(row).encode()) for k, row in enumerate(rows)),
        folder=False,
    )
    report = scanned(tmp_path / "texts.lmdb")
    assert splits(report) == {"all": 100}
    assert report.datasets[0].label and report.datasets[0].label.name == "label"


def test_pickles_are_told_and_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return open, (str(tmp_path / "sprung"), "w")  # type: ignore[return-value]

    write(tmp_path / "all", ((b"%d" % k, pickle.dumps((Trap(), k))) for k in range(30)))
    with pytest.raises(datalint.DatalintError, match=r"data\.mdb: an LMDB database of pickles, which may run code"):
        scanned(tmp_path / "all")
    items = [(b"image-%05d" % k, picture(k)) for k in range(60)]
    write(tmp_path / "some", [*items, *((b"label-%05d" % k, pickle.dumps(Trap())) for k in range(60))])
    (told,) = [found.message for found in scanned(tmp_path / "some").findings if found.code == "FIL101"]
    assert "column 'label' holds pickles" in told
    assert not (tmp_path / "sprung").exists()


def test_nothing_is_written_next_to_it(tmp_path: Path) -> None:
    write(tmp_path / "set", words(40))
    (tmp_path / "set" / "lock.mdb").unlink()
    before = (tmp_path / "set" / "data.mdb").read_bytes()
    scanned(tmp_path)
    assert [path.name for path in (tmp_path / "set").iterdir()] == ["data.mdb"]
    assert (tmp_path / "set" / "data.mdb").read_bytes() == before


def test_what_is_missing(tmp_path: Path) -> None:
    lost = [item for item in words(60, said=90) if item[0] not in {b"label-000000007", b"label-000000011"}]
    write(tmp_path / "set", lost)
    told = " ".join(found.model_dump_json() for found in scanned(tmp_path).findings if found.code == "FIL101")
    assert "says that it holds 90 samples, and has no 'image-000000090'" in told
    assert "2 of 60 samples without 'text', such as 'image-000000007'" in told


@pytest.mark.parametrize("damage", ["cut", "noise", "loop"])
def test_damage_is_a_finding(tmp_path: Path, damage: str) -> None:
    write(tmp_path / "good", words(60))
    write(tmp_path / "set", words(400))
    data = tmp_path / "set" / "data.mdb"
    whole = bytearray(data.read_bytes())
    with Store(data) as store:
        leaf = next(iter(store.nodes(b"image-000000300")))
        page = leaf.at // 4096
    if damage == "cut":
        whole = whole[: len(whole) // 2]
    elif damage == "noise":
        whole[4096 * page : 4096 * (page + 1)] = RNG.bytes(4096)
    else:
        for at in range(2 * 4096, len(whole) - 4096, 4096):
            if whole[at + 10] & 1:  # branches lead to themselves
                for offset in np.frombuffer(whole, np.uint16, 3, at + 16).tolist():
                    whole[at + offset : at + offset + 4] = np.uint32(at // 4096).tobytes()
    data.write_bytes(whole)
    report = scanned(tmp_path)
    told = " ".join(found.model_dump_json() for found in report.findings if found.code == "FIL101")
    assert "set/data.mdb" in told
    assert "damaged" in told or "breaks off" in told


def test_random_damage_ends_in_words(tmp_path: Path) -> None:
    write(tmp_path / "set", ((b"%06d" % k, RNG.bytes(30)) for k in range(3_000)))
    data = tmp_path / "set" / "data.mdb"
    good = data.read_bytes()
    for _ in range(200):
        bad = bytearray(good)
        for at in RNG.integers(0, len(bad), 40).tolist():
            bad[at] = int(RNG.integers(256))
        data.write_bytes(bad)
        try:
            with Store(data) as store:
                assert sum(1 for node in store.nodes() if store.value(node) is not None) <= 3_100
                store.get(b"001500")
                store.cuts(b"", None, 8)
        except Broken:
            pass


@pytest.mark.parametrize("pages", [1, 40])
def test_parts_hold_each_row_once(tmp_path: Path, pages: int) -> None:
    keys = sorted({RNG.bytes(int(RNG.integers(4, 200))).hex().encode() for _ in range(2_000)})
    write(tmp_path / "set", ((key, key[:4] * int(RNG.integers(1, 3_000))) for key in RNG.permutation(keys).tolist()))
    with Store(tmp_path / "set" / "data.mdb") as store:
        assert [node.key for node in store.nodes()] == keys
        assert [store.get(key) is not None for key in keys] == [True] * len(keys)
        assert store.get(b"none") is None
        cuts = store.cuts(b"", None, pages)
        assert len(cuts) >= pages // 2
        ranges = zip([b"", *cuts], [*cuts, None], strict=True)
        assert [node.key for start, stop in ranges for node in store.nodes(start, stop)] == keys


def test_samples_are_named_by_their_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datalint.sources.tables.lmdb_store.PART_BYTES", 64 << 10)
    write(tmp_path / "set", words(200))
    whole = datalint.scan(tmp_path, cache=False, jobs=1, preset="fast")
    assert splits(whole) == {"all": 200}
    (dataset,) = recognise(tmp_path, Wishes()).datasets
    assert len(dataset.partitions) == 3
    first, second = dataset.partitions[0].sample_id(0), dataset.partitions[1].sample_id(0)
    assert first.endswith("[image-000000001]")
    assert first < second


def test_a_url_is_told(tmp_path: Path) -> None:
    write(tmp_path / "set", words(20))
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        packed.write(tmp_path / "set" / "data.mdb", "set/data.mdb")
    with pytest.raises(datalint.DatalintError, match="an LMDB database at a URL or in an archive"):
        scanned(tmp_path / "set.zip")
