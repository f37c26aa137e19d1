"""Objects within the rows of JSON and structures of Parquet: those of a fixed set of keys are columns of their own, ``meta.source``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from datalint.sources.tables.conversations import are_turns, single_turns

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str, ...]
"""Keys that lead to a value, the outermost first."""

DEPTH = 4
"""Objects within objects that are opened; what lies deeper stays an object."""

MOST_KEYS = 100
"""Distinct keys of the objects in one place: where there are more, the keys are values, such as words with their counts."""


ANSWERS = frozenset({"text", "answer_start"})
"""Keys of the lists in which SQuAD of the Hugging Face hub holds the answers to a question: the first stands for all."""


def opened(rows: Sequence[Mapping[str, Any]]) -> frozenset[Path]:
    """Where the objects lie whose keys become columns, as some rows show it."""
    names = {name for row in rows for name in row if "." in name}
    found: set[Path] = set()
    level: list[tuple[Path, Sequence[Mapping[str, Any]]]] = [((), rows)]
    for _ in range(DEPTH):
        level = [
            (path, objects)
            for outer, holders in level
            for path, objects in _objects(outer, holders)
            if not any(name.startswith(f"{'.'.join(path)}.") for name in names)
        ]
        found |= {path for path, _ in level}
    return frozenset(found)


def _objects(outer: Path, holders: Sequence[Mapping[str, Any]]) -> Iterable[tuple[Path, Sequence[Mapping[str, Any]]]]:
    present: dict[str, int] = {}
    objects: dict[str, list[Mapping[str, Any]]] = {}
    for holder in holders:
        for name, value in holder.items():
            if value is not None:
                present[name] = present.get(name, 0) + 1
                if isinstance(value, Mapping):
                    objects.setdefault(name, []).append(value)
    for name, values in objects.items():
        keys = {key for value in values for key in value}
        if 2 * len(values) > present[name] and 0 < len(keys) <= MOST_KEYS and not single_turns(values):
            yield (*outer, name), values


def keys_in(value: Any) -> int:
    """Distinct keys of the objects within a value, at whatever depth."""
    keys: set[str] = set()
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, Mapping):
            keys |= item.keys()
            left += item.values()
        elif isinstance(item, Sequence) and not isinstance(item, str):
            left += item
    return len(keys)


def flat(row: Mapping[str, Any], places: frozenset[Path]) -> Mapping[str, Any]:
    """The row with the keys of the objects in these places as keys of its own."""
    if not places:
        return row
    out: dict[str, Any] = {}
    _flatten(row, (), places, out)
    return out


def _flatten(row: Mapping[str, Any], outer: Path, places: frozenset[Path], out: dict[str, Any]) -> None:
    for name, value in row.items():
        path = (*outer, name)
        if path not in places:
            out[".".join(path)] = value
        elif isinstance(value, Mapping):
            _flatten(_first_answer(value), path, places, out)


def _first_answer(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object as it is, but for lists of answers the first of them."""
    if value.keys() != ANSWERS or not all(isinstance(items, list) for items in value.values()):
        return value
    return {key: next(iter(items), None) for key, items in value.items()}


def path_of(column: str, places: Iterable[Path]) -> Path:
    """The keys that lead to the values of a column."""
    inside = (path for path in places if column.startswith(f"{'.'.join(path)}."))
    outer = max(inside, key=len, default=())
    return (*outer, column[len(".".join(outer)) + 1 :]) if outer else (column,)


def put(row: dict[str, Any], path: Path, value: Any) -> None:
    """Change the value in one place of a row."""
    for name in path[:-1]:
        inner = row.get(name)
        if not isinstance(inner, dict):
            inner = row[name] = {}
        row = inner
    if row.keys() == ANSWERS and isinstance(row[path[-1]], list):
        row[path[-1]][:1] = [value]
    else:
        row[path[-1]] = value


def get(row: Mapping[str, Any], path: Path) -> Any:
    """The value in one place of a row; None if it is not there."""
    value: Any = row
    for name in path:
        value = _first_answer(value).get(name) if isinstance(value, Mapping) else None
    return value


def schema(columns: Mapping[str, Any], places: frozenset[Path]) -> Any:
    """The Arrow schema of rows that hold columns of these types, some of them within objects."""
    import pyarrow as pa

    tree: dict[str, Any] = {}
    for column, kind in columns.items():
        put(tree, path_of(column, places), kind)
    return pa.schema(_fields(tree))


def _fields(tree: Mapping[str, Any]) -> list[tuple[str, Any]]:
    import pyarrow as pa

    return [(name, pa.struct(_fields(kind)) if isinstance(kind, dict) else kind) for name, kind in tree.items()]


def within(schema: Any) -> frozenset[Path]:
    """Where the structures of an Arrow schema lie whose fields become columns: those of single values, and of answers."""
    import pyarrow as pa

    found: set[Path] = set()
    level: list[tuple[Path, Any]] = [((field.name,), field.type) for field in schema]
    names = {name for name in schema.names if "." in name}
    for _ in range(DEPTH):
        level = [
            (path, kind)
            for path, kind in level
            if pa.types.is_struct(kind)
            and 0 < kind.num_fields <= MOST_KEYS
            and not are_turns(kind)
            and (_are_answers(kind) or all(_is_single(kind.field(j).type) for j in range(kind.num_fields)))
            and not any(name.startswith(f"{'.'.join(path)}.") for name in names)
        ]
        found |= {path for path, _ in level}
        level = [
            ((*path, kind.field(j).name), kind.field(j).type) for path, kind in level for j in range(kind.num_fields)
        ]
    return frozenset(found)


def leaves(schema: Any, places: frozenset[Path]) -> Any:
    """The Arrow schema with the fields of the structures in these places as columns of their own."""
    import pyarrow as pa

    fields: list[Any] = []

    def add(path: Path, kind: Any) -> None:
        if path not in places:
            fields.append(pa.field(".".join(path), kind))
            return
        answers = _are_answers(kind)
        for j in range(kind.num_fields):
            inner = kind.field(j)
            add((*path, inner.name), inner.type.value_type if answers else inner.type)

    for field in schema:
        add((field.name,), field.type)
    return pa.schema(fields, schema.metadata)


def _is_single(kind: Any) -> bool:
    """Whether an Arrow type is one of single values: lists side by side are the objects of a picture, bytes are a file."""
    import pyarrow as pa

    lists = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return not (lists or pa.types.is_map(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _are_answers(kind: Any) -> bool:
    """Whether an Arrow type is that of a structure of lists of answers."""
    import pyarrow as pa

    fields = [kind.field(j) for j in range(kind.num_fields)] if pa.types.is_struct(kind) else []
    lists = all(pa.types.is_list(field.type) or pa.types.is_large_list(field.type) for field in fields)
    return lists and {field.name for field in fields} == ANSWERS


def columns(record: Any, names: Iterable[str], places: frozenset[Path]) -> Any:
    """The record batch with these columns taken out of its objects."""
    import pyarrow as pa

    found = {}
    for name in names:
        first, *inner = path_of(name, places)
        array = record.column(first)
        if inner:
            import pyarrow.compute as pc

            *outer, last = inner
            held = pc.struct_field(array, outer) if outer else array
            array = pc.struct_field(held, [last])
            if _are_answers(held.type):
                firsts = [next(iter(items), None) if items else None for items in array.to_pylist()]
                array = pa.array(firsts, array.type.value_type)
        found[name] = array
    return pa.RecordBatch.from_arrays([*found.values()], [*found])
