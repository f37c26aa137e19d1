"""From a profile to out-of-fold class probabilities: the labelled samples of all splits, pooled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.codes import codes_of
from datalint.core.errors import DatalintError
from datalint.core.vocabulary import WHOLE
from datalint.profile.learn import features, outoffold
from datalint.profile.splits import class_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from pydantic import JsonValue

    from datalint.core.dataset import Dataset
    from datalint.profile.learn.outoffold import OutOfFold, Refusal
    from datalint.profile.splits import Given, SplitProfile


@dataclass(frozen=True)
class Learned:
    """A model's view of the labelled samples of all splits: out-of-fold, so it has not seen what it judges."""

    rows: tuple[tuple[str, NDArray[np.int64]], ...]
    """Per split: which of its sampled rows these are, in order."""
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    """[samples] given label as an index into ``classes``."""
    inputs: NDArray[np.uint64]
    """[samples] hash of each input: equal inputs have equal hashes."""
    result: OutOfFold | Refusal
    supplied: bool
    """Whether the probabilities were given by the user."""
    features: NDArray[np.float32] | None = None
    """[samples, features] what the models saw, kept where they saw nothing in it."""

    @property
    def summary(self) -> dict[str, JsonValue]:
        """The model's quality for the report; empty where there is no model."""
        if not isinstance(self.result, outoffold.OutOfFold):
            return {}
        names = ("accuracy", "chance_accuracy", "log_loss", "chance_log_loss", "calibration_error")
        return {
            "name": self.result.model,
            "samples": len(self.labels),
            **{name: float(f"{getattr(self.result, name):.4g}") for name in names},
        }


def learn(dataset: Dataset, all_splits: Sequence[SplitProfile], feature_names: Sequence[str], given: Given) -> Learned:
    """Encode the sampled, labelled, readable rows of all splits and predict each from models trained without it.

    Raises:
        DatalintError: predictions or embeddings that the user gave do not fit the data.
    """
    picked: list[tuple[str, NDArray[np.int64]]] = []
    labelled = [split for split in all_splits if sum(split.counts.values())]
    for split in labelled:
        rows = split.rows
        usable = np.array([label is not None for label in rows.label], np.bool_) & rows.readable
        if usable.any():
            picked.append((split.name, np.flatnonzero(usable)))
    splits = {split.name: split for split in labelled}
    classes = tuple(sorted({label for split in labelled for label in split.counts}, key=class_order))
    at = {name: k for k, name in enumerate(classes)}
    labels = np.array([at[label] for name, rows in picked for label in splits[name].rows.label[rows]], np.int64)
    inputs = np.concatenate([splits[name].rows.inputs[rows] for name, rows in picked] or [np.zeros(0, np.uint64)])
    if given.pred_probs:
        probs = _given(given.pred_probs, all_splits, picked, "pred_probs")
        return Learned(tuple(picked), classes, labels, inputs, _supplied(probs, labels, classes), supplied=True)
    X = inputs_of(dataset, all_splits, feature_names, given, picked)
    result = outoffold.out_of_fold(X, labels, inputs)
    unused = X if isinstance(result, outoffold.Refusal) and result.probs is not None else None
    return Learned(tuple(picked), classes, labels, inputs, result, supplied=False, features=unused)


def inputs_of(
    dataset: Dataset,
    all_splits: Sequence[SplitProfile],
    feature_names: Sequence[str],
    given: Given,
    picked: list[tuple[str, NDArray[np.int64]]],
) -> NDArray[np.float32]:
    """Encode sampled rows of some splits, as models see them, or the embeddings that the user gave for them.

    Raises:
        DatalintError: the embeddings do not fit the data.
    """
    if given.embeddings:
        return features.encode_vectors(_given(given.embeddings, all_splits, picked, "embeddings"))
    splits = {split.name: split for split in all_splits}
    return _encode(
        dataset, feature_names, [(splits[name], rows) for name, rows in picked], sum(len(rows) for _, rows in picked)
    )


