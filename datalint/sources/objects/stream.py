"""Partitions that draw their samples from a loader or data set of somebody else's, batch by batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.core import hashing
from datalint.core.dataset import Batch, Field, ImageBlock, LabelBlock, PixelBlock, Problem
from datalint.sources.annotations.mask_values import nothing_drawn
from datalint.sources.arrays.files import ItemReader, label_block, layout_of
from datalint.sources.images import decode as pictures
from datalint.sources.objects.boxes import object_block
from datalint.sources.objects.draw import (
    MAX_STREAM,
    Drawn,
    Failure,
    batches_of,
    generators_of,
    is_endless,
    items_of,
    random_kept,
    said,
)
from datalint.sources.objects.items import (
    TOKENS,
    Columns,
    Form,
    columns_of_batch,
    columns_of_items,
    is_picture,
    joined,
    judged,
    label_values,
    length,
)
from datalint.sources.objects.masks import mask_block
from datalint.sources.tables.convert import TablePlan, TableReader, texts_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from numpy.typing import NDArray

    from datalint.core.dataset import Aspect
    from datalint.sources.objects.items import Column

HELD = 1_024
"""Samples that are measured at once at most: the batches of a loader are small."""

HELD_BYTES = 16 << 20

ITEMS = 32
"""Items of a data set that are put together."""

_ODD = (KeyError, ValueError, TypeError, IndexError, RuntimeError, AttributeError)
"""What taking a batch apart raises where it is not like the first one."""


@dataclass(frozen=True)
class StreamPartition:
    """All samples of one split, drawn anew from their owner's object."""

    split: str
    source: Any
    """The loader or data set."""
    batched: bool
    """Whether it gives batches."""
    form: Form
    name: str
    """How people find it."""
    fields: tuple[Field, ...] = ()
    label_kind: Literal["number", "text"] = "number"
    class_names: tuple[str, ...] = ()
    scale: tuple[float, float] = (0.0, 1.0)
    drawn: Drawn = field(default_factory=Drawn)

    @property
    def files_read(self) -> tuple[str, ...]:
        """None: what the samples are is up to code in this process."""
        return ()

    @property
    def weight(self) -> int:
        """Not known."""
        return 0

    def sample_id(self, line: int) -> str:
        """The item of the data set behind a sample, or the number of the sample in drawn order."""
        if self.drawn.order is None or line >= len(self.drawn.order):
            return f"{self.name}, sample {line} as drawn"
        return f"{self.name}[{self.drawn.order[line]}]"

    def picture(self, line: int) -> bytes | None:
        """The picture behind a sample, drawn once more."""
        if self.form.kind == "record" or self.drawn.order is None or line >= len(self.drawn.order):
            return None
        owner = self.source.dataset if self.batched else self.source
        try:
            with random_kept(*generators_of(self.source)):
                item = columns_of_items([owner[self.drawn.order[line]]])
            column = item[self.form.inputs[0]]
            first = column[0]
            return pictures.webp(pictures.plain_mode(first)) if is_picture(first) else self._shown(np.asarray(first))
        except Exception:  # a data set runs its owner's code; a report can do without a picture
            return None

    def _shown(self, item: NDArray[Any]) -> bytes:
        layout = self.form.layout if self.form.kind == "arrays" else layout_of((1, *item.shape), item.dtype)
        return ItemReader(layout, self.scale).picture(item)

    def batches(self, aspects: frozenset[Aspect]) -> Iterator[Batch]:
        """One epoch, in drawn order; what cannot be read becomes a problem."""
        self.drawn.order, self.drawn.cut = [], False
        self.drawn.loaded.sizes, self.drawn.loaded.single = Counter(), 0
        failures: list[Failure] = []
        with random_kept(*generators_of(self.source)):
            start = 0
            for columns, sizes in self._held(failures):
                size = sum(sizes)
                try:
                    batch = self._batch(columns, start, size, aspects)
                    if batch.labels is not None and batch.labels.codes is not None:
                        self.drawn.loaded.add(batch.labels.codes, sizes)
                except _ODD as error:
                    failures.append(Failure(self.name, f"samples {start:,} to {start + size - 1:,}: {said(error)}"))
                    batch = Batch(self.split, start, size)
                start += size
                yield batch
        problems = [Problem("unreadable", failure.place, failure.why) for failure in failures]
        if self.drawn.cut:
            why = f"it does not say how long it is, so its first {start:,} samples were read"
            problems.append(Problem("not-scanned", f"the rest of {self.name}", why))
        if problems:
            yield Batch(self.split, start, 0, problems=problems)

    def _held(self, failures: list[Failure]) -> Iterator[tuple[Columns, list[int]]]:
        """Inputs and labels of some batches together, with their sizes: what is done once per batch is done less often."""
        held: list[Columns] = []
        count = size = waiting = 0
        endless = is_endless(self.source)
        for columns in taken_apart(self.source, self.batched, self.drawn, failures, self.name):
            if endless and count >= MAX_STREAM:
                self.drawn.cut = True
                break
            try:
                inputs, labels = self.form.parts(columns)
                wanted: Columns = {"x": inputs, "y": labels}
                samples = length(inputs)
                if labels is not None and length(labels) != samples:
                    raise ValueError(f"{length(labels):,} labels for {samples:,} inputs")
            except _ODD as error:
                failures.append(Failure(self.name, f"sample {count:,} on: not like the first ones: {said(error)}"))
                self.drawn.order = None
                continue
            held.append(wanted)
            count += samples
            waiting += samples
            size += _bytes(inputs) + (0 if self.form.mask is None else _bytes({"mask": labels}))
            if waiting >= HELD or size >= HELD_BYTES:
                yield _together(held)
                held, size, waiting = [], 0, 0
        if held:
            yield _together(held)

    def _batch(self, columns: Columns, start: int, size: int, aspects: frozenset[Aspect]) -> Batch:
        inputs: Columns = columns["x"]
        boxed, masked = self.form.objects, self.form.mask is not None
        labels = None if boxed or masked else self._labels(columns["y"])
        batch = Batch(self.split, start, size, labels=labels)
        if boxed and "annotations" in aspects:
            batch.objects = object_block(columns["y"], boxed, size, self.class_names)
        if masked and "annotations" in aspects:
            batch.objects = nothing_drawn([True] * size)
        if masked and "masks" in aspects:
            batch.masks = mask_block(columns["y"])
        if not aspects & {"table", "header", "pixels"}:
            return batch
        if self.form.kind == "record":
            return replace(self._record(inputs, size), start=start, labels=labels)
        column = next(iter(inputs.values()))
        if isinstance(column, np.ndarray) and self.form.kind == "arrays":
            if self.form.layout == "table":
                batch.table = ItemReader("table").table(column.reshape(size, -1))
            else:
                batch.images = ItemReader(self.form.layout, self.scale).images(column, aspects)
        else:
            batch.images = image_block(list(column), self.scale, aspects)
        return batch

    def _labels(self, column: Column | None) -> LabelBlock | None:
        return None if column is None else label_block([label_values(column)], self.class_names)

    def _record(self, inputs: Columns, size: int) -> Batch:
        reader = TableReader(TablePlan(self.fields, split=self.split), labels_only=False)
        record = record_of(inputs, size)
        batch = next(reader.read(record))
        if TOKENS in record.schema.names and batch.table is not None:
            # No text that a person wrote: it only tells samples apart.
            batch.table.categories += (texts_of(TOKENS, record.column(TOKENS)),)
        return batch


