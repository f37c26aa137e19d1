"""The classes that are drawn in pictures, as labels of the pictures: rules about labels judge them like any others."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.annotations import UNDECLARED
from datalint.core.dataset import Label, LabelBlock, LabelSet
from datalint.measures.label_sets import LabelSets
from datalint.measures.objects import Objects
from datalint.measures.order import LabelRuns
from datalint.profile.splits import SplitProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.measures.base import Measurement, Settings
    from datalint.profile.splits import SampledRows


@dataclass(frozen=True)
class DrawnSplit(SplitProfile):
    """A split whose pictures have the classes that are drawn in them as labels."""

    labels: tuple[str | None, ...] = ()
    """The label of each picture; a JSON list where it may have several, None for none."""

    @cached_property
    def rows(self) -> SampledRows:
        """The sampled pictures with these labels."""
        rows = super().rows
        label = np.array([*self.labels, None], dtype=object)[rows.places.row]
        return replace(rows, label=label, several=LabelSets in self.measured)


def labelled_by_objects(
    dataset: Dataset, splits: Sequence[SplitProfile], settings: Settings, *, several: bool
) -> tuple[Dataset, tuple[SplitProfile, ...]]:
    """Pictures and their splits, labelled by what is drawn in them.

    Args:
        dataset: pictures with objects.
        splits: of these, with what was measured.
        settings: of the measurements.
        several: whether a picture has all classes that occur in it as its labels, or the one of most objects alone; in that
            case pictures without objects have no label.
    """
    evidence = "the classes of its objects" if several else "the class of most of its objects"
    labelled = replace(
        dataset,
        label=Label("class", evidence, "certain"),
        task="multi-label" if several else "classification",
        by_class=dataset.by_name,
    )
    made = _with_sets if several else _with_leads
    return labelled, tuple(made(split, settings) for split in splits)


def _counts(split: SplitProfile) -> tuple[Objects, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The pictures and classes of objects of declared classes, each pair once, and how many objects it has."""
    objects = split[Objects]
    known = (objects.flags & UNDECLARED) == 0
    classes = max(1, len(objects.classes))
    pairs, counts = np.unique(
        objects.picture[known] * classes + objects.codes[known].astype(np.int64), return_counts=True
    )
    return objects, pairs // classes, pairs % classes, counts


def _with_sets(split: SplitProfile, settings: Settings) -> DrawnSplit:
    objects, picture, code, _ = _counts(split)
    held: list[list[str]] = [[] for _ in range(objects.samples)]
    for at, kind in zip(picture.tolist(), code.tolist(), strict=True):
        held[at].append(objects.classes[kind])
    written = [json.dumps(sorted(set(names)), ensure_ascii=False) for names in held]
    kinds = {text: k for k, text in enumerate(dict.fromkeys(written))}
    block = LabelBlock(
        np.array([kinds[text] for text in written], np.int32),
        list(kinds),
        sets=[LabelSet(tuple(json.loads(text))) for text in kinds],
    )
    return _labelled(split, settings, block, written)


def _with_leads(split: SplitProfile, settings: Settings) -> DrawnSplit:
    objects, picture, code, counts = _counts(split)
    # Of equally frequent ones the first by name, in every picture.
    order = np.lexsort((code, -counts, picture))
    at, first = np.unique(picture[order], return_index=True)
    codes = np.full(objects.samples, -1, np.int32)
    codes[at] = code[order[first]]
    names = [objects.classes[k] if k >= 0 else None for k in codes.tolist()]
    return _labelled(split, settings, LabelBlock(codes, list(objects.classes)), names)


def _labelled(
    split: SplitProfile, settings: Settings, block: LabelBlock, labels: list[str] | list[str | None]
) -> DrawnSplit:
    from datalint.core.dataset import Batch

    batch = Batch(split.name, 0, len(labels), labels=block)
    measured: dict[type[Measurement], Measurement] = dict(split.measured)
    states: list[Measurement] = [LabelRuns(settings)]
    if block.sets is not None:
        states.append(LabelSets(settings))
    for state in states:
        state.update(batch)
        measured[type(state)] = state.close()
    return DrawnSplit(split.name, split.info, measured, tuple(labels))
