"""Repositories of the Hugging Face hub whose card, the front matter of ``README.md``, says which files are which split."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Dataset, Problem
from datalint.core.vocabulary import WHOLE
from datalint.sources.annotations.yolo import plain_yaml
from datalint.sources.files import printable, reason
from datalint.sources.layouts.base import Basis, Claim, Layout
from datalint.sources.layouts.tables import table_folders
from datalint.sources.places import arrow_file
from datalint.sources.tables.build import Member
from datalint.sources.tables.formats import suffixes
from datalint.sources.tables.parquets import ParquetFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder
    from datalint.sources.tables.format import TableFile

CARD = 4 << 20
"""Bytes of a card that is read."""

_FRONT = re.compile(r"\A\s*---[ \t]*\r?\n(.*?\n)---[ \t]*(\r?\n|\Z)", re.DOTALL)

SPLITS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}
"""Names of splits that mean the same; any other is a split of its own."""


@dataclass
class Config:
    """One of the data sets that a card declares."""

    name: str
    patterns: list[tuple[str, str]] = field(default_factory=list)
    """Splits, and the files of each."""
    classes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Names of the classes by column."""
    rows: dict[str, int] = field(default_factory=dict)
    """How many each split has."""


class HubCard(Layout):
    """Files of tables that a card shares out among splits."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each configuration; configurations that share files are claimed together."""
        for entry in folder.left:
            if entry.name != "README.md":
                continue
            configs = folder.once(("card", entry.parts), lambda entry=entry: _configs(folder, entry))  # type: ignore[misc]
            groups: list[tuple[dict[tuple[str, ...], Entry], list[_Files]]] = []
            for config in configs:
                held = _files(folder, entry, config)
                own = {e.parts: e for _, _, some in held.found for e in some}
                if not own:
                    continue
                shared = [group for group in groups if group[0].keys() & own.keys()]
                groups = [group for group in groups if group not in shared]
                joined = own
                for taken, _ in shared:
                    joined = taken | joined
                groups.append((joined, [*(one for _, some in shared for one in some), held]))
            for number, (joined, some) in enumerate(groups):
                content = (folder, entry, some, len(configs) > 1)
                files = [*joined.values(), *([entry] if number == 0 else [])]
                yield Claim(files, Basis.DECLARED, f"declared in {entry.shown}", content)

    def datasets(self, claim: Claim) -> list[Dataset]:
        """One per configuration."""
        folder, card, configs, several = claim.content
        found = [_dataset(folder, card, files, several) for files in configs]
        return [dataset for dataset in found if dataset is not None]


@dataclass
class _Files:
    """The files of one configuration."""

    config: Config
    found: list[tuple[str, str, list[Entry]]]
    """Split, pattern, and the files that match it."""


def _dataset(folder: Folder, card: Entry, files: _Files, several: bool) -> Dataset | None:
    tables = table_folders(folder)
    config = files.config
    members: list[Member] = []
    held: dict[str, list[TableFile]] = {}
    for split, pattern, entries in files.found:
        for table in tables.look(entries):
            column = next((name for name in config.classes if name in table.kinds), None)
            if table.declared is None and column is not None:
                table = replace(table, declared=(column, config.classes[column]))  # noqa: PLW2901 - it is that table
            members.append(Member(table, split, f"{card.name} names {printable(pattern)!r}"))
            held.setdefault(split, []).append(table)
    if not members:
        return None
    (dataset,) = tables.grouped(members, card.folder, "shared out by its card")
    dataset.name = folder.name(card.folder) + (f"/{printable(config.name)}" if several else "")
    for split, pattern, entries in files.found:
        if not entries:
            text = f"names {pattern!r} for the split {split!r}, and no file matches"
            dataset.problems.append(Problem("absent", card.shown, text))
    for split, rows in config.rows.items():
        counted = _rows(held.get(split, ()))
        if counted is not None and counted != rows:
            text = f"declares {rows:,} rows of the split {split!r}, whose files hold {counted:,}"
            dataset.problems.append(Problem("absent", card.shown, text))
    return dataset


