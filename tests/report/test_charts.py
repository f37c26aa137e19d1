"""The numbers of the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from datalint.core.terms import Storage
from datalint.report.html.charts import WIDTH, pooled_chart, scale_chart
from datalint.report.html.matrices import confusion, overlap_matrix
from datalint.report.html.repairs import Repairs
from datalint.report.html.scatter import scatter
from datalint.report.models import Affected
from datalint.report.views import ColumnScale, Overlap, Scales, Size, Sizes
from tests.report import examples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue


def scales(*deviations: float) -> Scales:
    columns = tuple(
        ColumnScale(name=f"c{k}", low=-2 * d, high=d, mean=0.0, deviation=d) for k, d in enumerate(deviations)
    )
    return Scales(split="train", columns=columns, features=len(columns))


@pytest.mark.parametrize("deviations", [(1.0,), (3e-9, 4e12), (0.5, 2.0), (1e-300, 1e300), (7.0, 9.0)])
def test_scales_share_an_axis_with_one_as_a_tick(deviations: tuple[float, ...]) -> None:
    chart = scale_chart(scales(*deviations), 20)
    assert chart is not None
    assert chart.axis.home in chart.axis.lines
    assert (chart.axis.lines[0], chart.axis.lines[-1]) == (0, WIDTH)
    assert chart.axis.ticks[chart.axis.lines.index(chart.axis.home)] == "1"
    assert len(chart.axis.ticks) <= 8
    steps = {round(b - a) for a, b in zip(chart.axis.lines, chart.axis.lines[1:], strict=False)}
    assert max(steps) - min(steps) <= 1
    for deviation, row in zip(deviations, chart.rows, strict=True):
        assert row.reach is not None
        assert 0 <= row.start <= row.start + row.length <= WIDTH
        assert 0 <= row.reach[0] <= row.reach[1] <= WIDTH
        edge = row.start if deviation >= 1 else row.start + row.length
        assert edge == pytest.approx(chart.axis.home, abs=0.2)


def test_scales_say_what_is_left_out_and_nothing_of_constants() -> None:
    chart = scale_chart(scales(*[10.0**k for k in range(30)]), 5)
    assert chart is not None
    assert (len(chart.rows), chart.hidden) == (5, 25)
    assert scale_chart(scales(0.0, 0.0), 5) is None


def test_overlap_is_shaded_by_share_and_not_where_a_split_meets_itself() -> None:
    matrix = overlap_matrix(
        Overlap(splits=("train", "test"), samples=(1_000, 100), shared=((7, 60), (50, 0)), exact=False)
    )
    assert matrix is not None
    (_, train), (_, test) = matrix.rows
    assert [cell.text for cell in train] == ["about 7", "about 60"]
    assert [cell.shade for cell in train] == [-1, 2]
    assert (test[0].text, test[0].note, test[0].shade) == ("about 50", "50.0%", 4)
    assert overlap_matrix(Overlap(splits=("a", "b"), samples=(1, 1), shared=((1,),))) is None


def test_confusion_counts_pairs_of_the_classes_most_involved() -> None:
    records: list[Mapping[str, JsonValue]] = [
        {"given": "10", "suggested": "9", "samples": 4},
        {"given": "9", "suggested": "10", "samples": 1},
        {"given": "rare", "suggested": "9", "samples": 1},
    ]
    matrix = confusion(records, 2)
    assert matrix is not None
    assert matrix.columns == ("→ 9", "→ 10")
    assert [(name, [cell.text for cell in cells]) for name, cells in matrix.rows] == [
        ("9", ["", "1"]),
        ("10", ["4", ""]),
    ]
    assert matrix.rows[1][1][0].shade > matrix.rows[0][1][1].shade
    assert "5 of 6 samples" in matrix.note
    assert confusion([{"given": "a", "other": "b"}], 12) is None
    assert confusion([], 12) is None


def test_pooled_rows_stand_in_the_middle_and_train_beside_it() -> None:
    records: list[Mapping[str, JsonValue]] = [
        {"column": "a", "mean (all)": 0.0, "mean (train)": 0.1},
        {"column": "b", "mean (all)": 1e-17, "mean (train)": -0.2},
    ]
    chart = pooled_chart(records, 20)
    assert chart is not None
    assert chart.wheres == ("all", "train")
    places = [dict(cells[0]) for _, cells in chart.rows]
    assert [place[0] for place in places] == [WIDTH / 2, WIDTH / 2]
    assert places[0][1] - WIDTH / 2 == pytest.approx((WIDTH / 2 - places[1][1]) / 2, abs=0.2)
    assert chart.panels[0].axis.ticks[1] == "0"
    assert pooled_chart([{"column": "a", "mean": 1.0}], 20) is None
    assert pooled_chart([{"column": "a", "mean (all)": 1.0, "mean (train)": None}], 20) is None


@pytest.mark.parametrize("factor", [2, 40])
def test_sizes_mirror_each_other_at_the_line_of_equal_sides(factor: int) -> None:
    points = (
        Size(width=30, height=40, images=2, mark="swapped"),
        Size(width=40, height=30, images=200),
        Size(width=40 * factor, height=30 * factor, images=1),
    )
    drawn = scatter(Sizes(points=points, distinct=5), 2)
    assert drawn is not None
    assert drawn.points[-1].mark == "swapped"
    by_title = {point.title.split(":")[0]: point for point in drawn.points}
    assert by_title["30 x 40"].x < by_title["40 x 30"].x
    assert by_title["30 x 40"].y < by_title["40 x 30"].y
    assert by_title["30 x 40"].r < by_title["40 x 30"].r
    assert all(0 <= p.x <= drawn.width and 0 <= p.y <= drawn.height for p in drawn.points)
    assert len(drawn.x_ticks) >= 2
    assert len(drawn.y_ticks) >= 2
    assert (len(drawn.rows), drawn.hidden) == (2, 3)


def test_a_command_is_told_where_something_can_be_mended() -> None:
    dataset = examples.diabetes().model_copy(update={"path": "data/my set"})
    drop = examples.finding("VAL101", "all-zero-inputs", "warning", "m", affected=Affected(count=2))
    repairs = Repairs()
    assert repairs.command(drop, dataset) == "datalint fix 'data/my set' --out FOLDER --select VAL101"
    noisy = examples.finding("LBL102", "noisy-labels", "warning", "m")
    assert repairs.command(noisy, dataset).endswith("--select LBL102 --unsafe")
    assert repairs.command(examples.finding("SPL103", "s", "error", "m"), dataset) == ""
    assert repairs.command(drop.model_copy(update={"severity": "info"}), dataset) == ""
    assert repairs.command(drop, dataset.model_copy(update={"storage": Storage.MEMORY})) == ""
    assert repairs.command(examples.finding("ORD101", "o", "warning", "m"), examples.digits(0)[0]) == ""
