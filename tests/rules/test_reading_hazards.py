"""FIL102: how files are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import datalint
from datalint.rules.registry import find_rule
from datalint.testing import scan
from tests.reference import named

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding

RNG = np.random.default_rng(0)
HEAD = "width,note,kind"
ROWS = [
    f"{value:.2f},{word} words,{kind}"
    for value, word, kind in zip(
        RNG.normal(9, 3, 300), RNG.choice(["two", "few"], 300), RNG.choice(["a", "b"], 300), strict=True
    )
]


def text(*lines: str, end: str = "\n") -> bytes:
    return (end.join(lines) + end).encode()


def found(folder: Path, **files: bytes) -> list[Finding]:
    for name, content in files.items():
        (folder / f"{name}.csv").write_bytes(content)
    return datalint.scan(folder, label="kind", select=["FIL102"]).findings


@pytest.mark.parametrize(
    ("content", "hazard", "severity"),
    [
        (text(HEAD, *ROWS), None, None),
        (text(HEAD, *ROWS, end="\r\n"), None, None),
        (text(HEAD, *[row.replace("two words", '"two, or\nthree"') for row in ROWS]), None, None),
        (text(HEAD, *ROWS[:100], HEAD, *ROWS[100:]), "header", "warning"),
        (text(*[line.replace(",", ";").replace(".", ",") for line in [HEAD, *ROWS]]), "decimal", "warning"),
        (text(HEAD, *ROWS[:99], '1.0,"open,a', *ROWS[100:]), "quote", "warning"),
        (b"\xef\xbb\xbf" + text(HEAD, *ROWS), "mark", "info"),
        (text("," + HEAD, *[f"{k},{row}" for k, row in enumerate(ROWS)]), "index", "info"),
        (text(HEAD, *ROWS[:9], end="\r\n") + text(*ROWS[9:]), "ends", "info"),
        (text(HEAD, *ROWS).replace(b"two", "zw\xf6lf".encode("cp1252")), "one encoding", "info"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_file(tmp_path: Path, content: bytes, hazard: str | None, severity: str | None) -> None:
    findings = found(tmp_path, a=content)
    assert [finding.evidence["hazard"] for finding in findings] == ([hazard] if hazard else [])
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def test_a_header_far_behind_the_head(tmp_path: Path) -> None:
    (finding,) = found(tmp_path, a=text(HEAD, *ROWS * 100, HEAD, *ROWS))
    assert finding.evidence["hazard"] == "header"


def test_an_encoding_that_changes_in_the_course_of_a_file(tmp_path: Path) -> None:
    later = text(*ROWS).replace(b"two", "zw\xf6lf".encode("cp1252"))
    (finding,) = found(tmp_path, a=text(HEAD, *ROWS * 100) + later)
    assert (finding.evidence["hazard"], finding.severity) == ("encoding", "warning")


@pytest.mark.parametrize(
    ("other", "hazard"),
    [
        (text(*[line.replace(",", ";") for line in [HEAD, *ROWS]]), "delimiter"),
        (text(HEAD, *[row.replace(",", " cm,", 1) for row in ROWS]), "types"),
        (text(HEAD, *ROWS).replace(b"two", "zw\xf6lf".encode("cp1252")), None),
    ],
)
def test_one_shard_of_three(tmp_path: Path, other: bytes, hazard: str | None) -> None:
    plain = text(HEAD, *ROWS)
    findings = found(tmp_path, part_0=plain, part_1=other, part_2=plain)
    if hazard is None:  # the others are plain ASCII, which is alike in both
        assert [finding.evidence["hazard"] for finding in findings] == ["one encoding"]
        return
    (finding,) = findings
    assert (finding.evidence["hazard"], finding.severity) == (hazard, "warning")
    assert [sample.id.rpartition("/")[2] for sample in finding.affected.samples] == ["part_1.csv"]


@pytest.mark.parametrize(
    ("first", "hazard"),
    [
        (text(HEAD, *ROWS[:100], HEAD, *ROWS[100:]), "header"),
        (text(HEAD, *ROWS[:99], '1.0,"open,a', *ROWS[100:]), "quote"),
    ],
)
def test_what_is_met_among_the_rows_of_the_first_shard_is_not_said_of_others(
    tmp_path: Path, first: bytes, hazard: str
) -> None:
    plain = text(HEAD, *ROWS)
    (finding,) = found(tmp_path, **{f"part_{k}": plain if k else first for k in range(6)})
    assert finding.evidence["hazard"] == hazard
    assert [sample.id.rpartition("/")[2] for sample in finding.affected.samples] == ["part_0.csv"]


def test_an_empty_column_of_one_shard_is_no_other_type(tmp_path: Path) -> None:
    plain = text(HEAD, *ROWS)
    empty = text(HEAD, *["," + row.partition(",")[2] for row in ROWS])
    assert not found(tmp_path, part_0=plain, part_1=empty, part_2=plain)


def test_files_among_images(tmp_path: Path) -> None:
    folder = named("photo crops").write(tmp_path / "photos")
    for name in (
        "china/notes.txt",
        "flower/new.heic",
        "china/Thumbs.db",
        "china/.DS_Store",
        "README.md",
        "china/001.json",
    ):
        (folder / name).write_bytes(b"text")
    (finding,) = datalint.scan(folder, select=["FIL102"]).findings
    names = {sample.id.rpartition("/")[2] for sample in finding.affected.samples}
    assert (finding.severity, names) == ("info", {"notes.txt", "new.heic"})
    for k in range(60):
        (folder / "china" / f"box {k}.txt").write_text("0 0 1 1")
    assert not datalint.scan(folder, select=["FIL102"]).findings


def test_a_hidden_folder_of_pictures_among_the_class_folders(tmp_path: Path) -> None:
    for split in ("train", "test"):
        for path, content in named("digit pictures").files.items():
            (tmp_path / split / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / split / path).write_bytes(content)
    (tmp_path / ".git").mkdir()
    (tmp_path / "train" / ".empty").mkdir()
    assert not datalint.scan(tmp_path, select=["FIL102"], cache=False).findings
    hidden = tmp_path / "train" / ".ipynb_checkpoints"
    hidden.mkdir()
    (hidden / "one-checkpoint.png").write_bytes(content)
    (finding,) = datalint.scan(tmp_path, select=["FIL102"], cache=False).findings
    assert (finding.severity, finding.evidence["hazard"]) == ("warning", "hidden")
    assert ".ipynb_checkpoints" in finding.message


def test_hidden_files_with_the_suffix_of_a_picture(tmp_path: Path) -> None:
    for path, content in named("digit pictures").files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)
    first = sorted(tmp_path.rglob("*.png"))[0]
    (first.parent / "._.DS_Store").write_bytes(b"\x00\x05\x16\x07")
    (tmp_path / "._cover.png").write_bytes(b"\x00\x05\x16\x07")  # no class folder: no loader looks there
    assert not datalint.scan(tmp_path, select=["FIL102"], cache=False).findings
    (first.parent / f"._{first.name}").write_bytes(b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X")
    (finding,) = datalint.scan(tmp_path, select=["FIL102"], cache=False).findings
    assert (finding.severity, finding.evidence["hazard"]) == ("warning", "disguised")
    assert f"._{first.name}" in finding.message


def test_data_in_memory_passes() -> None:
    (status,) = scan(named("iris"), find_rule("FIL102")).datasets[0].rules
    assert (status.status, status.reason) == ("passed", "the data was given in memory: no file was read")


FLIPS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "number in text": ({"a": {"b": "x"}}, {"a": {"b": 7}}, "'a.b' holds 2 numbers where the others are texts"),
    "text in numbers": ({"n": 3, "t": "u"}, {"n": "5", "t": "u"}, "'n' holds 2 texts where the others are numbers"),
    "flag in text": ({"a": "x", "k": 1}, {"a": True, "k": 1}, "'a' holds 2 truth values where the others are texts"),
    "text for a list": ({"a": ["x"], "k": "v"}, {"a": "x", "k": "v"}, "'a' holds 2 texts where the others are lists"),
    "in a list": ({"a": ["x"], "k": "v"}, {"a": [4], "k": "v"}, "'a[]' holds 2 numbers where the others are texts"),
    "in objects in a list": (
        {"a": [{"b": [{"c": 1}]}], "k": "v"},
        {"a": [{"b": [{"c": "1"}]}], "k": "v"},
        "'a[].b[].c' holds 2 texts where the others are numbers",
    ),
    "text for an object": (
        {"a": {"b": 1}, "k": "v"},
        {"a": "{}", "k": "v"},
        "'a' holds 2 texts where the others are obj",
    ),
}


@pytest.mark.parametrize("name", FLIPS)
@pytest.mark.parametrize("suffix", ["jsonl", "json"])
def test_types_that_flip_between_records(
    name: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever in the file, and however deep in the record: Arrow's reader stops there."""
    monkeypatch.setattr("datalint.sources.tables.jsonlines.BLOCK", 2_000)
    monkeypatch.setattr("datalint.sources.tables.json_document.BLOCK", 2_000)
    usual, other, told = FLIPS[name]
    rows = [{"id": f"r{k}", **(other if k in {832, 901} else usual)} for k in range(1_000)]
    lines = [json.dumps(row) for row in rows]
    (tmp_path / f"train.{suffix}").write_text(
        "\n".join(lines) if suffix == "jsonl" else f"[{','.join(lines)}]", encoding="utf-8"
    )
    (finding,) = datalint.scan(tmp_path, select=["FIL102"]).findings
    assert (finding.severity, told in finding.message) == ("warning", True), finding.message
    assert ("train.jsonl:833" if suffix == "jsonl" else "train.json[832]") in finding.message
    rows = [{"id": f"r{k}", **usual} for k in range(1_000)]
    (tmp_path / f"train.{suffix}").write_text(
        json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows))
    )
    assert not datalint.scan(tmp_path, select=["FIL102"], cache=False).findings


