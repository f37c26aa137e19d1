"""Hostile folders, lists of pictures, configuration, options, cache entries, and inputs that are large once they are read."""

from __future__ import annotations

import io
import json
import os
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.fuzz import pictures, stored, tables
from tests.fuzz.case import FAST, Case, Content, Link, Pipe, good_table
from tests.fuzz.damage import damaged

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

ODD_NAMES = (
    *(
        "a\nb.csv",
        "c\x1b[31m.csv",
        "<script>alert(1)<.csv",
        "::error::x.csv",
        "\udcff.csv",
        " .csv",
        ".csv",
        "..csv",
        "-rf.csv",
    ),
    *(
        "$(touch executed).csv",
        "`id`.csv",
        "con.csv",
        "x" * 200 + ".csv",
        "\u202egnp.csv",
        "é.csv",
        "e\u0301.csv",
        "a;b.csv",
        "%s.csv",
    ),
    *(
        "train.csv",
        "Train.CSV",
        "TEST.csv",
        "*.csv",
        "[a].csv",
        "a\\b.csv",
        "\ufeff.csv",
        "{{x}}.csv",
        "file.csv.csv",
        "~.csv",
        "'\".csv",
    ),
)


def folder_case(r: Random) -> Case:
    """Odd names, links in and out and in circles, pipes, deep and empty folders, files that are something else."""
    data: dict[str, Content] = {}
    for _ in range(r.randint(1, 6)):
        kind = r.randrange(9)
        name = r.choice(ODD_NAMES)
        where = r.choice(("", "", "sub/", "train/", "test/", "oak/", "d/" * 40, "d/" * 110))
        if kind == 0:
            data[where + name] = good_table()
        elif kind == 1:
            targets = (
                "../beside/secret.csv",
                "../beside",
                "/dev/zero",
                "/dev/stdin",
                "/proc/self/mem",
                ".",
                "..",
                "nowhere",
                name,
                "good.csv",
                "/etc/passwd",
            )
            data[where + r.choice((name, "link.csv", "link", "train.jsonl", "a.png", "x.npy", "datalint.toml"))] = Link(
                r.choice(targets)
            )
        elif kind == 2:
            data[where + r.choice((name, "pipe.npy", "pipe.parquet", "a.jsonl", "oak/x.png", "x.csv.gz"))] = Pipe()
        elif kind == 3:
            data[where + name] = None
        elif kind == 4:
            data |= pictures.class_folders(
                where + r.choice(("", "a\nb/", "\x1b[1m/", "../", "<b>/", "\udcfe/", "train/", "images/"))
            )
        elif kind == 5:
            data[
                where
                + r.choice(("x.csv", "x.npy", "x.npz", "x.parquet", "x.png", "x.jsonl", "x.csv.gz", "README", "x.docx"))
            ] = r.choice(
                (
                    b"",
                    b"x",
                    b"\0" * 5000,
                    b"<!DOCTYPE html><html>",
                    b"version https://git-lfs.github.com/spec/v1\noid sha256:a\nsize 99\n",
                    r.randbytes(900),
                )
            )
        elif kind == 6:
            data[where + r.choice(("x.csv", "x.npy", "x.npz", "x.parquet"))] = r.choice(
                (tables.csv, stored.npy, stored.npz, stored.parquet)
            )(r)
        elif kind == 7:
            data |= {
                f"{where}{split}/{label}/{k}.png": pictures.honest("PNG", "RGB", k)
                for split in ("train", "test")
                for label in "ab"
                for k in range(2)
            }
        else:
            data[where + "mask.png"] = pictures.picture(r, "PNG")
    data = {name: content for name, content in data.items() if not name.startswith("../")}
    return Case(data, may_refuse=any(name.endswith("datalint.toml") for name in data))