def _encode(
    dataset: Dataset,
    feature_names: Sequence[str],
    picked: list[tuple[SplitProfile, NDArray[np.int64]]],
    count: int,
) -> NDArray[np.float32]:
    if not picked:
        return np.zeros((0, 0), np.float32)
    if dataset.modality != "table":
        pictures = [split.rows.pictures[rows] for split, rows in picked if split.rows.pictures is not None]
        if any(p.ndim == 4 for p in pictures):
            pictures = [np.repeat(p[..., None], 3, axis=3) if p.ndim == 3 else p for p in pictures]
        return features.encode_images(np.concatenate(pictures))
    numbers = np.full((count, len(feature_names)), np.nan)
    start = 0
    for split, rows in picked:
        at = {name: j for j, name in enumerate(split.rows.names)}
        for j, name in enumerate(feature_names):
            if name in at:
                numbers[start : start + len(rows), j] = split.rows.numbers[rows, at[name]]
        start += len(rows)
    codes, levels = [], []
    for field in dataset.fields:
        if field.role == "feature" and field.kind == "text":
            column = [split.rows.texts.get(field.name) for split, _ in picked]
            cells = np.concatenate(
                [
                    values[rows] if values is not None else np.full(len(rows), None, dtype=object)
                    for values, (_, rows) in zip(column, picked, strict=True)
                ]
            )
            inverse, distinct = codes_of(cells)
            codes.append(inverse)
            levels.append(len(distinct))
    table = features.encode_table(numbers, codes, levels)
    said = _texts(dataset, picked)
    return np.concatenate([table, *said], axis=1) if said else table


def _texts(dataset: Dataset, picked: list[tuple[SplitProfile, NDArray[np.int64]]]) -> list[NDArray[np.float32]]:
    """The columns of sentences, encoded."""
    found = []
    for field in dataset.fields:
        if field.role == "text" and field.kind == "text":
            none = [np.full(len(rows), None, dtype=object) for _, rows in picked]
            cells = [
                split.rows.texts[field.name][rows] if field.name in split.rows.texts else gaps
                for (split, rows), gaps in zip(picked, none, strict=True)
            ]
            found.append(features.encode_texts(np.concatenate(cells).tolist()))
    return found


def _given(
    given: Mapping[str, NDArray[np.float64]],
    all_splits: Sequence[SplitProfile],
    picked: list[tuple[str, NDArray[np.int64]]],
    what: str,
) -> NDArray[np.float64]:
    """The given rows of the picked samples, by their position in stored order."""
    samples = {split.name: split.samples for split in all_splits}
    by_split = dict(given)
    if WHOLE in given and WHOLE not in samples:
        whole = given[WHOLE]
        if len(whole) != sum(samples.values()):
            raise DatalintError(f"{what}: {len(whole):,} rows for {sum(samples.values()):,} samples in all splits")
        starts = np.cumsum([0, *samples.values()])
        by_split = {name: whole[starts[k] : starts[k + 1]] for k, name in enumerate(samples)}
    parts = []
    for name, rows in picked:
        if name not in by_split:
            raise DatalintError(f"{what}: nothing for the split {name!r}; given are {', '.join(map(repr, by_split))}")
        if len(by_split[name]) != samples[name]:
            raise DatalintError(f"{what}: {len(by_split[name]):,} rows for {samples[name]:,} samples of {name!r}")
        split = next(s for s in all_splits if s.name == name)
        parts.append(by_split[name][split.rows.places.row[rows]])
    return np.concatenate(parts) if parts else np.zeros((0, 0))


def _supplied(
    probs: NDArray[np.float64], labels: NDArray[np.int64], classes: tuple[str, ...]
) -> outoffold.OutOfFold | outoffold.Refusal:
    if probs.shape[1] != len(classes):
        shown = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "")
        raise DatalintError(f"pred_probs: {probs.shape[1]} columns for {len(classes)} classes ({shown}, in this order)")
    total = probs.sum(1)
    if (probs < -1e-6).any() or (np.abs(total - 1) > 1e-2).any():
        raise DatalintError("pred_probs: rows must be probabilities that add up to 1")
    probs = np.clip(probs, 1e-9, None)
    probs /= probs.sum(1, keepdims=True)
    shares = np.bincount(labels, minlength=len(classes)) / max(len(labels), 1)
    present = shares[shares > 0]
    return outoffold.OutOfFold(
        probs=probs,
        components=(probs,),
        model="given predictions",
        log_loss=float(-np.log(probs[np.arange(len(labels)), labels]).mean()),
        accuracy=float((probs.argmax(1) == labels).mean()),
        chance_log_loss=float(-(present * np.log(present)).sum()),
        chance_accuracy=float(shares.max()),
        calibration_error=outoffold.calibration_error(probs, labels),
        folds=0,
        raced={},
        left_out=(),
    )
