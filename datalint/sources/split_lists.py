"""Lists of the names of each split (``train.txt``, ``testing_list.txt``) next to files that are not split otherwise."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.core import vocabulary
from datalint.core.dataset import Problem, Split, split_order
from datalint.core.vocabulary import TRAIN, WHOLE
from datalint.core.wording import are, counted
from datalint.sources.files import printable
from datalint.sources.sample_files import SampleFiles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.dataset import Dataset
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

SUFFIXES = frozenset({".txt", ".lst", ".list"})

LARGEST = 64 << 20
"""Bytes of a list that is read."""

LONGEST = 1_000
"""Characters of a name."""

NEARLY = 0.9
"""Share of the names of a list that are those of samples, and of the samples that are in a list."""

_FIELD = re.compile(r"[\t ,;]")
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")


@dataclass(frozen=True)
class _List:
    """One list."""

    entry: Entry
    split: str
    places: Sequence[int]
    """Which of the samples it names."""
    lost: Sequence[str]
    """Names of no sample."""


def by_lists(dataset: Dataset, folder: Folder) -> tuple[Dataset, list[Entry]]:
    """The data set with the splits that lists of names say, and these lists; as it is where there are none.

    Samples that no list names are those of train where only the others have lists.
    """
    parts = [part for part in dataset.partitions if isinstance(part, SampleFiles) and part.aligned]
    if not parts or len(parts) != len(dataset.partitions) or [s.name for s in dataset.splits] != [WHOLE]:
        return dataset, []
    maybe = [e for e in folder.left if e.suffix in SUFFIXES and e.size <= LARGEST and _names_split(e.name)]
    if not maybe:
        return dataset, []
    files = [name for part in parts for name in part.files]
    maybe = [entry for entry in maybe if _is_near(entry, files, folder)]
    lists = _chosen([found for entry in maybe if (found := _read(entry, files)) is not None])
    splits = {one.split for one in lists}
    named = {place for one in lists for place in one.places}
    rest = [place for place in range(len(files)) if place not in named]
    if not splits or splits == {TRAIN}:
        return dataset, []
    if TRAIN not in splits:
        if 2 * len(named) > len(files):
            return dataset, []
    elif len(named) < NEARLY * len(files):
        return dataset, []
    return _split(dataset, parts, lists, rest), [one.entry for one in lists]


def _names_split(name: str) -> bool:
    return vocabulary.split_of(_SUFFIX.sub("", name)) is not None


def _is_near(entry: Entry, files: Sequence[str], folder: Folder) -> bool:
    """Whether a list lies above the files, or in a folder of lists and notes; one with other data sets is about these."""
    above = entry.where[: -len(entry.name)].replace(os.sep, "/")
    if all(name.startswith(above) for name in (files[0], files[-1])):
        return True
    place, suffix = entry.folder, os.path.splitext(files[0])[1]  # noqa: PTH122 - as elsewhere, of names
    return not any(parts[: len(place)] == place and parts[-1].endswith(suffix) for parts in folder.claimed)


def _read(entry: Entry, files: Sequence[str]) -> _List | None:
    """A list, if nearly all of its lines name a sample each."""
    try:
        with entry.path.open(encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.strip() for line in file]
    except (OSError, ValueError):
        return None
    lines = [line for line in lines if line]
    if not lines or max(map(len, lines)) > LONGEST:
        return None
    depth = _depth(lines[0])
    by_name = _ends(files, depth)
    places, lost = [], []
    for line in lines:
        name = next((own for own in (line, _FIELD.split(line)[0]) if _plain(own) in by_name), None)
        place = by_name[_plain(name)] if name is not None else -1
        places += [place] if place >= 0 else []
        lost += [line] if place < 0 else []
    split = vocabulary.split_of(_SUFFIX.sub("", entry.name))
    if split is None or len(places) < NEARLY * len(lines) or len(set(places)) < NEARLY * len(places):
        return None
    return _List(entry, split, places, lost)


def _plain(name: str) -> str:
    return _SUFFIX.sub("", name.replace("\\", "/").removeprefix("./").lstrip("/"))


def _depth(line: str) -> int:
    return _plain(line).count("/")


def _ends(files: Sequence[str], depth: int) -> dict[str, int]:
    """The ends of the paths of samples, of so many folders and without suffix; those of several are none."""
    found: dict[str, int] = {}
    for k, name in enumerate(files):
        end = "/".join(_SUFFIX.sub("", name).split("/")[-depth - 1 :])
        found[end] = -1 if end in found else k
    return found


def _chosen(found: Sequence[_List]) -> list[_List]:
    """One or several of each split: of those that name the same samples the first, as divisions into folds have them."""
    splits = {one.split for one in found}
    both = {TRAIN, vocabulary.VALIDATION} <= splits
    chosen: list[_List] = []
    for one in sorted(found, key=lambda one: (len(one.entry.parts), one.entry.name)):
        if one.split == vocabulary.TRAINVAL and both:
            continue
        own = set(one.places)
        if all(other.split != one.split or own.isdisjoint(other.places) for other in chosen):
            split = TRAIN if one.split == vocabulary.TRAINVAL else one.split
            chosen.append(replace(one, split=split))
    return chosen


def _split(dataset: Dataset, parts: Sequence[SampleFiles], lists: Sequence[_List], rest: Sequence[int]) -> Dataset:
    places: dict[str, list[int]] = {}
    why: dict[str, str] = {}
    for one in lists:
        places.setdefault(one.split, []).extend(one.places)
        why.setdefault(one.split, f"list {printable(one.entry.name)!r}")
    problems = [
        Problem(
            "absent",
            one.entry.shown,
            f"lists {counted(len(one.lost), 'sample')} that {are(len(one.lost))} not there, such as {printable(one.lost[0])!r}",
        )
        for one in lists
        if one.lost
    ]
    if TRAIN not in places:
        places[TRAIN], why[TRAIN] = [*rest], "in none of the lists of the other splits"
    elif rest:
        first = printable([name for part in parts for name in part.files][rest[0]])
        text = f"{counted(len(rest), 'sample')} in no list of a split: left out, this the first"
        problems.append(Problem("not-scanned", first, text))
    whole = parts[0].joined(parts)
    most = max(len(part.files) for part in parts)
    order = sorted(places, key=split_order)
    partitions: list[Any] = [
        whole.of(places[split][start : start + most], split)
        for split in order
        for start in range(0, len(places[split]), most)
    ]
    annotations = dataset.annotations
    if annotations is not None:
        gaps = tuple(replace(gap, split=order[0]) for gap in annotations.gaps)
        annotations = replace(annotations, gaps=gaps, listed={split: len(places[split]) for split in order})
    return replace(
        dataset,
        partitions=partitions,
        splits=tuple(Split(split, why[split]) for split in order),
        problems=[*dataset.problems, *problems],
        annotations=annotations,
    )
