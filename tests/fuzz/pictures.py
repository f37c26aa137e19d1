"""Hostile pictures of every format read: made by Pillow, then with chunks, tags and fields that lie."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

from PIL import Image, PngImagePlugin

from tests.fuzz.case import Case
from tests.fuzz.damage import NUMBERS, damaged, lying_number

if TYPE_CHECKING:
    from random import Random

FORMATS = {"PNG": ".png", "JPEG": ".jpg", "BMP": ".bmp", "GIF": ".gif", "TIFF": ".tif", "WEBP": ".webp", "PPM": ".ppm"}
MODES = {
    "PNG": ("RGB", "L", "RGBA", "P", "1", "I;16", "LA"),
    "JPEG": ("RGB", "L", "CMYK"),
    "BMP": ("RGB", "L", "1", "P"),
    "GIF": ("P", "L", "RGB"),
    "TIFF": ("RGB", "L", "1", "P", "I;16", "F", "CMYK", "LAB", "I"),
    "WEBP": ("RGB", "RGBA"),
    "PPM": ("RGB", "L", "1", "I;16"),
}


@cache
def honest(kind: str, mode: str, number: int = 0, width: int = 12, height: int = 9) -> bytes:
    """A small picture of noise."""
    noise = Image.frombytes(
        "RGB", (width, height), bytes((number * 7 + k * 31 + k * k) % 256 for k in range(width * height * 3))
    )
    if mode == "I;16":
        picture = noise.convert("I").point(lambda value: value * 256).convert("I;16")
    elif mode == "LAB":
        picture = Image.frombytes("LAB", noise.size, noise.tobytes())
    else:
        picture = noise.convert(mode)
    options: dict[str, Any] = {}
    if kind == "TIFF" and mode in {"RGB", "L"}:
        options["compression"] = ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits")[number % 4]
    elif kind == "GIF" and number % 2:
        options |= {
            "save_all": True,
            "append_images": [picture.rotate(90 * k, expand=False) for k in (1, 2)],
            "duration": 20,
        }
    elif kind == "JPEG":
        options["progressive"] = bool(number % 2)
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def picture(r: Random, kind: str) -> bytes:
    """One of a format, spoilt as that format can be, or in its bytes."""
    mode = r.choice(MODES[kind])
    data = honest(kind, mode, r.randrange(4))
    if r.random() < 0.5:
        data = {"PNG": _png, "JPEG": _jpeg, "TIFF": _tiff, "PPM": _ppm, "BMP": _bmp, "GIF": _gif, "WEBP": _webp}[kind](
            r, data
        )
        if r.random() < 0.7:
            return data
    other = r.choice(sorted(FORMATS))
    return damaged(
        r, data, (data, honest(other, r.choice(MODES[other]))), within=slice(0, 200) if r.random() < 0.5 else None
    )


def _chunk(name: bytes, body: bytes, checksum: int | None = None, length: int | None = None) -> bytes:
    whole = zlib.crc32(name + body) if checksum is None else checksum
    return struct.pack(">I", len(body) if length is None else length) + name + body + struct.pack(">I", whole)


def _png(r: Random, data: bytes) -> bytes:
    """Chunks: fields of the header, odd ones between, doubled, out of order, with lengths that lie, but right checksums."""
    chunks, at = [], 8
    while at + 8 <= len(data):
        size = struct.unpack(">I", data[at : at + 4])[0]
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    for _ in range(r.randint(1, 3)):
        k = r.randrange(len(chunks))
        name, body = chunks[k]
        odd = r.randrange(7)
        if odd == 0:
            header = lying_number(
                r, chunks[0][1], r.choice((0, 4, 8, 9, 10, 11, 12)) if len(chunks[0][1]) > 12 else None
            )
            chunks[0] = (chunks[0][0], header)
        elif odd == 1:
            chunks.insert(k, (name, body))
        elif odd == 2:
            text = zlib.compress(bytes(r.choice((10, 70_000, 20_000_000))), 9)
            extra = r.choice(((b"zTXt", b"k\0\0" + text), (b"iTXt", b"k\0\1\0\0\0" + text), (b"iCCP", b"p\0\0" + text), (b"tEXt", b"k\0" + b"\x1b[31m<b>" * 9),
                              (b"eXIf", b"II*\0" + r.randbytes(60)), (b"gAMA", bytes(4)), (b"tRNS", r.randbytes(r.randrange(9))), (b"acTL", struct.pack(">II", r.choice(NUMBERS), 0)),
                              (b"PLTE", r.randbytes(r.choice((0, 2, 3, 768, 900)))), (b"fcTL", r.randbytes(26)), (b"pHYs", bytes(9)), (b"abcD", r.randbytes(30))))  # fmt: skip
            chunks.insert(r.randint(1, len(chunks)), extra)
        elif odd == 3:
            del chunks[k]
            if not chunks:
                break
        elif odd == 4 and len(chunks) > 1:
            chunks[k], chunks[k - 1] = chunks[k - 1], chunks[k]
        elif odd == 5:
            pixels = r.choice((b"", bytes(9), bytes(200_000), r.randbytes(500)))
            chunks[k] = (b"IDAT", zlib.compress(pixels))
        else:
            chunks[k] = (name, damaged(r, body))
    made = [_chunk(name, body) for name, body in chunks]
    if made and r.random() < 0.15:
        k = r.randrange(len(made))
        made[k] = _chunk(*chunks[k], checksum=0) if r.random() < 0.5 else _chunk(*chunks[k], length=r.choice(NUMBERS))
    return data[:8] + b"".join(made)


def _jpeg(r: Random, data: bytes) -> bytes:
    """Segments: lengths, tables, sampling factors, sizes, EXIF that lies."""
    at = r.choice([k for k in range(len(data) - 3) if data[k] == 0xFF and data[k + 1] not in (0, 0xFF)] or [0])
    odd = r.randrange(5)
    if odd == 0:
        return data[: at + 2] + struct.pack(">H", r.choice(NUMBERS) % 65536) + data[at + 4 :]
    if odd == 1:
        return lying_number(r, data, min(at + r.randrange(2, 12), len(data) - 8))
    if odd == 2:
        exif = b"Exif\0\0" + _ifd(r)
        return data[:2] + b"\xff\xe1" + struct.pack(">H", min(65535, len(exif) + 2)) + exif[:65_533] + data[2:]
    if odd == 3:
        segment = r.choice(
            (
                b"\xff\xee\0\x0eAdobe" + r.randbytes(7),
                b"\xff\xe2\0\x10ICC_PROFILE\0\1\xff",
                b"\xff\xdd\0\4" + r.randbytes(2),
                b"\xff\xd8",
                b"\xff\xd9",
                b"\xff\xda\0\x02",
            )
        )
        return data[:at] + segment + data[at:]
    return data[:at] + data[r.randrange(at, len(data)) :]


_TAGS = (
    254,
    256,
    257,
    258,
    259,
    262,
    266,
    270,
    273,
    274,
    277,
    278,
    279,
    282,
    284,
    296,
    306,
    317,
    320,
    322,
    323,
    324,
    325,
    338,
    339,
    347,
    530,
    33432,
    34665,
    34675,
    34853,
    37121,
    65535,
)


def _ifd(r: Random) -> bytes:
    """A directory of TIFF tags of any type, count and value, as EXIF uses it too."""
    order = r.choice("<>")
    entries = b"".join(
        struct.pack(
            order + "HHI", r.choice((274, *_TAGS)), r.choice((*range(14), 65535)), r.choice((1, 1, 1, 2, *NUMBERS))
        )
        + (
            struct.pack(order + "HH", r.choice((0, 1, 3, 6, 8, 9, 65535)), 0)
            if r.random() < 0.5
            else struct.pack(order + "I", r.choice((8, *NUMBERS)))
        )
        for _ in range(r.choice((0, 1, 3, 20)))
    )
    count = r.choice((len(entries) // 12, len(entries) // 12, 65535))
    after = struct.pack(order + "I", r.choice((0, 8, 2**32 - 1)))  # the next directory: none, itself, nowhere
    return (
        (b"II*\0\x08\0\0\0" if order == "<" else b"MM\0*\0\0\0\x08") + struct.pack(order + "H", count) + entries + after
    )


def _tiff(r: Random, data: bytes) -> bytes:
    """Tags: another type, count or value, which may be an offset."""
    order = "<" if data[:2] == b"II" else ">"
    start = struct.unpack(order + "I", data[4:8])[0]
    if start + 2 > len(data) or r.random() < 0.1:
        return _ifd(r) + data
    count = struct.unpack(order + "H", data[start : start + 2])[0]
    for _ in range(r.randint(1, 3)):
        at = start + 2 + 12 * r.randrange(max(1, count))
        field, form, value = r.choice(
            (
                (0, "H", r.choice(_TAGS)),
                (2, "H", r.randrange(14)),
                (2, "H", r.randrange(11, 13)),
                (4, "I", r.choice(NUMBERS)),
                (8, "I", r.choice(NUMBERS)),
                (8, "I", r.randrange(len(data))),
            )
        )
        new = struct.pack(order + form, value)
        data = data[: at + field] + new + data[at + field + len(new) :]
    if r.random() < 0.15:  # a chain of directories that comes back to its beginning
        at = start + 2 + 12 * count
        data = data[:at] + struct.pack(order + "I", r.choice((start, 8, at))) + data[at + 4 :]
    return data


def _ppm(r: Random, data: bytes) -> bytes:
    """The header is text."""
    size = r.choice(
        (
            "12 9",
            "9999999999 9",
            "12 -9",
            "0 0",
            "1e3 9",
            "12 9 " * 99,
            "4 999999999",
            "12\n# " + "x" * 200_000 + "\n9",
            "#",
            "٣ 9",
            "1" * 5000 + " 9",
        )
    )
    most = r.choice(("255", "65535", "0", "70000", "-1", "1" * 30, "", "255 255"))
    kind = r.choice(("P6", "P5", "P4", "P3", "P2", "P1", "Pf", "PF", "P7", "Py", "P0CMYK"))
    body = (
        data[-324:]
        if r.random() < 0.6
        else b" ".join(str(r.choice((0, 255, 256, -1, 10**20))).encode() for _ in range(324))
    )
    return f"{kind}\n{size}\n{most}\n".encode() + body


def _bmp(r: Random, data: bytes) -> bytes:
    """Fields of the header: offset, header size, width, height, planes, bits, compression, colours."""
    for _ in range(r.randint(1, 3)):
        data = lying_number(r, data, r.choice((2, 10, 14, 18, 22, 26, 28, 30, 34, 46, 50)))
    return data


def _gif(r: Random, data: bytes) -> bytes:
    """Sizes, colour tables, frames outside the screen, very many frames, code sizes."""
    if r.random() < 0.3:
        frame = (
            b"\x21\xf9\4\0\0\0\0\0" + b"\x2c" + struct.pack("<HHHH", 0, 0, r.choice((1, 65535)), 1) + b"\0\2\2\x4c\1\0"
        )
        return data[:-1] + frame * r.choice((1, 500, 20_000)) + b";"
    at = data.find(b"\x2c")
    return lying_number(
        r,
        data,
        r.choice(
            (6, 8, 10, 11, *([at + 1, at + 3, at + 5, at + 7, at + 9, at + 10] if 0 < at < len(data) - 20 else []))
        ),
    )


def _webp(r: Random, data: bytes) -> bytes:
    """Lengths of the container and its chunks, odd chunks, and the head of the frame."""
    if r.random() < 0.4:
        chunk = (
            r.choice((b"EXIF", b"ICCP", b"XMP ", b"ANIM", b"ANMF", b"ALPH", b"VP8X", b"VP8 "))
            + struct.pack("<I", r.choice(NUMBERS))
            + r.randbytes(20)
        )
        return data[:12] + chunk + data[12:] if r.random() < 0.5 else data + chunk
    return lying_number(r, data, r.choice((4, 16, 20, 23, 26, 28)))


def class_folders(prefix: str = "") -> dict[str, bytes]:
    """Two classes of honest pictures."""
    return {
        f"{prefix}{name}/{k}.png": honest("PNG", "RGB", k + 9 * (name == "oak"))
        for name in ("oak", "elm")
        for k in range(4)
    }


def picture_case(r: Random) -> Case:
    """Class folders, one or some of whose pictures are hostile; now and then under a wrong suffix."""
    data: dict[str, Any] = dict(class_folders("trees/"))
    for k in range(r.choice((1, 1, 3))):
        kind = r.choice(sorted(FORMATS))
        suffix = FORMATS[kind] if r.random() < 0.9 else r.choice(sorted(FORMATS.values()))
        data[f"trees/{r.choice(('oak', 'elm'))}/bad{k}{suffix}"] = picture(r, kind)
    return Case(data)


def bomb(r: Random) -> tuple[str, bytes]:
    """A small picture that says it is large, and is."""
    kind = r.randrange(3)
    if kind == 0:
        width, height, bits, colour = r.choice(
            (
                (1, 80_000_000, 8, 0),
                (80_000_000, 1, 8, 0),
                (9_400, 9_400, 16, 0),
                (9_000, 9_000, 8, 2),
                (30_000, 30_000, 1, 0),
                (60_000, 60_000, 8, 2),
            )
        )
        line = 1 + (width * bits * (3 if colour == 2 else 1) + 7) // 8
        packer = zlib.compressobj(1)
        body, left = b"", min(line * height, 400_000_000)
        while left > 0:
            body += packer.compress(bytes(min(left, 1 << 24)))
            left -= 1 << 24
        header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
        return "bad.png", b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(
            b"IDAT", body + packer.flush()
        ) + _chunk(b"IEND", b"")
    if kind == 1:
        file = io.BytesIO()
        Image.new("L", (9_000, 9_000)).save(file, "TIFF", compression="tiff_adobe_deflate")
        return "bad.tif", file.getvalue()
    info = PngImagePlugin.PngInfo()
    info.add_text("k", "x" * 60_000_000, zip=True)
    file = io.BytesIO()
    Image.new("RGB", (9, 9)).save(file, "PNG", pnginfo=info)
    return "bad.png", file.getvalue()
