"""What is drawn in the pictures of a table: boxes in a column of objects, or masks, as the Hugging Face hub stores them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from datalint.core.annotations import MALFORMED, PER_OBJECT, PER_PIXEL, UNDECLARED, Annotations, ObjectBlock
from datalint.sources.annotations.drawing import boxes_over, mask_over
from datalint.sources.annotations.mask_values import KEPT, Mask, block_of, mask_of_file, nothing_drawn, read_mask
from datalint.sources.annotations.object_cells import BOXES, KINDS, drawn_in
from datalint.sources.annotations.pictures import in_pixels
from datalint.sources.annotations.readings import WORDS, are_shares, corners_of, reading_of
from datalint.sources.annotations.shapes import NOTHING, side
from datalint.sources.files import printable
from datalint.sources.images import decode
from datalint.sources.images.masks import names_mask
from datalint.sources.tables.features import features_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from datalint.core.annotations import Form
    from datalint.core.dataset import Aspect, Batch
    from datalint.sources.annotations.drawing import Drawn as Pen
    from datalint.sources.annotations.object_cells import ObjectCell

OBJECTS = ("objects", "annotations", "annotation", "labels", "label", "faces", "ground_truth", "target")
"""Columns that hold the objects of each picture."""

SIZE = (("width", "height"), ("image_width", "image_height"))
"""Columns of the declared size of each picture."""


@dataclass(frozen=True)
class DrawnObjects:
    """Boxes with their classes."""

    column: str
    """Of objects; empty where the parts of these are columns."""
    columns: tuple[str, ...]
    """All that are read."""
    form: Form = "sizes"
    shares: bool = False
    classes: tuple[str, ...] = ()
    """Declared names of the classes 0, 1, ..."""
    size: tuple[str, str] | None = None
    task: Literal["detection"] = field(default="detection", init=False)
    unlabelled: str = field(default=PER_OBJECT, init=False)

    @property
    def evidence(self) -> str:
        """How they are read, in words."""
        where = f"column {self.column!r}" if self.column else f"columns {', '.join(map(repr, self.columns))}"
        return f"objects in the {where}: {WORDS[self.form]} in {'shares of the picture' if self.shares else 'pixels'}"

    @property
    def annotations(self) -> Annotations:
        """What is known before any picture is read."""
        return Annotations(self.classes, form=self.form, shares=self.shares)

    def aspects(self, aspects: frozenset[Aspect]) -> frozenset[Aspect]:
        """What of the pictures is needed to read these."""
        return aspects | {"header"} if self.shares and "annotations" in aspects else aspects

    def wanted(self, aspects: frozenset[Aspect]) -> tuple[str, ...]:
        """The columns that are needed."""
        return self.columns if "annotations" in aspects else ()

    def put(
        self,
        batch: Batch,
        rows: Sequence[Mapping[str, Any]],
        shown: Sequence[str],  # noqa: ARG002 - of masks
        aspects: frozenset[Aspect],
    ) -> None:
        """Add them to the batch of these rows."""
        if "annotations" not in aspects:
            return
        held = [list(drawn_in(row.get(self.column) if self.column else row)) for row in rows]
        block = _block(held, self)
        if self.size is not None:
            width, height = self.size
            sizes = [(side(row.get(width)), side(row.get(height))) for row in rows]
            block.sizes[:] = np.array(sizes, np.int64).reshape(-1, 2).clip(0, 2**31 - 1)
        batch.objects = in_pixels(block, batch.images) if self.shares else block

    def pen(self, row: Mapping[str, Any]) -> Pen | None:
        """What draws those of one row."""
        boxes = _block([list(drawn_in(row.get(self.column) if self.column else row))], self).boxes
        return boxes_over(boxes, shares=self.shares) if len(boxes) else None


@dataclass(frozen=True)
class DrawnMasks:
    """A mask for each picture."""

    column: str
    task: Literal["segmentation"] = field(default="segmentation", init=False)
    unlabelled: str = field(default=PER_PIXEL, init=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """All that are read."""
        return (self.column,)

    @property
    def evidence(self) -> str:
        """How they are read, in words."""
        return f"masks in the column {self.column!r}"

    @property
    def annotations(self) -> Annotations:
        """Nothing is known before any picture is read."""
        return Annotations(())

    def aspects(self, aspects: frozenset[Aspect]) -> frozenset[Aspect]:
        """What of the pictures is needed to read these."""
        return aspects

    def wanted(self, aspects: frozenset[Aspect]) -> tuple[str, ...]:
        """The columns that are needed."""
        return self.columns if aspects & {"annotations", "masks"} else ()

    def put(
        self, batch: Batch, rows: Sequence[Mapping[str, Any]], shown: Sequence[str], aspects: frozenset[Aspect]
    ) -> None:
        """Add them to the batch of these rows."""
        cells = [_bytes(row.get(self.column)) for row in rows]
        if "annotations" in aspects:
            batch.objects = nothing_drawn([cell is not None for cell in cells])
        if "masks" in aspects:
            with decode.strict():
                masks = [
                    Mask() if cell is None else read_mask(lambda cell=cell: cell, name, batch.problems)  # type: ignore[misc]
                    for cell, name in zip(cells, shown, strict=True)
                ]
            batch.masks = block_of(masks)

    def pen(self, row: Mapping[str, Any]) -> Pen | None:
        """What draws that of one row."""
        cell = _bytes(row.get(self.column))
        return None if cell is None else mask_over(cell)


DrawnColumns = DrawnObjects | DrawnMasks


def drawn_columns(schema: Any, pictures: Sequence[str], head: Callable[[list[str]], Any]) -> DrawnColumns | None:
    """What is drawn in the pictures of a table, as its columns are called and its first rows have it.

    Args:
        schema: of the table.
        pictures: its columns of pictures, the input first.
        head: gives the first rows of some columns as an Arrow record batch, or None.
    """
    if not pictures:
        return None
    places = [name for name in OBJECTS if name in schema.names and _are_objects(schema.field(name).type)]
    if places:
        return _objects(schema, places[0], (places[0],), pictures[0], head)
    boxes, kinds = (next((name for name in names if name in schema.names), None) for names in (BOXES, KINDS))
    if boxes is not None and kinds is not None and _are_boxes(schema.field(boxes).type):
        return _objects(schema, "", (boxes, kinds), pictures[0], head)
    for name in pictures[1:]:
        if names_mask(name):
            record = head([pictures[0], name])
            if record is not None and _are_masks(record.to_pylist(), pictures[0], name):
                return DrawnMasks(name)
    return None


def _objects(
    schema: Any, column: str, parts: tuple[str, ...], picture: str, head: Callable[[list[str]], Any]
) -> DrawnObjects | None:
    size = next((pair for pair in SIZE if set(pair) <= set(schema.names)), None)
    columns = (*parts, *(size or ()))
    record = head([*columns, picture])
    rows = [] if record is None else record.to_pylist()
    boxes, limits = [], []
    for row in rows:
        own = [cell.box or NOTHING for cell in drawn_in(row.get(column) if column else row)]
        boxes += own
        limits += [_limit(row, picture, size)] * len(own)
    stored, most = np.array(boxes, np.float64).reshape(-1, 4), np.array(limits, np.float64).reshape(-1, 2)
    shares = are_shares(stored)
    form = reading_of(stored, np.ones_like(most) if shares else most)
    return DrawnObjects(column, columns, form, shares, _names(schema, parts), size)


def _limit(row: Mapping[str, Any], picture: str, size: tuple[str, str] | None) -> tuple[int, int]:
    """Width and height of the picture in a row: its own before what is declared."""
    data = _bytes(row.get(picture))
    if data is not None:
        from PIL import Image

        try:
            with decode.strict(), Image.open(io.BytesIO(data), formats=decode.FORMATS) as image:
                return image.width, image.height
        except Exception:  # noqa: S110 - a picture that is damaged is told when it is read
            pass
    return (side(row.get(size[0])), side(row.get(size[1]))) if size else (0, 0)


def _block(held: Sequence[Sequence[ObjectCell]], drawn: DrawnObjects) -> ObjectBlock:
    cells = [cell for own in held for cell in own]
    known: dict[str, int] = {}
    names = [_name(cell.kind, drawn.classes) for cell in cells]
    flags = [
        (0 if cell.box else MALFORMED) | (0 if not drawn.classes or name in drawn.classes else UNDECLARED)
        for cell, name in zip(cells, names, strict=True)
    ]
    boxes = np.array([cell.box or NOTHING for cell in cells], np.float64).reshape(-1, 4)
    return ObjectBlock(
        np.repeat(np.arange(len(held)), [len(own) for own in held]),
        corners_of(boxes, drawn.form),
        np.array([known.setdefault(name, len(known)) for name in names], np.int32),
        list(known),
        np.array([cell.ref if _is_id(cell.ref) else -1 for cell in cells], np.int64),
        np.array(flags, np.uint8),
        np.zeros((len(held), 2), np.int32),
        np.ones(len(held), np.bool_),
    )


def _is_id(ref: Any) -> bool:
    return isinstance(ref, int) and abs(ref) < 2**62


def _name(kind: Any, classes: tuple[str, ...]) -> str:
    if kind is None:
        return "object"
    if isinstance(kind, int) and 0 <= kind < len(classes):
        return classes[kind]
    return printable(str(kind))


def _names(schema: Any, parts: Sequence[str]) -> tuple[str, ...]:
    """The names of the classes, where the metadata of Hugging Face declare them somewhere in these columns."""
    features = features_of(schema.metadata)
    waiting: list[Any] = [features[name] for name in parts if name in features]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and one.get("_type") == "ClassLabel":
            names = one.get("names")
            return tuple(printable(str(name)) for name in names) if isinstance(names, list) else ()
        waiting += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
    return ()


def _are_objects(kind: Any) -> bool:
    """Whether an Arrow type is a struct of lists of boxes and what else, or a list of structs of a box each."""
    import pyarrow as pa

    if _is_list(kind) and pa.types.is_struct(kind.value_type):
        parts = {field.name: field.type for field in kind.value_type}
        return any(name in parts and _is_list(parts[name]) for name in BOXES)
    if not pa.types.is_struct(kind):
        return False
    parts = {field.name: field.type for field in kind}
    return any(name in parts and _are_boxes(parts[name]) for name in BOXES)


def _are_boxes(kind: Any) -> bool:
    """Whether an Arrow type is a list of lists of numbers."""
    import pyarrow as pa

    if not (_is_list(kind) and _is_list(kind.value_type)):
        return False
    number = kind.value_type.value_type
    return bool(pa.types.is_integer(number) or pa.types.is_floating(number))


def _is_list(kind: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _are_masks(rows: Sequence[Mapping[str, Any]], picture: str, column: str) -> bool:
    """Whether a column holds masks: as large as the pictures, with few values."""
    fitting = held = 0
    for row in rows:
        data = _bytes(row.get(column))
        if data is None:
            continue
        held += 1
        try:
            with decode.strict():
                mask = mask_of_file(data)
        except Exception:  # noqa: S112 - the others say it
            continue
        fitting += mask.size == _limit(row, picture, None) and mask.distinct <= KEPT
    return 2 * fitting > held > 0


def _bytes(cell: Any) -> bytes | None:
    data = cell.get("bytes") if isinstance(cell, dict) else cell
    return data if isinstance(data, bytes) and data else None
