"""ORD102 on real and generated data."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from sklearn import datasets

import datalint
from tests.reference import named, shuffled

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding


def found(source: Any, label: str | None = "y", codes: tuple[str, ...] = ("ORD102",)) -> list[Finding]:
    return datalint.scan(source, label=label, select=codes).findings


def table(n: int = 1_000, columns: int = 4, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{j}": rng.normal(5 * j, 1 + j, n) for j in range(columns)})
    return frame.assign(y=rng.choice(["a", "b", "c"], n))


def strongest(finding: Finding) -> dict[str, Any]:
    evidence: Any = finding.evidence
    return dict(evidence["strongest"][0])


def leading(findings: list[Finding]) -> list[str]:
    """Codes of the findings that are no part of another."""
    return [finding.code for finding in findings if finding.part_of is None]


def test_two_halves_of_different_distribution() -> None:
    frame = table()
    frame.loc[500:, "x2"] += 12
    (finding,) = found(frame)
    assert finding.severity == "warning"
    assert strongest(finding)["column"] == "x2"
    assert "'x2' is higher" in finding.message
    assert "in the last 50% of the file" in finding.message


def test_parts_that_overlap_are_info() -> None:
    frame = table()
    frame.loc[500:, "x2"] += 4  # 1.3 deviations: an AUC of 0.83
    assert [finding.severity for finding in found(frame)] == ["info"]


def test_without_a_label_to_learn_it_is_info() -> None:
    frame = table().drop(columns="y")
    frame.loc[500:, "x2"] += 12
    (finding,) = found(frame, None)
    assert finding.severity == "info"


def two_halves(samples: int, share: float) -> pd.DataFrame:
    """Class a makes up this share of the first half, and b of the second."""
    first = np.where(np.arange(samples) < samples // 2, share, 1 - share)
    return table(samples).assign(y=np.where(np.random.default_rng(0).random(samples) < first, "a", "b"))


@pytest.mark.parametrize(
    ("samples", "share", "lead"),
    [
        # The order is slight, as batches hold both classes: the drift leads.
        (600, 0.85, "ORD102"),
        (1_200, 0.8, "ORD102"),
        # Both are warnings: the order leads.
        (1_200, 0.9, "ORD101"),
    ],
)
def test_halves_whose_labels_differ(samples: int, share: float, lead: str) -> None:
    frame = two_halves(samples, share)
    (alone,) = found(frame)
    assert alone.severity == "warning"
    assert strongest(alone)["column"] == "y"
    together = [finding for finding in datalint.scan(frame, label="y", preset="fast").findings if "ORD" in finding.code]
    assert {finding.code for finding in together} >= {"ORD101", "ORD102"}
    assert [(finding.code, finding.severity) for finding in together if finding.part_of is None] == [(lead, "warning")]


def test_a_guessed_label_is_no_ground_for_a_warning() -> None:
    frame = two_halves(600, 0.85).rename(columns={"y": "x4"})
    report = datalint.scan(frame, select=["ORD102"])
    label = report.datasets[0].label
    assert label is not None
    assert (label.name, label.confidence) == ("x4", "low")
    (guess,) = report.findings
    assert (strongest(guess)["column"], guess.severity) == ("x4", "info")


def test_an_appended_shard(tmp_path: Path) -> None:
    table(900).to_csv(tmp_path / "part-0.csv", index=False)
    late = table(300, seed=1)
    late["x1"] += 5
    late.to_csv(tmp_path / "part-1.csv", index=False)
    (finding,) = found(tmp_path)
    assert strongest(finding)["column"] == "x1"
    assert 0.7 <= strongest(finding)["from_share"] <= 0.8


def test_a_block_of_one_category() -> None:
    frame = table(2_000)
    place = np.random.default_rng(2).choice(["lab", "field", "web"], 2_000).astype(object)
    place[:400] = "lab"
    (finding,) = found(frame.assign(place=place))
    assert finding.severity == "warning"
    assert strongest(finding)["column"] == "place"
    assert strongest(finding)["to_share"] <= 0.2


def test_a_trend() -> None:
    frame = table()
    frame["x0"] += np.linspace(0, 5, len(frame))
    (finding,) = found(frame)
    assert strongest(finding)["column"] == "x0"


def test_a_slight_trend_is_info() -> None:
    frame = table(4_000)
    frame["x0"] += np.linspace(0, 1.3, len(frame))
    assert [finding.severity for finding in found(frame)] == ["info"]


def test_a_drift_too_small_to_matter_is_silent() -> None:
    frame = table(10_000)
    frame["x0"] += np.linspace(0, 0.4, len(frame))
    assert not found(frame)


def test_only_the_drifting_split_is_named() -> None:
    train = table()
    train.loc[700:, "x3"] -= 20
    (finding,) = found({"train": train, "test": table(500, seed=3)})
    assert finding.split == "train"


def test_gaps_do_not_hide_a_drift() -> None:
    frame = table()
    frame.loc[600:, "x2"] += 12
    frame.loc[frame.index[::3], "x2"] = np.nan
    assert strongest(found(frame)[0])["column"] == "x2"


@pytest.mark.parametrize("name", ["id", "Unnamed: 0", "row_number", "nr", "position"])
@pytest.mark.parametrize("step", [1, -1, 10])
def test_columns_that_count_the_rows_are_set_aside(name: str, step: int) -> None:
    frame = table()
    frame.insert(0, name, 7 + step * np.arange(len(frame)))
    assert not found(frame)


def test_columns_that_grow_like_a_counter_are_set_aside() -> None:
    frame = table()
    frame.insert(0, "ticket", np.cumsum(np.random.default_rng(4).integers(1, 9, len(frame))))
    assert not found(frame)


def test_time_columns_are_set_aside() -> None:
    frame = table()
    frame.insert(0, "recorded", pd.date_range("2024-01-01", periods=len(frame), freq="h"))
    assert not found(frame)


@pytest.mark.parametrize("form", ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d %b %Y"])
def test_a_time_grows_however_it_is_written(form: str) -> None:
    frame = table()
    frame.loc[500:, "x2"] += 12
    moments = pd.date_range("1958-01-01", periods=len(frame), freq="11D")
    (finding,) = found(frame.assign(date=moments.strftime(form)))
    assert finding.severity == "info"


def test_beside_a_growing_time_it_is_info() -> None:
    frame = table()
    frame.insert(0, "recorded", pd.date_range("2024-01-01", periods=len(frame), freq="h"))
    frame["x0"] += np.linspace(0, 6, len(frame))
    (finding,) = found(frame)
    assert finding.severity == "info"
    assert "'recorded'" in finding.remedy


@pytest.mark.parametrize("loader", ["iris", "wine"])
def test_a_file_sorted_by_its_label_is_reported_once(loader: str) -> None:
    frame = getattr(datasets, f"load_{loader}")(as_frame=True).frame
    assert leading(found(frame, "target", ("ORD101", "ORD102"))) == ["ORD101"]
    (alone,) = found(frame, "target")
    assert (alone.severity, strongest(alone)["column"]) == ("warning", "target")


def test_a_file_sorted_by_its_numeric_target_is_reported_once() -> None:
    frame = datasets.load_diabetes(as_frame=True, scaled=False).frame.sort_values("target")
    findings = found(frame, "target", ("ORD101", "ORD102"))
    assert {finding.code for finding in findings if finding.severity == "warning"} == {"ORD101"}


def test_class_folders_are_skipped(tmp_path: Path) -> None:
    report = datalint.scan(named("photo crops").write(tmp_path / "photos"), select=["ORD102"])
    assert report.datasets[0].rules[0].status == "skipped"


def test_pictures_that_grow_darker() -> None:
    rng = np.random.default_rng(5)
    pictures = rng.integers(100, 200, (400, 16, 16), dtype=np.uint8)
    labels = rng.integers(0, 3, 400)
    assert not found((pictures, labels), None)
    pictures[300:] //= 3
    assert strongest(found((pictures, labels), None)[0])["column"] in {"brightness", "contrast"}


# --- shuffled data --------------------------------------------------------------------------------------------------


def ties(n: int, rng: np.random.Generator) -> pd.DataFrame:
    frame = pd.DataFrame({f"x{j}": rng.poisson(0.3, n) for j in range(20)})
    return frame.assign(place=rng.choice(list("abcdefghij"), n), y=rng.choice(["a", "b"], n, p=[0.97, 0.03]))


def heavy(n: int, rng: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame({f"x{j}": rng.pareto(0.8, n) for j in range(20)}).assign(y=rng.pareto(1.0, n))


def tied_to_label(n: int, rng: np.random.Generator) -> pd.DataFrame:
    labels = rng.integers(0, 60, n)
    return pd.DataFrame({f"x{j}": labels * 3 + rng.normal(size=n) for j in range(20)}).assign(y=labels)


@pytest.mark.parametrize(("columns", "copies"), [(5, 100), (50, 100), (500, 15)])
def test_at_most_one_alarm_in_a_hundred_shuffles(columns: int, copies: int) -> None:
    rng = np.random.default_rng(columns)
    frame = table(300, columns)
    assert sum(bool(found(shuffled(frame, rng))) for _ in range(copies)) <= copies // 100


@pytest.mark.parametrize("make", [ties, heavy, tied_to_label])
@pytest.mark.parametrize("n", [45, 250])
def test_no_alarm_on_shuffled_oddities(make: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    assert sum(bool(found(make(n, rng))) for _ in range(40)) == 0


def test_columns_of_few_values_are_told_by_their_mean() -> None:
    frame = table()
    frame["flag"] = 0.0
    frame.loc[800:980, "flag"] = [0.0, 0.0, 1.0] * 60 + [0.0]
    (finding,) = found(frame)
    assert "'flag' is higher (mean " in finding.message
    assert "elsewhere 0)" in finding.message


@pytest.mark.parametrize("in_order", [True, False])
def test_conversations_that_lie_source_by_source(in_order: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    sources = np.repeat(["code", "maths", "chat"], 100)
    words = [f"word{k}" for k in range(300)]
    records = [
        {
            "messages": [
                {"role": "user", "content": " ".join(rng.choice(words, 8))},
                {"role": "assistant", "content": " ".join(rng.choice(words, 12))},
            ],
            "source": source,
        }
        for source in (sources if in_order else rng.permutation(sources)).tolist()
    ]
    (tmp_path / "train.jsonl").write_text("\n".join(map(json.dumps, records)))
    findings = datalint.scan(tmp_path, config=False, cache=False).findings
    assert [(f.code, f.severity) for f in findings] == [("ORD102", "warning")] * in_order
