"""Tables of other libraries, and rows, as tables that a scan reads: through Arrow wherever it can be."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.errors import DatalintError
from datalint.sources.files import reason

if TYPE_CHECKING:
    from collections.abc import Callable

TEXT = "text"
"""What the only column of texts is called."""

DENSE = 1 << 30
"""Bytes of a sparse matrix as the numbers that are its rows."""

MOST = 10_000_000
"""Rows that are taken from a function that yields them."""

_STORED_TEXTS = frozenset({"object", "str", "string", "large_string", "string_view", "category", "utf8"})
# In this order: what is lazy is asked for its rows first.
_METHODS = ("collect", "compute", "to_arrow_table", "to_arrow", "toArrow", "to_table", "toPandas", "to_pandas")


def tabular(value: Any) -> Any:
    """The value, or the table that it is or stands for: a pandas frame or one of Arrow.

    Raises:
        DatalintError: it says that it is a table, and cannot be read.
    """
    if _is_generator(value):
        value = _drawn(value)
    try:
        for is_one, made in ((_is_sparse, _dense), (_is_column, _texts), (_is_rows, _rows)):
            if is_one(value):
                return made(value)
        return _table(value)
    except DatalintError:
        raise
    except Exception as error:  # of whatever library it is
        raise DatalintError(f"the {type(value).__name__} cannot be read as a table: {reason(error)}") from error


def _table(value: Any) -> Any:
    if hasattr(value, "iloc") and not hasattr(value, "npartitions"):
        return value
    if hasattr(value, "__arrow_c_stream__"):
        import pyarrow as pa

        return pa.table(value)
    if hasattr(type(value), "columns") or hasattr(type(value), "schema"):  # asked for, some would work it out
        for name in _METHODS:
            if callable(method := getattr(value, name, None)):
                return _table(method())
    if hasattr(value, "__dataframe__"):
        from pyarrow.interchange import from_dataframe

        return from_dataframe(value)
    return value


def _is_column(value: Any) -> bool:
    """Whether this is one column of a table."""
    lists = hasattr(value, "tolist") or hasattr(value, "to_list") or hasattr(value, "to_pylist")
    return lists and not hasattr(value, "columns") and not isinstance(value, np.ndarray)


def _texts(value: Any) -> Any:
    """A column of texts as a table; others are arrays already."""
    kind = str(getattr(value, "dtype", getattr(value, "type", ""))).lower()
    if kind not in _STORED_TEXTS:
        return value
    name = next(name for name in ("to_pylist", "to_list", "tolist") if hasattr(value, name))
    found = getattr(value, name)()
    return _rows(found) if _are_texts(found) else value


def _is_sparse(value: Any) -> bool:
    return hasattr(value, "tocsr") and hasattr(value, "nnz") and hasattr(value, "shape")


def _dense(value: Any) -> Any:
    """The rows of a sparse matrix of scipy."""
    if len(value.shape) != 2:
        return value
    rows, columns = value.shape
    if rows * columns * 8 > DENSE:
        raise DatalintError(
            f"a sparse matrix of {rows:,} x {columns:,} is too large to be read row by row: "
            "give the columns that matter, or save it with sklearn.datasets.dump_svmlight_file and scan that"
        )
    return np.asarray(value.toarray())


def _is_rows(value: Any) -> bool:
    """Whether this is a list of records or texts, or an array of them."""
    if isinstance(value, np.ndarray):
        return value.dtype.names is not None or (value.ndim == 1 and value.dtype.kind in "OU" and _are_texts(value))
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes, tuple)) or not value:
        return False
    return _are_texts(value) or any(all(test(row) for row in value) for test in _RECORDS)


def _are_texts(value: Iterable[Any]) -> bool:
    found = False
    for item in value:
        if item is not None and not isinstance(item, str):
            return False
        found = found or bool(item)
    return found


_RECORDS: tuple[Callable[[Any], bool], ...] = (
    lambda row: isinstance(row, Mapping),
    lambda row: is_dataclass(row) and not isinstance(row, type),
    lambda row: isinstance(row, tuple) and hasattr(row, "_fields"),
    lambda row: hasattr(row, "asDict"),
    lambda row: hasattr(row, "__arrow_c_array__") and hasattr(row, "schema"),
    lambda row: isinstance(row, (tuple, list)) and any(isinstance(cell, str) for cell in row),
)


def _rows(value: Any) -> Any:
    import pandas as pd
    import pyarrow as pa

    names = value.dtype.names if isinstance(value, np.ndarray) else None
    if names is None and _are_texts(value):
        return pd.DataFrame({TEXT: list(value)})
    if names is not None:
        return pd.DataFrame({name: value[name] if value[name].ndim == 1 else list(value[name]) for name in names})
    first = value[0]
    if hasattr(first, "__arrow_c_array__") and hasattr(first, "schema"):
        return pa.Table.from_batches([pa.record_batch(row) for row in value])
    if hasattr(first, "asDict"):
        value = [row.asDict() for row in value]
    if isinstance(first, (tuple, list)) and not hasattr(first, "_fields") and len({len(row) for row in value}) > 1:
        raise DatalintError(f"the rows of the list have from {min(map(len, value))} to {max(map(len, value))} values")
    return pd.DataFrame(list(value))


def _is_generator(value: Any) -> bool:
    """Whether this makes rows anew each time that it is called."""
    return inspect.isfunction(value) or inspect.ismethod(value)


def _drawn(make: Callable[[], Any]) -> Any:
    """The rows that a function yields.

    Raises:
        DatalintError: it wants to be given something, or yields nothing or no rows.
    """
    needs = [
        p.name
        for p in inspect.signature(make).parameters.values()
        if p.default is p.empty and p.kind < p.VAR_POSITIONAL
    ]
    if needs:
        raise DatalintError(
            f"the function {make.__name__} wants {', '.join(needs)}: give one that takes nothing and yields rows"
        )
    made = make()
    if not isinstance(made, Iterator):
        return made
    rows = list(islice(made, MOST + 1))
    if len(rows) > MOST:
        raise DatalintError(
            f"the function {make.__name__} yields more than {MOST:,} rows: save them as Parquet and scan that"
        )
    if not rows:
        raise DatalintError(f"the function {make.__name__} yields nothing")
    first = rows[0]
    if isinstance(first, tuple) and len(first) == 2 and not hasattr(first, "_fields") and np.ndim(first[0]) > 0:
        return np.stack([np.asarray(row[0]) for row in rows]), np.asarray([row[1] for row in rows])
    return rows
