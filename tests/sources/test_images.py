"""Decoding pictures that are odd, broken or meant to do harm."""

from __future__ import annotations

import io
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from datalint.sources.files import Entry
from datalint.sources.images import decode as pictures
from datalint.sources.images.files import image_partitions

if TYPE_CHECKING:
    from pathlib import Path

RNG = np.random.default_rng(5)
PIXELS = RNG.integers(1, 255, (30, 40, 3), dtype=np.uint8)


def encoded(kind: str, mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(out, kind, **options)
    return out.getvalue()


def declared(width: int, height: int) -> bytes:
    """A PNG that declares so many pixels and holds a few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 99)) + chunk(b"IEND", b"")


def read(data: bytes, suffix: str = ".png") -> pictures.Picture:
    with pictures.strict():
        return pictures.read(data, "a", suffix, True)


@pytest.mark.parametrize(
    ("kind", "mode", "suffix"),
    [
        ("PNG", "RGB", ".png"),
        ("PNG", "L", ".png"),
        ("PNG", "1", ".png"),
        ("PNG", "LA", ".png"),
        ("PNG", "RGBA", ".png"),
        ("PNG", "P", ".png"),
        ("PNG", "I;16", ".png"),
        ("JPEG", "RGB", ".jpeg"),
        ("JPEG", "L", ".jpg"),
        ("JPEG", "CMYK", ".jpg"),
        ("GIF", "P", ".gif"),
        ("BMP", "RGB", ".bmp"),
        ("TIFF", "F", ".tif"),
        ("TIFF", "I", ".tiff"),
        ("TIFF", "LAB", ".tif"),
        ("WEBP", "RGB", ".webp"),
        ("PPM", "RGB", ".ppm"),
    ],
)
def test_formats_and_modes(kind: str, mode: str, suffix: str) -> None:
    picture = read(encoded(kind, mode), suffix)
    assert picture.problem is None
    assert (picture.width, picture.height) == (40, 30)
    assert picture.thumbnail is not None and picture.thumbnail.shape[:2] == (32, 32)
    assert not picture.all_zero


def test_transparency_animation_and_sixteen_bits() -> None:
    palette = Image.new("P", (20, 20))
    palette.putpalette([0, 0, 0] * 256)
    out = io.BytesIO()
    palette.save(out, "PNG", transparency=b"\x00\x80\xff")
    assert read(out.getvalue()).problem is None
    frames = [Image.new("RGB", (20, 20), (k * 20, 0, 0)) for k in range(1, 4)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert read(out.getvalue(), ".gif").problem is None
    out = io.BytesIO()
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(out, "PNG")
    deep = read(out.getvalue())
    assert deep.thumbnail is not None and 150 < deep.thumbnail.mean() < 160


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        (b"", "empty", "no bytes"),
        (b"hello world", "unreadable", "no known image format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "unreadable", "no known image format"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 1\n", "pointer", "git lfs pull"),
        (encoded("PNG")[:400], "truncated", "damaged"),
        (encoded("JPEG")[:400], "truncated", "damaged"),
        (declared(100_000, 100_000), "not-scanned", "pixels"),
        (declared(9_400, 9_600), "not-scanned", "pixels"),
        (declared(1, 80_000_000), "not-scanned", "1 x 80,000,000 pixels"),
        (declared(80_000_000, 1), "not-scanned", "a side of more than"),
        (encoded("JPEG"), "suffix", "is a JPEG file with the suffix .png"),
    ],
)
def test_what_is_wrong(data: bytes, kind: str, words: str) -> None:
    picture = read(data)
    assert picture.problem is not None
    assert picture.problem.kind == kind and words in picture.problem.message
    assert picture.readable == (kind == "suffix")


def test_partitions_and_files_that_cannot_be_read(tmp_path: Path) -> None:
    names = [f"{k}.png" for k in range(5)] + [os.fsdecode(b"\xff.png"), "gone.png"]
    for name in names[:-1]:
        (tmp_path / name).write_bytes(encoded("PNG"))
    entries = [Entry(str(tmp_path / name), (name,), 1) for name in names]
    parts = image_partitions("all", entries, list("aabbabb"), files=4)
    read = [batch for part in parts for batch in part.batches(frozenset({"labels", "header", "pixels"}))]
    assert len(parts) > 1 and sum(batch.size for batch in read) == 7
    (problem,) = [problem for batch in read for problem in batch.problems]
    assert problem.path.endswith("gone.png") and problem.message == "No such file or directory"
    shown = [part.sample_id(line) for part in parts for line in range(len(part.files))]
    assert shown[5].endswith("\\xff.png")
    shots = [part.picture(line) for part in parts for line in range(len(part.files))]
    assert shots[5] is not None and shots[6] is None


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_damage(data: Any) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM"]))
    content = bytearray(encoded(kind))
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        flip = data.draw(st.binary(max_size=6))
        content[at : at + len(flip)] = flip
    whole = bytes(content[: data.draw(st.integers(0, len(content)))])
    picture = read(whole, "")
    assert (picture.thumbnail is not None) == picture.readable
    with pictures.strict():
        pictures.report_picture(whole)


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(
    tags=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 14), st.integers(0, 3)), min_size=1, max_size=3),
    packed=st.booleans(),
)
def test_any_type_of_tag(tags: list[tuple[int, int, int]], packed: bool) -> None:
    """Numbers of other types than a TIFF may hold: offsets that are floats, sizes that are texts."""
    content = bytearray(encoded("TIFF", compression="tiff_lzw" if packed else None))
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    for tag, kind, number in tags:
        struct.pack_into("<HI", content, start + 2 + 12 * (tag % count) + 2, kind, number)
    picture = read(bytes(content), "")
    assert (picture.thumbnail is not None) == picture.readable
    with pictures.strict():
        pictures.report_picture(bytes(content))


def test_offsets_that_are_floats_have_no_picture_in_the_report() -> None:
    content = bytearray(encoded("TIFF"))
    (start,) = struct.unpack_from("<I", content, 4)
    (count,) = struct.unpack_from("<H", content, start)
    (place,) = (
        start + 2 + 12 * k for k in range(count) if struct.unpack_from("<H", content, start + 2 + 12 * k) == (273,)
    )
    (offset,) = struct.unpack_from("<I", content, place + 8)
    struct.pack_into("<HIf", content, place + 2, 11, 1, float(offset))
    picture = read(bytes(content), ".tif")
    assert picture.problem is not None and picture.problem.kind == "truncated"
    with pictures.strict():
        assert pictures.report_picture(bytes(content)) is None


@pytest.mark.parametrize("most", [200, 3_000, 65_535, 70_000])
def test_deep_pictures_in_bands(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    values = RNG.integers(0, most + 1, (50, 37))
    values[3, 3] = most
    image = Image.fromarray(values.astype(np.uint16 if most < 65_536 else np.int32))
    whole = np.asarray(pictures.plain_mode(image))
    monkeypatch.setattr(pictures, "BAND", 100)
    np.testing.assert_array_equal(np.asarray(pictures.plain_mode(image)), whole)
    scale = 1 if most <= 255 else 255 / max(most, 65_535)
    np.testing.assert_array_equal(whole, np.ceil(values * scale))


def test_a_file_larger_than_any_picture_is_not_read(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(encoded("PNG"))
    os.truncate(tmp_path / "b.png", 1 << 40)
    entries = [Entry(str(tmp_path / name), (name,), 1) for name in ("a.png", "b.png")]
    (part,) = image_partitions("all", entries, None)
    (batch,) = part.batches(frozenset({"labels", "header", "pixels"}))
    (problem,) = batch.problems
    assert (problem.kind, problem.position) == ("not-scanned", 1) and "1,099,511,627,776 bytes" in problem.message
    assert part.picture(0) is not None and part.picture(1) is None


def test_libtiff_is_silent(capfd: pytest.CaptureFixture[str]) -> None:
    content = bytearray(encoded("TIFF", compression="tiff_lzw"))
    content[20:400] = b"\xff" * 380
    assert not read(bytes(content), "").readable
    assert capfd.readouterr().err == ""
