"""Samples with several labels: recognised whatever they are written in, and nothing else taken for them."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import datalint

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import DatasetReport, Finding

N = 400
RNG = np.random.default_rng(0)
NAMES = ["bird", "boat", "car", "cat", "dog", "tree"]
SETS = [[name for name in NAMES if RNG.random() < 0.35] for _ in range(N)]
COUNTS = dict(Counter(label for labels in SETS for label in labels))
WORDS = [
    "the",
    "man",
    "saw",
    "a",
    "red",
    "house",
    "near",
    "that",
    "old",
    "river",
    "and",
    "it",
    "was",
    "never",
    "as",
    "cold",
    "again",
]
TEXTS = [" ".join(RNG.choice(WORDS, 9)) for _ in range(N)]
X = np.round(RNG.normal(20, 4, N), 2)
FLAGS = pd.DataFrame({name: [int(name in labels) for labels in SETS] for name in NAMES})


def scanned(source: Any, **options: Any) -> DatasetReport:
    (report,) = datalint.scan(source, config=False, **options).datasets
    assert not [rule for rule in report.rules if rule.status == "failed"]
    return report


def task_of(source: Any, **options: Any) -> str | None:
    label = scanned(source, select=["LBL101"], **options).label
    return None if label is None else label.task


def write(frame: pd.DataFrame, folder: Path, kind: str) -> Path:
    """The frame as a file of one format."""
    path = folder / f"data.{kind}"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_json(path, orient="records", lines=True)
    return path


# --- recognised -----------------------------------------------------------------------------------------------------


def check_sets(report: DatasetReport) -> None:
    """The labels of ``SETS`` are there, each with its samples, and what they occur with."""
    assert report.label is not None
    assert report.label.task == "multi-label"
    (split,) = report.splits
    assert split.classes == COUNTS
    facts: Any = report.facts["label_sets"]
    (told,) = facts.values()
    assert told["without"] == SETS.count([])
    both = sum({"cat", "dog"} <= set(labels) for labels in SETS)
    assert ["cat", "dog", both] in told["co_occurrence"]


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "frame"])
@pytest.mark.parametrize("joint", [",", "|", ";", "list"])
def test_every_way_to_write_them(kind: str, joint: str, tmp_path: Path) -> None:
    cells = SETS if joint == "list" else [joint.join(labels) for labels in SETS]
    frame = pd.DataFrame({"x": X, "tags": cells, "z": X[::-1]})
    check_sets(scanned(frame if kind == "frame" else write(frame, tmp_path, kind), select=["LBL101"]))


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl", "frame"])
@pytest.mark.parametrize("flag", [int, bool, float])
def test_one_column_per_label_next_to_texts(kind: str, flag: type, tmp_path: Path) -> None:
    frame = pd.concat([pd.DataFrame({"text": TEXTS}), FLAGS.astype(flag)], axis=1)
    check_sets(scanned(frame if kind == "frame" else write(frame, tmp_path, kind), select=["LBL101"]))


def test_one_column_per_label_named_so() -> None:
    frame = pd.concat([pd.DataFrame({"x": X, "z": X[::-1]}), FLAGS.add_prefix("label_")], axis=1)
    assert task_of(frame) == "multi-label"


def test_columns_of_flags_that_test_lacks() -> None:
    train = pd.concat([pd.DataFrame({"x": X, "z": X[::-1]}), FLAGS], axis=1)
    assert task_of({"train": train, "test": train[["x", "z"]]}) == "multi-label"


def test_asked_for_by_their_names() -> None:
    frame = pd.concat([FLAGS, pd.DataFrame({"x": X, "y": FLAGS["cat"]})], axis=1)
    assert task_of(frame) == "classification"
    report = scanned(frame, label=", ".join(NAMES), select=["LBL101"])
    assert report.splits[0].classes == COUNTS


def test_asked_for_among_other_targets() -> None:
    frame = pd.DataFrame({"tags": SETS, "y": FLAGS["cat"]})
    assert task_of(frame) == "classification"
    assert task_of(frame, label="tags") == "multi-label"


def test_names_that_the_file_declares(tmp_path: Path) -> None:
    feature = {"feature": {"names": NAMES, "_type": "ClassLabel"}, "_type": "List"}
    declared = {"info": {"features": {"text": {"dtype": "string", "_type": "Value"}, "kinds": feature}}}
    numbers = [[NAMES.index(label) for label in labels] for labels in SETS]
    table = pa.table({"text": TEXTS, "kinds": pa.array(numbers, pa.list_(pa.int64()))})
    pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(declared)}), tmp_path / "data.parquet")
    check_sets(scanned(tmp_path / "data.parquet", select=["LBL101"]))


def test_the_label_is_no_feature(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"x": np.repeat(X[:200], 2), "tags": [*SETS[:200], *SETS[100:300]], "other": [[0.5 * k] for k in range(N)]}
    )
    report = scanned(write(frame, tmp_path, "parquet"), label="tags", select=["SPL106", "DUP101", "FIL101"])
    (left,) = [finding for finding in report.findings if finding.code == "FIL101"]
    assert "'other'" in left.message
    assert "'tags'" not in left.message


# --- not taken for them ---------------------------------------------------------------------------------------------

KINDS = RNG.integers(0, 10, N)
DUMMIES = pd.get_dummies(pd.Series(KINDS), prefix="kind", dtype=int)
SINGLE = {
    "an encoded category next to a label": pd.concat([pd.DataFrame({"x": X}), DUMMIES, FLAGS[["cat"]]], axis=1).rename(
        columns={"cat": "target"}
    ),
    "flags of people next to a diagnosis": pd.concat([pd.DataFrame({"age": X}), FLAGS], axis=1).assign(
        stroke=FLAGS["dog"] ^ FLAGS["car"]
    ),
    "an encoded class next to another target": pd.concat(
        [pd.get_dummies(pd.Series(KINDS % 3), prefix="class", dtype=int), pd.DataFrame({"x": X, "survived": KINDS % 2})],
        axis=1,
    ),
    "properties of a text": pd.DataFrame(
        {"text": TEXTS, "has_url": FLAGS["cat"], "is_long": FLAGS["dog"], "spam": FLAGS["car"]}
    ),
    "flags alone": FLAGS,
    "texts with commas": pd.DataFrame({"text": [t.replace(" was", ", was") for t in TEXTS], "label": KINDS % 2}),
    "a text with commas at the end": pd.DataFrame({"x": X, "note": [", ".join(t.split()) for t in TEXTS]}),
    "tags of one row each": pd.DataFrame({"x": X, "tags": [f"a{k}, b{k}, c{k}"[: 4 + 5 * (k % 3)] for k in range(N)]}),
    "places": pd.DataFrame({"x": X, "label": [f"{'ABCDEFGH'[k % 8]}ton, {'NY' if k % 8 < 4 else 'CA'}" for k in KINDS]}),
    "names with commas": pd.DataFrame({"x": X, "label": [["tench, Tinca", "cock", "hen", "ray, skate, fish"][k % 4] for k in KINDS]}),
    "amounts": pd.DataFrame({"x": X, "label": [["900", "1,200", "2,900", "1,200,900"][k % 4] for k in KINDS]}),
    "tags next to a label": pd.DataFrame({"tags": ["|".join(labels) for labels in SETS], "label": KINDS % 3}),
}  # fmt: skip


@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("kind", ["csv", "frame"])
def test_not_taken_for_labels(name: str, kind: str, tmp_path: Path) -> None:
    frame = SINGLE[name]
    assert task_of(frame if kind == "frame" else write(frame, tmp_path, kind)) != "multi-label"


def test_lists_that_are_no_labels(tmp_path: Path) -> None:
    tokens = [RNG.integers(0, 30, RNG.integers(3, 20)).tolist() for _ in range(N)]
    frame = pd.DataFrame(
        {"text": TEXTS, "input_ids": tokens, "vector": [RNG.normal(size=3).tolist() for _ in range(N)]}
    )
    for kind in ("parquet", "jsonl"):
        assert task_of(write(frame, tmp_path, kind)) != "multi-label"


# --- bad input ------------------------------------------------------------------------------------------------------


def strange(source: Any, **options: Any) -> dict[str, int]:
    """What LBL105 says stands among the labels."""
    found = [f for f in scanned(source, **options).findings if f.code == "LBL105" and "none that is clear" in f.message]
    return {} if not found else {entry["entry"]: entry["samples"] for entry in _entries(found[0])}


def _entries(finding: Finding) -> Any:
    return finding.evidence["entries"]


@pytest.mark.parametrize("kind", ["jsonl", "frame"])
def test_lists_of_mixed_kinds_are_findings(kind: str, tmp_path: Path) -> None:
    cells: list[Any] = [*SETS]
    cells[3], cells[4], cells[5], cells[6] = ["cat", 3], ["dog", None, {"a": [1]}], "cat", ["cat", "cat", "dog"]
    cells[7] = None
    frame = pd.DataFrame({"text": TEXTS, "labels": pd.Series(cells, dtype=object)})
    found = strange(frame if kind == "frame" else write(frame, tmp_path, kind))
    assert found == {
        "numbers and texts in one list": 1,
        "an empty label": 1,
        "an entry that is no label": 1,
        "a value that is no list": 1,
        "a label twice": 1,
    }


@pytest.mark.parametrize("kind", ["csv", "parquet", "frame"])
def test_other_values_than_0_and_1_are_findings(kind: str, tmp_path: Path) -> None:
    flags = FLAGS.astype(float)
    flags.loc[2, "cat"], flags.loc[3:4, "cat"], flags.loc[5, "dog"], flags.loc[6] = 2, -1, np.nan, np.nan
    frame = pd.concat([pd.DataFrame({"text": TEXTS}), flags], axis=1)
    source = frame if kind == "frame" else write(frame, tmp_path, kind)
    assert strange(source) == {"'cat' is neither 0 nor 1": 3, "'dog' is missing": 1}
    (missing,) = scanned(source, select=["LBL104"]).findings
    assert missing.affected.count == 1


def test_empty_sets_are_no_missing_labels() -> None:
    report = scanned(pd.DataFrame({"text": TEXTS, "labels": SETS}), select=["LBL104", "LBL110"])
    assert [(f.code, f.severity, f.affected.count) for f in report.findings] == [("LBL110", "info", SETS.count([]))]


def test_deep_and_long_lists_are_read_as_what_they_are() -> None:
    cells = [str(labels) for labels in SETS]
    cells[0], cells[1], cells[2] = "[" * 50_000 + "]" * 50_000, "[" + "'a', " * 50_000 + "]", "[9" + "9" * 5_000 + "]"
    found = strange(pd.DataFrame({"text": TEXTS, "labels": cells}), label="labels")
    assert found == {"a value that is no list": 3}


def test_the_last_columns_of_a_list_of_pictures_are_its_labels_and_may_be_uncertain(tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {"Path": [f"xrays/{k:03d}.png" for k in range(60)], "Age": rng.integers(20, 90, 60), "View": "AP"}
    )
    (tmp_path / "xrays").mkdir()
    for name in table["Path"]:
        Image.fromarray(rng.integers(0, 255, (8, 8), dtype=np.uint8)).save(tmp_path / name)
    for name in ["Edema", "Fracture", "Lung Lesion", "No Finding"]:
        table[name] = rng.choice([0, 1, -1, np.nan], 60, p=[0.6, 0.2, 0.1, 0.1])
    table.to_csv(tmp_path / "list.csv", index=False)
    report = scanned(tmp_path, cache=False, select=["LBL105", "VAL105"])
    assert (report.modality, report.label and report.label.task) == ("images", "multi-label")
    (finding,) = report.findings
    assert finding.code == "LBL105"
    assert "is neither 0 nor 1" in finding.message or "is missing" in finding.message
