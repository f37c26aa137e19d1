"""Folders that ``Dataset.save_to_disk`` and ``DatasetDict.save_to_disk`` of Hugging Face wrote: Arrow files and what is told of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Dataset, Problem
from datalint.core.vocabulary import WHOLE, split_of
from datalint.sources.files import reason
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.hub_card import records_in
from datalint.sources.layouts.tables import table_folders
from datalint.sources.tables.build import Member
from datalint.sources.tables.kinds import declared_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

MOST = 16 << 20
"""Bytes of a description that is read."""


@dataclass
class _Saved:
    """The folder of one split."""

    place: tuple[str, ...]
    about: list[Entry]
    files: list[Entry]
    cached: list[Entry]
    """What the library keeps of its own work."""
    lost: list[str]
    features: dict[str, Any]


class SavedDataSets(Layout):
    """Arrow files that ``state.json`` lists, with the features of ``dataset_info.json``."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Each folder of files, or all those that a ``dataset_dict.json`` joins."""
        by_place: dict[tuple[str, ...], dict[str, Entry]] = {}
        for entry in folder.left:
            by_place.setdefault(entry.folder, {})[entry.name] = entry
        saved = {}
        for place, inside in by_place.items():
            if {"state.json", "dataset_info.json"} <= inside.keys():
                one = folder.once(("saved", place), lambda p=place, i=inside: _saved(folder, p, i))  # type: ignore[misc]
                if one is not None and all(entry.name in inside for entry in one.files):
                    saved[place] = one
        for place, inside in by_place.items():
            joins = inside.get("dataset_dict.json")
            parts = {p: one for p, one in saved.items() if joins and p[:-1] == place}
            if joins and parts:
                yield _claim(folder, place, {_split(p[-1]): one for p, one in parts.items()}, [joins])
                saved = {p: one for p, one in saved.items() if p not in parts}
        for place, one in saved.items():
            yield _claim(folder, place, {WHOLE: one}, [])

    def dataset(self, claim: Claim) -> Dataset | None:
        """The Arrow files as tables."""
        folder, place, parts = claim.content
        tables = table_folders(folder)
        members = []
        for split, one in parts.items():
            declared = declared_label(one.features)
            for table in tables.look(one.files):
                known = table if table.declared is not None else replace(table, declared=declared)
                members.append(Member(known, split, f"folder {one.place[-1]!r}" if split != WHOLE else "not split"))
        if not members:
            return None
        dataset: Dataset
        (dataset,) = tables.grouped(members, place, "saved by Hugging Face Datasets")
        for one in parts.values():
            for name in one.lost:
                where = folder.path((*one.place, "state.json"))
                dataset.problems.append(Problem("absent", where, f"lists {name!r}, which is not there"))
        return dataset


def _claim(folder: Folder, place: tuple[str, ...], parts: Mapping[str, _Saved], more: list[Entry]) -> Claim:
    cached = [entry for one in parts.values() for entry in one.cached]
    files = [*more, *(entry for one in parts.values() for entry in [*one.about, *one.files]), *cached]
    return Claim(files, Basis.DECLARED, f"described in {folder.path(place)}", (folder, place, parts), cached)


def _split(name: str) -> str:
    return (split_of(name) or name) if name.casefold() in {"train", "val", "valid", "validation", "test"} else name


def _saved(folder: Folder, place: tuple[str, ...], inside: Mapping[str, Entry]) -> _Saved | None:
    about = [inside["state.json"], inside["dataset_info.json"]]
    held: list[dict[str, Any]] = []
    for entry in about:
        try:
            if entry.size > MOST:
                raise ValueError(f"has more than {MOST:,} bytes")
            content = json.loads(entry.path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            folder.unread[entry.parts] = Problem("unreadable", entry.shown, f"not JSON: {reason(error)}")
            return None
        held.append(content if isinstance(content, dict) else {})
    state, info = held
    listed = [item.get("filename") for item in records_in(state.get("_data_files"))]
    names = [name for name in listed if isinstance(name, str)]
    if not any(name in inside for name in names):
        return None
    features = info.get("features")
    return _Saved(
        place,
        about,
        [inside[name] for name in dict.fromkeys(names) if name in inside],
        [entry for name, entry in inside.items() if re.fullmatch(r"(cache|tmp).*\.arrow", name) and name not in names],
        [name for name in names if name not in inside],
        features if isinstance(features, dict) else {},
    )
