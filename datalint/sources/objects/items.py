"""Items and batches of any make taken apart: which part is the input, which the label, and both as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.core.annotations import PER_OBJECT, PER_PIXEL
from datalint.core.errors import DatalintError
from datalint.sources.arrays.bundles import LABELS, MAX_COLUMNS
from datalint.sources.arrays.files import is_one_hot, layout_of
from datalint.sources.files import printable
from datalint.sources.objects.boxes import boxed_in, targets_of
from datalint.sources.objects.masks import mask_in
from datalint.sources.tables.kinds import DECLARED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.sources.arrays.files import Layout
    from datalint.sources.objects.boxes import Boxed

Key = int | str
Column = Any
"""One array with an entry per sample, or a list of one object per sample."""
Columns = dict[Key, Column]

PICTURE_KEYS = frozenset("image images img picture pixel_values pixels".split())  # noqa: SIM905
TOKENS = "input_ids"
TOKEN_KEYS = frozenset("input_ids attention_mask token_type_ids special_tokens_mask".split())  # noqa: SIM905
"""What tokenizers give: numbers that are names, of which only the first is content."""


def declared_classes(value: Any) -> dict[str, tuple[str, ...]]:
    """The columns that a data set of Hugging Face declares as classes, and the names of these."""
    features = getattr(value, "features", None)
    if not isinstance(features, Mapping):
        return {}
    return {
        name: tuple(printable(str(one)) for one in getattr(feature, "names", None) or ())
        for name, feature in features.items()
        if type(feature).__name__ == "ClassLabel"
    }


def declared_label(declared: Mapping[str, Any]) -> str | None:
    """Which of these is the label."""
    if len(declared) == 1:
        return next(iter(declared))
    return next((name for name in DECLARED if name in declared), None)


def array_of(value: Any) -> NDArray[Any]:
    """A tensor or array as a NumPy array, without a copy where it lies in this memory.

    Raises:
        TypeError, ValueError, RuntimeError: it is no dense array of numbers.
    """
    if hasattr(value, "detach"):
        value = value.detach()
        value = value.cpu() if hasattr(value, "cpu") else value
        try:
            return np.asarray(value.numpy())
        except TypeError:  # bfloat16, which NumPy does not know
            return np.asarray(value.float().numpy())
    return np.asarray(value)


def is_array(value: Any) -> bool:
    """Whether this is a tensor or array; pictures of Pillow are not."""
    return (hasattr(value, "shape") and hasattr(value, "dtype")) or hasattr(value, "detach")


def is_picture(value: Any) -> bool:
    """Whether this is a picture of Pillow."""
    return hasattr(value, "getbands") and hasattr(value, "convert") and hasattr(value, "tobytes")


def columns_of_batch(batch: Any) -> Columns:
    """The parts of a batch that a loader collated."""
    if isinstance(batch, Mapping) or hasattr(batch, "keys"):
        return {str(key): _column(batch[key]) for key in batch.keys()}  # noqa: SIM118 - tokenizers' batches are no mappings
    if isinstance(batch, (tuple, list)) and not _plain_values(batch):
        if isinstance(batch, list) and all(isinstance(item, (tuple, Mapping)) for item in batch):
            return columns_of_items(batch)  # not collated at all
        if not (all(map(is_picture, batch)) or (len(batch) > 1 and _alike(batch))):
            return {k: _column(part) for k, part in enumerate(batch)}
    return {0: _column(batch)}


def _alike(batch: Sequence[Any]) -> bool:
    """Whether a list holds samples, not the parts of a batch: pictures of equal axes."""
    return all(
        is_array(item) and len(item.shape) == 3 and layout_of((1, *item.shape), np.dtype("u1")) != "table"
        for item in batch
    )


def _plain_values(values: Sequence[Any]) -> bool:
    return all(isinstance(item, (str, bytes, int, float, type(None))) for item in values)


def columns_of_items(items: Sequence[Any]) -> Columns:
    """Single items side by side."""
    first = items[0]
    if isinstance(first, Mapping):
        return {str(key): _column([item.get(key) for item in items]) for key in first}
    if isinstance(first, (tuple, list)) and not (isinstance(first, list) and _plain_values(first)):
        width = min(len(item) for item in items)
        return {k: _column([item[k] for item in items]) for k in range(width)}
    return {0: _column(list(items))}


def _column(part: Any) -> Column:
    """A part of a batch as an array, where it is one, or a list of objects."""
    if isinstance(part, Mapping):
        return {str(key): _column(value) for key, value in part.items()}
    if is_array(part):
        return array_of(part)
    if not isinstance(part, (list, tuple)):
        return [part]
    values = list(part)
    if values and all(is_array(item) for item in values):
        arrays = [array_of(item) for item in values]
        return np.stack(arrays) if len({array.shape for array in arrays}) == 1 else arrays
    if (targets := targets_of(values)) is not None:
        return targets
    if values and all(isinstance(item, Mapping) for item in values):
        return {str(key): _column([item.get(key) for item in values]) for key in values[0]}
    if values and all(isinstance(item, (bool, int, float, np.number)) for item in values):
        return np.asarray(values)
    if values and all(isinstance(item, (list, tuple)) and item and _numbers(item) for item in values):
        return np.asarray(values) if len({len(item) for item in values}) == 1 else values
    return values


def _numbers(item: Any) -> bool:
    return all(isinstance(value, (bool, int, float, np.number)) for value in item)


def joined(parts: Sequence[Column]) -> Column:
    """Columns of following batches as one."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], dict):
        return {key: joined([part[key] for part in parts]) for key in parts[0]}
    if all(isinstance(part, np.ndarray) for part in parts) and len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    return [item for part in parts for item in part]