def _rows(tables: Sequence[TableFile]) -> int | None:
    """How many rows tables hold, where their files say so."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not tables or not all(isinstance(table.format, ParquetFormat) for table in tables):
        return None
    total = 0
    try:
        for table in tables:
            with arrow_file(table.path) as raw:
                total += pq.read_metadata(raw).num_rows
    except (pa.ArrowException, OSError):
        return None  # which reading it will tell
    return total


def _files(folder: Folder, card: Entry, config: Config) -> _Files:
    depth = len(card.folder)
    own = {
        "/".join(entry.parts[depth:]): entry
        for entry in folder.left
        if entry.folder[:depth] == card.folder and entry.suffix in suffixes()
    }
    found = []
    for split, pattern in config.patterns:
        matches = matching(pattern)
        found.append((split, pattern, [entry for name, entry in own.items() if matches.fullmatch(name)]))
    return _Files(config, found)


def matching(pattern: str) -> re.Pattern[str]:
    """What a pattern of files means: ``**`` is any folders, ``*`` and ``?`` are parts of one name."""
    plain = pattern.removeprefix("./").rstrip("/")
    out = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", plain):
        out += {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    return re.compile(out)


def _configs(folder: Folder, entry: Entry) -> list[Config]:
    """What a card declares; a card that cannot be read is told."""
    if entry.size > CARD:
        return []
    try:
        front = _FRONT.match(entry.path.read_bytes().decode("utf-8-sig"))
        if front is None or not re.search(r"^(configs|dataset_info)\s*:", front[1], re.MULTILINE):
            return []
        content = plain_yaml(front[1])
    except (OSError, ValueError) as error:
        text = f"its front matter cannot be read: {reason(error)}"
        folder.unread[entry.parts] = Problem("unreadable", entry.shown, text)
        return []
    return declared_configs(content)


def records_in(value: Any) -> list[dict[str, Any]]:
    """The mappings in a list that somebody wrote; none in what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def declared_configs(content: Any) -> list[Config]:
    """The configurations in the front matter of a card."""
    if not isinstance(content, dict):
        return []
    infos = content.get("dataset_info")
    by_name = {_name(info): info for info in (infos if isinstance(infos, list) else [infos]) if isinstance(info, dict)}
    found = []
    for one in records_in(content.get("configs")):
        config = Config(_name(one), _patterns(one.get("data_files"), one.get("data_dir")))
        _describe(config, by_name.get(config.name, {}))
        if config.patterns:
            found.append(config)
    return found


def _name(config: dict[str, Any]) -> str:
    name = config.get("config_name")
    return name if isinstance(name, str) else "default"


def _patterns(files: Any, home: Any) -> list[tuple[str, str]]:
    if isinstance(files, (str, list)) and all(isinstance(item, str) for item in files):
        files = {"train": files}  # as the loader has it
    elif isinstance(files, list):
        listed = [item for item in files if isinstance(item, dict) and isinstance(item.get("split"), str)]
        files = {item["split"]: item.get("path") for item in listed}
    base = f"{home.strip('/')}/" if isinstance(home, str) and home.strip("/.") else ""
    found = []
    for split, paths in files.items() if isinstance(files, dict) else ():
        named = [paths] if isinstance(paths, str) else paths if isinstance(paths, list) else []
        own = SPLITS.get(split.casefold(), split) or WHOLE
        found += [(own, base + path) for path in named if isinstance(path, str) and "://" not in path]
    return found


def _describe(config: Config, info: dict[str, Any]) -> None:
    features, splits = info.get("features"), info.get("splits")
    for feature in features if isinstance(features, list) else ():
        dtype = feature.get("dtype") if isinstance(feature, dict) else None
        label = dtype.get("class_label") if isinstance(dtype, dict) else None
        names = label.get("names") if isinstance(label, dict) else None
        listed = list(names.values()) if isinstance(names, dict) else names
        if (
            isinstance(listed, list)
            and all(isinstance(item, str) for item in listed)
            and len(set(listed)) == len(listed)
        ):
            config.classes[str(feature.get("name"))] = tuple(map(printable, listed))
    for split in splits if isinstance(splits, list) else ():
        name, count = (split.get("name"), split.get("num_examples")) if isinstance(split, dict) else (None, None)
        if isinstance(name, str) and isinstance(count, str) and count.isdecimal() and len(count) < 16:
            config.rows[SPLITS.get(name.casefold(), name)] = int(count)
