"""Pictures in class folders, in split folders, or loose."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Label, Problem, Split, split_order
from datalint.core.terms import Storage
from datalint.core.vocabulary import WHOLE
from datalint.sources import files
from datalint.sources.files import IMAGES
from datalint.sources.folder import split_folders, stem, strays
from datalint.sources.images.files import image_partitions
from datalint.sources.images.masks import MaskFolder, find_masks
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.named_classes import classes_in_names
from datalint.sources.tables.unlike import among_images

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

FLAT_FOLDERS = re.compile(
    r"(images?|imgs?|photos?|pictures?|pics?|data|jpegimages|raw|files|samples|wavs?|audios?|clips|recordings)"
    r"([-_ ]?\d{1,2}|[-_ ]dir)?",
    re.IGNORECASE,
)
"""Folder names that say what is inside rather than which class it is."""

ROLES = re.compile(
    r"hr|lr|sr|([hl]r|lr_bicubic)([-_ ]?x\d)?|x[2348]|rgb|rgbd|depths?|disparity|semseg|normals|infrared|nir|thermal|query|gallery|probe",
    re.IGNORECASE,
)
"""Folder names of one kind of picture among several of the same scenes or persons."""

PAIRED = frozenset(
    {"blur", "blurred", "sharp", "noisy", "clean", "input", "target", "hazy", "gt", "low", "high", "rainy"}
)
"""The same, where every picture of one has its like in the other: these may be classes too."""

_SCALE = re.compile(r"[-_]?x[2348]$", re.IGNORECASE)
"""Ends of names of pictures that were made smaller."""

RECORDINGS = re.compile(r"(video|clip|seq|sequence|fold|speaker|spk|actor)[-_ ]?\d+", re.IGNORECASE)
"""Folder names of recordings, whose frames are inside, of folds and of speakers."""


NO_CLASS = re.compile(r"_.+_")
"""Folder names of what is not one of the classes, such as ``_background_noise_``."""

FEWEST = 5
"""Fewer pictures of no class are no data set next to others, but icons, examples or drawings."""

FEW = f"fewer than {FEWEST} pictures of no class beside other data sets"

CLASSES = "class folders"
CLASSLESS = "lies beside the class folders, so it has no class"


@dataclass
class Pictures:
    """The pictures of one data set, by split."""

    by_split: Mapping[str, list[Entry]]
    why: Mapping[str, str]
    """Where each split comes from."""
    class_depth: int | None
    """Which folder of each path is the class."""
    parts: tuple[str, ...]
    """Where the data set lies."""
    layout: str
    strays: list[Entry] = field(default_factory=list)
    """Pictures next to those of the data set that belong to no split or class."""
    stray: str = CLASSLESS
    role: str = ""
    """Which of several kinds of picture of each split."""

    @property
    def entries(self) -> list[Entry]:
        """All of them."""
        return [entry for inside in self.by_split.values() for entry in inside]

    @cached_property
    def unlabelled(self) -> frozenset[str]:
        """Splits whose pictures lie in no class folders, while those of others do."""
        level = self.class_depth
        if level is None:
            return frozenset()
        names = {s: {e.parts[level] for e in inside if len(e.parts) > level + 1} for s, inside in self.by_split.items()}
        flat = {split for split, own in names.items() if all(map(FLAT_FOLDERS.fullmatch, own))}
        classes = {name for split, own in names.items() if split not in flat for name in own}
        return frozenset(split for split in flat if classes and not names[split] & classes)

    @property
    def classless(self) -> list[Entry]:
        """Pictures that lie above the level of the classes."""
        if self.class_depth is None:
            return []
        labelled = (e for split, inside in self.by_split.items() if split not in self.unlabelled for e in inside)
        return [entry for entry in labelled if not self.in_class(entry)]

    def in_class(self, entry: Entry) -> bool:
        """Whether a picture lies below the level of the classes."""
        return self.class_depth is not None and len(entry.parts) > self.class_depth + 1

    @property
    def left_out(self) -> list[Entry]:
        """Pictures that belong to no split or no class."""
        return [*self.strays, *self.classless]


class ClassFolders(Layout):
    """Pictures in class folders, in split folders, or loose."""

    surest = Basis.NAMES

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """Every picture that is no mask of another."""
        for found in pictures_of(folder):
            evidence = f"{found.layout} of {len(found.entries):,} image files"
            yield Claim([*found.entries, *found.strays], Basis.NAMES, evidence, (folder, found), found.left_out)

    def dataset(self, claim: Claim) -> Dataset:
        """The pictures with the names of their folders as classes."""
        return picture_dataset(*claim.content)


def pictures_of(folder: Folder) -> list[Pictures]:
    """The data sets that the pictures nobody has claimed make up."""
    masks = {entry.parts for group in mask_folders(folder) for entry in group.of}
    found = arranged([e for e in folder.left if e.suffix in IMAGES and e.parts not in masks], ())
    videos = {entry.folder for entry in folder.entries if entry.name == "seqinfo.ini"}
    for one in found if videos else ():
        if one.class_depth is not None and any(e.parts[: one.class_depth + 1] in videos for e in one.entries):
            one.class_depth, one.layout = None, "frames of videos"
    few = [one for one in found if one.class_depth is None and len(one.entries) < FEWEST]
    if len(few) == len(found) and not folder.claimed:
        return found
    for first in (one.entries[0] for one in few):
        folder.unread[first.parts] = Problem("not-scanned", first.shown, f"{FEW}, this the first")
    return [one for one in found if one not in few]


def mask_folders(folder: Folder) -> list[MaskFolder]:
    """The pictures that are masks of others."""
    return folder.once("masks", lambda: _mask_folders(folder))


def _mask_folders(folder: Folder) -> list[MaskFolder]:
    found = find_masks([entry for entry in folder.entries if entry.suffix in IMAGES])
    for group in found:
        folder.unless_claimed.append((tuple(group.of), group.shown, "mask"))
    return found


def arranged(entries: list[Entry], parts: tuple[str, ...]) -> list[Pictures]:
    """The data sets that files make up at and below one folder, by the names of their folders alone."""
    if not entries:
        return []
    depth = len(parts)
    groups = dict(files.children(entries, depth))
    direct = [e for e in entries if len(e.parts) == depth + 1]
    few = max(5, len(entries) // 10)
    beside = all(ROLES.fullmatch(name) for name in groups if not vocabulary.split_of(name))
    splits = split_folders({n: beside or all(len(e.parts) > depth + 2 for e in inside) for n, inside in groups.items()})
    if splits and len(direct) <= few:
        if kinds := _kinds(groups, splits):
            return [one for kind in kinds for one in _of_kind(groups, splits, parts, direct, *kind)]
        whole, *roles = _in_split_folders(groups, splits, parts)
        whole.strays, whole.stray = direct, "lies beside the split folders, so it belongs to none"
        others = [(name, inside) for name, inside in groups.items() if name not in splits]
        return [whole, *roles, *(found for name, inside in others for found in arranged(inside, (*parts, name)))]
    if len(groups) == 1 and not direct:
        only, inside = next(iter(groups.items()))  # a single folder is no class
        return arranged(inside, (*parts, only))
    if not groups:
        return [_flat(direct, parts)]
    leaves = [name for name, inside in groups.items() if any(len(e.parts) == depth + 2 for e in inside)]
    nested = [name for name in groups if name not in leaves]
    if nested and (not leaves or _are_datasets(groups, nested, depth)):
        below = [found for name in nested for found in arranged(groups[name], (*parts, name))]
        rest = [e for name in leaves for e in groups[name]]
        return below + (arranged(rest + direct, parts) if rest or direct else [])
    if not direct and _are_roles(groups):
        return [found for name, inside in groups.items() for found in arranged(inside, (*parts, name))]
    if len(direct) > few or all(map(RECORDINGS.fullmatch, groups)):
        return [_flat(entries, parts)]
    odd = [name for name in groups if NO_CLASS.fullmatch(name)]
    if len(groups) > len(odd) + 1:
        direct += [entry for name in odd for entry in groups.pop(name)]
    inside = [e for group in groups.values() for e in group]
    return [Pictures({WHOLE: inside}, {WHOLE: "not split"}, depth, parts, CLASSES, direct)]


def _kinds(groups: Mapping[str, list[Entry]], splits: Mapping[str, str]) -> list[tuple[str, list[str]]]:
    """The folders of each kind of picture, where names say it with the split: ``DIV2K_train_HR``, ``DIV2K_train_LR_bicubic``."""
    kinds: dict[str, list[str]] = {}
    for name in groups:
        words = [word for word in vocabulary.family_of(name).split("_") if ROLES.fullmatch(word)]
        kinds.setdefault("_".join(words), []).append(name)
    return [*kinds.items()] if len(kinds) > 1 and "" not in kinds and len(splits) == len(groups) else []


def _of_kind(
    groups: Mapping[str, list[Entry]],
    splits: Mapping[str, str],
    parts: tuple[str, ...],
    direct: list[Entry],
    kind: str,
    names: Sequence[str],
) -> list[Pictures]:
    """The pictures of one kind, and of the scales that lie in folders of their own."""
    found = _in_split_folders({name: groups[name] for name in names}, {name: splits[name] for name in names}, parts)
    for one in found:
        one.role = f"{kind}/{one.role}" if one.role else kind
    found[0].strays, found[0].stray = direct, "lies beside the split folders, so it belongs to none"
    return found


def _are_datasets(groups: Mapping[str, list[Entry]], nested: list[str], depth: int) -> bool:
    """Whether folders without images of their own are data sets rather than classes."""
    return all(vocabulary.split_folders(list(dict(files.children(groups[name], depth + 1)))) for name in nested)


def _are_roles(groups: Mapping[str, list[Entry]]) -> bool:
    """Whether folders hold several kinds of pictures: two or more are named so, and the others hold the same names."""
    roles = [name for name in groups if ROLES.fullmatch(name)]
    stems = {name: {_SCALE.sub("", stem(e.name)) for e in inside} for name, inside in groups.items()}
    if len(groups) == 2 and all(name.casefold() in PAIRED for name in groups):
        one, other = stems.values()
        return 10 * len(one & other) >= 9 * len(one | other)
    others = [stems[name] for name in groups if name not in roles]
    return len(roles) > 1 and all(2 * len(own & stems[roles[0]]) > len(own) for own in others)


def _flat(entries: list[Entry], parts: tuple[str, ...]) -> Pictures:
    return Pictures({WHOLE: entries}, {WHOLE: "not split"}, None, parts, "a folder of images")


def _in_split_folders(
    groups: Mapping[str, list[Entry]], splits: Mapping[str, str], parts: tuple[str, ...]
) -> list[Pictures]:
    depth = len(parts) + 1
    by_split: dict[str, list[Entry]] = {}
    why: dict[str, str] = {}
    for folder, inside in groups.items():
        if folder in splits:
            by_split.setdefault(splits[folder], []).extend(inside)
            why.setdefault(splits[folder], f"folder {folder!r}")
    deep = sum(len(e.parts) > depth + 1 for inside in by_split.values() for e in inside)
    total = sum(len(inside) for inside in by_split.values())
    # train/images next to train/labels: the folder says what is inside, not which class it is.
    below: dict[str, list[Entry]] = {}
    for entry in (e for inside in by_split.values() for e in inside if len(e.parts) > depth + 1):
        below.setdefault(entry.parts[depth], []).append(entry)
    if deep == total and _are_roles(below):
        own = {name: {entry.parts for entry in inside} for name, inside in below.items()}
        kinds = {n: {s: [e for e in inside if e.parts in own[n]] for s, inside in by_split.items()} for n in below}
        return [Pictures(split, why, None, parts, "split folders", role=name) for name, split in kinds.items()]
    flat = all(FLAT_FOLDERS.fullmatch(name) for name in below) or all(map(RECORDINGS.fullmatch, below))
    level = depth if deep > total // 2 and not flat else None
    inside = [entry for own in by_split.values() for entry in own]
    # A single folder is no class, but what all of them are.
    while (
        level is not None
        and len({e.parts[level] for e in inside}) == 1
        and all(len(e.parts) > level + 2 for e in inside)
    ):
        level += 1
    return [Pictures(by_split, why, level, parts, "split folders")]


def picture_dataset(folder: Folder, found: Pictures) -> Dataset:
    """The pictures as a data set."""
    partitions = []
    names: set[str] = set()
    level = found.class_depth
    problems = strays(found.classless, CLASSLESS)
    named = (
        classes_in_names({s: [e.name for e in inside] for s, inside in found.by_split.items()}) if level is None else {}
    )
    for split in sorted(found.by_split, key=split_order):
        entries = sorted(found.by_split[split], key=lambda e: e.parts)
        classes: list[str] | None = None
        if level is not None and split not in found.unlabelled:
            # Class first: the same class may lie in two folders of one split (train, train_extra).
            entries = [e for e in entries if found.in_class(e)]
            entries.sort(key=lambda e: (e.parts[level], e.parts))
            classes = [files.printable(e.parts[level]) for e in entries]
            names |= set(classes)
        elif split in named:
            said = dict(zip((e.parts for e in found.by_split[split]), named[split], strict=True))
            classes = [files.printable(said[e.parts]) for e in entries]
        partitions += image_partitions(split, entries, classes)
    layout, label = found.layout, None
    if names:
        problems += among_images(folder.entries, found.entries)
        shown = ", ".join(sorted(names)[:4]) + (", ..." if len(names) > 4 else "")
        label = Label("class folder", f"{len(names)} folders: {shown}", "high")
        split_folders_too = len(found.by_split) > 1 or WHOLE not in found.by_split
        layout = "image class folders" + (" in split folders" if split_folders_too else "")
    elif named:
        words = sorted({files.printable(word) for inside in named.values() for word in inside})
        shown = ", ".join(words[:4]) + (", ..." if len(words) > 4 else "")
        label = Label("file name", f"{len(words)} words before a number: {shown}", "medium")
    problems += strays(found.strays, found.stray)
    problems += _met_by_loaders(folder, found)
    return Dataset(
        name=folder.name((*found.parts, found.role) if found.role else found.parts),
        path=folder.path(found.parts),
        layout=layout,
        modality="images",
        evidence=f"{sum(len(p.files) for p in partitions):,} image files",
        partitions=partitions,
        splits=tuple(Split(s, found.why[s]) for s in sorted(found.by_split, key=split_order)),
        label=label,
        problems=problems,
        by_class=label is not None,
        by_name=bool(named),
        skipped_label="the images lie in no class folders, and their names say no classes, so there are no labels",
        storage=Storage.PICTURES,
    )


def _met_by_loaders(folder: Folder, found: Pictures) -> list[Problem]:
    """What loaders of class folders read or stop at, and scans pass over."""
    problems = []
    level = found.class_depth
    above = {entry.parts[:level] for entry in found.entries} if level is not None else set()
    for place in folder.empty if found.layout == CLASSES else ():
        if place[:-1] in above:
            why = "a class folder without files, at which torchvision's ImageFolder stops"
            problems.append(Problem("not-scanned", folder.path(place), why))
    for place in folder.hidden:
        if place[:-1] in above and files.holds_pictures(folder.root.joinpath(*place)):
            why = "its pictures are passed over here, and a class of their own for torchvision's ImageFolder"
            problems.append(Problem("hidden", folder.path(place), why))
    homes = {entry.folder for entry in found.entries} if level is not None else set()
    for place in sorted(folder.hidden_pictures):
        if place[:-1] in homes:
            why = "a hidden file with the suffix of a picture" + (
                ", as macOS writes next to the real one" if place[-1].startswith("._") else ""
            )
            problems.append(Problem("disguised", folder.path(place), why))
    return problems
