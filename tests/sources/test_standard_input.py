"""CSV and JSON lines that come through a pipe."""

from __future__ import annotations

import io
import json
import subprocess
import tempfile
from typing import TYPE_CHECKING

import pytest
from sklearn import datasets

from datalint.core.errors import DatalintError
from datalint.sources.standard_input import standard_input
from tests.command import COMMAND, environment

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

IRIS: pd.DataFrame = datasets.load_iris(as_frame=True).frame
OPTIONS = ("--preset", "fast", "--no-report", "--format", "json")


def piped(folder: Path, data: bytes, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *arguments],
        input=data,
        cwd=folder,
        env=environment(folder, {"TMPDIR": str(folder)}),
        capture_output=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_the_same_is_found_as_in_a_file(tmp_path: Path, form: str) -> None:
    text = IRIS.to_csv(index=False) if form == "csv" else IRIS.to_json(orient="records", lines=True)
    file = tmp_path / f"iris.{form}"
    file.write_text(text)
    reports = []
    for data, source in ((text.encode(), "-"), (b"", str(file))):
        done = piped(tmp_path, data, "scan", source, *OPTIONS)
        assert done.stderr == b""
        reports.append(json.loads(done.stdout.replace(str(file).encode(), b"-"))["datasets"][0])
    first, second = reports
    assert first["path"] == "-"
    assert [f["message"] for f in first["findings"]] == [f["message"] for f in second["findings"]]
    assert first["splits"] == second["splits"]
    left = {item.name for item in tmp_path.iterdir()} - {file.name, ".cache"}
    assert left == set()


@pytest.mark.parametrize(
    ("data", "arguments", "message"),
    [
        (b"", ["-"], "standard input is empty"),
        (bytes(range(256)) * 20, ["-"], "- is no data set that can be read: binary content"),
        (b"a,b\n", ["-"], "- holds column names and no rows"),
        (b"a,b\n1,2\n", ["-", "other.csv"], "give it alone"),
        (b"a,b\n1,2\n", ["-", "--watch"], "does not change"),
    ],
)
def test_one_line_says_what_is_wrong(tmp_path: Path, data: bytes, arguments: list[str], message: str) -> None:
    done = piped(tmp_path, data, "scan", *arguments, "--no-report")
    assert done.returncode == 2
    assert message in done.stderr.decode() and done.stderr.count(b"\n") == 1
    assert not list(tmp_path.glob("datalint-*"))


def test_it_is_bounded_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with (
        pytest.raises(DatalintError, match="on standard input"),
        standard_input(io.BytesIO(b"1,2\n" * 500_000), 1 << 20),
    ):
        pass
    assert not any(tmp_path.iterdir())
    with standard_input(io.BytesIO(b"1,2\n" * 500_000)) as source:
        assert source.path.stat().st_size == 2_000_000
    assert not any(tmp_path.iterdir())
