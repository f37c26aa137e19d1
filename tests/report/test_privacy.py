"""What a concealed report may not hold, whatever is written and whatever was kept before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

import datalint
from datalint.report.formats import FORMATS
from datalint.report.privacy import KEY
from tests.command import call

if TYPE_CHECKING:
    from pathlib import Path

VALUE, FILE, CLASS, NUMBER = "Quetzalcoatl", "zyxwvut", "Xylophagus", 918273645
NAMED = {"--no-samples": (VALUE, FILE, str(NUMBER)), "--redact": (VALUE, FILE, CLASS, str(NUMBER))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables and pictures with faults that name a value, a file and a class."""
    place = tmp_path_factory.mktemp("secret")
    rng = np.random.default_rng(0)
    rows = ["age,city,salary,constant,note,label"]
    for k in range(300):
        city = ("Lima", "Oslo", "Rome")[k % 3] if k % 50 else ("lima", " Oslo", VALUE)[k // 50 % 3]
        salary = NUMBER if k % 60 == 7 else round(float(rng.normal(3000, 400)), 2)
        note = f"caf\u00c3\u00a9 {VALUE} {k}" if k % 20 == 3 else f"nothing to say about number {k} of them"
        rows.append(f"{rng.integers(20, 60)},{city},{salary},{VALUE},{note},{CLASS if k < 120 else 'other kind'}")
    rows += rows[5:25]
    table = place / "table"
    table.mkdir()
    (table / "people.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for kind in (CLASS, "plain"):
        (place / "pictures" / kind).mkdir(parents=True)
        for k in range(12):
            pixels = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / "pictures" / kind / f"{FILE}_{k}.png")
    whole = (place / "pictures" / CLASS / f"{FILE}_0.png").read_bytes()
    (place / "pictures" / "plain" / f"{FILE}_copy.png").write_bytes(whole)
    (place / "pictures" / "plain" / f"{FILE}_broken.png").write_bytes(whole[:200])
    return place


def everything(folder: Path, name: str, *options: str) -> bytes:
    """All that a scan prints and writes, in every format, twice: as found and as kept."""
    told = b""
    out = folder / name
    written = [part for style in FORMATS for part in ("--format", f"{style}:{out / style}")]
    paths = ("--output-dir", str(out), "--report-dir", str(out / "pages"))
    for _ in range(2):
        done = call(folder, "scan", "table", "pictures", "--exit-zero", "-v", *written, *paths, *options)
        assert done.status == 0, done.err
        told += (done.out + done.err).encode()
    for style in set(FORMATS) - {"text"}:
        printed = call(folder, "scan", "table", "pictures", "--exit-zero", "--no-report", "--format", style, *options)
        told += printed.out.encode()
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > len(FORMATS) + 3
    return told + b"".join(path.read_bytes() + path.name.encode() for path in files)


def test_without_the_options_all_of_it_is_told(folder: Path) -> None:
    # Also what leaves the pages in the cache that a concealed scan must not read.
    told = everything(folder, "open")
    for secret in (VALUE, FILE, CLASS, str(NUMBER)):
        assert secret.encode() in told
    assert b"data:image/webp" in told


@pytest.mark.parametrize("options", [("--no-samples",), ("--redact",), ("--redact", "--no-samples")], ids=" ".join)
def test_nothing_that_is_written_names_them(folder: Path, options: tuple[str, ...]) -> None:
    told = everything(folder, "-".join(options).strip("-"), *options)
    for secret in {secret for option in options for secret in NAMED[option]}:
        assert secret.encode() not in told, told[max(told.find(secret.encode()) - 300, 0) :][:400]
    assert b"data:image/webp" not in told
    for code in (b"DUP101", b"IMG103", b"VAL110"):
        assert code in told


def test_counts_columns_and_classes_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    known = datalint.scan("table", cache=False)
    without = datalint.scan("table", cache=False, samples=False)
    assert without.summary == known.summary
    assert without.datasets[0].splits[0].classes == known.datasets[0].splits[0].classes
    for a, b in zip(known.findings, without.findings, strict=True):
        assert (a.code, a.column, a.affected.count, a.fingerprint) == (
            b.code,
            b.column,
            b.affected.count,
            b.fingerprint,
        )
        assert b.affected.samples == ()
    assert without.affected("DUP101").empty
    hidden = datalint.scan("table", cache=False, redact=True)
    assert len(hidden.affected("DUP101")) == len(known.affected("DUP101"))
    assert [f.column for f in hidden.findings] == [f.column for f in known.findings]
    assert "people" not in hidden.to_json()


def test_a_secret_makes_the_names_stable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    def classes(**options: Any) -> set[str]:
        report = datalint.scan("table", redact=True, cache_dir=str(folder / "kept"), **options)
        return set(report.datasets[0].splits[0].classes or ())

    first = classes()
    assert classes() == first
    assert classes(ignore=["DUP"]).isdisjoint(first)  # so that nobody can try names without the data
    monkeypatch.setenv(KEY, "one")
    named = classes()
    assert named.isdisjoint(first)
    assert classes(ignore=["DUP"]) == named
    monkeypatch.setenv(KEY, "another")
    assert classes().isdisjoint(named)
