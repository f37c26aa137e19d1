"""Which of several arrays are inputs, which are labels, and of which split."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Field, Label, Problem, Split, split_order
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.sources.arrays.files import (
    ArrayFile,
    ArrayPartition,
    NotLookedInto,
    column_names,
    grey_scale,
    head_of,
    is_one_hot,
    layout_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

INPUTS = frozenset("x data datas image images img imgs feature features input inputs sample samples".split())  # noqa: SIM905
LABELS = frozenset("y label labels target targets class classes".split())  # noqa: SIM905

WORDS = {Storage.NUMPY: "NumPy arrays", Storage.ARRAYS: "arrays in memory"}

MAX_COLUMNS = 100_000
"""Values per sample of a table."""

HEAD = 256
"""Items looked at to learn the range of pixels and whether labels are one-hot."""


def words_of(name: str) -> set[str]:
    """The words in the name of an array."""
    return {word for word in re.split(r"[\W_\d]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()) if word}


def is_label_name(name: str) -> bool:
    """Whether an array of this name holds labels."""
    return bool(words_of(name) & LABELS)


@dataclass
class Bundle:
    """Arrays that belong together."""

    inputs: dict[str, ArrayFile] = field(default_factory=dict)
    """By split."""
    labels: dict[str, ArrayFile] = field(default_factory=dict)
    others: list[ArrayFile] = field(default_factory=list)
    evidence: str = ""

    @classmethod
    def alone(cls, array: ArrayFile) -> Bundle:
        """One array of inputs, without labels."""
        return cls(inputs={WHOLE: array}, evidence="one array")

    @property
    def related(self) -> bool:
        """Whether names or lengths say that these are one data set."""
        return bool(self.labels) or len(self.inputs) > 1 or len(self.inputs) + len(self.others) == 1

    @property
    def arrays(self) -> list[ArrayFile]:
        """All of them."""
        return [*self.inputs.values(), *self.labels.values(), *self.others]

    @property
    def first(self) -> ArrayFile:
        """Any of them."""
        return self.arrays[0]


def bundle_of(arrays: Sequence[ArrayFile]) -> Bundle:
    """Sort arrays by the words in their names; without words, one flat array next to one of equal length is its labels."""
    bundle = Bundle(evidence="array names")
    folders = {array.path.parent.name for array in arrays if array.path and array.key is None}
    folders = folders if len(folders) > 1 else set()  # the folder tells splits apart only where there are several
    for array in arrays:
        name = array.key or (array.path.stem if array.path else "")
        words = words_of(name)
        folder = array.path.parent.name if array.path and array.key is None else ""
        split = vocabulary.split_of(name) or (vocabulary.split_of(folder) if folder in folders else None) or WHOLE
        if words & LABELS and split not in bundle.labels:
            bundle.labels[split] = array
        elif (words & INPUTS and split not in bundle.inputs and array.shape) or (
            split != WHOLE and split not in bundle.inputs and len(array.shape) > 1
        ):
            bundle.inputs[split] = array
        else:
            bundle.others.append(array)
    if not bundle.inputs and len(bundle.others) in {1, 2}:
        _by_shape(bundle)
    return bundle


def _by_shape(bundle: Bundle) -> None:
    arrays = sorted(bundle.others, key=lambda array: -len(array.shape))
    if not arrays[0].shape:
        return
    bundle.inputs[WHOLE] = arrays[0]
    bundle.evidence = "array shapes"
    bundle.others = []
    if len(arrays) == 2:
        first, second = arrays
        if len(second.shape) == 1 and second.shape[0] == first.shape[0] and WHOLE not in bundle.labels:
            bundle.labels[WHOLE] = second
        else:
            bundle.others = [second]


def array_dataset(name: str, path: str, bundle: Bundle, storage: Storage = Storage.NUMPY) -> Dataset:
    """The data set of a bundle.

    Raises:
        NotLookedInto: there are no inputs, or they are no numbers.
    """
    _refuse(bundle)
    problems = [
        Problem("not-scanned", array.shown, "an array that is neither inputs nor labels by its name")
        for array in bundle.others
    ]
    labels = {}
    for split, inputs in bundle.inputs.items():
        label = bundle.labels.get(split)
        if label is None:
            continue
        if inputs.shape[0] != (label.shape or (1,))[0]:
            why = f"{(label.shape or (1,))[0]:,} labels for {inputs.shape[0]:,} inputs: they cannot be matched"
            problems.append(Problem("unreadable", label.shown, why))
        elif unusual := _why_not_labels(label):
            problems.append(Problem("not-scanned", label.shown, unusual))
        else:
            labels[split] = label
    splits = sorted(bundle.inputs, key=split_order)
    first = bundle.inputs[splits[0]]
    layout = layout_of(first.shape, np.dtype(first.dtype))
    scale = grey_scale(head_of(first, HEAD)) if layout != "table" else (0.0, 1.0)
    fields: tuple[Field, ...] = ()
    if layout == "table":
        width = max(int(np.prod(array.shape[1:], dtype=np.int64)) for array in bundle.inputs.values())
        fields = tuple(Field(column, "number", "feature", first.dtype) for column in column_names(width))
    label_name = next(labels[split].name for split in splits if split in labels) if labels else ""
    return Dataset(
        name=name,
        path=path,
        layout=f"{WORDS[storage]}{'' if layout == 'table' else ' of pictures'}",
        modality="table" if layout == "table" else "images",
        evidence=f"{bundle.evidence}; {first.name} has the shape {_axes(first.shape)}",
        partitions=[
            ArrayPartition(
                split, bundle.inputs[split], labels.get(split), _own_layout(bundle.inputs[split], layout), scale
            )
            for split in splits
        ],
        splits=tuple(Split(s, f"array {bundle.inputs[s].name}", bundle.inputs[s].shape) for s in splits),
        label=Label(label_name, f"the array {label_name} is as long as its inputs", "high") if labels else None,
        fields=fields,
        problems=problems,
        skipped_label="no label array found; name it y or labels",
        storage=storage,
    )


def _refuse(bundle: Bundle) -> None:
    if not bundle.inputs:
        names = [array.name for array in bundle.arrays]
        listed = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "") if names else "none"
        raise NotLookedInto(
            f"no array of inputs is recognised (arrays: {listed}); name them X and y, or X_train, y_train ..."
        )
    for array in bundle.inputs.values():
        if not array.shape:
            raise NotLookedInto(f"{array.name} is a single value")
        if math.prod(array.shape) == 0:
            raise NotLookedInto(f"{array.name} is empty: its shape is {_axes(array.shape)}")
        if np.dtype(array.dtype).kind not in "iufb":
            raise NotLookedInto(f"{array.name} holds {np.dtype(array.dtype)} values; inputs must be real numbers")
        if layout_of(array.shape, np.dtype(array.dtype)) == "table" and math.prod(array.shape[1:]) > MAX_COLUMNS:
            raise NotLookedInto(
                f"{array.name} holds {math.prod(array.shape[1:]):,} values per sample and no pictures; "
                f"at most {MAX_COLUMNS:,} are read"
            )


def _own_layout(array: ArrayFile, common: Any) -> Any:
    """A split whose axes are ordered otherwise is read in its own order; rules compare the shapes."""
    own = layout_of(array.shape, np.dtype(array.dtype))
    return common if (own == "table") != (common == "table") else own


def _axes(shape: tuple[int, ...]) -> str:
    return " x ".join(f"{size:,}" for size in shape)


def _why_not_labels(label: ArrayFile) -> str | None:
    if len(label.shape) > 2:
        return f"labels have {len(label.shape)} axes: only one label per sample can be judged"
    if len(label.shape) == 2 and label.shape[1] != 1 and not is_one_hot(head_of(label, HEAD)):
        return f"{label.shape[1]:,} labels per sample: only one label each, or one-hot rows, can be judged"
    if np.dtype(label.dtype).itemsize == 0:
        return f"labels are {label.dtype} values: texts of no length"
    if np.dtype(label.dtype).kind not in "iufbSUO":
        return f"labels are {np.dtype(label.dtype)} values: only numbers and texts can be judged"
    return None
