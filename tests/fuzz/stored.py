"""Hostile Parquet files and NumPy arrays: made by their libraries, then with headers that lie and bytes that are damaged."""

from __future__ import annotations

import datetime
import decimal
import io
import json
import struct
import warnings
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.fuzz.case import Case
from tests.fuzz.damage import HUGE_NUMBERS, NUMBERS, damaged, lying_number
from tests.fuzz.tables import NAMES, WORDS, odd_key, odd_text, odd_value

if TYPE_CHECKING:
    from random import Random

ROWS = (0, 1, 2, 30, 60, 60, 60, 200)


def parquet(r: Random) -> bytes:
    """A file of columns of any type, with metadata that lies, then damage: mostly to the footer, which describes the rest."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = r.choice(ROWS)
    columns = [_column(r, rows) for _ in range(r.choice((0, 1, 2, 4, 4, 8)))]
    names = [odd_key(r) if r.random() < 0.1 else NAMES[k % len(NAMES)] for k in range(len(columns))]
    names = [name.encode("utf-8", "replace").decode() for name in names]
    columns.append(pa.array([r.choice("xy") for _ in range(rows)]))
    table = pa.table(columns, names=[*names, "label"])
    if r.random() < 0.4:
        table = table.replace_schema_metadata(_metadata(r, [*names, "label"]))
    file = io.BytesIO()
    try:
        pq.write_table(
            table,
            file,
            compression=r.choice(("snappy", "none", "gzip", "zstd", "brotli", "lz4")),
            use_dictionary=r.random() < 0.6,
            row_group_size=r.choice((None, 1, 7, 20)),
            data_page_version=r.choice(("1.0", "2.0")),
            version=r.choice(("1.0", "2.4", "2.6")),
            store_schema=r.random() < 0.7,
            write_statistics=r.random() < 0.8,
        )
    except (pa.ArrowException, OverflowError):
        return parquet(r)
    data = file.getvalue()
    if r.random() < 0.6:
        return data if r.random() < 0.4 else damaged(r, data)
    footer = struct.unpack("<I", data[-8:-4])[0]
    if r.random() < 0.1:
        return data[:-8] + struct.pack("<I", r.choice(NUMBERS)) + data[-4:]
    return damaged(r, data, within=slice(len(data) - 8 - footer, len(data) - 8))


def _column(r: Random, rows: int) -> Any:  # noqa: PLR0912 - one branch for each type
    import pyarrow as pa

    day = datetime.date(2024, 1, 1)
    zone = r.choice((None, "UTC", "Europe/Berlin", "+25:00", "Mars/Olympus", "+01:30", ""))
    unit = r.choice(("s", "ms", "us", "ns"))
    nothing = r.choice((0.0, 0.1, 1.0))

    def array(values: list[Any], kind: Any) -> Any:
        return pa.array([None if r.random() < nothing else value for value in values], kind)

    big = [r.choice((0, 1, -1, 2**31 - 1, 2**62, -(2**63))) for _ in range(rows)]
    small = [r.randrange(100) for _ in range(rows)]
    texts = [odd_text(r) if r.random() < 0.2 else r.choice(WORDS) for _ in range(rows)]
    floats = [r.choice((r.random(), float("nan"), float("inf"), 1e300, -0.0)) for _ in range(rows)]
    kind = r.randrange(20)
    if kind == 0:
        return array(big, r.choice((pa.timestamp(unit, zone), pa.duration(unit), pa.int64())))
    if kind == 1:
        return array(small, r.choice((pa.int8(), pa.uint8(), pa.uint64(), pa.date32(), pa.time32("s"), pa.date64())))
    if kind == 2:
        return array([decimal.Decimal(value).scaleb(-2) for value in small], pa.decimal128(38, r.choice((2, 10, 20))))
    if kind == 3:
        return array([text.encode() for text in texts], r.choice((pa.binary(), pa.large_binary())))
    if kind == 4:
        return array([text.encode()[:4].ljust(4, b"\xff") for text in texts], pa.binary(4))
    if kind == 5:
        return array(texts, pa.large_string())
    if kind == 6:
        return pa.array(texts).dictionary_encode()
    if kind == 7:
        return array([[0.5] * r.choice((0, 1, 3)) for _ in range(rows)], pa.list_(pa.float32()))
    if kind == 8:
        return array([[1, 2, 3] for _ in range(rows)], pa.list_(pa.int8(), 3))
    if kind == 9:
        return array([{"x": k, "y": "t"} for k in small], pa.struct([("x", pa.int32()), ("y", pa.string())]))
    if kind == 10:
        return array([[("k", k)] for k in small], pa.map_(pa.string(), pa.int64()))
    if kind == 11:
        return pa.nulls(rows)
    if kind == 12:
        return array([k % 2 == 0 for k in small], pa.bool_())
    if kind == 13:
        return array([np.float16(k) for k in small], pa.float16())
    if kind == 14:
        return array([{"bytes": r.randbytes(9), "path": r.choice(("../beside/secret.csv", "a.png", None))} for _ in small],
                     pa.struct([("bytes", pa.binary()), ("path", pa.string())]))  # as Hugging Face stores pictures  # fmt: skip
    if kind == 15:
        return array([day + datetime.timedelta(k) for k in small], pa.date32())
    if kind == 16:
        return array([[[k], []] for k in small], pa.list_(pa.list_(pa.int32())))
    return array(texts, pa.string()) if kind == 17 else array(floats, r.choice((pa.float64(), pa.float32())))


def _metadata(r: Random, names: list[str]) -> dict[bytes, bytes]:
    """What pandas and Hugging Face say of the columns, or something else instead."""
    labels = r.choice((5, None, "x", [], ["x", "y"], [1, None], {"0": "x"}, ["x"] * 3, [["x"]], odd_value(r)))
    feature = {
        "_type": r.choice(("ClassLabel", "Image", "Value", "Sequence", "Nope", 3)),
        "names": labels,
        "dtype": r.choice(("string", 5, None)),
    }
    features: Any = {name: feature for name in names if r.random() < 0.8}
    if r.random() < 0.2:
        features = odd_value(r)
    said: Any = r.choice(({"info": {"features": features}}, {"info": features}, {"info": None}, [features], features))
    pandas: Any = {"index_columns": r.choice((names[:1], [{"kind": "range", "start": 0, "stop": 10**18, "step": 0}], [None], 3)),
                   "column_indexes": [], "columns": r.choice(([], [{"name": n, "pandas_type": "categorical", "numpy_type": "M8[ns]", "metadata": None} for n in names], odd_value(r))),
                   "pandas_version": r.choice(("2.2", 5))}  # fmt: skip
    texts = [json.dumps(said, default=str), json.dumps(pandas, default=str)]
    if r.random() < 0.2:
        texts = [damaged(r, text.encode()).decode("latin-1") for text in texts]
    made = {b"huggingface": texts[0].encode(errors="replace"), b"pandas": texts[1].encode(errors="replace")}
    made[b"ARROW:schema"] = r.choice((b"", b"AAAA", r.randbytes(20)))
    return {key: value for key, value in made.items() if r.random() < 0.6}


def bait(marker: str = "beside/executed") -> bytes:
    """A pickle that makes a file when somebody loads it."""
    return b"cos\nsystem\n(S'touch " + marker.encode() + b"'\ntR."


_DTYPES = (
    *(
        "'<f8'",
        "'<f8'",
        "'<f4'",
        "'<i8'",
        "'|u1'",
        "'|b1'",
        "'<c16'",
        "'<f2'",
        "'>f8'",
        "'<U3'",
        "'|S5'",
        "'<M8[ns]'",
        "'<m8[s]'",
    ),
    *(
        "'|O'",
        "'|S0'",
        "'<U0'",
        "'|V8'",
        "'<U536870911'",
        "'<f16'",
        "[('a', '<f8'), ('b', '<i4')]",
        "[('x', '<f8', (2, 3))]",
    ),
    *(
        "[('a', '|O')]",
        "'<M8[fortnight]'",
        "[]",
        "''",
        "None",
        "5",
        "'<f8' * 10**9",
        "[('a', [('b', [('c', '<f8')])])]",
    ),
    *("'(2,3)<f8'", "'<f8,<f8'", "'<M8[99999999999Y]'", "{'names': ['a'], 'formats': ['<f8'], 'offsets': [-4]}"),
    *(
        "{'names': ['a'], 'formats': ['<f8'], 'itemsize': 10**12}",
        "[('a', '<f8'), ('a', '<f8')]",
        "[('\\ud800', '<f8')]",
    ),
)
_SHAPES = (
    *(
        "(60, 3)",
        "(60, 3)",
        "(60, 3)",
        "(180,)",
        "(180, 1)",
        "(3, 60)",
        "(60, 1, 3)",
        "()",
        "(0,)",
        "(0, 3)",
        "(60, 0)",
        "(60, 8, 8)",
    ),
    *(
        "(True, True)",
        "(True,)",
        "(-1, 3)",
        "(2**62, 2)",
        "(10**18,)",
        "(60.0, 3)",
        "(None,)",
        "60",
        "[60, 3]",
        "('60',)",
        "(1,) * 33",
    ),
    *(
        "(1,) * 64",
        "((60, 3),)",
        "(4294967296, 4294967296)",
        "(0, 10**18)",
        "(60, 3,)",
        "(6, 30)",
        "(1, 180)",
        "(-0, 3)",
    ),
)
_ODD_HEADERS = (
    *(
        "",
        "{",
        "{}",
        "-" * 9000 + "1",
        "(" * 300 + ")" * 300,
        "[" * 3000,
        "{'descr': '<f8'}",
        "x",
        "\0" * 100,
        "1" * 5000,
    ),
    *(
        "{'descr': '<f8', 'fortran_order': False, 'shape': (60, 3), 'more': 1, }",
        "__import__('os').system('touch beside/executed')",
    ),
    *(
        "{'descr': '<f8', 'fortran_order': 3, 'shape': (60, 3), }",
        "{'shape': (" + "1," * 5000 + ")}",
        "{1: 2, {}: 3}",
        "[1,2,3]",
    ),
)


def array(r: Random, odd: float = 0.5) -> np.ndarray[Any, np.dtype[Any]]:
    """What a training script would store: a matrix, pictures, labels, or something near it."""
    rng = np.random.default_rng(r.randrange(2**32))
    rows = r.choice(ROWS)
    kind = r.randrange(10)
    shape = r.choice(
        (
            (rows, 3),
            (rows, 3),
            (rows, 8, 8),
            (rows, 8, 8, 3),
            (rows, 3, 8, 8),
            (rows,),
            (rows, 1),
            (rows, 40),
            (),
            (1, 1, 1, 1, rows),
        )
    )
    if kind < 5:
        return rng.normal(size=shape).astype(r.choice(("<f8", "<f4", "<f2", ">f8")))
    if kind < 7:
        return rng.integers(0, 255, shape).astype(r.choice(("u1", "i2", "i8", "u8")))
    if kind == 7:
        with np.errstate(all="ignore"):
            return rng.normal(size=shape) * r.choice((np.nan, np.inf, 1e308, 5e-324, 0.0))
    if kind == 8 and r.random() < odd:
        return np.array([odd_text(r)[:100] for _ in range(rows)])
    return rng.integers(0, 3, shape) > 0


def npy(r: Random, values: np.ndarray[Any, np.dtype[Any]] | None = None) -> bytes:
    """An array: honest with damage, or with a header that says something else than what follows."""
    kind = r.randrange(4)
    if values is not None or kind == 0:
        file = io.BytesIO()
        values = array(r) if values is None else values
        np.lib.format.write_array(
            file, np.asfortranarray(values) if r.random() < 0.3 else values, version=r.choice((None, (2, 0), (3, 0)))
        )
        data = file.getvalue()
        return data if r.random() < 0.3 else damaged(r, data, within=slice(0, 128) if r.random() < 0.6 else None)
    if kind == 1:
        header = r.choice(_ODD_HEADERS)
    else:
        order = r.choice(("False", "False", "True", "None", "'x'"))
        one = r.random() < 0.5
        dtype = r.choice(_DTYPES) if r.random() < 0.7 else "'<f8'"
        shape = r.choice(_SHAPES) if one or r.random() < 0.5 else "(60, 3)"
        header = f"{{'descr': {dtype}, 'fortran_order': {order}, 'shape': {shape}, }}"
    major = r.choice((1, 1, 1, 2, 3, 0, 4, 255))
    encoded = (header + "\n").encode("utf-8", "surrogatepass")
    length = len(encoded) if r.random() < 0.9 else r.choice(NUMBERS)
    size = struct.pack("<H", length % 65536) if major == 1 else struct.pack("<I", length % 2**32)
    body = r.choice(
        (
            np.arange(180.0).tobytes(),
            bytes(1440),
            b"\xff" * 1440,
            r.randbytes(1440),
            b"",
            bait(),
            np.arange(90.0).tobytes(),
        )
    )
    return b"\x93NUMPY" + bytes([major, 0]) + size + encoded + body


def npz(r: Random) -> bytes:
    """A bundle of arrays with members and directories that lie."""
    file = io.BytesIO()
    rows = r.choice((30, 60, 60))
    names = r.choice(
        (("X", "y"), ("x_train", "y_train", "x_test", "y_test"), ("images", "labels"), ("arr_0", "arr_1"), ("data",))
    )
    rng = np.random.default_rng(r.randrange(2**32))
    with (
        warnings.catch_warnings(),
        zipfile.ZipFile(file, "w", r.choice((0, 8, 8, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA))) as bundle,
    ):
        warnings.simplefilter("ignore")  # two members of one name are wanted
        if r.random() < 0.1:
            bundle.comment = r.randbytes(r.choice((5, 60_000)))
        for k, name in enumerate(names):
            if r.random() < 0.25:
                member = npy(r)
            elif k % 2:
                labels: Any = r.choice((rng.integers(0, 3, rows), rng.integers(0, 2, rows).astype("U2"), rng.random(rows), np.array([b"a", b"\xff"] * (rows // 2)),
                                        np.eye(3)[rng.integers(0, 3, rows)], rng.integers(0, 3, rows - 1), np.array(["a\0b", "c"] * (rows // 2))))  # fmt: skip
                member = npy_bytes(labels)
                if labels.dtype.kind == "U" and r.random() < 0.4:
                    member = member[:-8] + b"\xff\xff\xff\xff" + member[-4:]
            else:
                member = npy_bytes(rng.normal(size=r.choice(((rows, 4), (rows, 4), (rows, 8, 8), (rows,)))))
            if r.random() < 0.1:
                member = damaged(r, member)
            shown = (
                name
                if r.random() < 0.93
                else r.choice(
                    ("../" + name, "/etc/x", "", "a\nb", "\u202ex", "x" * 300, name.upper(), "y", odd_text(r)[:200])
                )
            )
            shown = shown.encode(errors="replace").decode().replace("\0", "0") or "-"
            bundle.writestr(shown + r.choice((".npy", ".npy", ".npy", ".npy", "", ".NPY", ".txt")), member)
    data = file.getvalue()
    kind = r.randrange(6)
    if kind < 2:
        return data
    if kind == 2:
        return damaged(r, data)
    directory = data.rfind(b"PK\x01\x02")
    if kind == 3 and directory >= 0:  # a field of an entry: flags, method, checksum, sizes, offset
        return lying_number(r, data, min(directory + r.choice((6, 8, 10, 16, 20, 24, 28, 30, 32, 42)), len(data) - 8))
    if kind == 4:
        return lying_number(r, data, r.choice((6, 8, 14, 18, 22, 26, 28)))
    return damaged(r, data, within=slice(max(0, directory), None))


def npy_bytes(values: Any) -> bytes:
    """As numpy stores it."""
    file = io.BytesIO()
    np.save(file, values, allow_pickle=False)
    return file.getvalue()


def big_number(r: Random) -> int:
    """One that readers should not believe."""
    return r.choice(NUMBERS + HUGE_NUMBERS)


def raw_deflate(data: bytes) -> bytes:
    """As a zip file holds it."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def parquet_case(r: Random) -> Case:
    """Parquet."""
    return Case({r.choice(("bad.parquet", "bad.pq", "train.parquet", "data/train-00000-of-00001.parquet")): parquet(r)})


def array_case(r: Random) -> Case:
    """Arrays: alone, as pairs, bundled."""
    if r.random() < 0.5:
        return Case({r.choice(("bad.npz", "train.npz", "mnist.npz")): npz(r)})
    if r.random() < 0.5:
        return Case({"bad.npy": npy(r)})
    rows = r.choice((60, 60, 59))
    labels = npy_bytes(np.arange(rows) % 3) if r.random() < 0.6 else npy(r)
    return Case(
        {"X_train.npy": npy(r), "y_train.npy": labels} if r.random() < 0.5 else {"X.npy": npy(r), "y.npy": labels}
    )