def list_case(r: Random) -> Case:
    """Pictures whose labels stand in a table, or in one that cannot be read, or names what it must not."""
    data: dict[str, Content] = {f"train/{k:03}.png": pictures.honest("PNG", "RGB", k) for k in range(10)}
    labels = [r.choice(("oak", "elm")) for _ in range(10)]
    for _ in range(r.choice((0, 1, 3))):
        labels[r.randrange(10)] = r.choice(
            ("../../beside/folder", "..", ".", "/", "", "a/b", "\x1b[31m", "\0", tables.odd_text(r))
        )
    names = [
        r.choice((f"{k:03}.png", f"train/{k:03}.png", f"{k:03}")) if r.random() < 0.1 else f"{k:03}.png"
        for k in range(10)
    ]
    for _ in range(r.choice((0, 0, 1, 3))):
        names[r.randrange(10)] = r.choice(
            (
                "../beside/secret.csv",
                "/etc/passwd",
                "",
                "nope.png",
                names[0],
                "../data/train/000.png",
                tables.odd_text(r),
            )
        )
    kind = r.randrange(4)
    if kind == 3:
        lines = [json.dumps({"file_name": name, "label": label}) for name, label in zip(names, labels, strict=True)]
        suffix, body = ".jsonl", "\n".join(lines).encode(errors="replace")
    else:
        header = r.choice(
            ("id,label", "file_name,label", "image,class", "path,split", "filename,label,split", "id,0,1")
        )
        more = ",train" if header.count(",") == 2 else ""
        rows = [
            ",".join([name, label if "\n" not in label else "x"]) + more
            for name, label in zip(names, labels, strict=True)
        ]
        suffix, body = ".csv", "\n".join([header, *rows, ""]).encode(errors="replace")
    if kind == 2:
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = io.BytesIO()
        pq.write_table(
            pa.table({"file_name": names, "label": [label.encode(errors="replace").decode() for label in labels]}), file
        )
        suffix, body = ".parquet", file.getvalue()
        body = damaged(r, body, within=slice(0, len(body) // 2)) if r.random() < 0.6 else body
    elif r.random() < 0.4:
        suffix, body = suffix + ".gz", tables.packed(r, body)
    elif r.random() < 0.4:
        body = damaged(r, body)
    data[r.choice(("train", "metadata", "train/metadata", "labels")) + suffix] = body
    if r.random() < 0.3:
        data[f"train/{r.randrange(10):03}.png"] = r.choice(
            (b"", pictures.picture(r, "PNG"), pictures.picture(r, "GIF"))
        )
    return Case(data)


_KEYS = (
    *(
        "extend",
        "select",
        "ignore",
        "label",
        "splits",
        "batch-size",
        "fail-on",
        "preset",
        "memory",
        "cache-dir",
        "jobs",
        "baseline",
    ),
    *(
        "rules",
        "ignores",
        "suppressions",
        "nope",
        "",
        "a.b",
        "rules.ORD101",
        "rules.ORD101.severity",
        "rules.nope.x",
        "splits.train",
    ),
    *("ignores.file", "tool.datalint.label", "\x1b[31m", "日本"),
)
_VALUES = (
    *(
        '""',
        '"label"',
        '"../beside"',
        '"../beside/folder"',
        '"../beside/secret.toml"',
        '"/dev/zero"',
        '"pipe"',
        '"."',
        '"/"',
        '"~"',
    ),
    *(
        '"never"',
        '"fast"',
        '"ORD"',
        "0",
        "-1",
        "1",
        "32",
        "9223372036854775807",
        "1" * 400,
        "1e999",
        "nan",
        "true",
        "[]",
        "{}",
        '["ORD101", 5]',
    ),
    *(
        '["../beside/secret.toml", "datalint.toml"]',
        '{train = "*.csv", test = 5}',
        '{train = "**/**/**/**"}',
        '"1GB"',
        '"99999999TB"',
        '"1.5 XB"',
    ),
    *(
        "1979-05-27T07:32:00Z",
        "07:32:00",
        '"""\na\n"""',
        '"\\ud800"',
        '"\\u001b[31m"',
        '"\\U0010FFFF"',
        '[{file = "**"}]',
        "[{}]",
        "[" * 200 + "]" * 200,
    ),
    *(
        '[{fingerprint = "0123456789abcdef0123", reason = "x"}]',
        '"[" ',
        '"(a+)+$"',
        '"' + "*a" * 60 + '"',
        '"report.json"',
        "{ORD101 = {severity = 'off'}}",
    ),
)


def configuration_case(r: Random) -> Case:
    """A configuration next to the data: any key with any value, nested, including itself, or no TOML at all."""
    lines = [f"{_key(r)} = {r.choice(_VALUES)}" for _ in range(r.choice((1, 1, 2, 6)))]
    if r.random() < 0.3:
        lines.append(
            r.choice(
                (
                    "[[ignores]]\nfile = '**'",
                    "[rules.ORD101]\nseverity = 'off'",
                    "[rules]\nORD101 = 5",
                    "[tool.datalint]\nlabel = 'x'",
                    "[[ignores]]\nclass = 5",
                    "[splits]\ntrain = 'good.csv'",
                    "[[ignores]]\n" * 3000,
                )
            )
        )
    text = "\n".join(lines)
    if r.random() < 0.1:
        text = r.choice(
            (
                "a." * 3000 + "b = 1",
                "x = " + "[" * 5000,
                "x = " + "{a=" * 3000,
                "x = '" + "y" * 100_000 + "'",
                "#" * 900_000,
                "x = 0x" + "f" * 9000,
                "\ufeff",
            )
        )
    body = text.encode(errors="replace")
    if r.random() < 0.15:
        body = damaged(r, body)
    name = r.choice(("datalint.toml", "datalint.toml", ".datalint.toml", "pyproject.toml"))
    if name == "pyproject.toml" and r.random() < 0.8:
        body = b"[tool.datalint]\n" + body
    data: dict[str, Content] = {name: body, "pipe": Pipe()}
    if r.random() < 0.2:  # each includes the next one twice
        deep = r.choice((2, 8, 25))
        data |= {f"x{k}": f'extend = ["x{k + 1}", "x{k + 1}"]\n'.encode() for k in range(deep)}
        data |= {f"x{deep}": r.choice((b"", b'extend = "x0"', b'label = "variety"')), name: b'extend = "x0"\n'}
    if r.random() < 0.2:
        data["report.json"] = baseline(r)
    return Case(data, may_refuse=True, good=False)


def _key(r: Random) -> str:
    key = r.choice(_KEYS)
    return (
        key
        if r.random() < 0.9 and key.replace("-", "").replace(".", "").isalnum() and key.isascii()
        else json.dumps(key)
    )


def baseline(r: Random) -> bytes:
    """Known findings, or what claims to be."""
    known = {"fingerprint": "0123456789abcdef0123", "code": "ORD101", "severity": "warning", "count": 1}
    value: Any = r.choice(
        (
            {"schema": "datalint-baseline/1", "findings": [known]},
            {"schema": "datalint-report/1", "datasets": []},
            tables.odd_value(r),
            [known],
            {"findings": tables.odd_value(r)},
        )
    )
    body = json.dumps(value, default=str).encode(errors="replace")
    return (
        damaged(r, body) if r.random() < 0.5 else r.choice((body, body, b"[" * 100_000, b"1" * 5000, b"\xff\xfe", b""))
    )


def option_case(r: Random) -> Case:
    """Files that options name: probabilities, vectors, known findings, settings; and other commands than the scan."""
    kind = r.randrange(6)
    if kind < 2:
        name, body = r.choice((("p.npy", stored.npy), ("p.npz", stored.npz), ("p.csv", tables.csv)))
        option = r.choice(("--pred-probs", "--embeddings"))
        return Case(
            {}, ("--no-cache", "--select", "LBL102,DUP102", option, f"p/{name}"), ("scan", "data"), True, True
        ).beside({f"p/{name}": body(r)})
    if kind == 2:
        return Case({}, (*FAST, "--baseline", "p/b.json"), may_refuse=True).beside({"p/b.json": baseline(r)})
    if kind == 3:
        config = configuration_case(r).data
        beside: dict[str, Content] = {f"p/{name}": content for name, content in config.items()}
        named = next(name for name in beside if name.endswith("toml"))
        return Case({}, (*FAST, "--config", named), may_refuse=True, good=False).beside(beside)
    data = dict(r.choice((csv_like, csv_like, list_case, folder_case))(r).data)
    command = r.choice(
        (
            ("detect", "data"),
            ("plant", "ORD101", "data", "--out", "out/p"),
            ("plant", "IMG101", "data", "--out", "out/p"),
            ("fix", "data", "--out", "out/p"),
            ("diff", "data", "data"),
        )
    )
    return Case(data, (), command, may_refuse=True, good=False)


def csv_like(r: Random) -> Case:
    """A table of any format read."""
    return r.choice((tables.csv_case, tables.json_lines_case, stored.parquet_case, stored.array_case))(r)


def cache_case(r: Random) -> Case:
    """A cache whose entries are damaged between two scans of the same."""
    data: dict[str, Content] = (
        {"more.csv": tables.csv(r)} if r.random() < 0.5 else dict(pictures.class_folders("trees/"))
    )
    return Case(data, ("--preset", "fast"), between=spoil_cache)


def spoil_cache(r: Random, cache: Path) -> None:
    """Entries that are cut, flipped, swapped, signed again, or no files."""
    import hashlib

    entries = sorted(path for path in cache.rglob("*") if path.is_file() and len(path.name) == 62)
    if not entries:
        return
    for path in entries if r.random() < 0.5 else [r.choice(entries)]:
        kind = r.randrange(10)
        data = path.read_bytes()
        if kind < 2:
            path.write_bytes(damaged(r, data))
        elif kind == 2:  # the sum is right
            body = damaged(r, data[:-32])
            path.write_bytes(body + hashlib.sha256(body).digest())
        elif kind == 3:
            path.write_bytes(r.choice(entries).read_bytes() if path.exists() else b"")
            entries = [entry for entry in entries if entry.is_file() and not entry.is_symlink()]
        elif kind == 4:
            path.unlink()
            os.mkfifo(path)
        elif kind == 5:
            path.unlink()
            path.mkdir()
        elif kind == 6:
            path.unlink()
            path.symlink_to(r.choice(("/dev/zero", "/nowhere", cache.parent / "beside" / "secret.csv", path)))
        elif kind == 7:
            path.chmod(0)
        elif kind == 8:
            path.write_bytes(b"")
        else:
            path.unlink()
        entries = [entry for entry in entries if entry.is_file() and not entry.is_symlink()]
        if not entries:
            return


def huge_case(r: Random) -> Case:
    """At most 10 MB on the disk, far more in memory or in time for a reader that believes what it reads."""
    kind = r.randrange(12)
    if kind == 0:
        return Case({"bad.csv.gz": tables.bomb(r)})
    if kind == 1:
        cell = "x" * r.choice((20_000, 1_000_000, 8_000_000))
        rows = [f"{k},note,{'ab'[k % 2]}\n" for k in range(30_000)]
        rows[r.randrange(30_000)] = f"1,{cell},a\n"
        return Case({"bad.csv": "".join(["a,note,label\n", *rows]).encode()}, _either(r))
    if kind == 2:
        columns, rows_ = r.choice(((2_000, 60), (20_000, 12), (100_000, 12), (8_000, 60)))
        line = ",".join(str(k % 7) for k in range(columns))
        header = ",".join(f"g{k}" for k in range(columns))
        return Case(
            {"bad.csv": (header + ",label\n" + "".join(f"{line},{'ab'[k % 2]}\n" for k in range(rows_))).encode()}
        )
    if kind == 3:
        keys, rows_ = r.choice(((40, 250), (40, 2_000), (1_000, 200), (40, 5_000)))
        return Case(
            {
                "bad.jsonl": "\n".join(
                    json.dumps({f"k{row * (keys < 100)}_{k}": k for k in range(keys)} | {"label": "ab"[row % 2]})
                    for row in range(rows_)
                ).encode()
            }
        )
    if kind in {4, 5}:
        return Case({"bad.parquet": _parquet_bomb(r)}, _either(r))
    if kind == 6:
        shape = r.choice(((9_000_000, 100), (20, 100_000), (19, 7_000, 7_000), (100_000_000,), (3, 300_000_000)))
        return Case({"bad.npz": _npz_bomb(shape)})
    if kind == 7:
        return Case(
            {
                "bad.npy": stored.npy_bytes(
                    np.random.default_rng(0).random(
                        r.choice(((20, 50_000), (60, 10_000), (1, 1_000_000), (1_000_000, 1)))
                    )
                )
            }
        )
    if kind == 8:
        return Case({"bad.csv": b"a,b,label\n" + b"1,2,x\n" * 1_600_000})
    if kind == 9:
        words = [
            "lorem",
            "ipsum",
            "dolor",
            "sit",
            "amet",
            "consectetur",
            "adipiscing",
            "elit",
            "sed",
            "do",
            "eiusmod",
            "tempor",
            "incididunt",
        ]
        texts = [" ".join(r.choice(words) for _ in range(120)) for _ in range(9_000)]
        return Case(
            {"bad.csv": ("text,label\n" + "".join(f"{text},{'ab'[k % 2]}\n" for k, text in enumerate(texts))).encode()},
            _either(r),
        )
    name, body = pictures.bomb(r)
    data: dict[str, Content] = dict(pictures.class_folders("trees/"))
    data[f"trees/oak/{name}"] = body
    return Case(data)


def _either(r: Random) -> tuple[str, ...]:
    return FAST if r.random() < 0.5 else ("--no-cache",)


def _parquet_bomb(r: Random) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    kind = r.randrange(3)
    if kind == 0:  # one text, named by all rows
        rows = 65_536
        words = pa.array(["x" * r.choice((10_000, 100_000, 1_000_000)), "y"])
        column = pa.DictionaryArray.from_arrays(pa.array(np.arange(rows, dtype=np.int32) % r.choice((1, 2))), words)
        pq.write_table(pa.table({"note": column, "label": np.arange(rows) % 2}), file, compression="zstd")
    elif kind == 1:
        rows = r.choice((1_000_000, 10_000_000))
        pq.write_table(
            pa.table({"a": np.zeros(rows), "b": np.zeros(rows), "label": np.zeros(rows, np.int8)}),
            file,
            compression="zstd",
        )
    else:
        columns = r.choice((2_000, 20_000))
        pq.write_table(
            pa.table({f"g{k}": np.arange(40) % 7 for k in range(columns)} | {"label": np.arange(40) % 2}),
            file,
            write_statistics=False,
        )
    return file.getvalue()


def _npz_bomb(shape: tuple[int, ...]) -> bytes:
    """Zeros, packed."""
    file = io.BytesIO()
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as bundle:
        with bundle.open("X.npy", "w", force_zip64=True) as member:
            member.write(header.getvalue())
            left = int(np.prod(shape))
            while left > 0:
                member.write(bytes(min(left, 1 << 24)))
                left -= 1 << 24
        bundle.writestr("y.npy", stored.npy_bytes(np.arange(min(shape[0], 1_000_000)) % 3))
    return file.getvalue()
