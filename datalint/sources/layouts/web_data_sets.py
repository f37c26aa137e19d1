"""WebDataset: tar shards whose consecutive members of one key (``000001.jpg``, ``000001.cls``) are a sample."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.dataset import Dataset, Label, Problem, Split, split_order
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import are, counted
from datalint.sources import tars
from datalint.sources.files import printable
from datalint.sources.images.shards import (
    MAX_LABEL,
    PICTURES,
    Labelled,
    Sample,
    ShardPartition,
    json_of,
    samples,
)
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.tables.kinds import kind_of, text_head
from datalint.sources.tables.labels import ASKED, choose_label

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.labels import ColumnHead

HEAD = 200
"""Samples of a shard that are looked at."""

HEADS = 3
"""Shards of each split that are looked at for the label; the others for being shards alone."""

NEARLY = 0.9
"""Share of the samples with a part beyond which it is missed where it lacks."""

CLASS = ("cls", "label", "class", "target")
"""Parts that are classes by their names."""

WORDS = ("txt", "text", "cls.txt")
"""Parts that are classes if they hold one of a few words."""

MAX_KEYS = 50
"""Members of the objects of samples among which the label is looked for."""


@dataclass
class Head:
    """The first samples of a shard."""

    samples: list[Sample]
    apart: tuple[str, str] | None = None
    """Two members of one key between which others lie."""


class WebDataSets(Layout):
    """Tar archives of samples with pictures."""

    surest = Basis.STRUCTURE

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The shards of each folder; of several folders that are named by splits together."""
        shards: dict[tuple[str, ...], list[tuple[Entry, Head]]] = {}
        for entry in folder.left:
            if tars.is_tar(entry.name):
                head = folder.once(("shard", entry.parts), lambda entry=entry: _head(folder, entry))  # type: ignore[misc]
                if head is not None:
                    shards.setdefault(entry.folder, []).append((entry, head))
        for home, found in _joined(shards).items():
            dataset = _dataset(folder, home, found)
            yield Claim([entry for entry, _ in found], Basis.STRUCTURE, dataset.evidence, dataset)


def _joined(
    shards: Mapping[tuple[str, ...], list[tuple[Entry, Head]]],
) -> dict[tuple[str, ...], list[tuple[Entry, Head]]]:
    by_parent: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for home in shards:
        by_parent.setdefault(home[:-1], []).append(home)
    joined = dict(shards)
    for parent, homes in by_parent.items():
        if all(homes) and vocabulary.split_folders([home[-1] for home in homes]):
            joined[parent] = joined.get(parent, []) + [item for home in homes for item in joined.pop(home)]
    return joined


def _head(folder: Folder, entry: Entry) -> Head | None:
    """The first samples, if they are pictures with other parts; None if the archive is something else."""
    found: list[Sample] = []
    try:
        for sample in islice(samples(entry.path, lambda part: part not in PICTURES, [], MAX_LABEL), HEAD):
            found.append(sample)  # noqa: PERF402 - those before the damage are kept
    except tars.DAMAGE as error:
        if not found:
            folder.unread.setdefault(entry.parts, Problem("truncated", entry.shown, tars.damage(error)))
    shown = [sample for sample in found if any(part in sample.parts for part in PICTURES)]
    several = sum(len(sample.parts) > 1 for sample in shown)
    if 2 * several > len(found):
        return Head(found)
    apart = _apart(found)
    return Head(found, apart) if apart else None


def _apart(found: Sequence[Sample]) -> tuple[str, str] | None:
    """Two parts of a key that came back, where most do: the archive was not sorted by name."""
    seen: dict[str, str] = {}
    again: tuple[str, str] | None = None
    count = 0
    for sample in found:
        part = next(iter(sample.parts))
        if sample.key in seen:
            count += 1
            again = again or (f"{sample.key}.{seen[sample.key]}", f"{sample.key}.{part}")
        seen.setdefault(sample.key, part)
    held = {part for sample in found for part in sample.parts}
    return again if held & set(CLASS) and 3 * count > len(found) else None


