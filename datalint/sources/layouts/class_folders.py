"""Data sets of image files: class folders, split folders, loose pictures."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Label, Problem, Split, split_order
from datalint.sources import files
from datalint.sources.folder import WHOLE, split_folders, strays
from datalint.sources.images.files import image_partitions
from datalint.sources.tables.unlike import among_images

if TYPE_CHECKING:
    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

FLAT_FOLDERS = re.compile(r"(images?|imgs?|photos?|pictures?|pics?|data|jpegimages|raw|files|samples)", re.IGNORECASE)
"""Folder names that say what is inside rather than which class it is."""


CLASSLESS = "lies beside the class folders, so it has no class"


class ImageFolders:
    """The image data sets of a folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    def datasets(self, entries: list[Entry], parts: tuple[str, ...]) -> list[Dataset]:
        """The image data sets at and below one folder."""
        if not entries:
            return []
        depth = len(parts)
        groups = dict(files.children(entries, depth))
        direct = [e for e in entries if len(e.parts) == depth + 1]
        few = max(5, len(entries) // 10)
        splits = split_folders({name: all(len(e.parts) > depth + 2 for e in inside) for name, inside in groups.items()})
        if splits and len(direct) <= few:
            others = {name: inside for name, inside in groups.items() if name not in splits}
            dataset = self._split_images(groups, splits, parts)
            dataset.problems += strays(direct, "lies beside the split folders, so it belongs to none")
            return [dataset, *(d for name, inside in others.items() for d in self.datasets(inside, (*parts, name)))]
        if len(groups) == 1 and not direct:
            only, inside = next(iter(groups.items()))
            if all(len(e.parts) > depth + 2 for e in inside) or FLAT_FOLDERS.fullmatch(only):
                return self.datasets(inside, (*parts, only))
        if not groups:
            return [self._flat_images(direct, parts)]
        leaves = [name for name, inside in groups.items() if any(len(e.parts) == depth + 2 for e in inside)]
        nested = [name for name in groups if name not in leaves]
        if nested and (not leaves or self._are_datasets(groups, nested, depth)):
            found = [dataset for name in nested for dataset in self.datasets(groups[name], (*parts, name))]
            rest = [e for name in leaves for e in groups[name]]
            return found + (self.datasets(rest + direct, parts) if rest or direct else [])
        if len(direct) > few:
            return [self._flat_images(entries, parts)]
        return [self._class_images(groups, direct, parts)]

    def _are_datasets(self, groups: dict[str, list[Entry]], nested: list[str], depth: int) -> bool:
        """Whether folders without images of their own are data sets rather than classes."""
        return all(vocabulary.split_folders(list(dict(files.children(groups[name], depth + 1)))) for name in nested)

    def _split_images(self, groups: dict[str, list[Entry]], splits: dict[str, str], parts: tuple[str, ...]) -> Dataset:
        depth = len(parts) + 1
        by_split: dict[str, list[Entry]] = {}
        why: dict[str, str] = {}
        for folder, inside in groups.items():
            if folder in splits:
                by_split.setdefault(splits[folder], []).extend(inside)
                why.setdefault(splits[folder], f"folder {folder!r}")
        deep = sum(len(e.parts) > depth + 1 for inside in by_split.values() for e in inside)
        total = sum(len(inside) for inside in by_split.values())
        # train/images beside train/labels: the folder says what is inside, not which class it is.
        names = {e.parts[depth] for inside in by_split.values() for e in inside if len(e.parts) > depth + 1}
        classes = deep > total // 2 and not all(FLAT_FOLDERS.fullmatch(name) for name in names)
        return self.dataset(by_split, why, depth if classes else None, parts, "split folders")

    def _class_images(self, groups: dict[str, list[Entry]], stray: list[Entry], parts: tuple[str, ...]) -> Dataset:
        entries = [e for inside in groups.values() for e in inside]
        dataset = self.dataset({WHOLE: entries}, {WHOLE: "not split"}, len(parts), parts, "class folders")
        dataset.problems += strays(stray, CLASSLESS)
        dataset.problems += [
            Problem(
                "not-scanned",
                self.folder.path(empty),
                "a class folder without files, at which torchvision's ImageFolder stops",
            )
            for empty in self.folder.empty
            if empty[:-1] == parts
        ]
        return dataset

    def _flat_images(self, entries: list[Entry], parts: tuple[str, ...]) -> Dataset:
        dataset = self.dataset({WHOLE: entries}, {WHOLE: "not split"}, None, parts, "a folder of images")
        dataset.skipped_label = "the images lie in no class folders, so there are no labels"
        return dataset

    def dataset(
        self,
        by_split: dict[str, list[Entry]],
        why: dict[str, str],
        class_depth: int | None,
        parts: tuple[str, ...],
        layout: str,
    ) -> Dataset:
        """The data set of pictures by split; with `class_depth`, the folder at that depth names their class."""
        partitions = []
        names: set[str] = set()
        lost: list[Problem] = []
        for split in sorted(by_split, key=split_order):
            entries = sorted(by_split[split], key=lambda e: e.parts)
            classes: list[str] | None = None
            if class_depth is not None:
                classless = [e for e in entries if len(e.parts) <= class_depth + 1]
                lost += strays(classless, CLASSLESS)
                entries = [e for e in entries if len(e.parts) > class_depth + 1]
                # Class first: the same class may lie in two folders of one split (train, train_extra).
                entries.sort(key=lambda e: (e.parts[class_depth], e.parts))
                classes = [files.printable(e.parts[class_depth]) for e in entries]
                names |= set(classes)
            partitions += image_partitions(split, entries, classes)
        if names:
            lost += among_images(self.folder.entries, [e for entries in by_split.values() for e in entries])
        label = None
        if names:
            shown = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")
            label = Label("class folder", f"{len(names)} folders: {shown}", "high")
            layout = "image class folders" + (" in split folders" if len(by_split) > 1 or WHOLE not in by_split else "")
        return Dataset(
            name=self.folder.name(parts),
            path=self.folder.path(parts),
            layout=layout,
            modality="images",
            evidence=f"{sum(len(p.files) for p in partitions):,} image files",
            partitions=partitions,
            splits=tuple(Split(s, why[s]) for s in sorted(by_split, key=split_order)),
            label=label,
            problems=lost,
            by_class=bool(names),
            skipped_label="the images lie in no class folders, so there are no labels",
        )
