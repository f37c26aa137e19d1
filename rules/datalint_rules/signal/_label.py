"""The label of a data set, classes or numbers, and what may predict it, as the test of no-signal takes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import MODEL_ROWS as ROWS
from datalint.author import (
    AllWell,
    OutOfFold,
    Profile,
    Skip,
    category_design,
    class_targets,
    codes_of,
    folds_of,
    inputs_of,
    labelled_rows,
    number_design,
    number_targets,
    one_thread,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

NO_LUCK = 4.0
"""Deviations of the shared models' score from that of shuffled labels beyond which there is signal. With predictions that
were made for the true labels luck spreads up to 1.5 times as wide as that: one case in 250 of labels at random lies beyond."""
MOST_WORDS = 200
"""Values of a category that is tested by itself."""
CELLS, LEAST_ROWS = 20_000_000, 2_000
"""Of the matrices that the test takes: with more columns it takes fewer rows, down to so many."""
FOLDS = 5
MOST_TRIED = 64
"""Columns among which a tree looks for a split, on average; more take long."""


@dataclass(frozen=True)
class Label:
    """The label of the sampled rows, and what may predict it."""

    rows: tuple[tuple[str, NDArray[np.int64]], ...]
    X: NDArray[np.float32]
    contents: NDArray[np.uint64]
    classes: NDArray[np.int64] | None = None
    numbers: NDArray[np.float64] | None = None
    """[samples] the one or the other."""
    said: str = ""
    """How well models of the classes did."""

    def targets(self, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """The label of some rows, for the test."""
        if self.classes is not None:
            return class_targets(self.classes[rows])
        assert self.numbers is not None
        return number_targets(self.numbers[rows])

    @property
    def largest(self) -> int:
        """Samples of the largest class."""
        return int(np.unique(self.classes, return_counts=True)[1].max()) if self.classes is not None else 0


def of_classes(profile: Profile) -> Label:
    """Classes: the shared models have tried them, and mostly there is signal to speak of."""
    if sum(len(split.counts) > 1 for split in profile.labelled) == 0:
        raise Skip("there is only one class")
    learned = profile.learned
    result = learned.result
    if isinstance(result, OutOfFold):
        gain = 1 - result.log_loss / max(result.chance_log_loss, 1e-9)
        raise AllWell(f"the inputs explain {gain:.0%} of the uncertainty about the label")
    if result.probs is None or learned.features is None:
        raise Skip(result.reason)
    if _deviation(result.probs, learned.labels) >= NO_LUCK:
        raise AllWell("the inputs say a little about the label")
    y = learned.labels
    known = np.asarray(~np.isnan(result.probs).any(1))
    ends = np.cumsum([0, *(len(rows) for _, rows in learned.rows)])
    rows = tuple(
        (name, picked[known[start:end]])
        for (name, picked), start, end in zip(learned.rows, ends[:-1], ends[1:], strict=True)
    )
    said = result.reason.partition(": ")[2]
    return Label(rows, learned.features[known], learned.inputs[known], classes=y[known], said=said)


def of_numbers(profile: Profile) -> Label:
    """Numbers to be predicted."""
    rows = []
    parts = []
    for split in profile.splits:
        picked = labelled_rows(split.rows, True, len(split.rows))
        if len(picked):
            rows.append((split.name, picked))
            parts.append((split.rows.target[picked], split.rows.inputs[picked]))
    if not rows:
        raise Skip("no sample has a label")
    y = np.concatenate([target for target, _ in parts])
    if len(np.unique(y)) < 2:
        raise Skip("all labels are equal")
    X = inputs_of(profile.dataset, profile.splits, profile.feature_names, profile.given, rows)
    return Label(tuple(rows), X, np.concatenate([contents for _, contents in parts]), numbers=y)


def _deviation(probs: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """How many deviations the log-score of the labels lies above that of shuffled ones, with the same predictions."""
    known = ~np.isnan(probs).any(1)
    shares = np.bincount(labels[known], minlength=probs.shape[1])
    scores = np.log(np.maximum(probs[known], 1e-6)) - np.log(np.maximum(shares / max(1, known.sum()), 1e-6))
    y, rows = labels[known], np.arange(int(known.sum()))
    rng = np.random.default_rng(0)
    shuffled = np.array([scores[rows, rng.permutation(y)].mean() for _ in range(200)])
    spread = float(shuffled.std())
    return float(scores[rows, y].mean() - shuffled.mean()) / spread if spread > 0 else 0.0


@one_thread()
def forest_deviations(label: Label, few: NDArray[np.int64]) -> float:
    """How many standard errors extra trees predict numbers out of fold better than chance; of classes they are among the models."""
    from sklearn.ensemble import ExtraTreesRegressor

    few = few[np.argsort(label.contents[few], kind="stable")][:ROWS]
    X, y = label.X[few], label.targets(few)[:, 0]
    if X.shape[1] == 0:
        return 0.0
    fold = folds_of(len(few), FOLDS)
    wide = min(1.0, MOST_TRIED / X.shape[1])
    said = np.zeros(len(few))
    for f in range(FOLDS):
        model = ExtraTreesRegressor(50, min_samples_leaf=3, max_features=wide, random_state=0).fit(
            X[fold != f], y[fold != f]
        )
        said[fold == f] = model.predict(X[fold == f])
    spread = float(said.std() * y.std())
    return float((said * y).mean()) / spread * len(few) ** 0.5 if spread > 0 else 0.0


def thinned(label: Label, columns: int) -> NDArray[np.int64]:
    """Rows that the test takes: of wide data fewer, chosen by their content."""
    most = max(LEAST_ROWS, CELLS // max(1, columns, label.X.shape[1]))
    if len(label.contents) <= most:
        return np.arange(len(label.contents))
    return np.sort(np.argsort(label.contents, kind="stable")[:most])


def columns_of(profile: Profile, label: Label, few: NDArray[np.int64]) -> tuple[list[str], list[NDArray[np.float32]]]:
    """The columns that vary among some rows, as the test takes them, and their names."""
    splits = {split.name: split for split in profile.splits}
    found: list[tuple[str, NDArray[np.float32]]] = []
    for name in profile.feature_names:
        parts = [splits[s].rows.column(name)[rows] for s, rows in label.rows]
        found.append((name, number_design(np.concatenate(parts)[few])))
    for field in profile.dataset.fields:
        if field.role != "feature" or field.kind != "text":
            continue
        cells = [
            splits[s].rows.texts.get(field.name, np.full(len(splits[s].rows), None, object))[r] for s, r in label.rows
        ]
        codes, words = codes_of(np.concatenate(cells)[few])
        if len(words) <= MOST_WORDS:
            found.append((field.name, category_design(codes)))
    found = [(name, design) for name, design in found if design.shape[1]]
    return [name for name, _ in found], [design for _, design in found]
