"""``datalint fix``: a cleaned copy of a data set, with a log of every change and the finding it is for."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

import datalint
from datalint import api
from datalint.core.errors import DatalintError
from datalint.core.staging import Target, earlier
from datalint.core.temporary import temporary_folder
from datalint.core.wording import counted
from datalint.core.writing import check, is_stream, write_text
from datalint.mending.pictures import Pictures
from datalint.mending.plan import Change, Left, Plan, Wishes, plan
from datalint.mending.rows import Rows
from datalint.mending.stored import only
from datalint.report.escape import clean, guard
from datalint.rules.registry import all_rules, select_rules
from datalint.sources.remote.path import local

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from datalint.core.dataset import Dataset
    from datalint.report.models import Report
    from datalint.rules.base import Repair

LOG: Final = "fix-log.json"
SCHEMA: Final = "datalint-fix/1"

ROUNDS: Final = 8
"""One change can bring another to light (two spellings made one leave two equal rows); rounds until nothing is left."""

LABEL_ROUNDS: Final = 3
"""A model that is trained on cleaner labels finds more of them, and at last invents them."""

UNSAFE: Final = frozenset({"relabel"})
"""Repairs that may destroy what is right."""


@dataclass(frozen=True)
class Fixed:
    """What was done."""

    changes: tuple[Change, ...]
    left: tuple[Left, ...]
    before: int
    """Samples of the source."""
    after: int
    written: tuple[str, ...]

    def __str__(self) -> str:
        """For a terminal."""
        return "".join(guard(clean(line, 600)) + "\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        for change in self.changes:
            what, noun = _WORDS.get(change.action, (change.action, "sample"))
            what = f"{what} {counted(change.count, noun)}" if noun else what
            yield f"{change.code}: {what}; {change.message}"
        for item in self.left:
            yield f"{item.code}: left to you; {item.message}; {item.reason}"
        kept = f"{self.after:,} of {self.before:,} samples kept"
        yield f"{kept}; {counted(len(self.changes), 'finding')} mended, {len(self.left):,} left to you"
        if self.written:
            yield f"written: {', '.join(self.written)}"


_WORDS = {
    "drop": ("dropped", "sample"),
    "respell": ("respelt", "cell"),
    "relabel": ("relabelled", "sample"),
    "turn": ("turned", "picture"),
    "shuffle": ("shuffled", "row"),
    "leave out": ("left out what cannot be read", ""),
}
"""What is said of each action, and of what."""


def fix(
    source: str | Path,
    out: str | Path | None = None,
    *,
    keep_list: str | Path | None = None,
    label: str | None = None,
    splits: Mapping[str, Any] | None = None,
    select: str | Sequence[str] = (),
    unsafe: bool = False,
    relabel: bool = False,
    seed: int = 0,
    force: bool = False,
    progress: Callable[[int, float], None] | None = None,
) -> Fixed:
    """Write a cleaned copy of a data set; the source is never changed.

    Args:
        source: a table, a folder of tables, or class folders of images.
        out: the folder to write, with ``fix-log.json``; it must not exist or be empty.
        keep_list: a CSV file of the samples to keep (split, index, id), instead of a copy or besides it.
        label: the label column; recognised if not given.
        splits: glob patterns by split.
        select: codes, names or beginnings of codes of the findings to mend; all that can be if empty.
        unsafe: also drop samples whose label is probably wrong.
        relabel: with ``unsafe``, give them the suggested label instead.
        seed: of the shuffle.
        force: replace what an earlier run wrote to ``out``.
        progress: told how far the reading is.

    Raises:
        DatalintError: the job cannot be done; nothing was written.
    """
    path = local(source, "fix")
    if out is None and keep_list is None:
        raise DatalintError("nothing to write: give --out DIR, --keep-list FILE or both")
    if relabel and not unsafe:
        raise DatalintError("--relabel changes labels, which may be right: it needs --unsafe as well")
    repairs = _repairs(select, unsafe)
    listed = None if keep_list is None else Path(keep_list)
    if listed is not None and (listed.is_dir() or (listed.exists() and not (force or is_stream(listed)))):
        raise DatalintError(
            f"--keep-list {listed} exists: choose another file" + ("" if listed.is_dir() else " or give --force")
        )
    if listed is not None and _holds(path, listed):
        raise DatalintError(f"--keep-list {listed} lies in {path}, which is never changed: choose a file outside it")
    if listed is not None:
        check(listed)
    target = None if out is None else Target(Path(out), path, force)
    dataset = only(api.detect(path, label=label, splits=splits), path, "fix")
    if target is None:
        with temporary_folder() as folder:
            work = _Work(path, folder, dataset, label, splits, repairs, relabel, seed, progress, chosen=bool(select))
            done = work.run()
            written = []
    else:
        with target.stage(_name(path)) as stage:
            work = _Work(path, stage, dataset, label, splits, repairs, relabel, seed, progress, chosen=bool(select))
            done = work.run()
            target.publish(stage, LOG, _record(path, seed, unsafe, done))
            written = [f"{out}/", f"{out}/{LOG}"]
    if listed is not None:
        write_text(listed, _listing(work.contents.kept()))
        written.append(str(listed))
    return Fixed(done.changes, done.left, done.before, done.after, tuple(written))


def _repairs(select: str | Sequence[str], unsafe: bool) -> dict[str, Repair]:
    """How each rule's findings are mended, by code."""
    known = {rule.code: rule.repair for rule in all_rules() if rule.repair is not None}
    chosen = {rule.code: rule.repair for rule in select_rules(select) if rule.repair is not None}
    if not chosen:
        raise DatalintError(f"none of the selected rules can be mended; these can: {', '.join(sorted(known))}")
    allowed = {code: repair for code, repair in chosen.items() if unsafe or repair not in UNSAFE}
    if not allowed:
        raise DatalintError(f"{', '.join(chosen)} can only be mended with --unsafe, since what it names may be right")
    return allowed


