"""TFRecord: frames, checksums and Examples; what other libraries write is in ``tests/integrations/records``."""

from __future__ import annotations

import gzip
import io
import random
from typing import TYPE_CHECKING

import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.records.checksums import crc32c, crc32c_of_few
from datalint.sources.records.examples import NoExample, example, features_of
from datalint.sources.records.frames import Broken, frame, groups
from tests.command import call
from tests.crops import CLASSES, crops

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Report


def plain(data: bytes) -> int:
    """The checksum bit by bit, as it is defined."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def test_checksums() -> None:
    r = random.Random(0)
    parts = [b"", b"123456789", bytes(32), b"\xff" * 32, *(r.randbytes(r.randint(0, 700)) for _ in range(60))]
    assert crc32c([b"123456789", bytes(32), b"\xff" * 32]).tolist() == [0xE3069283, 0x8A9136AA, 0x62A8AB43]  # RFC 3720
    assert crc32c(parts).tolist() == list(map(plain, parts)) == list(map(crc32c_of_few, parts))


def test_features() -> None:
    held: dict[str, list[bytes] | list[int] | list[float]] = {"a": [b"x", b""], "n": [-1, 2**62, 0], "f": [0.5, -2.0]}
    assert features_of(example(held)) == held
    assert features_of(b"") == {}
    r = random.Random(1)
    for _ in range(300):
        data = bytearray(example(held))
        data[r.randrange(len(data))] = r.randrange(256)
        try:
            features_of(bytes(data[: r.randint(1, len(data))]))
        except NoExample:
            continue


def rows(count: int, seed: int = 0) -> list[bytes]:
    r = random.Random(seed)
    made = []
    for _ in range(count):
        label = r.randrange(3)
        made.append(
            example({"width": [r.gauss(label, 1)], "age": [r.randint(20, 60)], "label": [b"abc"[label : label + 1]]})
        )
    return made


def put(path: Path, records: list[bytes]) -> Path:
    path.write_bytes(b"".join(map(frame, records)))
    return path


def told(report: Report) -> str:
    return "\n".join(finding.message for finding in report.findings if finding.severity != "info")


def test_examples_as_a_table(tmp_path: Path) -> None:
    put(tmp_path / "set-train.tfrecord-00000-of-00002", rows(200))
    put(tmp_path / "set-train.tfrecord-00001-of-00002", rows(200, 1))
    put(tmp_path / "set-test.tfrecord-00000-of-00001", rows(100, 2))
    report = datalint.scan(tmp_path, preset="fast")
    (dataset,) = report.datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 400, "test": 100}
    assert dataset.label is not None
    assert dataset.label.name == "label"
    assert not told(report)
    put(tmp_path / "set-test.tfrecord-00000-of-00001", rows(100))
    assert "SPL101" in {finding.code for finding in datalint.scan(tmp_path, preset="fast").findings}


def test_a_packed_file(tmp_path: Path) -> None:
    plain_file = put(tmp_path / "a.tfrecord", rows(300)).read_bytes()
    (tmp_path / "a.tfrecord").unlink()
    (tmp_path / "train.tfrecord.gz").write_bytes(gzip.compress(plain_file))
    report = datalint.scan(tmp_path, preset="fast")
    assert report.datasets[0].splits[0].samples == 300
    assert not told(report)


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda data: data[:-30], "ends within record 299"),
        (lambda data: data + b"\0\0\0", "ends within the length of record 300"),
        (lambda data: data[:-20] + b"\x7f" + data[-19:], "the checksum of record 299 is another than that of its data"),
        (lambda data: data + b"\x01" * 40, "the checksum of the length of record 300 is another"),
    ],
)
def test_what_breaks_off_is_found(tmp_path: Path, fault: object, message: str, opaque: bool) -> None:
    records = [b"\x0a\x00\x04" + row for row in rows(300)] if opaque else rows(300)
    for number in range(3):
        put(tmp_path / f"train-{number:05d}-of-00003.tfrecord", records)
    assert not told(datalint.scan(tmp_path, select=["FIL101"]))
    path = tmp_path / "train-00001-of-00003.tfrecord"
    path.write_bytes(fault(path.read_bytes()))  # type: ignore[operator]
    report = datalint.scan(tmp_path, select=["FIL101"])
    assert message in told(report)
    assert report.datasets[0].splits[0].samples in {899, 900}


def test_what_is_no_tfrecord(tmp_path: Path) -> None:
    path = tmp_path / "train.tfrecord"
    path.write_bytes(b"x" * 100)
    with pytest.raises(DatalintError, match="no TFRecord: the checksum of its first length is wrong"):
        datalint.scan(path)
    path.write_bytes(b"")
    with pytest.raises(DatalintError, match="empty file"):
        datalint.scan(path)


def test_pictures_in_examples(tmp_path: Path) -> None:
    records = [
        example({"image": [data], "label": [kind], "text": [CLASSES[kind].encode()]}) for data, kind in crops(80)
    ]
    put(tmp_path / "all.tfrecord", records)
    report = datalint.scan(tmp_path, preset="fast")
    assert report.datasets[0].modality == "images"
    assert not told(report)
    assert "TFRecord file of pictures" in call(tmp_path, "detect", ".").out


def test_groups_keep_what_comes_before_the_damage() -> None:
    data = b"".join(map(frame, rows(1_000)))
    stream = io.BytesIO(data[:-1])
    held: list[bytes] = []
    with pytest.raises(Broken, match="record 999"):
        for group in groups(stream):
            held += group
    assert held == rows(1_000)[:999]
