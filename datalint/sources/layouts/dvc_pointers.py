"""Pointers of DVC to data that were not fetched: told with their size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from datalint.core.dataset import Problem
from datalint.core.wording import counted
from datalint.sources.files import printable
from datalint.sources.layouts.base import Basis, Claim, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

LARGEST = 1 << 20
"""Bytes of a pointer that is read."""


class DvcPointers(Layout):
    """Files that DVC keeps in place of data."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Each pointer whose data is not there."""
        known = {entry.parts for entry in folder.entries}
        above = {entry.parts[:k] for entry in folder.entries for k in range(1, len(entry.parts))}
        for entry in folder.left:
            if entry.suffix == ".dvc" and 0 < entry.size <= LARGEST:
                lost = [
                    out for out in _outs(entry) if (*entry.folder, *str(out["path"]).split("/")) not in known | above
                ]
                if lost:
                    first = lost[0]
                    size = f" of {first['size']:,} bytes" if isinstance(first.get("size"), int) else ""
                    files = f" in {counted(first['nfiles'], 'file')}" if isinstance(first.get("nfiles"), int) else ""
                    text = printable(
                        f"a DVC pointer to {first['path']!r}{size}{files}, which was not fetched (dvc pull)"
                    )
                    folder.unread[entry.parts] = Problem("not-scanned", entry.shown, text)
                    yield Claim([entry], Basis.DECLARED, text, None, [entry])

    def dataset(self, claim: Claim) -> Dataset | None:  # noqa: ARG002 - as Layout has it
        """None."""
        return None


def _outs(entry: Entry) -> list[dict[str, Any]]:
    """What a pointer points to."""
    try:
        held = yaml.safe_load(entry.path.read_bytes())
    except (OSError, ValueError, yaml.YAMLError, RecursionError):
        return []
    outs = held.get("outs") if isinstance(held, dict) else None
    # Texts alone: what aliases build may be endless.
    return (
        [out for out in outs if isinstance(out, dict) and isinstance(out.get("path"), str)]
        if isinstance(outs, list)
        else []
    )
