"""All kinds of hostile inputs, and one of them from its name and a number."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Final

from tests.fuzz import annotated, others, pictures, places, shards, stored, tables
from tests.fuzz.case import FAST, Case

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KINDS: Final[dict[str, tuple[Callable[[Random], Case], int]]] = {
    "csv": (tables.csv_case, 26),
    "json-lines": (tables.json_lines_case, 14),
    "packed": (tables.packed_case, 10),
    "parquet": (stored.parquet_case, 14),
    "array": (stored.array_case, 16),
    "json": (others.json_case, 10),
    "database": (others.database_case, 6),
    "batches": (others.batches_case, 8),
    "lines": (others.lines_case, 6),
    "texts": (others.texts_case, 4),
    "shards": (shards.shards_case, 8),
    "records": (shards.records_case, 8),
    "stores": (shards.stores_case, 10),
    "hub": (shards.hub_case, 8),
    "picture": (pictures.picture_case, 20),
    "folder": (places.folder_case, 8),
    "list": (places.list_case, 8),
    "annotated": (annotated.annotated_case, 10),
    "configuration": (places.configuration_case, 8),
    "option": (places.option_case, 5),
    "cache": (places.cache_case, 5),
    "huge": (places.huge_case, 1),
}
"""What makes an input of each kind, and how often it is made."""

EVERY_RULE = 0.03
"""Share of the inputs that all rules judge, also those that train models, with the cache."""


def make(kind: str, number: int) -> Case:
    """The input of a kind and a number: always the same."""
    r = Random(f"{kind}:{number}")
    case = KINDS[kind][0](r)
    if case.options == FAST and case.command[0] == "scan" and r.random() < EVERY_RULE:
        return replace(case, options=())
    return case


def numbered(seed: int) -> Iterator[tuple[str, int]]:
    """Names and numbers without end, in the same order for a seed."""
    r = Random(seed)
    names = sorted(KINDS)
    weights = [KINDS[name][1] for name in names]
    while True:
        yield r.choices(names, weights)[0], r.randrange(10**9)
