"""Columns that are keys of sources by what their rows share, whatever they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.codes import factorized
from datalint.profile.learn.groups import FILE_NAMES, Key, group_keys, key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.profile.splits import SplitProfile

    Codes = NDArray[np.int64]
    _Column = NDArray[Any]  # of numbers or of texts

LEAST_SOURCES = 30
"""Fewer values may be a category, or share their attributes by chance."""
MOST_ROWS = 50
"""Median samples per source beyond which it is rather a category."""
CONSTANT = 0.98
"""Share of the sources in which an attribute has one value; a few typing errors and changes are allowed for."""
BY_CHANCE = 0.5
"""Share of the sources in which a column that is no attribute may have one value, as rare flags do."""
FEW = 0.5
"""Values of an attribute per source: it is shared by several sources, while another key or a code for the same is not."""
INDEPENDENT = 0.7
"""Combinations of attributes, relative to independent attributes: a country determines its region."""
LEAST_COMBINATIONS = 20
"""Fewer combinations of attributes make types, not individuals."""
VARYING = 0.5
"""Share of the sources whose rows differ at all: copies of one row are no source."""
SMOOTH = 3.0
"""Standard errors of the rank correlation of neighbouring values, from which a number is a quantity and no key."""
_MOST_CANDIDATES = 20
_MOST_COLUMNS = 100


def keys_by_structure(dataset: Dataset, splits: Sequence[SplitProfile]) -> list[tuple[Key, tuple[str, ...]]]:
    """Columns of whole numbers or texts whose values stand for something that has attributes of its own, and these.

    The rows of one patient differ, but share sex, age and height: columns that are constant within a value though
    chance would not make them so, that several values have in common, and that vary freely against each other. A
    category fails one of these: what is constant within a city (its country and continent) hangs together, what is
    constant within a product code (its name) belongs to it alone. Quantities fail because their neighbours are similar.

    Args:
        dataset: whose columns they are.
        splits: whose sampled rows are judged, pooled.
    """
    known = {key.name for key in group_keys(dataset, splits) if key.named or key.name == FILE_NAMES}
    columns = _columns(dataset, splits)
    candidates = []
    for field in dataset.fields:
        column = columns.get(field.name)
        if column is None or field.name in known or field.role in {"time", "index", "split"}:
            continue
        if column.dtype.kind == "f" and not (column == np.rint(column))[np.isfinite(column)].all():
            continue
        codes, values = _codes(column)
        key = key_of(field.name, codes, values, named=False)
        if key is None or len(values) < LEAST_SOURCES or not 2 <= float(np.median(key.counts)) <= MOST_ROWS:
            continue
        candidates.append((key, column.dtype.kind == "f"))
    if not candidates:
        return []
    coded = {name: _codes(column)[0] for name, column in columns.items()}
    found = []
    for key, numeric in candidates[:_MOST_CANDIDATES]:
        shared = _attributes(key, numeric, {name: codes for name, codes in coded.items() if name != key.name})
        if shared:
            found.append((key, shared))
    return found


def _columns(dataset: Dataset, splits: Sequence[SplitProfile]) -> dict[str, _Column]:
    """The columns of the pooled rows that all splits have, as numbers or as texts."""
    columns: dict[str, _Column] = {}
    for field in dataset.fields[:_MOST_COLUMNS]:
        parts: list[_Column] = []
        for rows in (split.rows for split in splits):
            if field.name in rows.texts:
                parts.append(rows.texts[field.name])
            elif field.name in rows.at:
                parts.append(rows.column(field.name))
        if len(parts) == len(splits) and len({part.dtype.kind for part in parts}) == 1:
            columns[field.name] = np.concatenate(parts)
    return columns


def _codes(values: _Column) -> tuple[Codes, list[object]]:
    """Codes, in ascending order of numbers, and the values."""
    if values.dtype.kind != "f":
        return factorized(values)
    finite = np.isfinite(values)
    distinct, at = np.unique(values[finite], return_inverse=True)
    codes = np.full(len(values), -1, np.int64)
    codes[finite] = at
    return codes, distinct.tolist()


def _attributes(key: Key, numeric: bool, columns: dict[str, Codes]) -> tuple[str, ...]:
    """Columns that describe the sources; empty where the key is none."""
    order = np.argsort(key.codes, kind="stable")
    order = order[key.codes[order] >= 0]
    starts = np.flatnonzero(np.diff(key.codes[order], prepend=-1))
    sizes = np.diff(np.append(starts, len(order)))
    several = sizes > 1
    sources = len(starts)
    attributes: dict[str, Codes] = {}
    if not several.any():
        return ()
    varies = np.zeros(sources, np.bool_)
    for name, codes in columns.items():
        ranked = codes[order]
        low, high = np.minimum.reduceat(ranked, starts), np.maximum.reduceat(ranked, starts)
        one = low == high
        varies |= ~one
        if one[several].mean() < CONSTANT or low.min() < 0:
            continue
        frequent = np.bincount(ranked) / len(ranked)
        alike = float(np.mean([(frequent**size).sum() for size in sizes[several]]))
        distinct = len(np.unique(high))
        if alike <= BY_CHANCE and 2 <= distinct <= FEW * sources:
            attributes[name] = high
    if len(attributes) < 2 or varies[several].mean() < VARYING:
        return ()
    table = np.stack(list(attributes.values()))
    combinations = len(np.unique(table, axis=1).T)
    by_chance = len(np.unique(np.random.default_rng(0).permuted(table, axis=1), axis=1).T)
    if combinations < max(LEAST_COMBINATIONS, INDEPENDENT * by_chance):
        return ()
    if numeric and any(_smooth(codes) for codes in attributes.values()):
        return ()
    return tuple(attributes)


def _smooth(codes: Codes) -> bool:
    """Whether sources of neighbouring numbers are similar in an attribute.

    Args:
        codes: [sources] value of the attribute, in the order of the sources' numbers; numbers have ascending codes.
    """
    n = len(codes) - 1
    level = codes - codes.mean()
    likeness = float((level[1:] * level[:-1]).sum() / (level**2).sum())
    alike = float(((np.bincount(codes) / len(codes)) ** 2).sum())
    equal = float((codes[1:] == codes[:-1]).mean())
    return bool(likeness * n**0.5 > SMOOTH or equal - alike > SMOOTH * (alike * (1 - alike) / n) ** 0.5)