def length(column: Column) -> int:
    """Samples in a column."""
    if isinstance(column, dict):
        return min(map(length, column.values()), default=0)
    return len(column) if not isinstance(column, np.ndarray) or column.ndim else 1


@dataclass(frozen=True)
class Form:
    """What the parts of an item are; decided on the first batch, true of all."""

    kind: Literal["pictures", "arrays", "record"]
    inputs: tuple[Key, ...]
    label: Key | None
    layout: Layout = "table"
    """Of arrays."""
    why_no_label: str = ""
    others: tuple[Key, ...] = ()
    """Parts that are not looked at."""
    nested: bool = False
    """Whether the inputs are a mapping within the item."""
    objects: Boxed | None = None
    """Where the objects in pictures are."""
    mask: Key | None = None
    """The part that holds a class for each pixel."""

    @property
    def target(self) -> Key | None:
        """The part that is to be predicted: objects, a mask, or the label."""
        return self.objects.part if self.objects else self.label if self.mask is None else self.mask

    def parts(self, columns: Columns) -> tuple[Columns, Column | None]:
        """Inputs and labels of one batch.

        Raises:
            KeyError: a part is missing.
        """
        found = columns[self.inputs[0]] if self.nested else {key: columns[key] for key in self.inputs}
        return found, None if self.target is None else columns[self.target]


def form_of(columns: Columns, what: str, label: str | None, declared: str | None = None) -> Form:
    """What the parts of the first batch are.

    Args:
        columns: the first batch.
        what: how messages name the object.
        label: the part that the user named as the label.
        declared: the part that the data set itself declares as the label, unless a loader makes other parts of its items.

    Raises:
        DatalintError: the inputs are nothing that can be judged.
    """
    shown = [name for name in columns if _pictures(columns[name])]
    boxed = boxed_in(columns) if shown and label is None else None
    if boxed is not None:
        left = tuple(name for name in columns if name not in {shown[0], boxed.part} and judged(columns[name], name))
        form = form_of({shown[0]: columns[shown[0]]}, what, None)
        return replace(form, why_no_label=PER_OBJECT, others=left, objects=boxed)
    picture = next((name for name in shown if name in PICTURE_KEYS), next(iter(shown), None))
    mask = mask_in(columns, picture) if picture is not None and label is None and declared is None else None
    if picture is not None and mask is not None:
        left = tuple(name for name in columns if name not in {picture, mask})
        form = form_of({picture: columns[picture]}, what, None)
        return replace(form, why_no_label=PER_PIXEL, others=left, mask=mask)
    key, why = _label_of(columns, label or (declared if declared in columns else None), what)
    rest = [name for name in columns if name != key]
    if not rest:
        raise DatalintError(f"{what} gives only labels; its items must be (inputs, label) or a mapping of parts")
    if all(isinstance(name, int) for name in rest):
        inputs, others = rest[:1], rest[1:]
    else:
        inputs, others = rest, []
    if len(inputs) == 1 and isinstance(columns[inputs[0]], dict):
        return _record(columns[inputs[0]], tuple(inputs), key, why, tuple(others), what, nested=True)
    shown = [name for name in inputs if _pictures(columns[name])]
    if shown:
        name = next((n for n in shown if n in PICTURE_KEYS), shown[0])
        others = [*others, *(n for n in inputs if n != name)]
        column = columns[name]
        layout = layout_of(column.shape, column.dtype) if isinstance(column, np.ndarray) else "table"
        kind: Literal["pictures", "arrays"] = "arrays" if isinstance(column, np.ndarray) else "pictures"
        return Form(kind, (name,), key, layout, why, tuple(others))
    if len(inputs) == 1 and isinstance(columns[inputs[0]], np.ndarray) and inputs[0] not in TOKEN_KEYS:
        array = columns[inputs[0]]
        if array.dtype.kind not in "iufb":
            raise DatalintError(f"{what} gives inputs of {array.dtype} values; real numbers are needed")
        width = int(np.prod(array.shape[1:], dtype=np.int64))
        if width > MAX_COLUMNS:
            raise DatalintError(
                f"{what} gives {width:,} values per sample and no pictures; at most {MAX_COLUMNS:,} are read"
            )
        return Form("arrays", (inputs[0],), key, "table", why, tuple(others))
    return _record({name: columns[name] for name in inputs}, tuple(inputs), key, why, tuple(others), what)


