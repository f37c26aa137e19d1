"""Files packed with gzip, zstd, bzip2 and xz, by the command-line tools' own libraries."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import datalint
from datalint.core.errors import DatalintError
from datalint.sources.packing import packing_of, without_packing
from datalint.sources.tables import packed
from tests.conversations import chats

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


PACK: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": zstd,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}


def table(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {"a": rng.normal(size=rows).round(4), "b": rng.normal(size=rows).round(4), "y": rng.integers(0, 2, rows)}
    )


@pytest.fixture(params=PACK)
def suffix(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_tables_are_read_as_they_are_unpacked(tmp_path: Path, suffix: str) -> None:
    whole = table()
    whole.loc[3, "a"] = 9e9
    for folder in ("plain", "whole"):
        (tmp_path / folder).mkdir()
    for name, rows in (("train", whole[:200]), ("test", whole[200:])):
        data = rows.to_csv(index=False).encode()
        (tmp_path / "plain" / f"{name}.csv").write_bytes(data)
        (tmp_path / "whole" / f"{name}.csv{suffix}").write_bytes(PACK[suffix](data))
    plain, whole_too = (datalint.scan(tmp_path / folder, cache=False) for folder in ("plain", "whole"))
    assert [(s.name, s.samples) for s in whole_too.datasets[0].splits] == [("train", 200), ("test", 100)]
    assert [f.message for f in whole_too.findings] == [f.message for f in plain.findings] != []


def test_shards_of_texts(tmp_path: Path, suffix: str) -> None:
    for shard in range(3):
        lines = [json.dumps({"text": f"{chat[1][1]}", "meta": {"source": "web"}}) for chat in chats(50, seed=shard)]
        (tmp_path / f"part-{shard:05}.jsonl{suffix}").write_bytes(PACK[suffix]("\n".join(lines).encode()))
    (dataset,) = datalint.scan(tmp_path, cache=False).datasets
    assert sum(split.samples for split in dataset.splits) == 150


def test_what_breaks_off_is_read_up_to_there(tmp_path: Path, suffix: str) -> None:
    data = PACK[suffix](table(200_000).to_csv(index=False).encode())
    (tmp_path / f"t.csv{suffix}").write_bytes(data[: len(data) // 2])
    report = datalint.scan(tmp_path, select=["FIL101"], cache=False)
    (finding,) = report.findings
    assert finding.severity == "error" and "breaks off" in finding.message
    assert report.datasets[0].splits[0].samples > 40_000  # bzip2 packs 900 kB at a time


def test_what_unpacks_to_far_too_much_is_refused(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "UNPACKED", 1 << 20)
    (tmp_path / f"t.csv{suffix}").write_bytes(PACK[suffix](b"a,b,y\n" + b"1.5,2.5,1\n" * (8 << 17)))
    (finding,) = datalint.scan(tmp_path, select=["FIL101"], cache=False).findings
    assert "unpacks to more than" in finding.message


def test_repairs_keep_the_packing(tmp_path: Path, suffix: str) -> None:
    whole = table()
    data = pd.concat([whole, whole[:20]]).to_csv(index=False).encode()
    place = tmp_path / "in" / f"t.csv{suffix}"
    place.parent.mkdir()
    place.write_bytes(PACK[suffix](data))
    datalint.fix(place.parent, out=tmp_path / "out", select=["DUP101"])
    written = tmp_path / "out" / place.name
    assert packing_of(written) == packing_of(place)
    assert sum(s.samples for s in datalint.scan(written.parent, cache=False).datasets[0].splits) == 300


def test_bytes_that_only_look_packed_are_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "t.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(100))
    with pytest.raises(DatalintError, match=r"t\.csv\.zst"):
        datalint.detect(tmp_path)


def test_names() -> None:
    assert [without_packing(name) for name in ("a.csv.gz", "A.JSONL.ZST", "a.csv", "b.tar.xz", "gz")] == [
        "a.csv",
        "A.JSONL",
        "a.csv",
        "b.tar",
        "gz",
    ]
