"""One scan: what becomes of rules that break or give up, and what the report does not depend on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import datalint
from datalint.core.errors import DatalintError
from datalint.engine.engine import Serial
from datalint.engine.measure import measure
from datalint.engine.plan import plan
from datalint.judge.judge import judge
from datalint.measures.base import Settings
from datalint.measures.places import Places
from datalint.rules.base import Cases, Found, Rule, Severity, Skip
from datalint.rules.registry import select_rules
from datalint.sources.objects.memory import from_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.clean import Clean, Planted
    from datalint.core.dataset import Dataset
    from datalint.measures.base import Measurement
    from datalint.profile.profile import Profile
    from datalint.report.models import DatasetReport, RuleStatus


class Made(Rule):
    """A rule that yields what it is given to yield."""

    name = "made"
    severity: ClassVar[Severity] = "warning"
    item = "1"

    def __init__(self, code: str, *does: Any) -> None:
        super().__init__()
        self.code = code  # type: ignore[misc]
        self.does = does

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        return ()

    def check(self, profile: Profile) -> Iterator[Found]:
        for step in self.does:
            if isinstance(step, BaseException):
                raise step
            yield step

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        return None


def found(**more: Any) -> Found:
    return Found(message="m", remedy="r", consequence="c", **more)


def table(n: int = 240, seed: int = 0) -> pd.DataFrame:
    """Numbers, text, gaps, duplicates, an all-zero row and labels partly in order."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "height": np.round(rng.normal(170, 9, n), 2),
            "dose": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 40, n) / 8),
            "age": rng.integers(18, 90, n),
            "weight": np.round(rng.normal(70, 12, n), 1),
            "kind": rng.choice(["left", "right"], n),
            "label": rng.choice(["healthy", "ill"], n, p=[0.92, 0.08]),
        }
    )
    frame.loc[n // 2 :, "height"] += 30
    frame.loc[: n // 3, "label"] = "healthy"
    frame.loc[[5, 17, 200], ["height", "dose", "age", "weight"]] = 0
    frame.loc[[5, 17, 200], "kind"] = None
    frame.loc[60:66] = frame.loc[50:56].to_numpy()
    return frame


def dataset_of(frame: pd.DataFrame) -> Dataset:
    return from_object(frame, "label" if "label" in frame else None)[0]


def recut(dataset: Dataset, cuts: Sequence[int]) -> Dataset:
    """The same rows in other partitions; each row keeps its name."""
    parts: list[Any] = []
    frames: Any = dataset.partitions
    for whole in frames:
        n = whole.table.num_rows
        ends = [0, *sorted(min(cut, n) for cut in cuts), n]
        parts += [replace(whole, table=whole.table.slice(a, b - a), index=range(a, b)) for a, b in pairwise(ends)]
    return replace(dataset, partitions=parts)


def built_in(**more: Any) -> list[Rule]:
    return [rule() for rule in select_rules(**more)]


def scan(dataset: Dataset, chosen: Iterable[Rule]) -> DatasetReport:
    rules = list(chosen)
    return judge(measure(dataset, rules, Settings(batch_size=16), Serial()), rules).report


def status(report: DatasetReport, code: str) -> RuleStatus:
    return next(item for item in report.rules if item.code == code)


def test_a_rule_that_breaks_is_reported_and_the_others_go_on() -> None:
    rules = [
        Made("TST101", ValueError("no idea")),
        Made("TST102", found()),
        Made("TST103", found(), KeyError("late")),
        Made("TST104", found(confidence=7.0)),
        Made("TST105"),
    ]
    report = scan(dataset_of(table()), rules)
    assert [item.status for item in report.rules] == ["failed", "found", "failed", "failed", "passed"]
    assert status(report, "TST101").reason == "ValueError: no idea"
    assert status(report, "TST101").coverage == "none"
    assert [finding.code for finding in report.findings] == ["TST102"]


def test_what_a_rule_found_before_it_gave_up_is_kept() -> None:
    report = scan(
        dataset_of(table()), [Made("TST101", found(), Skip("the rest is unlabelled")), Made("TST102", Skip("x"))]
    )
    assert [finding.code for finding in report.findings] == ["TST101"]
    assert (status(report, "TST101").status, status(report, "TST101").reason) == ("found", "the rest is unlabelled")
    assert (status(report, "TST102").status, status(report, "TST102").reason) == ("skipped", "x")


def test_every_rule_is_listed_with_what_became_of_it() -> None:
    rules = built_in()
    report = scan(dataset_of(table()[["height"]]), rules)
    assert report.label is None
    assert [item.code for item in report.rules] == sorted(rule.code for rule in rules)
    for item in report.rules:
        assert item.status in {"found", "passed", "skipped"}
        assert item.status != "skipped" or item.reason


def test_findings_come_worst_first_and_name_samples_that_can_be_opened() -> None:
    places = Places(np.array([7, 3]), np.zeros(2, np.int32), np.array([7, 3]), np.array([1, 2], np.uint64))
    cases = Cases("all", places, {"given": ["a", None]})
    rules = [
        Made("TST101", found(severity="info")),
        Made("TST102", found(cases=cases)),
        Made("TST103", found(severity="error")),
    ]
    report = scan(dataset_of(table()), rules)
    assert [finding.code for finding in report.findings] == ["TST103", "TST102", "TST101"]
    samples = report.findings[1].affected.samples
    assert [(s.id, s.index, s.split, s.detail) for s in samples] == [
        ("df.iloc[7]", 7, "all", {"given": "a"}),
        ("df.iloc[3]", 3, "all", {"given": None}),
    ]
    assert samples[1].fingerprint == "0000000000000002"
    assert report.findings[1].affected.count == 2


def test_a_report_does_not_depend_on_partitions() -> None:
    """Byte for byte; ``run`` is no part of a data set's report."""
    dataset = dataset_of(table())
    whole = scan(recut(dataset, []), built_in()).model_dump_json(by_alias=True)
    assert '"code":"VAL101","rule":"all-zero-inputs","severity"' in whole
    for cuts in ([0, 1, 1, 18, 239], list(range(10, 240, 10))):
        assert scan(recut(dataset, cuts), built_in()).model_dump_json(by_alias=True) == whole


def test_a_report_of_numeric_targets_does_not_depend_on_partitions() -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"x": rng.normal(size=300), "y": rng.normal(size=300), "label": np.sort(rng.gamma(2, size=300))}
    )
    dataset = dataset_of(frame)
    whole = scan(recut(dataset, []), built_in())
    assert {finding.code for finding in whole.findings} >= {"ORD101"}
    for cuts in ([150], [1, 299], list(range(7, 300, 7))):
        assert scan(recut(dataset, cuts), built_in()) == whole


