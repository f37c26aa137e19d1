"""Volumes of medical pictures (NIfTI) and the list of them, which are not read: said in one line, and taken for no table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Problem
from datalint.core.wording import counted
from datalint.sources.layouts.base import Basis, Claim, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

VOLUMES = (".nii", ".nii.gz", ".nrrd", ".mha", ".mhd", ".mgz")

LARGEST = 16 << 20
"""Bytes of a list that is read."""


class Volumes(Layout):
    """Medical volumes with a ``dataset.json`` that lists them (Medical Segmentation Decathlon, nnU-Net, MONAI)."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The list and its volumes, of which no data set is made."""
        left = folder.left
        volumes = [entry for entry in left if entry.name.lower().endswith(VOLUMES)]
        for entry in left if volumes else ():
            if entry.suffix == ".json" and 0 < entry.size <= LARGEST:
                count = folder.once(("volumes", entry.parts), lambda e=entry: _listed(e))  # type: ignore[misc]
                if count:
                    own = [volume for volume in volumes if volume.parts[: len(entry.folder)] == entry.folder]
                    text = f"lists {counted(count, 'volume')} of NIfTI or the like, which are not read: nibabel or MONAI reads them"
                    folder.unread[entry.parts] = Problem("not-scanned", entry.shown, text)
                    files = [entry, *own]
                    yield Claim(files, Basis.DECLARED, text, None, files)
                    return

    def dataset(self, claim: Claim) -> Dataset | None:  # noqa: ARG002 - as Layout has it
        """None."""
        return None


def _listed(entry: Entry) -> int:
    """How many volumes a list of a Decathlon task names."""
    try:
        held: Any = json.loads(entry.path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return 0
    names: list[Any] = []
    for key in ("training", "validation", "test") if isinstance(held, dict) else ():
        inside = held.get(key)
        items = inside if isinstance(inside, list) else []
        names += [item.get("image") if isinstance(item, dict) else item for item in items]
    names = [name[0] if isinstance(name, list) and name else name for name in names]
    hits = sum(isinstance(name, str) and name.lower().endswith(VOLUMES) for name in names)
    return hits if 2 * hits > len(names) else 0
