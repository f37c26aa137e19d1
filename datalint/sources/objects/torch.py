"""Loaders and data sets of PyTorch and torchvision, and what is made like them: attributes first, items if needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.annotations import Annotations
from datalint.core.dataset import Field, Label
from datalint.core.errors import DatalintError
from datalint.core.roles import ColumnHead, roles
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import are
from datalint.sources.arrays.files import column_names, grey_scale
from datalint.sources.objects.draw import (
    Drawn,
    generators_of,
    is_stream,
    not_used_up,
    random_kept,
)
from datalint.sources.objects.items import (
    TOKENS,
    array_of,
    declared_classes,
    declared_label,
    form_of,
    is_array,
    is_picture,
    label_values,
    length,
)
from datalint.sources.objects.part import Part
from datalint.sources.objects.stored import stored_in, stored_part
from datalint.sources.objects.stream import StreamPartition, image_block, record_of, taken_apart
from datalint.sources.objects.words import class_names, describe, named, own_batch_size, sampler_of

if TYPE_CHECKING:
    from datalint.core.dataset import Kind, Role
    from datalint.sources.objects.draw import Failure
    from datalint.sources.objects.items import Form
    from datalint.sources.objects.part import Source

PEEK = 8
"""Items of a data set that are looked at to learn what its items are."""


def torch_parts(parts: Mapping[str, Any], kinds: Mapping[str, Source | None], label: str | None) -> dict[str, Part]:
    """Recognise each split; the first decides how pixel values are brought to 0..255 for all.

    Raises:
        DatalintError: a split is empty, cannot be read, or holds nothing that can be judged.
    """
    found: dict[str, Part] = {}
    scale: tuple[float, float] | None = None
    for split, value in parts.items():
        loader = kinds[split] == "loader"
        name = (kinds[split] or "data set").replace(" ", "") if split == WHOLE else split
        stored = None if loader or label is not None else stored_in(value)
        if stored is not None:
            found[split] = stored_part(split, value, stored, name, scale)
        else:
            found[split] = streamed_part(split, value, loader, name, label, scale)
        own = getattr(found[split].partitions[0], "scale", None)
        scale = scale or own
    return found


def streamed_part(
    split: str,
    value: Any,
    loader: bool,
    name: str,
    label: str | None,
    scale: tuple[float, float] | None,
    names: tuple[str, ...] = (),
) -> Part:
    """A split whose samples are drawn from the object itself.

    Raises:
        DatalintError: it gives nothing, or nothing that can be judged.
    """
    owner = value.dataset if hasattr(value, "batch_size") else value
    what = "the data set" if split == WHOLE else f"the data set of {split}"
    what = what.replace("data set", "loader") if loader else what
    if is_stream(owner):
        not_used_up(owner, f"{what} reads {named(owner)}: it" if loader else what)
    if loader and not _gives_batches(value, what, name):
        loader = False
    if loader or hasattr(value, "batch_size"):
        name = f"{name}.dataset"
    columns = _peek(value, loader, what, name)
    declared = declared_classes(owner)
    form = form_of(columns, what, label, declared_label(declared))
    inputs, labels = form.parts(columns)
    sampler = sampler_of(value) if loader else None
    augmented = _augmented(owner)
    seen = describe(value) + (", drawn with random transforms" if augmented else "")
    evidence = _choice(form)
    chosen = None if form.label is None else Label(_key(form.label), evidence, "certain")
    first = next(iter(inputs.values()))
    fields, columns_told, kind = _fields(form, inputs, labels if form.target == form.label else None)
    shape = None
    own = scale or (0.0, 1.0)
    if form.kind == "arrays":
        shape = (_count(value, loader), *first.shape[1:])
        own = scale or (grey_scale(first[:256]) if form.layout != "table" else own)
    elif form.kind == "pictures":
        image_block(list(first), own, frozenset({"header"}))  # raises early what cannot be a picture
        arrays = [np.asarray(item).ravel() for item in first if not is_picture(item)]
        own = scale or (grey_scale(np.concatenate(arrays)) if arrays else own)
    if form.others:
        listed = ", ".join(_key(key) for key in form.others[:6])
        seen += f"; of its items {listed} {are(len(form.others))} not looked at"
    classes = names or declared.get(str(form.label), ()) or class_names(owner)
    partition = StreamPartition(split, value, loader, form, name, fields, kind, classes, own)
    return Part(
        seen,
        "table" if form.layout == "table" and form.kind != "pictures" else "images",
        [partition],
        chosen,
        fields,
        form.why_no_label,
        shape,
        columns_told,
        batch_size=(own_batch_size(value) or max(1, length(dict(inputs)))) if loader else None,
        redrawn=bool(getattr(sampler, "replacement", False)),
        augmented=augmented,
        loaded=partition.drawn.loaded if loader else None,
        annotations=_annotations(form),
        task="detection" if form.objects else "segmentation" if form.mask is not None else None,
    )


def _annotations(form: Form) -> Annotations | None:
    if form.objects:
        return Annotations((), form=form.objects.form)
    return None if form.mask is None else Annotations(())


def _gives_batches(loader: Any, what: str, name: str) -> bool:
    """Whether a loader gives batches: one that does not make them gives what its data set gives, whatever that is."""
    if not (hasattr(loader, "batch_sampler") and loader.batch_sampler is None and loader.batch_size is None):
        return True
    columns = _peek(loader, True, what, name)
    counts = {len(c) if isinstance(c, np.ndarray) and c.ndim else -1 for c in columns.values()}
    return len(columns) > 1 and len(counts) == 1 and -1 not in counts


def _peek(value: Any, loader: bool, what: str, name: str) -> dict[Any, Any]:
    """The first batch or items, taken apart."""
    failures: list[Failure] = []
    source = value if loader or is_stream(value) else _Head(value)
    with random_kept(*generators_of(value)):
        batches = taken_apart(source, loader, Drawn(), failures, name)
        columns = next(batches, None)
        batches.close()
    if columns is None and failures:
        raise DatalintError(f"{what} cannot be read: {failures[0].place} raises {failures[0].why}")
    if columns is None or not columns:
        raise DatalintError(f"{what} is empty: it gives no {'batch' if loader else 'item'}")
    return columns


def _augmented(owner: Any) -> bool:
    """Whether one of the first items is another when it is drawn again."""
    if is_stream(owner):
        return False
    with random_kept():
        for index in range(min(PEEK, len(owner))):
            try:
                once, again = _traits(owner[index]), _traits(owner[index])
            except Exception:  # a data set runs its owner's code  # noqa: S112 - its failure is reported when it is read
                continue
            if once != again:
                return True
    return False


def _traits(item: Any) -> list[Any]:
    """What of an item can be compared: numbers, texts and pixels, wherever they lie in it."""
    if isinstance(item, Mapping):
        return [trait for value in item.values() for trait in _traits(value)]
    if isinstance(item, (tuple, list)):
        return [trait for value in item for trait in _traits(value)]
    if is_array(item):
        return [array_of(item).tobytes()]
    if is_picture(item):
        return [item.size, item.tobytes()]
    return [str(item)] if isinstance(item, (str, int, float)) else []


class _Head:
    """The first items of a data set."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __len__(self) -> int:
        return min(PEEK, len(self.inner))

    def __getitem__(self, index: int) -> Any:
        return self.inner[index]