def test_fingerprints_survive_reordering_and_added_rows() -> None:
    rules = built_in(select=["LBL101", "VAL101"])
    frame = table()
    before = scan(dataset_of(frame), rules)
    rng = np.random.default_rng(5)
    turned = scan(dataset_of(frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)), rules)
    more = scan(dataset_of(pd.concat([table(seed=9).iloc[20:40], frame], ignore_index=True)), rules)
    prints = {finding.code: finding.fingerprint for finding in before.findings}
    assert set(prints) == {"LBL101", "VAL101"}
    for after in (turned, more):
        assert {finding.code: finding.fingerprint for finding in after.findings} == prints
        zeros = next(finding for finding in after.findings if finding.code == "VAL101").affected.samples
        old = next(finding for finding in before.findings if finding.code == "VAL101").affected.samples
        assert {sample.fingerprint for sample in old} == {sample.fingerprint for sample in zeros}


def test_findings_of_different_places_have_different_fingerprints() -> None:
    places: list[dict[str, str]] = [
        {},
        {"split": "all"},
        {"column": "a"},
        {"class_": "a"},
        {"column": "a", "class_": "b"},
    ]
    report = scan(dataset_of(table()), [Made("TST101", *(found(**place) for place in places)), Made("TST102", found())])
    assert len({finding.fingerprint for finding in report.findings}) == 6


def test_a_data_set_without_samples_is_an_error() -> None:
    empty = dataset_of(table())
    with pytest.raises(DatalintError, match="holds no samples"):
        scan(replace(empty, partitions=[]), built_in())


def test_a_shuffled_table_of_few_distinct_rows_is_not_called_sorted() -> None:
    rng = np.random.default_rng(0)
    n = 20_000
    risk = rng.random(n) < 0.1
    frame = pd.DataFrame(
        {
            "risk": risk.astype(int),
            "kind": rng.choice(["x", "y", "z"], n),
            "label": (rng.random(n) < np.where(risk, 0.8, 0.05)).astype(int),
        }
    )
    report = scan(dataset_of(frame), built_in(select=["ORD"]))
    assert report.findings == ()
    assert status(report, "ORD102").status == "passed"


def test_order_alone_decodes_no_picture(tmp_path: Path) -> None:
    """What the selected rules need decides what is read: a header is enough for the order of class folders."""
    rng = np.random.default_rng(0)
    for label in "ab":
        (tmp_path / label).mkdir()
        for k in range(30):
            Image.fromarray(rng.integers(0, 256, (9, 9), dtype=np.uint8)).save(tmp_path / label / f"{k:02}.png")
    (dataset,) = datalint.detect(tmp_path)
    assert "pixels" not in plan([rule() for rule in select_rules(["ORD"])], dataset, Settings()).aspects
    report = datalint.scan(tmp_path, select=["ORD"], cache=False)
    assert [status.status for status in report.datasets[0].rules].count("failed") == 0


def test_classes_are_counted_whichever_rules_there_are() -> None:
    frame = pd.DataFrame({"size": np.arange(60.0) % 17, "label": ["cat", "dog", "dog"] * 20})
    for codes in ((), ("LBL110", "LBL101")):
        (dataset,) = datalint.scan(frame, cache=False, select=codes).datasets
        assert dataset.splits[0].classes == {"cat": 20, "dog": 40}