def taken_apart(
    source: Any, batched: bool, drawn: Drawn, failures: list[Failure], name: str
) -> Generator[Columns, None, None]:
    """What a loader or data set gives, as columns."""
    if batched:
        for batch in batches_of(source, drawn, failures, name):
            yield columns_of_batch(batch)
        return
    items: list[Any] = []
    for item in items_of(source, drawn, failures, name):
        items.append(item)
        if len(items) == ITEMS:
            yield columns_of_items(items)
            items = []
    if items:
        yield columns_of_items(items)


def _together(held: list[Columns]) -> tuple[Columns, list[int]]:
    inputs = joined([part["x"] for part in held])
    labels = None if held[0]["y"] is None else joined([part["y"] for part in held])
    return {"x": inputs, "y": labels}, [length(part["x"]) for part in held]


def _bytes(inputs: Columns) -> int:
    arrays = (part for column in inputs.values() for part in (column if isinstance(column, list) else [column]))
    return sum(int(getattr(part, "nbytes", 0)) or _pixels(part) for part in arrays)


def _pixels(part: Any) -> int:
    return 3 * part.width * part.height if is_picture(part) else 64


def record_of(inputs: Columns, size: int) -> Any:
    """Parts of items as an Arrow record batch: several values per sample become several columns, token ids a text.

    Raises:
        ValueError, TypeError: a column is not what it was at first.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for key, column in inputs.items():
        if not judged(column, key):
            continue
        name = f"x{key}" if isinstance(key, int) else key
        if key == TOKENS:
            columns[name] = pa.array([" ".join(map(str, np.asarray(ids).tolist())) for ids in column], pa.string())
        elif isinstance(column, np.ndarray) and column.ndim > 1:
            flat = column.reshape(size, -1)
            for j in range(flat.shape[1]):
                columns[name if flat.shape[1] == 1 else f"{name}_{j}"] = pa.array(flat[:, j])
        elif isinstance(column, np.ndarray):
            columns[name] = pa.array(column.astype(str) if column.dtype.kind == "b" else column)
        else:
            values = [v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in column]
            numbers = all(v is None or (isinstance(v, (int, float)) and not isinstance(v, bool)) for v in values)
            texts = [None if v is None else str(v) for v in values]
            columns[name] = pa.array(values, pa.float64()) if numbers else pa.array(texts, pa.string())
    return pa.RecordBatch.from_pydict(columns)


# --- pictures of many sizes ------------------------------------------------------------------------------------------


def image_block(items: list[Any], scale: tuple[float, float], aspects: frozenset[Aspect]) -> ImageBlock:
    """Pictures of Pillow, or arrays of different sizes, as one block."""
    arrays = [np.asarray(pictures.plain_mode(item)) if is_picture(item) else np.asarray(item) for item in items]
    groups: dict[tuple[int, ...], list[int]] = {}
    for k, array in enumerate(arrays):
        groups.setdefault(array.shape, []).append(k)
    blocks, order = [], []
    for shape, rows in groups.items():
        stacked = np.stack([arrays[k] for k in rows])
        layout = "NHW" if len(shape) == 2 else layout_of(stacked.shape, stacked.dtype)
        if layout == "table":
            raise ValueError(f"a picture of the shape {shape}")
        own = (0.0, 1.0) if stacked.dtype == np.uint8 else scale
        blocks.append(ItemReader(layout, own).images(stacked, aspects))
        order += rows
    block = _merged(blocks, np.argsort(np.array(order, np.int64), kind="stable"))
    for k, item in enumerate(items):
        if is_picture(item):
            block.mode[k] = item.mode
            if block.format is not None:
                block.format[k] = getattr(item, "format", None) or "decoded"
            if item.mode not in {"L", "RGB"}:
                block.hashes[k] = hashing.bytes_hash(item.tobytes())
    return block


def _merged(blocks: list[ImageBlock], order: NDArray[np.int64]) -> ImageBlock:
    """Blocks one after the other, then put in order."""
    whole: dict[str, Any] = {}
    for name in ImageBlock.__dataclass_fields__:
        values = [getattr(block, name) for block in blocks]
        if values[0] is None or name == "numbers":  # pictures of different sizes have no places in common
            whole[name] = None
        elif isinstance(values[0], list):
            flat = [item for value in values for item in value]
            whole[name] = [flat[k] for k in order]
        elif isinstance(values[0], PixelBlock):
            whole[name] = PixelBlock(
                **{
                    part: np.concatenate([getattr(value, part) for value in values])[order]
                    for part in PixelBlock.__dataclass_fields__
                }
            )
        else:
            if name == "thumbnails" and len({value.ndim for value in values}) > 1:
                values = [v if v.ndim == 4 else np.repeat(v[..., None], 3, axis=3) for v in values]
            whole[name] = np.concatenate(values)[order]
    return ImageBlock(**whole)