def _dataset(folder: Folder, home: tuple[str, ...], found: Sequence[tuple[Entry, Head]]) -> Dataset:
    by_name = vocabulary.split_files([entry.name for entry, _ in found])
    folders = {entry.folder[-1] for entry, _ in found if len(entry.folder) > len(home)}
    of_folder = vocabulary.split_folders(sorted(folders)) or {}
    splits: dict[str, list[tuple[Entry, Head]]] = {}
    why: dict[str, str] = {}
    for entry, head in found:
        inside = entry.folder[-1] if len(entry.folder) > len(home) else ""
        split = of_folder.get(inside) or by_name.get(entry.name) or WHOLE
        note = f"folder {inside!r}" if inside in of_folder else f"file name {entry.name!r}"
        why.setdefault(split, "not split" if split == WHOLE else note)
        splits.setdefault(split, []).append((entry, head))
    order = sorted(splits, key=split_order)
    looked_at = [sample for split in order for _, head in splits[split][:HEADS] for sample in head.samples]
    parts = Counter(part for sample in looked_at for part in sample.parts)
    held = tuple(part for part in dict.fromkeys(PICTURES) if parts[part])
    pictures = held or tuple(part for part in parts if part.rpartition(".")[2] in PICTURES)
    wish = folder.wishes.label
    label, evidence = _label(looked_at, wish)
    expected = []
    for part, count in parts.items():
        if part not in pictures and count >= NEARLY * len(looked_at):
            expected.append(part)
    others = sorted(part for part in parts if part not in pictures[:1] and not (label and label.part == part))
    note = f"; .{', .'.join(others[:5])} {are(len(others))} not looked at" if others else ""
    partitions = [
        ShardPartition(entry.path.absolute(), entry.shown, split, pictures, label, tuple(expected), entry.size)
        for split in order
        for entry, _ in sorted(splits[split], key=lambda item: item[0].parts)
    ]
    dataset = Dataset(
        name=folder.name(home),
        path=folder.path(home) if len(found) > 1 else found[0][0].shown,
        layout="WebDataset shards",
        modality="images",
        evidence=f"{counted(len(found), 'tar archive')}, samples of .{', .'.join(sorted(parts)[:6])}{printable(note)}",
        partitions=partitions,
        splits=tuple(Split(split, why[split]) for split in order),
        label=None if label is None else Label(label.name, evidence, "certain" if wish else "high"),
        skipped_label="the samples have no part that is a class; name it with --label, such as cls or json.label",
    )
    for entry, head in found:
        if head.apart:
            text = f"{head.apart[0]!r} and {head.apart[1]!r} do not lie next to each other, so loaders take them for two samples: pack it sorted by name"
            dataset.problems.append(Problem("absent", entry.shown, printable(text)))
    names = [entry.name for entry, _ in found]
    for series, absent in vocabulary.missing_shards(names).items():
        text = f"the file names promise {counted(len(absent), 'more shard')}: number {', '.join(map(str, absent[:5]))}"
        dataset.problems.append(Problem("unreadable", f"{dataset.path}/{printable(series)}", text))
    return dataset


def _label(found: Sequence[Sample], wish: str | None) -> tuple[Labelled | None, str]:
    """Where the label stands, and why."""
    columns = _columns(found)
    heads: dict[str, ColumnHead] = {}
    for name, one in columns.items():
        cells = [one.value(sample) for sample in found]
        kind, dtype = kind_of(cells)
        columns[name] = replace(one, kind="number" if kind == "number" else "text")
        heads[name] = text_head(one.column or part_name(name), columns[name].kind, dtype, cells)
    if wish is not None:
        asked = next((name for name in columns if wish in {name, f".{name}", columns[name].column}), None)
        return (None, "") if asked is None else (columns[asked], ASKED)
    sure = next((name for name in CLASS if name in columns), None)
    if sure is not None:
        return columns[sure], f"each sample has a part .{sure}"
    choice = choose_label([*heads.values()], header=True) if heads else None
    if choice is not None and choice.confidence != "low":
        return columns[next(name for name, head in heads.items() if head.name == choice.name)], choice.evidence
    return _recurring(columns, heads)


def _columns(found: Sequence[Sample]) -> dict[str, Labelled]:
    """What may be a label."""
    columns: dict[str, Labelled] = {}
    for sample in found:
        for part, data in sample.parts.items():
            if part == "json" and data is not None:
                for key, value in islice(json_of(data).items(), MAX_KEYS):
                    if not isinstance(value, (dict, list)):
                        columns.setdefault(f"json.{key}", Labelled("json", key))
            elif part in CLASS or part in WORDS:
                columns.setdefault(part, Labelled(part))
    return columns


def _recurring(columns: Mapping[str, Labelled], heads: Mapping[str, ColumnHead]) -> tuple[Labelled | None, str]:
    """A part of text that holds one of a few words, if there is one."""
    for name in WORDS:
        if name in heads:
            counts = heads[name].facts.counts
            if (
                1 < len(counts) <= 100
                and sum(counts.values()) >= 5 * len(counts)
                and max(map(len, map(str, counts))) < 40
            ):
                return replace(columns[name], kind="text"), f"each part .{name} holds one of {len(counts)} words"
    return None, ""


def part_name(name: str) -> str:
    """What a part is called as a column."""
    return name.partition(".")[0]
