from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from datalint.sources.tables.labels import ColumnHead, LabelChoice, LabelNotFound, choose_label, roles, task_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.roles import HeadKind

N = 120
RNG = random.Random(3)


def real(name: str) -> ColumnHead:
    return ColumnHead(name, "number", [RNG.gauss(0, 1) for _ in range(N)])


def whole(name: str, values: int, start: int = 0) -> ColumnHead:
    return ColumnHead(name, "number", [float(start + i % values) for i in range(N)])


def words(name: str, *values: str) -> ColumnHead:
    return ColumnHead(name, "text", [values[i % len(values)] for i in range(N)])


def choose(*columns: ColumnHead, header: bool = True) -> tuple[str, str] | None:
    choice = choose_label(columns, header=header)
    return (choice.name, choice.confidence) if choice else None


def test_explicit_label() -> None:
    table = [real("a"), real(" Price "), real("b")]
    assert choose_label(table, header=True, explicit="a") == LabelChoice("a", "asked for", "certain")
    for asked in (" Price ", "price", 1, "1", -2):
        choice = choose_label(table, header=True, explicit=asked)
        assert choice is not None
        assert choice.name == " Price "


def test_explicit_label_that_does_not_exist_names_the_near_ones() -> None:
    with pytest.raises(LabelNotFound, match="did you mean 'target'") as raised:
        choose_label([real("target"), real("a")], header=True, explicit="Traget")
    assert raised.value.near == ["target"]
    with pytest.raises(LabelNotFound):
        choose_label([real("a")], header=True, explicit=7)


def test_structure_beats_names() -> None:
    table = [whole("class", 3), real("a"), whole("survived", 2)]
    lacking = choose_label(table, header=True, only_in_train=["survived"])
    assert lacking is not None
    assert (lacking.name, lacking.confidence) == ("survived", "high")
    bikes = [real("a"), real("casual"), real("registered"), real("rentals")]
    asked = choose_label(
        bikes, header=True, only_in_train=["casual", "registered", "rentals"], submission=["datetime", "rentals"]
    )
    assert asked is not None
    assert (asked.name, asked.confidence) == ("rentals", "high")


@pytest.mark.parametrize("name", ["label", "Label ", "LABELS", "Target", "targets", "Class", "CLASS", "y"])
def test_names_that_mean_label(name: str) -> None:
    assert choose(whole(name, 3), real("a"), real("b")) == (name, "high")
    assert choose(real("a"), real(name)) == (name, "high")


def test_y_beside_x_is_a_coordinate() -> None:
    assert choose(real("x"), real("y"), real("z")) is None
    assert choose(real("X"), real("Y"), whole("target", 2)) == ("target", "high")


def test_label_beside_target() -> None:
    assert choose(real("a"), whole("target", 2), whole("label", 3)) == ("label", "medium")
    same = choose_label([real("a"), whole("target", 3), words("label", "a", "b", "c")], header=True)
    assert same is not None
    assert (same.name, same.confidence, same.twins) == ("label", "high", ("target",))


def test_twins_write_the_label_another_way() -> None:
    choice = choose_label([real("a"), whole("label", 2), words("label_name", "cat", "dog")], header=True)
    assert choice is not None
    assert (choice.name, choice.twins) == ("label", ("label_name",))
    unlike = choose_label([whole("label", 2), words("label_source", "x", "y", "z")], header=True)
    assert unlike is not None
    assert unlike.twins == ()


@pytest.mark.parametrize(
    "name", ["outcome", "category", "response", "ground_truth", "Class_ID", "target_price", "is_fraud"]
)
def test_names_that_usually_mean_label(name: str) -> None:
    assert choose(real("a"), real("b"), whole(name, 2)) == (name, "medium")


@pytest.mark.parametrize(
    "name", ["Species", "Survived", "diagnosis", "Churn", "default payment next month", "Purchased"]
)
def test_targets_of_teaching_data(name: str) -> None:
    assert choose(whole("n", 5), whole(name, 2), real("a"), words("b", "x", "y")) == (name, "medium")


def test_a_weak_name_counts_only_at_an_end() -> None:
    assert choose(real("a"), real("b"), real("price")) == ("price", "medium")
    assert choose(real("a"), real("price"), real("b")) is None
    assert choose(real("price"), words("purchase", "a", "b"), real("b")) == ("purchase", "medium")