def _holds(source: Path, file: Path) -> bool:
    real, inside = Path(os.path.realpath(source)), Path(os.path.realpath(file))
    return real == inside or real in inside.parents


def _name(path: Path) -> str:
    return path.resolve().name or "data"


class _Work:
    """Rounds of scanning and mending on a staged copy."""

    def __init__(
        self,
        path: Path,
        stage: Path,
        dataset: Dataset,
        label: str | None,
        splits: Mapping[str, Any] | None,
        repairs: Mapping[str, Repair],
        relabel: bool,
        seed: int,
        progress: Callable[[int, float], None] | None,
        *,
        chosen: bool,
    ) -> None:
        self.path, self.stage, self.dataset = path, stage, dataset
        self.options: dict[str, Any] = {"label": label, "splits": splits, "select": list(repairs), "progress": progress}
        self.repairs, self.relabel, self.seed = repairs, relabel, seed
        self.chosen = chosen
        """Whether the user said which rules to mend."""
        self.unsafe = {rule.code for rule in all_rules() if rule.repair in UNSAFE} - set(repairs)
        self.contents: Rows | Pictures
        home = path if path.is_dir() else path.parent
        known = earlier(home, LOG).get("changes", [])
        self.mended = {c.get("code") for c in known if isinstance(c, dict)} if isinstance(known, list) else set()

    def run(self) -> Fixed:
        """Until nothing more can be mended."""
        images = self.dataset.modality == "images"
        self.contents = Pictures(self.dataset, self.path) if images else Rows(self.dataset, self.path)
        self.contents.copy(self.stage)
        report = api.scan(self.path, **self.options)
        before = _samples(report)
        place = self.stage if self.path.is_dir() else self.stage / self.path.name
        changes: list[Change] = []
        rewritten: set[str] = set()
        made = Plan()
        for number in range(ROUNDS):
            made = plan(report, self.dataset, self.contents.where, self._wishes(number), rewritten)
            if not made.changes:
                break
            self.contents.apply(made, self.stage, np.random.default_rng([self.seed, number]))
            files = self.contents.where.files
            rewritten |= {name for name in files for shown in made.rewrite if shown.endswith(name)}
            done = [change for change in made.changes if change.count]
            changes += done
            if not done:
                made.left += [Left(c.code, c.fingerprint, c.message, "could not be mended") for c in made.changes]
                break
            self.dataset = only(
                api.detect(place, label=self.options["label"], splits=self.options["splits"]), place, "fix"
            )
            self.contents.again(self.dataset, place)
            report = api.scan(place, cache=False, **self.options)
        left = [*made.left, *self._beyond(self.path if not changes else place, made)]
        return Fixed(_joined(changes), tuple(left), before, _samples(report), ())

    def _beyond(self, place: Path, made: Plan) -> list[Left]:
        """What the next scan finds beyond the rules that are mended here: it must not come as a surprise."""
        if self.chosen:
            return []
        report = api.scan(place, cache=False, **{**self.options, "select": ()})
        known = {item.fingerprint for item in made.left}
        return [
            Left(
                finding.code,
                finding.fingerprint,
                finding.message,
                "--unsafe mends it, and may destroy what is right" if finding.code in self.unsafe else finding.remedy,
            )
            for dataset in report.datasets
            for finding in dataset.leading
            if finding.severity != "info" and finding.code not in self.repairs and finding.fingerprint not in known
        ]

    def _wishes(self, number: int) -> Wishes:
        codes = {code for code, repair in self.repairs.items() if repair in UNSAFE}
        reason = ""
        if codes & self.mended:
            reason = "labels were mended here before; what a model still doubts is for a person to judge"
        elif number >= LABEL_ROUNDS:
            reason = "what a model still doubts after three rounds is for a person to judge"
        return Wishes(self.repairs, self.relabel, reason)


def _samples(report: Report) -> int:
    return sum(split.samples for dataset in report.datasets for split in dataset.splits)


def _joined(changes: list[Change]) -> tuple[Change, ...]:
    """The changes of all rounds, those of one finding together."""
    found: dict[tuple[str, str], Change] = {}
    for change in changes:
        known = found.get((change.action, change.fingerprint))
        if known is None:
            found[change.action, change.fingerprint] = change
        else:
            known.samples += change.samples
            known.count += change.count
    return tuple(found.values())


def _record(path: Path, seed: int, unsafe: bool, done: Fixed) -> dict[str, Any]:
    actions = Counter(change.action for change in done.changes)
    return {
        "schema": SCHEMA,
        "tool": {"name": "datalint", "version": datalint.__version__},
        "source": clean(path.as_posix()),
        "seed": seed,
        "unsafe": unsafe,
        "samples": {"before": done.before, "after": done.after},
        "actions": dict(actions),
        "changes": [change.record() for change in done.changes],
        "left": [asdict(item) for item in done.left],
    }


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _listing(rows: list[tuple[str, int, str]]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["split", "index", "id"])
    # A spreadsheet runs a cell that begins so. Every id is a path, and of a path this is another spelling.
    writer.writerows([split, index, f"./{name}" if name.startswith(_FORMULA) else name] for split, index, name in rows)
    return stream.getvalue()
