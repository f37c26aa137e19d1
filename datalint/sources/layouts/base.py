"""What a layout is: it claims the files that make up a data set, and says what the data set is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder


class Basis(IntEnum):
    """What a claim rests on, the weakest first."""

    NAMES = 1
    """Suffixes, and the names of files and folders."""
    STRUCTURE = 2
    """The contents of files that fit together: a table that lists the pictures next to it."""
    DECLARED = 3
    """Metadata that says what the other files are: a data card, ``data.yaml``, ``dataset_info.json``."""
    ASKED = 4
    """The user says so."""


@dataclass(frozen=True)
class Claim:
    """The files of one data set."""

    files: Sequence[Entry]
    """All that belong to it, its metadata included; no other data set gets one of them."""
    basis: Basis
    evidence: str
    content: Any = None
    """What the layout makes the data set of, or the data set itself."""
    left_out: Sequence[Entry] = ()
    """Those of the files that are not read."""


class Layout(ABC):
    """One way in which data sets lie in a folder."""

    surest: ClassVar[Basis] = Basis.DECLARED
    """The best basis that a claim of this layout can have; it is asked only after all surer claims are taken."""

    @abstractmethod
    def claim(self, folder: Folder) -> Iterable[Claim]:
        """The data sets of this layout among ``folder.left``, the files that no surer layout has claimed.

        It may be asked again when other layouts have taken files. No file may be in two claims.
        """

    def dataset(self, claim: Claim) -> Dataset | None:
        """The data set of one of its claims: by default its content; None if nothing of it can be read."""
        dataset: Dataset | None = claim.content
        return dataset

    def datasets(self, claim: Claim) -> Iterable[Dataset]:
        """All data sets of one of its claims, where the same files hold several."""
        dataset = self.dataset(claim)
        return [] if dataset is None else [dataset]