def test_a_class_inside_the_table_yields_to_a_known_target() -> None:
    titanic = [whole("survived", 2), words("sex", "m", "f"), words("class", "1st", "2nd", "3rd"), real("fare")]
    assert choose(*titanic) == ("survived", "medium")


def test_position_with_a_header() -> None:
    floats = [real("a"), real("b"), real("c"), real("d")]
    assert choose(*floats, words("kind", "u", "v")) == ("kind", "low")
    assert choose(*floats, whole("level", 4)) == ("level", "low")
    assert choose(*floats, words("sex", "m", "f")) == ("sex", "low")
    assert choose(words("a", "x", "y"), words("b", "x", "y"), whole("level", 4)) == ("level", "low")
    assert choose(*floats, real("e")) is None


@pytest.mark.parametrize(
    ("sizes", "confidence"), [((50, 50, 50), "medium"), ((50, 40, 60), "medium"), ((10, 40, 90), "low")]
)
def test_runs_of_equal_length_make_the_last_column_a_label(sizes: tuple[int, ...], confidence: str) -> None:
    values = np.repeat(["a", "b", "c"], sizes)
    columns = [
        ColumnHead(name, "number", list(np.random.default_rng(k).normal(size=len(values))))
        for k, name in enumerate("pqrs")
    ]
    for order, sure in ((values, confidence), (np.random.default_rng(9).permutation(values), "low")):
        choice = choose_label([*columns, ColumnHead("kind", "text", order.tolist())], header=True)
        assert choice is not None and (choice.name, choice.confidence) == ("kind", sure)


def test_position_without_a_header() -> None:
    floats = [real(f"column_{i}") for i in range(1, 5)]
    assert choose(*floats, words("column_5", "g", "h"), header=False) == ("column_5", "medium")
    assert choose(words("column_0", "M", "F", "I"), *floats, words("column_5", "p", "n"), header=False) == (
        "column_5",
        "medium",
    )
    assert choose(*floats, real("column_5"), header=False) == ("column_5", "low")


def test_first_column_where_the_last_cannot_be_the_label() -> None:
    flags = [words(f"column_{i}", "t", "f") for i in range(2, 8)]
    gaps = ColumnHead("column_8", "number", [1.5 if i % 9 == 0 else None for i in range(N)])
    assert choose(words("column_1", "sick", "negative"), *flags, gaps, header=False) == ("column_1", "low")
    letters = [whole(f"column_{i}", 16) for i in range(2, 18)]
    assert choose(words("column_1", *"ABCDEFGHIJKLM"), *letters, header=False) == ("column_1", "low")
    pixels = [ColumnHead(f"p{i}", "number", [float(RNG.randrange(256)) for _ in range(N)]) for i in range(20)]
    border = ColumnHead("p20", "number", [0.0] * N)
    assert choose(whole("column_1", 10), *pixels, border, header=False) == ("column_1", "low")
    assert choose(border, *pixels, whole("column_22", 10), header=False) == ("column_22", "medium")


@pytest.mark.parametrize(
    "column",
    [
        words("category", "only"),
        ColumnHead("category", "text", ["a" if i == 0 else "b" if i == 1 else None for i in range(N)]),
        ColumnHead("outcome", "text", [f"free text {i}" for i in range(N)]),
        ColumnHead("row_id", "number", [float(i) for i in range(N)]),
        ColumnHead("date", "time", [f"2020-01-{1 + i % 28}" for i in range(N)]),
        words("split", "train", "test"),
        whole("fold", 5),
    ],
)
def test_columns_that_are_never_guessed(column: ColumnHead) -> None:
    assert choose(real("a"), real("b"), column) is None


def test_a_label_by_name_may_be_constant() -> None:
    # The head of a sorted file holds one class, and one class only is a fault to report.
    assert choose(real("a"), words("label", "cat")) == ("label", "high")
    assert choose(real("a"), ColumnHead("label", "text", [f"picture {i}" for i in range(N)])) is None
    assert choose(ColumnHead("a", "text", []), ColumnHead("label", "text", [])) == ("label", "high")
    assert choose() is None


