"""What a Croissant file (JSON-LD of MLCommons) says of the tables next to it: which of their columns are labels."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from datalint.sources.files import Entry

NAMES = frozenset({"croissant.json", "metadata.json", "croissant.jsonld", "metadata.jsonld"})

LARGEST = 8 << 20
"""Bytes of such a file that is read."""


def labels_in(entries: Iterable[Entry]) -> dict[str, str]:
    """The label column of each file, by the names of the files that Croissant files among ``entries`` describe."""
    found: dict[str, str] = {}
    for entry in entries:
        if entry.name.lower() in NAMES and 0 < entry.size <= LARGEST:
            try:
                held = json.loads(entry.path.read_bytes())
            except (OSError, ValueError, RecursionError):
                continue
            if isinstance(held, dict) and "croissant" in json.dumps(held.get("conformsTo", held.get("@context", ""))):
                found |= dict(_labels(held))
    return found


def _labels(held: dict[str, Any]) -> Iterator[tuple[str, str]]:
    files = {
        str(item.get("@id", item.get("name"))): str(item.get("contentUrl", "")).rpartition("/")[2]
        for item in _items(held.get("distribution"))
    }
    for records in _items(held.get("recordSet")):
        for field in _items(records.get("field")):
            kinds = field.get("dataType", [])
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if not any(str(kind).endswith(("cr:Label", "croissant/Label")) for kind in kinds):
                continue
            source = field.get("source")
            source = source if isinstance(source, dict) else {}
            of, taken = source.get("fileObject"), source.get("extract")
            name = files.get(str(of.get("@id") if isinstance(of, dict) else of), "")
            column = taken.get("column") if isinstance(taken, dict) else None
            if name and isinstance(column, str):
                yield name, column


def _items(held: Any) -> list[dict[str, Any]]:
    items = held if isinstance(held, list) else [held]
    return [item for item in items if isinstance(item, dict)]
