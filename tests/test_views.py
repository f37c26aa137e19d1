"""What the report's pictures show, against counts made in another way."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import datalint
from datalint.engine.engine import Serial
from datalint.engine.measure import measure
from datalint.judge.judge import judge
from datalint.measures.base import Settings
from datalint.report.models import DatasetReport, Report
from datalint.report.views import Views
from datalint.rules.registry import select_rules
from datalint_rules.splits.split_overlap import SplitOverlap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datalint.profile.profile import Profile
    from datalint.rules.base import Found, Rule


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"x{k}": rng.normal(size=rows) * 10.0**k for k in range(4)})
    frame["label"] = rng.choice(["yes", "no"], rows)
    return frame


def views(report: Report) -> Views:
    return report.datasets[0].views


def test_overlap_counts_what_every_pair_of_splits_shares() -> None:
    train, validation, test = table(200), table(60, 1), table(50, 2)
    validation.iloc[:7] = train.iloc[:7]
    validation.iloc[7] = train.iloc[0]
    test.iloc[:3] = validation.iloc[10:13]
    test.iloc[3] = train.iloc[5]
    train.iloc[150:154] = train.iloc[100]
    parts = {"train": train, "validation": validation, "test": test}
    found = views(datalint.scan(parts, label="label", select=["SPL101"])).overlap
    assert found is not None
    keys = [frame.drop(columns="label").apply(tuple, axis=1) for frame in parts.values()]
    expected = [
        [int(a.duplicated().sum()) if i == j else int(a.isin(set(b)).sum()) for j, b in enumerate(keys)]
        for i, a in enumerate(keys)
    ]
    assert found.splits == ("train", "validation", "test")
    assert [list(row) for row in found.shared] == expected
    assert found.samples == (200, 60, 50)
    assert expected[1][0] == 8
    assert expected[0][0] == 4


def test_scales_are_those_of_the_training_split_farthest_from_one_first() -> None:
    train = table(300).assign(constant=4.0)
    found = views(datalint.scan({"train": train, "test": table(90, 1).assign(constant=4.0)}, label="label")).scales
    assert found is not None
    assert [column.name for column in found.columns] == ["x3", "x2", "x1", "x0", "constant"]
    for column in found.columns:
        assert column.low == pytest.approx(train[column.name].min(), rel=1e-5)
        assert column.high == pytest.approx(train[column.name].max(), rel=1e-5)
        assert column.deviation == pytest.approx(train[column.name].std(ddof=0), rel=1e-5)


def test_of_many_columns_the_worst_are_kept() -> None:
    rng = np.random.default_rng(0)
    wide = pd.DataFrame({f"c{k:02}": rng.normal(size=50) * 2.0**k for k in range(60)})
    found = views(datalint.scan(wide.assign(label=["a", "b"] * 25), label="label", select=["NRM101"])).scales
    assert found is not None
    assert (len(found.columns), found.features) == (40, 60)
    assert {column.name for column in found.columns} == {f"c{k:02}" for k in range(20, 60)}


def folder(root: Path, sizes: dict[tuple[int, int], int], tag: int = 0) -> Path:
    rng = np.random.default_rng(3)
    number = 0
    for (width, height), amount in sizes.items():
        for _ in range(amount):
            path = root / f"class_{number % 2}" / f"{number:03}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            exif = Image.Exif()
            if number < tag:
                exif[0x0112] = 6
            picture = Image.fromarray(rng.integers(0, 255, (height, width, 3), dtype=np.uint8))
            picture.save(path, exif=exif)
            number += 1
    return root


def test_sizes_mark_what_lies_the_other_way_round(tmp_path: Path) -> None:
    root = folder(tmp_path / "data", {(40, 30): 5, (30, 40): 4, (64, 48): 20, (48, 64): 3}, tag=2)
    found = views(datalint.scan(root, select=["IMG101"])).sizes
    assert found is not None
    points = {(p.width, p.height, p.mark): p.images for p in found.points}
    # Two files of 40 x 30 are turned by their tag, so that 30 x 40 is the more frequent way round.
    assert points == {
        (30, 40, "tagged"): 2,
        (30, 40, ""): 4,
        (40, 30, "swapped"): 3,
        (64, 48, ""): 20,
        (48, 64, "swapped"): 3,
    }
    assert views(datalint.scan(folder(tmp_path / "same", {(8, 8): 12}), select=["IMG101"])).sizes is None


def test_first_batches_are_the_first_rows_as_stored() -> None:
    frame = table(100)
    report = datalint.scan({"train": frame, "test": table(20, 1)}, label="label", batch_size=10)
    found = views(report).first_batches
    assert found is not None
    assert (found.split, found.batch_size, found.columns) == ("train", 10, ("x0", "x1", "x2", "x3"))
    assert [batch.samples for batch in found.batches] == [10, 10]
    for number, batch in enumerate(found.batches):
        rows = frame.iloc[10 * number : 10 * number + 10]
        assert batch.labels == rows["label"].value_counts().to_dict()
        assert [sample.label for sample in batch.shown] == rows["label"].to_list()
        assert [sample.index for sample in batch.shown] == list(rows.index)
        values = np.array([sample.values for sample in batch.shown], np.float64)
        assert values == pytest.approx(rows[["x0", "x1", "x2", "x3"]].to_numpy(), rel=1e-5)


def test_first_batches_of_a_split_told_by_a_column(tmp_path: Path) -> None:
    frame = table(100).assign(split=["test"] * 30 + ["train"] * 70)
    frame.to_csv(tmp_path / "rows.csv", index=False)
    report = datalint.scan(tmp_path / "rows.csv", label="label", batch_size=16)
    found = views(report).first_batches
    assert found is not None
    assert found.split == "train"
    assert [s.label for s in found.batches[1].shown] == frame["label"].iloc[46:62].to_list()
    assert found.batches[0].shown[0].id.endswith(f"rows.csv:{30 + 2}")
    assert "split" not in found.columns


def test_first_batches_of_pictures_bring_their_thumbnails(tmp_path: Path) -> None:
    report = datalint.scan(folder(tmp_path, {(40, 30): 20}), select=["ORD101"], batch_size=4)
    found = views(report).first_batches
    assert found is not None
    assert [batch.labels for batch in found.batches] == [{"class_0": 4}, {"class_0": 4}]
    shown = [sample.id for batch in found.batches for sample in batch.shown]
    assert len(shown) == 8
    assert all(report.thumbnails[name][8:12] == b"WEBP" for name in shown)


def test_first_batches_of_an_array_bring_their_thumbnails(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures, labels = rng.integers(0, 255, (300, 16, 16), dtype=np.uint8), rng.integers(0, 3, 300)
    np.savez(tmp_path / "digits.npz", x_train=pictures, y_train=labels)
    report = datalint.scan(tmp_path / "digits.npz")
    found = views(report).first_batches
    assert found is not None
    assert [s.label for s in found.batches[0].shown] == [str(label) for label in labels[:32]]
    assert {s.id for b in found.batches for s in b.shown} <= set(report.thumbnails)


def test_long_texts_missing_values_and_numbers_to_predict() -> None:
    frame = table(40).assign(text="word " * 100, y=np.arange(40) / 7)
    frame.loc[0, "x1"] = np.nan
    report = datalint.scan(frame.drop(columns="label"), label="y")
    found = views(report).first_batches
    assert found is not None
    first = dict(zip(found.columns, found.batches[0].shown[0].values, strict=True))
    assert first["x1"] is None
    assert len(str(first["text"])) == 60
    assert found.batches[0].shown[7].label == 1.0
    assert found.batches[0].labels == {}


def test_views_are_the_same_for_any_number_of_workers(tmp_path: Path) -> None:
    for k in range(4):
        table(150, k).to_csv(tmp_path / f"part-{k}.csv", index=False)
    one, three = (datalint.scan(tmp_path, label="label", jobs=jobs) for jobs in (1, 3))
    assert views(one) == views(three)
    assert views(one).first_batches is not None


def test_what_was_not_measured_is_left_out() -> None:
    found = views(datalint.scan(table(100), label="label", select=["ORD101"]))
    assert (found.overlap, found.scales, found.sizes) == (None, None, None)


def test_samples_can_be_withheld_and_counts_stay() -> None:
    report = datalint.scan(table(100), label="label")
    withheld = datalint.scan(table(100), label="label", samples=False)
    bare = views(withheld)
    assert bare.first_batches is not None
    assert [batch.shown for batch in bare.first_batches.batches] == [(), ()]
    assert sum(bare.first_batches.batches[0].labels.values()) == 32
    assert bare.overlap == views(report).overlap
    assert bare.scales is None  # ranges are values, and a mean tells of them
    page = withheld.to_html()
    assert "First batches as the loader" in page
    assert 'class="heads"' in report.to_html()
    assert 'class="heads"' not in page


def test_a_report_without_views_reads_and_shows() -> None:
    report = datalint.scan(table(100), label="label", select=["ORD101"])
    text = report.model_dump_json(by_alias=True, exclude={"datasets": {"__all__": {"views"}}})
    old = Report.model_validate_json(text)
    assert views(old) == Views()
    assert "First batches" not in old.to_html()


class Idle(SplitOverlap):
    """Needs what the overlap rule needs, and looks at none of it."""

    def check(self, profile: Profile) -> Iterator[Found]:
        yield from ()


def test_charts_and_facts_depend_on_the_rules_that_run_and_not_on_their_order_or_what_they_look_at() -> None:
    train, test = table(300), table(80, 1)
    train["label"] = np.where(train["x0"] > 0, "yes", "no")
    test.iloc[:9] = train.iloc[:9]
    (dataset,) = datalint.detect({"train": train, "test": test}, label="label")

    def judged(rules: Sequence[Rule]) -> DatasetReport:
        return judge(measure(dataset, rules, Settings(), Serial()), rules).report

    rules = [rule() for rule in select_rules(["DUP101", "SPL101", "LBL102", "SIG102", "ORD", "VAL"])]
    whole = judged(rules)
    assert whole.findings and whole.views.overlap is not None and "model" in whole.facts
    assert judged(rules[::-1]) == judged([*rules[3:], *rules[:3]]) == whole
    idle = judged([Idle()])
    assert idle.views.overlap == whole.views.overlap
    assert "model" not in idle.facts
    with pytest.raises(FrozenInstanceError):
        measure(dataset, rules, Settings(), Serial()).threads = 2  # type: ignore[misc]


def test_columns_are_told_split_by_split_with_one_axis_for_all() -> None:
    train, test = table(300), table(80, 1)
    for part in (train, test):
        part["whole"] = np.arange(len(part)) % 5
        part["town"] = np.where(np.arange(len(part)) % 3 == 0, "Rome", "Oslo")
    test.loc[:7, "x0"] = np.nan
    view = datalint.scan({"train": train, "test": test}, label="label", select=["VAL103", "SPL", "DUP101", "ORD"])
    columns = view.datasets[0].views.columns
    assert columns is not None
    assert (columns.splits, columns.samples, columns.exact) == (("train", "test"), (300, 80), True)
    by_name = {column.name: column for column in columns.columns}
    assert "label" not in by_name
    first = by_name["x0"].splits[1]
    assert first is not None and first.missing == 8 and sum(first.bins) == 72
    assert by_name["x0"].start == pytest.approx(min(train["x0"].min(), test["x0"].min()), rel=1e-3)
    whole = by_name["whole"].splits[0]
    assert whole is not None and whole.bins == (60,) * 5 and whole.median == 2
    town = by_name["town"].splits[0]
    assert town is not None and town.top == (("Oslo", 200), ("Rome", 100)) and town.distinct == 2


def test_columns_are_withheld_with_the_samples() -> None:
    report = datalint.scan({"train": table(100)}, label="label", select=["VAL", "DUP"], samples=False)
    assert report.datasets[0].views.columns is None