def test_roles() -> None:
    count = ColumnHead("Unnamed: 0", "number", list(range(N)))
    found = roles(
        [
            count,
            ColumnHead("id", "number", RNG.sample(range(10_000), N)),
            ColumnHead("uuid", "text", [f"{i:08x}-0000-4000-8000-{i:012x}" for i in range(N)]),
            ColumnHead("filename", "text", [f"img{i}.png" for i in range(N)]),
            ColumnHead("patient_id", "text", [f"p{i // 4}" for i in range(N)]),
            ColumnHead("userId", "number", [float(i // 5) for i in range(N)]),
            ColumnHead("StoreID", "number", [float(i % 4) for i in range(N)]),
            ColumnHead("review", "text", [f"this is sentence number {i} of the file" for i in range(N)]),
            ColumnHead("created_at", "time", ["2020-01-01"] * N),
            ColumnHead("Date Egg", "text", ["11/11/07"] * N),
            ColumnHead("year", "number", [2007.0 + i % 3 for i in range(N)]),
            words("split", "train", "val", "test"),
            whole("fold", 5),
            ColumnHead("is_train", "bool", ["true", "false"] * (N // 2)),
            words("sex", "m", "f"),
            words("subset", "a", "b"),
            whole("class_id", 4),
            real("width"),
            ColumnHead("step", "number", [float(7 * i) for i in range(N)]),
            ColumnHead("empty", "text", [None] * N),
        ]
    )
    assert found == {
        "Unnamed: 0": "index",
        "id": "id",
        "uuid": "id",
        "filename": "id",
        "patient_id": "group",
        "userId": "group",
        "StoreID": "feature",
        "review": "text",
        "created_at": "time",
        "Date Egg": "time",
        "year": "time",
        "split": "split",
        "fold": "split",
        "is_train": "split",
        "sex": "feature",
        "subset": "feature",
        "class_id": "feature",
        "width": "feature",
        "step": "index",  # every seventh row of a spread head
        "empty": "feature",
    }


@pytest.mark.parametrize(
    ("name", "texts", "role"),
    [
        ("Month", [f"{1 + k // 12}-{1 + k % 12:02d}" for k in range(36)], "time"),
        ("period", [f"{1960 + k // 12}M{1 + k % 12:02d}" for k in range(36)], "time"),
        ("Month", ["Jan", "Feb", "Mar"] * 12, "feature"),
        ("day", [f"{k % 7}th" for k in range(36)], "feature"),
        ("time", ["morning", "noon", "evening"], "feature"),
        ("months since", [f"code {k}" for k in range(36)], "id"),
    ],
)
def test_roles_of_what_may_be_a_time(name: str, texts: list[str], role: str) -> None:
    assert roles([ColumnHead("x", "number", [0.5] * len(texts)), ColumnHead(name, "text", texts)])[name] == role


@pytest.mark.parametrize(
    ("kind", "values", "task"),
    [
        ("text", "abc" * 9, "classification"),
        ("bool", ["true", "false"] * 5, "classification"),
        ("number", [0.0, 1.0] * 5, "classification"),
        ("number", [-1.0, 1.0] * 5, "classification"),
        ("number", [0.5, 1.5, 2.5] * 9, "classification"),
        ("number", [0.5, 1.5, 2.5, 3.5] * 9, "regression"),
        ("number", [3.0, 4.0, 5.0, 6.0, 7.0, 8.0] * 9, "classification"),
        ("number", [float(i) for i in range(15)], "regression"),
        ("number", [float(i) for i in range(1000)] * 5, "classification"),
        ("number", [float(i) for i in range(1, 101)] * 3, "classification"),
        ("number", [float(i) for i in range(1, 101)] * 2, "regression"),
        ("number", [float(18 + i) for i in range(60)] * 9, "regression"),
        ("number", [float(round(random.Random(i).triangular(0, 100, 60))) for i in range(20_000)], "regression"),
        ("number", [float(i) for i in range(60) for _ in range(3 + 900 // (i + 1))], "classification"),
    ],
)
def test_task(kind: HeadKind, values: Sequence[float | str], task: str) -> None:
    counts = Counter(values)
    integral = all(isinstance(value, float) and value.is_integer() for value in counts)
    assert task_of(kind, counts, len(values), integral) == task


def test_task_of_too_many_values() -> None:
    assert task_of("number", None, 50_000, True) == "regression"
    assert task_of("text", None, 50_000, False) == "classification"


def test_fifty_thousand_columns() -> None:
    shared = [RNG.random() for _ in range(2_000)]
    wide = [ColumnHead(f"gene_{i}", "number", shared) for i in range(50_000)]
    wide.append(ColumnHead("tissue", "text", ["a", "b"] * 1_000))
    choice = choose_label(wide, header=True)
    assert choice is not None
    assert (choice.name, choice.confidence) == ("tissue", "low")
    assert set(roles(wide).values()) == {"feature"}