def _record(
    columns: Columns,
    inputs: tuple[Key, ...],
    label: Key | None,
    why: str,
    others: tuple[Key, ...],
    what: str,
    nested: bool = False,
) -> Form:
    known = {name: column for name, column in columns.items() if judged(column, name)}
    if not known:
        raise DatalintError(
            f"{what} gives inputs that cannot be judged ({_kinds(columns)}); numbers, texts, arrays and pictures can"
        )
    if nested:
        return Form("record", inputs, label, "table", why, others, nested=True)
    unknown = tuple(name for name in inputs if name not in known)
    return Form("record", tuple(known), label, "table", why, (*others, *unknown))


def judged(column: Column, name: Key) -> bool:
    """Whether a column can be part of a table: numbers, a few numbers per sample, texts, or token ids."""
    if name in TOKEN_KEYS:
        return name == TOKENS
    if isinstance(column, np.ndarray):
        return column.dtype.kind in "iufb" and int(np.prod(column.shape[1:], dtype=np.int64)) <= MAX_COLUMNS
    return isinstance(column, list) and all(isinstance(item, (str, bytes, int, float, type(None))) for item in column)


def _kinds(columns: Columns) -> str:
    names = []
    for name, column in columns.items():
        first = column[0] if isinstance(column, list) and column else column
        names.append(f"{'part ' if isinstance(name, int) else ''}{name}: {type(first).__name__}")
    return ", ".join(names[:6])


def _pictures(column: Column) -> bool:
    if isinstance(column, list):
        return bool(column) and all(is_picture(item) or _pictorial(item) for item in column)
    if not isinstance(column, np.ndarray) or column.dtype.kind not in "iufb":
        return False
    return layout_of(column.shape, column.dtype) != "table"


def _pictorial(item: Any) -> bool:
    return (
        isinstance(item, np.ndarray)
        and item.dtype.kind in "iufb"
        and layout_of((1, *item.shape), item.dtype) != "table"
    )


def _label_of(columns: Columns, asked: str | None, what: str) -> tuple[Key | None, str]:
    """The label among the parts, or why there is none."""
    if asked is not None:
        found = next((name for name in columns if str(name) == asked), None)
        if found is None:
            raise DatalintError(f"{what} gives no part {asked!r}; its parts are {', '.join(map(str, columns))}")
        if (reason := why_no_label(columns[found])) is not None:
            raise DatalintError(f"the part {asked!r} cannot be the label: {reason}")
        return found, ""
    if all(isinstance(name, int) for name in columns):
        candidates: list[Key] = list(columns)[1:]
    else:
        candidates = [name for name in columns if str(name).lower() in LABELS]
    reasons = {name: why_no_label(columns[name]) for name in candidates}
    good = next((name for name, reason in reasons.items() if reason is None), None)
    if good is not None:
        return good, ""
    why = next((str(reason) for reason in reasons.values()), "the items have no part that is a label")
    return None, why


def why_no_label(column: Column) -> str | None:
    """Why a column cannot be the labels; None where it can."""
    if isinstance(column, dict):
        return "a mapping per sample: only one label each can be judged"
    if isinstance(column, np.ndarray):
        if column.ndim <= 1 or (column.ndim == 2 and (column.shape[1] == 1 or is_one_hot(column))):
            return None if column.dtype.kind in "iufbSUO" else f"labels are {column.dtype} values"
        sizes = " x ".join(map(str, column.shape[1:]))
        return f"{sizes} values per sample: only one label each, or one-hot rows, can be judged"
    if all(isinstance(item, (str, bytes, int, float, np.number, type(None))) for item in column):
        return None
    return "several values per sample: only one label each can be judged"


def label_values(column: Column) -> NDArray[Any]:
    """Labels as an array that :func:`datalint.sources.arrays.files.label_block` takes."""
    if isinstance(column, np.ndarray):
        return column.reshape(1) if column.ndim == 0 else column
    values = np.empty(len(column), object)
    values[:] = column
    return values
