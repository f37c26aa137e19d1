"""Hudi tables, which are told and not read: their files hold rows of earlier versions too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.sources.layouts.lakes import LakeLayout, Place, Version
from datalint.sources.tables.encoding import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

LOG = ".hoodie"


class Hudi(LakeLayout):
    """Folders with the timeline of a Hudi table."""

    what: ClassVar[str] = "Hudi table"
    log: ClassVar[str] = LOG

    def homes(self, folder: Folder) -> Iterable[Place]:
        """The folders with a timeline, and anything else."""
        for place in folder.hidden:
            if place[-1] == LOG and any(entry.parts[: len(place) - 1] == place[:-1] for entry in folder.left):
                yield place[:-1]

    def version(self, home: Place, entries: Sequence[Entry]) -> Version:  # noqa: ARG002 - as others have it
        """None.

        Raises:
            NotJudged: always.
        """
        raise NotJudged("a Hudi table: read it with the hudi package and save it as Parquet")