def test_gaps_and_whole_numbers_are_no_flips(tmp_path: Path) -> None:
    """Nor are words among numbers, which are mixed types."""
    values: list[object] = [1, 2.5, None, "unknown", 4]
    rows = [{"n": values[k % 5], "a": [None, ["x"], []][k % 3], "o": [None, {"z": "q"}][k % 2]} for k in range(300)]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert not datalint.scan(tmp_path, select=["FIL102"]).findings


@pytest.mark.parametrize(
    ("renamed", "refusing"),
    [
        ({}, []),
        ({"alcohol": "alcohol [%vol]"}, ["LightGBM refuses [ ]", "XGBoost refuses [ ]"]),
        ({"hue": "hue < 1", "ash": "ash (g/l)"}, ["XGBoost refuses <"]),
        ({"hue": "hue:unadjusted", "ash": "ash, total"}, ["LightGBM refuses , :"]),
        ({"target": "class: 0, 1, 2"}, []),  # a label is passed by itself
    ],
)
def test_names_that_trainers_refuse(renamed: dict[str, str], refusing: list[str]) -> None:
    from sklearn.datasets import load_wine

    table = load_wine(as_frame=True).frame.rename(columns=renamed)
    label = renamed.get("target", "target")
    findings = datalint.scan(table, label=label, select=["FIL102"], cache=False).findings
    assert [finding.severity for finding in findings] == ["info"] * bool(refusing)
    for finding in findings:
        assert all(words in finding.message for words in refusing)
        assert ("XGBoost" in finding.message) == any("XGBoost" in words for words in refusing)
        assert all((repr(name) in finding.message) == ("(" not in name) for name in renamed.values())
