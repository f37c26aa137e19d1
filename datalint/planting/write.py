"""Writing a faulty copy of a data set: a rule's own fault, and a note that says where it is."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.staging import Target
from datalint.planting.selftest import fault_of, planted, take
from datalint.rules.registry import find_rule
from datalint.sources.remote.path import local

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.core.clean import Clean, Planted

NOTE = "planted.json"
"""Lies next to the copy; a scan does not read it."""


@dataclass(frozen=True)
class Copy:
    """What was written."""

    folder: Path
    record: dict[str, Any]
    """The content of the note."""

    def to_text(self) -> str:
        """For a terminal."""
        told = self.record
        lines = [
            f"planted {told['code']} {told['rule']} into a copy of {told['source']}: {self.folder.as_posix()} "
            f"({told['written']:,} file{'s' * (told['written'] != 1)}; strength {told['strength']:g}, seed {told['seed']})",
            f"the fault: {told['fault']}",
        ]
        places = [f"{name} {told[name]!r}" for name in ("split", "column", "class") if told[name] is not None]
        lines.append(f"where: {', '.join(places) or 'the data set as a whole'}")
        lines += [_listed(f"faulty samples of {split}", rows, "positions ") for split, rows in told["samples"].items()]
        if told["files"]:
            lines.append(_listed("faulty files", told["files"], ""))
        label = f" --label {shlex.quote(told['label'])}" if told["label"] is not None else ""
        lines += [
            f"all of it: {(self.folder / NOTE).as_posix()}",
            f"to see it found: datalint scan {shlex.quote(self.folder.as_posix())}{label} --select {told['code']}",
        ]
        return "\n".join(lines) + "\n"


def _listed(what: str, items: Sequence[Any], kind: str) -> str:
    more = f" and {len(items) - 10:,} more" if len(items) > 10 else ""
    return f"{what}: {len(items):,} ({kind}{', '.join(map(str, items[:10]))}{more})"


def plant(
    code: str,
    source: str | Path,
    out: str | Path,
    *,
    strength: float = 0.5,
    seed: int = 0,
    label: str | None = None,
    splits: Mapping[str, Sequence[str]] | None = None,
    force: bool = False,
) -> Copy:
    """Write a copy of a data set with a rule's fault in it.

    Tables become one CSV file per split, folders of images stay what they are.

    Args:
        code: code or name of the rule.
        source: where the data set lies; never changed.
        out: folder to write to; made if it is not there.
        strength: 0 (barely there) to 1 (blatant).
        seed: another one plants the fault elsewhere.
        label: the label column; recognised if not given.
        splits: glob patterns by split.
        force: whether ``out`` may hold files; an earlier copy in it is removed.

    Raises:
        DatalintError: there is no such rule or data, the fault cannot exist in it, or ``out`` may not be written to.
    """
    rule, source, out = find_rule(code), local(source, "plant"), Path(out)
    if not 0 <= strength <= 1:
        raise DatalintError(f"strength {strength:g}: it lies between 0 (barely there) and 1 (blatant)")
    if seed < 0:
        raise DatalintError(f"seed {seed}: it must be 0 or more")
    target = Target(out, source, force)
    loaded, path = take(str(source), label=label, splits=splits)
    try:
        fault = planted(rule, loaded.clean, strength, seed)
    except DatalintError as error:
        raise DatalintError(f"{rule.code} cannot be planted in {path}: {error}") from error
    data = _as_called(fault.data, loaded.folders)
    rows = {split: sorted(rows) for split, rows in sorted(fault.rows.items()) if rows}
    record: dict[str, Any] = {
        "schema": "datalint-planted/1",
        "code": rule.code,
        "rule": rule.name,
        "fault": fault_of(rule),
        "strength": strength,
        "seed": seed,
        "source": path,
        "label": data.label,
        "split": fault.split,
        "column": fault.column,
        "class": fault.class_,
        "samples": rows,
        "files": sorted(_names(data, fault, loaded.folders)),
        "written": len(data.files) + len(data.tables),
    }
    with target.stage(source.resolve().name or "data") as stage:
        data.write(stage)
        target.publish(stage, NOTE, record)
    return Copy(out, record)


def _as_called(data: Clean, folders: Mapping[str, str]) -> Clean:
    """With the split folders named as they were."""
    if not folders:
        return data
    return replace(data, files={_called(path, folders): content for path, content in data.files.items()})


def _called(path: str, folders: Mapping[str, str]) -> str:
    first, _, rest = path.partition("/")
    return f"{folders.get(first, first)}/{rest}" if rest else path


def _names(data: Clean, fault: Planted, folders: Mapping[str, str]) -> set[str]:
    """The faulty files by the names they were written under."""
    if data.modality == "images" and fault.rows:
        found: dict[str, list[str]] = {}
        for path in sorted(fault.data.files, key=lambda path: path.split("/")):
            found.setdefault(_split(fault.data, path), []).append(path)
        named = {found[split][row] for split, rows in fault.rows.items() if split in found for row in rows}
        return {_called(path, folders) for path in named}
    return {_called(path, folders) for path in fault.files}


def _split(data: Clean, path: str) -> str:
    """The split of one file."""
    from datalint.core.clean import rows_of

    return next(iter(rows_of(data, {path})))
