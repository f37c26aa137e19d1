"""Of which kind a column is, by its cells or by its Arrow type."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from datalint.core.dialogues import TURNS
from datalint.core.missing import AMONG_VALUES
from datalint.sources.files import printable
from datalint.sources.tables import nested
from datalint.sources.tables.conversations import are_turns
from datalint.sources.tables.convert import cells_of
from datalint.sources.tables.drawn_columns import drawn_columns
from datalint.sources.tables.features import features_of
from datalint.sources.tables.format import TableFile, left_out
from datalint.sources.tables.labels import ColumnHead
from datalint.sources.tables.picture_columns import picture_columns, sound_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from datalint.core.dataset import Kind
    from datalint.core.roles import HeadKind
    from datalint.sources.tables.format import Candidate, TableFormat

DECLARED = ("label", "labels", "target", "class", "fine_label")
"""Of several columns that are declared as classes, the first of these is the label."""

_TIME = re.compile(r"\d{4}-(0[1-9]|1[0-2])|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")


def text_head(name: str, kind: Kind, dtype: str, cells: list[str | None]) -> ColumnHead:
    """The head of a column of texts whose kind is known."""
    shown: HeadKind = "number" if kind == "number" else "text"
    if dtype == "bool":
        shown = "bool"
    elif kind == "time":
        shown = "time"
    values: list[object] = list(cells) if kind != "number" else [_float(cell) for cell in cells]
    return ColumnHead(name, shown, values)


def _float(cell: str | None) -> float | None:
    try:
        return None if cell is None else float(cell)
    except ValueError:
        return None


def kind_of(cells: Sequence[str | None]) -> tuple[Kind, str]:
    """Kind and storage type of a column of text cells, missing ones being None."""
    present = [cell for cell in cells if cell is not None]
    if not present:
        return "text", "null"
    strange: set[str] = set()
    whole = True
    numbers = 0
    for cell in present:
        try:
            value = float(cell)
            numbers += 1
            whole = whole and math.isfinite(value) and value == int(value) and "." not in cell
        except ValueError:
            strange.add(cell)
            if len(strange) > 20:
                break
    if numbers and (not strange or _placeholders(strange) or (numbers >= 0.9 * len(present) and len(strange) <= 3)):
        return "number", "int64" if whole else "double"
    if {cell.casefold() for cell in present} <= {"true", "false"}:
        return "text", "bool"
    if len(strange) > 1 and all(_TIME.fullmatch(cell) for cell in present[:200]):
        return "time", "timestamp"
    return "text", "string"


def _placeholders(values: set[str]) -> bool:
    return all(value.casefold() in AMONG_VALUES for value in values)


def arrow_table_file(
    file: Candidate,
    format_: TableFormat,
    schema: Any,
    records: Sequence[Any],
    rows: bool,
    head: Callable[[list[str]], Any] | None = None,
    places: frozenset[nested.Path] = frozenset(),
) -> TableFile:
    """A file with an Arrow schema, as some of its record batches show it.

    Args:
        file: where it lies.
        format_: what it is.
        schema: of its rows.
        records: some of these.
        rows: whether it has any.
        head: gives the first rows of columns that ``records`` lack; None where they have all.
        places: where structures lie whose fields are columns.
    """
    whole = schema
    if places:
        schema = nested.leaves(whole, places)
        records = [nested.columns(record, nested.leaves(record.schema, places).names, places) for record in records]
    shapes = {name: arrow_kind(kind) for name, kind in zip(schema.names, schema.types, strict=True)}
    dtypes = {n: TURNS if are_turns(kind) else str(kind) for n, kind in zip(schema.names, schema.types, strict=True)}
    kinds: dict[str, Kind] = {name: kind for name, (kind, _) in shapes.items() if kind != "other"}
    read = [{name: record.column(j) for j, name in enumerate(record.schema.names)} for record in records]
    lists = [
        name for name, kind in zip(schema.names, schema.types, strict=True) if is_list(kind) and name in whole.names
    ]
    heads = {
        name: ColumnHead(name, shapes[name][1], [cell for of in read if name in of for cell in cells_of(of[name])])
        for name in (*kinds, *lists)
    }
    first = head or (lambda _: records[0] if records else None)
    pictures = picture_columns(schema, first)
    return TableFile(
        path=file.path,
        shown=file.shown,
        name=file.name,
        format=format_,
        columns=tuple(heads[name] for name in kinds),
        kinds=kinds,
        dtypes=dtypes,
        declared=declared_label(features_of(schema.metadata)),
        problems=[left_out(file.shown, name, f"{dtypes[name]} values") for name in shapes if name not in kinds],
        empty=not rows,
        unseen={name: dtypes[name] for name in shapes if name not in kinds},
        lists=tuple(heads[name] for name in lists),
        pictures=pictures,
        sounds=sound_columns(schema, first),
        drawn=drawn_columns(schema, pictures, first),
    )


def is_list(kind: Any) -> bool:
    """Whether an Arrow type is one of lists of texts or whole numbers, as many as there are."""
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return False
    inner = kind.value_type.value_type if pa.types.is_dictionary(kind.value_type) else kind.value_type
    return arrow_kind(inner)[0] in {"number", "text"} and not pa.types.is_floating(inner)


def arrow_kind(kind: Any) -> tuple[Kind, HeadKind]:
    """Kind of a column of an Arrow type, and of its head."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_boolean(kind):
        return "text", "bool"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number", "number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return "text", "text"
    if pa.types.is_null(kind):
        return "text", "text"
    if pa.types.is_temporal(kind):
        return "time", "time"
    if are_turns(kind):
        return "text", "text"
    return "other", "text"


def declared_label(features: Mapping[str, Any]) -> tuple[str, tuple[str, ...]] | None:
    """The label among the features of Hugging Face, and its class names; None where they are malformed or declare none."""
    found: dict[str, tuple[str, ...]] = {}
    for name, feature in features.items():
        one = feature.get("feature", feature) if isinstance(feature, dict) else feature  # of a list
        if isinstance(one, dict) and one.get("_type") == "ClassLabel":
            names = one.get("names") or []
            if not isinstance(names, list) or not all(isinstance(item, str) for item in names):
                return None
            # Two classes of one name cannot be told apart: then the numbers say more.
            found[name] = tuple(map(printable, names)) if len(set(names)) == len(names) else ()
    chosen = next((name for name in DECLARED if name in found), next(iter(found), None))
    return None if chosen is None else (chosen, found[chosen])
