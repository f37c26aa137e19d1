"""From a path to the data sets that lie there."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.core.dataset import Dataset, Problem, Split
from datalint.core.errors import DatalintError
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import counted
from datalint.sources import files
from datalint.sources.arrays.bundles import array_dataset, bundle_of
from datalint.sources.arrays.files import NotAnArray
from datalint.sources.arrays.readers import arrays_in, titled
from datalint.sources.files import ARRAYS, IMAGES, Entry, shared
from datalint.sources.folder import Folder, Wishes, stem, unread
from datalint.sources.images.files import image_partitions
from datalint.sources.inventory import NOTES, WHAT
from datalint.sources.layouts.base import Basis
from datalint.sources.layouts.installed import Installed, PluginFailed, installed_layouts
from datalint.sources.places import entry_at, walk
from datalint.sources.remote.url import is_url
from datalint.sources.split_lists import by_lists
from datalint.sources.tables.encoding import NotATable, NotJudged
from datalint.sources.tables.folders import NO_ROWS, single_table
from datalint.sources.tables.formats import (
    installed_formats,
    known_suffixes,
    look,
    suffixes,
    tables_of,
    unsure_suffixes,
)
from datalint.sources.tables.labels import ASKED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Wishes", "recognise", "recognise_files"]


@dataclass(frozen=True)
class Recognised:
    """The data sets at a path, and what else lies there."""

    datasets: list[Dataset] = field(default_factory=list)
    read: list[Entry] = field(default_factory=list)
    unread: list[Entry] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    """What is wrong with layouts and formats of other distributions."""

    def __add__(self, other: Recognised) -> Recognised:
        """What lies at both paths."""
        return Recognised(
            self.datasets + other.datasets,
            self.read + other.read,
            self.unread + other.unread,
            self.failed + other.failed,
        )


def recognise(path: Path, wishes: Wishes) -> Recognised:
    """The data sets at a path.

    Raises:
        DatalintError: there is no such path, or nothing in it is a data set.
    """
    try:
        kind = path.stat().st_mode
    except FileNotFoundError as error:
        raise DatalintError(f"no such file or folder: {path}{_near(path)}") from error
    except (OSError, ValueError) as error:
        raise DatalintError(f"cannot read {path}: {files.reason(error)}") from error
    if not (stat.S_ISDIR(kind) or stat.S_ISREG(kind)):
        raise DatalintError(f"{path} is a pipe or device: save what it gives in a file and scan that")
    if stat.S_ISDIR(kind):
        found = Search(path, wishes, wishes.folders.get(path) or walk(path)).found()
    else:
        found = _one_file(path, wishes)
    if wishes.label is not None and all(d.label is None or d.label.evidence != ASKED for d in found.datasets):
        raise DatalintError(f"--label {wishes.label}: none of the data sets in {path} has a label column to choose")
    return found


def recognise_files(paths: Sequence[str | Path]) -> list[Dataset]:
    """Changed files, each by itself: tables and arrays as data sets, all images together as one without labels.

    Files that are no data of a known kind pass; broken ones become problems of the data set "changed files".
    """
    found: list[Dataset] = []
    images: list[Entry] = []
    problems: list[Problem] = []
    for item in paths:
        path = Path(item)
        if not path.is_file():
            continue  # deleted since
        entry = Entry(str(path), path.parts, 0)
        if _leads_out(path):
            problems.append(Problem("not-scanned", entry.shown, "link that leads out of the repository"))
            continue
        try:
            if entry.suffix in IMAGES:
                images.append(entry)
            elif entry.suffix in ARRAYS:
                found.append(_single_array(entry))
            elif entry.suffix in suffixes():
                table = look(path, entry.shown, path.name)
                if table.empty:
                    problems.append(Problem("not-scanned", table.shown, NO_ROWS))
                else:
                    found.append(single_table(table, Wishes()))
        except (NotAnArray, NotATable) as error:
            problems.append(unread(entry, error))
    if images or problems:
        found.append(
            Dataset(
                name="changed files",
                path=".",
                layout="changed files",
                modality="images",
                evidence=f"{len(images):,} image files",
                partitions=image_partitions(WHOLE, images, None),
                splits=(Split(WHOLE, "not split"),),
                label=None,
                problems=problems,
                skipped_label="files are looked at one by one, so there are no labels",
                storage=Storage.PICTURES,
            )
        )
    return found


def _leads_out(path: Path) -> bool:
    """Whether a file really lies outside its repository, or outside its folder where it is in none."""
    place = Path(os.path.abspath(path))  # noqa: PTH100 - the link's own place
    top = next((folder for folder in place.parents if os.path.lexists(folder / ".git")), place.parent)
    return not Path(os.path.realpath(place)).is_relative_to(os.path.realpath(top))


def _near(path: Path) -> str:
    import difflib

    if is_url(str(path)):
        return ""
    try:
        siblings = [item.name for item in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        siblings = []
    near = difflib.get_close_matches(path.name, siblings, 1)
    return f"; did you mean {path.parent / near[0]}?" if near else ""


def _one_file(path: Path, wishes: Wishes) -> Recognised:
    entry = replace(entry_at(path, (path.name,)), called=wishes.names.get(path, ""))
    if wishes.splits:
        raise DatalintError("--split chooses among the files of a folder; scan the folder instead")
    if entry.suffix in IMAGES:
        raise DatalintError(f"{entry.shown} is one image: scan the folder that holds the data set")
    try:
        if entry.suffix in ARRAYS:
            dataset = _single_array(entry)
        elif len(tables := tables_of(path, entry.shown, path.name)) != 1:
            return Search(path.parent, wishes, files.Listing([entry], [], [])).found()
        elif tables[0].empty:
            raise DatalintError(f"{entry.shown} {NO_ROWS}")
        else:
            dataset = single_table(tables[0], wishes)
    except NotAnArray as error:
        raise DatalintError(f"{entry.shown} cannot be read: {error}") from error
    except NotATable as error:
        search = Search(path.parent, wishes, files.Listing([entry], [], []))
        hint = "give a CSV, TSV, Parquet, Arrow, JSON, .npy or .npz file, or a folder"
        return search.found(f"{entry.shown} is no data set that can be read: {_instead(entry, error)}; {hint}")
    return Recognised([dataset], [entry], [], installed_formats()[1])


def _instead(entry: Entry, error: NotATable) -> str:
    """What a file that is no table is: by its suffix where its content says less."""
    known = isinstance(error, NotJudged) or entry.suffix in known_suffixes() | NOTES
    told = str(error).startswith(("a Git LFS", "an empty file", "a file of zero"))
    return str(error) if known or told else WHAT.get(entry.suffix, str(error))


def _no_table(entry: Entry) -> str:
    """Why a file that may be a table is none of samples."""
    try:
        tables = tables_of(entry.path, entry.shown, entry.name)
    except NotATable as error:
        return str(error)
    wide = any(len(table.kinds) > 1 for table in tables)
    return "too few rows" if wide else "not more than one column of numbers, texts or times"


def _single_array(entry: Entry) -> Dataset:
    dataset = array_dataset(files.printable(stem(entry.name)), entry.shown, bundle_of(arrays_in(entry.path)))
    return titled(dataset, entry.name)


def nearest(problem: Problem, datasets: Sequence[Dataset]) -> Dataset:
    """The data set that lies nearest to a problem."""
    place = Path(problem.path).parts
    return max(datasets, key=lambda dataset: shared(Path(dataset.path).parts, place))


class Search:
    """The data sets below one folder, or among some of its files."""

    def __init__(self, root: Path, wishes: Wishes, listing: files.Listing) -> None:
        self.root, self.wishes, self.listing = root, wishes, listing

    def found(self, otherwise: str = "") -> Recognised:
        """All of them; a DatalintError if there is none, which may say something ``otherwise``."""
        layouts, failed = installed_layouts()
        failed += installed_formats()[1]
        if self.wishes.splits:
            layouts = [one for one in layouts if one.layout.surest == Basis.ASKED]
        while True:
            self.folder = Folder(self.root, self.wishes, self.listing)
            self.read: set[tuple[str, ...]] = set()
            try:
                datasets = self._taken(layouts)
                break
            except PluginFailed as failure:
                failed.append(str(failure))
                layouts = [one for one in layouts if one is not failure.layout]
        if not datasets:
            raise DatalintError("; ".join([self._why(otherwise), *failed]))
        datasets = [self._listed(dataset) for dataset in datasets]
        self._hand_out_problems(datasets)
        places = self.read - self.folder.unread.keys()
        read = [entry for entry in self.listing.entries if entry.parts in places]
        unread = [entry for entry in self.listing.entries if entry.parts not in places]
        return Recognised(datasets, read, unread, failed)

    def _taken(self, layouts: Sequence[Installed]) -> list[Dataset]:
        """The data sets of the surest claims: of equally sure ones those of most files."""
        taken: dict[tuple[int, int], list[Dataset]] = {}
        for basis in sorted(Basis, reverse=True):
            asked = [(number, one) for number, one in enumerate(layouts) if one.layout.surest >= basis]
            lost = True
            while lost:
                offers = [(*item, claim) for item in asked for claim in item[1].claims(self.folder)]
                offers = [offer for offer in offers if offer[2].basis >= basis]
                order = {id(offer[2]): len(taken) + k for k, offer in enumerate(offers)}
                lost = False
                for number, one, claim in sorted(offers, key=lambda offer: (-offer[2].basis, -len(offer[2].files))):
                    places = {entry.parts for entry in claim.files}
                    lost |= not places.isdisjoint(self.folder.claimed)
                    if places.isdisjoint(self.folder.claimed):
                        self.folder.claimed |= places
                        datasets = one.datasets(claim)
                        if datasets:
                            taken[number, order[id(claim)]] = datasets
                            self.read |= places - {entry.parts for entry in claim.left_out}
        return [dataset for key in sorted(taken) for dataset in taken[key]]

    def _listed(self, dataset: Dataset) -> Dataset:
        """The data set with the splits that lists next to it say."""
        if self.wishes.splits:
            return dataset
        found, lists = by_lists(dataset, self.folder)
        self.read |= {entry.parts for entry in lists}
        return found

    def _why(self, otherwise: str) -> str:
        """Why nothing was found: what a layout says of the only file, unless it is that again."""
        own = next((p for p in self.folder.unread.values() if p.message not in otherwise), None) if otherwise else None
        return f"{own.path}: {own.message}" if own else otherwise or self._nothing()

    def _nothing(self) -> str:
        if self.folder.unread:
            first = next(iter(self.folder.unread.values()))
            more = f" (and {len(self.folder.unread) - 1:,} more)" if len(self.folder.unread) > 1 else ""
            return f"nothing in {self.folder.root} can be scanned: {first.path}: {first.message}{more}"
        if self.folder.problems and not self.folder.entries:
            first = self.folder.problems[0]
            return f"nothing in {self.folder.root} can be read: {first.path}: {first.message}; scan the folder where the files lie"
        if not self.folder.entries:
            return f"{self.folder.root} holds no files; scan a folder of tables (CSV, Parquet), class folders of images or NumPy arrays"
        kinds = sorted({e.suffix or e.name for e in self.folder.entries})[:5]
        suffixes = [f"{kind}, {WHAT[kind]}" if kind in WHAT else kind for kind in kinds]
        for entry in self.folder.entries:
            if entry.suffix in unsure_suffixes():
                return f"nothing in {self.folder.root} can be scanned: {entry.shown}: {_no_table(entry)}"
        return (
            f"no data set recognised in {self.folder.root} (its files: {'; '.join(suffixes)}); datalint reads CSV, TSV, Parquet, "
            "Arrow and JSON tables, class folders of images, and .npy and .npz arrays"
        )

    def _idle(self) -> Iterator[Problem]:
        for entries, shown, what in self.folder.unless_claimed:
            if idle := sum(entry.parts not in self.folder.claimed for entry in entries):
                yield Problem(
                    "not-scanned", shown, f"{counted(idle, what)} of pictures that are read without: left out"
                )

    def _hand_out_problems(self, found: list[Dataset]) -> None:
        # A file that belongs to no data set is told with the one that lies nearest.
        for problem in [*self.folder.unread.values(), *self.folder.problems, *self._idle()]:
            nearest(problem, found).problems.append(problem)