def _count(value: Any, loader: bool) -> int:
    try:
        count = len(value.dataset if loader else value)
    except (TypeError, NotImplementedError):
        return 0
    return int(count)


def _fields(
    form: Form, inputs: Mapping[Any, Any], labels: Any
) -> tuple[tuple[Field, ...], tuple[tuple[str, Kind | None], ...], Any]:
    """The columns of a table, as they are known from the first items, and the kind of label."""
    kind = "number" if labels is None or label_values(labels).dtype.kind in "iufb" else "text"
    if form.kind == "pictures" or (form.kind == "arrays" and form.layout != "table"):
        return (), (), kind
    if form.kind == "arrays":
        first = next(iter(inputs.values()))
        width = int(np.prod(first.shape[1:], dtype=np.int64))
        return tuple(Field(n, "number", "feature", first.dtype.str) for n in column_names(width)), (), kind
    import pyarrow as pa

    record = record_of(dict(inputs), length(dict(inputs)))
    kinds: dict[str, Kind] = {
        item.name: "text" if pa.types.is_string(item.type) or pa.types.is_large_string(item.type) else "number"
        for item in record.schema
    }
    heads = [
        ColumnHead(n, "text" if k == "text" else "number", record.column(j).to_pylist())
        for j, (n, k) in enumerate(kinds.items())
    ]
    found = dict(roles(heads))
    # What a training loop is fed is a feature, whatever its name; but long texts are read as such.
    role: dict[str, Role] = {name: "text" if found[name] == "text" else "feature" for name in kinds}
    role |= dict.fromkeys({TOKENS} & set(kinds), "ignored")
    return tuple(Field(n, k, role[n]) for n, k in kinds.items()), tuple(kinds.items()), kind


def _choice(form: Form) -> str:
    if isinstance(form.label, int):
        return f"part {form.label + 1} of each item"
    return f"the part {form.label!r} of each item"


def _key(key: int | str) -> str:
    return key if isinstance(key, str) else "target" if key == 1 else f"part {key + 1}"
