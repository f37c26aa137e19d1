"""KITTI's detection benchmark: ``training/image_2/000000.png`` next to ``training/label_2/000000.txt``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from datalint.core.annotations import CROWD, MALFORMED
from datalint.sources import files
from datalint.sources.annotations.pictures import Note
from datalint.sources.annotations.shapes import LONGEST, NOTHING
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.layouts.pairs import claims_of_pairs, notes_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from datalint.core.annotations import Form
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

FIELDS = {15, 16}
"""Class, truncation, occlusion, angle, the box, three sizes, three places, a turn; and in results a score."""

IGNORED = "DontCare"
"""What stands for objects too far away to be annotated one by one."""


class Kitti(Layout):
    """Pictures with a text file of KITTI's fields for each."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The pictures next to such files, or in a folder next to theirs."""
        left = folder.left
        notes = folder.once(("kitti", len(folder.claimed)), lambda: notes_in(left, ".txt", _looks_like))
        yield from claims_of_pairs(folder, notes, KittiNotes(), "KITTI")


def _looks_like(entry: Entry) -> bool:
    try:
        head, _ = files.head_of(entry.path, 4096)
    except OSError:
        return False
    lines = [line.split() for line in head.decode("utf-8", "replace").splitlines()[:20] if line.strip()]
    # The last line may be cut off.
    return bool(lines) and all(len(words) in FIELDS and _numbers(words[1:15]) for words in lines[:-1] or lines)


def _numbers(words: list[str]) -> list[float] | None:
    try:
        return [float(word) for word in words]
    except ValueError:
        return None


@dataclass(frozen=True)
class KittiNotes:
    """An object on each line, its box in the fifth to the eighth field."""

    shares: ClassVar[bool] = False
    form: ClassVar[Form] = "corners"

    def read(self, data: bytes) -> Note:
        """The lines of a file."""
        note = Note()
        for number, line in enumerate(data.decode("utf-8-sig", "surrogateescape").splitlines(), 1):
            words = line.split()
            if not words:
                continue
            name = files.printable(words[0][:LONGEST])
            corners = _numbers(words[4:8]) if len(words) in FIELDS else None
            flags = (CROWD if name == IGNORED else 0) | (0 if corners else MALFORMED)
            note.add(corners or NOTHING, name, number, flags)
        return note
