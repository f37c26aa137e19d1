"""Predictions and embeddings that the user already has."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core import vocabulary
from datalint.core.errors import DatalintError
from datalint.core.vocabulary import WHOLE
from datalint.sources.arrays.files import NotAnArray, array_files
from datalint.sources.files import reason
from datalint.sources.places import arrow_file
from datalint.sources.remote.path import place_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def read_given(value: Any, what: str) -> dict[str, NDArray[np.float64]]:
    """Arrays of one row per sample, by split.

    Args:
        value: None, an array, a path, or a mapping of splits to these. A ``.npz`` with several members holds one per
            split, named by the split.
        what: how the user knows it, for messages.

    Raises:
        DatalintError: it cannot be read or is not a table of numbers.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        found: dict[str, NDArray[np.float64]] = {}
        for split, item in value.items():
            inner = read_given(item, what)
            if len(inner) > 1:
                raise DatalintError(f"{what}: {len(inner)} arrays are given for the split {split!r}; one is needed")
            found |= {vocabulary.split_of(str(split)) or str(split): array for array in inner.values()}
        return found
    if isinstance(value, (str, Path)):
        return _read_file(place_of(value), what)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DatalintError(f"{what}: the rows differ in length") from error
    return {WHOLE: _checked(array, what)}


def _read_file(path: Path, what: str) -> dict[str, NDArray[np.float64]]:
    if not path.is_file():
        raise DatalintError(f"{what}: no such file: {path}")
    if path.suffix.lower() in {".npy", ".npz"}:
        try:
            arrays = {vocabulary.split_of(array.key or "") or WHOLE: array for array in array_files(path)}
            blocks = {split: list(array.rows(1 << 20)) for split, array in arrays.items() if array.shape}
        except (NotAnArray, OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise DatalintError(f"{what}: {path}: {reason(error)}") from error
        if not any(blocks.values()):
            raise DatalintError(f"{what}: {path} holds no rows")
        return {split: _checked(np.concatenate(parts), f"{what}: {path}") for split, parts in blocks.items() if parts}
    import pyarrow as pa
    import pyarrow.csv as pacsv

    try:
        with arrow_file(path) as file:
            table = pacsv.read_csv(file)
        columns = [column.cast(pa.float64()).to_numpy(zero_copy_only=False) for column in table.columns]
    except (pa.ArrowException, OSError, ValueError) as error:  # names of columns are decoded when they are asked for
        raise DatalintError(f"{what}: {path} is not a table of numbers with a header: {reason(error)}") from error
    return {WHOLE: _checked(np.column_stack(columns), f"{what}: {path}")}


def _checked(array: NDArray[Any], what: str) -> NDArray[np.float64]:
    if array.ndim != 2 or array.dtype.kind not in "iuf":
        raise DatalintError(
            f"{what}: a table of numbers is needed, one row per sample; this has the shape {array.shape}"
        )
    numbers = array.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise DatalintError(f"{what}: holds NaN or infinite values")
    return numbers
