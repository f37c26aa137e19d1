"""Leaving out of the reports what the user silenced, and keeping count of it."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import accumulate
from operator import or_
from typing import TYPE_CHECKING, Any

from datalint.config.discovery import expired, rules_of
from datalint.core.errors import DatalintError
from datalint.core.silence import Silence
from datalint.core.wording import counted
from datalint.suppress.baseline import FINDING_PART, Baseline, anywhere, renamed, stale

if TYPE_CHECKING:
    import datetime
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from datalint.config.discovery import Effective, Placed
    from datalint.config.schema import Ignore
    from datalint.core.dataset import Dataset
    from datalint.judge.judge import Scanned
    from datalint.report.models import AffectedSample, DatasetReport, Finding, RuleStatus

_PLACE = re.compile(r"(?::\d+|\[\d+\])$")
"""Line or row at the end of a sample's id."""


class Silencer:
    """What is silenced in one scan."""

    def __init__(
        self,
        effective: Effective,
        baseline: Baseline | None,
        datasets: Sequence[Dataset],
        ran: Collection[str],
        today: datetime.date,
    ) -> None:
        """Match what is to be silenced with the data sets and the codes of the rules that ran.

        Raises:
            DatalintError: an ignore names a rule that does not exist.
        """
        self._ignores = [(item, _Ignoring(item)) for item in effective.ignores]
        self._suppressions = effective.suppressions
        self._baseline_file, self._baseline = effective.config.baseline or "", baseline or Baseline()
        self._datasets, self._ran, self._today = datasets, ran, today
        self._wanted = _wanted(effective) if effective.ignores or effective.suppressions else {}
        names = [dataset.name for dataset in datasets]
        self._renamed = renamed([entry.dataset for entry in self._baseline.entries], names)
        self._used: set[tuple[str, int]] = set()

    def apply(self, done: Sequence[Scanned]) -> list[Scanned]:
        """The scanned data sets without the silenced findings."""
        if not (self._ignores or self._suppressions or self._baseline.entries):
            return list(done)
        for k, (placed, _) in enumerate(self._ignores):
            if any(self._spares(placed.entry, item) for item in done):
                self._used.add(("ignore", k))
        parts = {item.part for item in done}
        return [self._without(dataset, item, parts) for dataset, item in zip(self._datasets, done, strict=True)]

    @cached_property
    def unwanted(self) -> dict[str, list[tuple[str, ...]]]:
        """By code of a rule that runs, globs of the columns that its findings about several are made without."""
        found: dict[str, list[tuple[str, ...]]] = {}
        for placed, _ in self._ignores:
            entry = placed.entry
            if entry.column and not (entry.file or entry.class_ or entry.split):
                for code in {code for pattern in entry.rules or ("",) for code in self._wanted[pattern]} & set(
                    self._ran
                ):
                    found.setdefault(code, []).append(entry.column)
        return found

    def _spares(self, entry: Ignore, item: Scanned) -> bool:
        codes = {code for pattern in entry.rules or ("",) for code in self._wanted[pattern]}
        return any(
            code in codes and any(fnmatchcase(name, pattern) for name in names for pattern in entry.column)
            for code, names in item.spared.items()
        )

    def _without(self, dataset: Dataset, item: Scanned, parts: set[str]) -> Scanned:
        report = item.report
        grown: dict[str, tuple[str, str]] = {}
        silent = {f.fingerprint for f in report.findings if self._silences(dataset, item, f, parts, grown)}
        # What a silenced finding explains goes with it.
        silent |= {f.fingerprint for f in report.findings if f.part_of in silent}
        if not silent and not grown:
            return item
        left = tuple(_with_words(f, grown) for f in report.findings if f.fingerprint not in silent)
        taken = [f.code for f in report.findings if f.fingerprint in silent]
        kept = {f.code for f in left}
        rules = tuple(_status(status, taken, kept) for status in report.rules)
        update = {"findings": left, "rules": rules, "suppressed": len(silent), "silenced": tuple(sorted(silent))}
        affected = {key: value for key, value in item.affected.items() if key not in silent}
        named = {sample.id for samples in affected.values() for sample in samples}
        thumbnails = {key: value for key, value in item.thumbnails.items() if key in named}
        return replace(item, report=report.model_copy(update=update), affected=affected, thumbnails=thumbnails)

    def _silences(
        self, dataset: Dataset, item: Scanned, finding: Finding, parts: set[str], grown: dict[str, tuple[str, str]]
    ) -> bool:
        """Whether anything silences a finding; all that does is marked as used.

        A finding that is worse than the baseline knows it is not silenced by that: ``grown`` then gets what it was and is.
        """
        hits: list[tuple[str, int]] = []
        for k, (_, ignoring) in enumerate(self._ignores):
            if ignoring.matches(dataset, finding, item.affected.get(finding.fingerprint, [])):
                hits.append(("ignore", k))
        for k, placed in enumerate(self._suppressions):
            own = placed.entry.fingerprint
            # With one data set, a suppression for a data set of another name means what is now called otherwise.
            same = own == finding.fingerprint or (
                len(self._datasets) == 1 and _part(own) not in parts and anywhere(own) == anywhere(finding.fingerprint)
            )
            if same and not expired(placed.entry, self._today):
                hits.append(("suppression", k))
        for k in self._known.get(anywhere(finding.fingerprint), ()):
            entry = self._baseline.entries[k]
            if entry.fingerprint == finding.fingerprint or self._renamed.get(entry.dataset) == dataset.name:
                was = entry.worse(finding, item.report)
                if was is None:
                    hits.append(("baseline", k))
                else:
                    self._used.add(("baseline", k))
                    grown[finding.fingerprint] = was
        self._used.update(hits)
        return bool(hits)

    @cached_property
    def _known(self) -> dict[str, list[int]]:
        known: dict[str, list[int]] = {}
        for k, entry in enumerate(self._baseline.entries):
            known.setdefault(anywhere(entry.fingerprint), []).append(k)
        return known

    # --- what became of the entries -------------------------------------------------------------------------------

    def silences(self, done: Sequence[Scanned]) -> tuple[Silence, ...]:
        """Every entry with what became of it; ``done`` as it was before :meth:`apply`."""
        reports = [item.report for item in done]
        parts = {item.part for item in done}
        found = [
            Silence("ignore", placed.file, str(placed.entry), self._state("ignore", k, self._judges(placed, reports)))
            for k, (placed, _) in enumerate(self._ignores)
        ]
        for k, placed in enumerate(self._suppressions):
            entry = placed.entry
            text = f"{entry.fingerprint} ({entry.reason})"
            if expired(entry, self._today):
                found.append(Silence("suppression", placed.file, f"{text} until {entry.expires}", "expired"))
                continue
            whole = set(self._wanted[""]) <= set(self._ran) and not _failed(reports)
            judged = whole and _part(entry.fingerprint) in parts
            found.append(Silence("suppression", placed.file, text, self._state("suppression", k, judged)))
        gone = stale(self._baseline, reports) if self._baseline.entries else set()
        for k, known in enumerate(self._baseline.entries):
            state = self._state("baseline", k, known.fingerprint in gone)
            place = ", ".join(part for part in (known.dataset, known.split, known.column, known.class_) if part)
            found.append(Silence("baseline", self._baseline_file, f"{known.code} {known.rule} in {place}", state))
        return tuple(found)

    def _state(self, kind: str, k: int, judged: bool) -> Any:
        return "used" if (kind, k) in self._used else "unused" if judged else "unjudged"

    def _judges(self, placed: Placed[Ignore], reports: Sequence[DatasetReport]) -> bool:
        """Whether this scan can tell that an ignore is not needed."""
        meant = {code for pattern in placed.entry.rules or ("",) for code in self._wanted[pattern]}
        if not meant <= set(self._ran):
            return False
        states = {status.status for report in reports for status in report.rules if status.code in meant}
        if "failed" in states or states == {"skipped"}:
            return False
        return not placed.entry.file or any(self._covers(placed, pattern) for pattern in placed.entry.file)

    def _covers(self, placed: Placed[Ignore], pattern: str) -> bool:
        """Whether the files that a glob means would have been scanned."""
        plain = re.split(r"[*?\[]", pattern)[0]
        place = os.path.normpath(placed.base / plain.lstrip("/").rpartition("/")[0])
        if "/" not in pattern.rstrip("/"):
            place = os.path.abspath(placed.base)  # noqa: PTH100
        roots = [os.path.abspath(dataset.path) for dataset in self._datasets]  # noqa: PTH100
        if any(place == root or place.startswith(root + os.sep) or root.startswith(place + os.sep) for root in roots):
            return True
        return any(glob_matches(pattern, _relative(root, placed.base)) for root in roots)


def _failed(reports: Iterable[DatasetReport]) -> bool:
    return any(status.status == "failed" for report in reports for status in report.rules)


def _with_words(finding: Finding, grown: Mapping[str, tuple[str, str]]) -> Finding:
    """The finding, which says what it was when it was accepted, if it is worse now."""
    if finding.fingerprint not in grown:
        return finding
    was, now = grown[finding.fingerprint]
    return finding.model_copy(update={"message": f"{finding.message} (was {was} when accepted, now {now})"})


def _status(status: RuleStatus, taken: Sequence[str], kept: Collection[str]) -> RuleStatus:
    """A rule whose every finding is silenced has passed, and says why."""
    number = taken.count(status.code)
    if status.status != "found" or not number or status.code in kept:
        return status
    reason = f"{counted(number, 'finding')} suppressed"
    return status.model_copy(update={"status": "passed", "reason": reason})


def _wanted(effective: Effective) -> dict[str, set[str]]:
    """By pattern of an ignore the codes of the rules that it means and that the files let run; under "" all of those."""
    from datalint.rules.registry import all_rules, matching

    own, every = effective.own, all_rules()
    rules, _ = rules_of(replace(effective, config=own))
    fast = own.preset == "fast"
    running = {rule.code for rule in rules if not rule.audits and not (fast and rule.searches)}
    wanted = {"": running}
    for placed in effective.ignores:
        for pattern in placed.entry.rules:
            try:
                wanted[pattern] = {rule.code for rule in matching([pattern], every)} & running
            except DatalintError as error:
                raise DatalintError(f"{placed.file}: ignores: {error}") from error
    return wanted


def _part(fingerprint: str) -> str:
    return fingerprint[FINDING_PART:20]


class _Ignoring:
    """One ignore, made ready."""

    def __init__(self, placed: Placed[Ignore]) -> None:
        entry = placed.entry
        self._base, self._rules, self._files = placed.base, entry.rules, entry.file
        self._columns, self._classes, self._splits = entry.column, entry.class_, entry.split

    def matches(self, dataset: Dataset, finding: Finding, samples: Sequence[AffectedSample]) -> bool:
        """Whether a finding is silenced: everything that it names must be meant, not only a part."""
        if self._rules and not any(
            finding.code.startswith(pattern.upper()) or finding.rule == pattern.lower() for pattern in self._rules
        ):
            return False
        return (
            _all_meant(self._splits, [finding.split] if finding.split else _splits(samples))
            and _all_meant(self._columns, [finding.column] if finding.column else _listed(finding, "column"))
            and _all_meant(self._classes, [finding.class_] if finding.class_ else _listed(finding, "class"))
            and (not self._files or self._in_files(_files_of(dataset, finding, samples)))
        )

    def _in_files(self, files: Collection[str]) -> bool:
        return bool(files) and all(
            any(glob_matches(pattern, path) for pattern in self._files)
            for path in (_relative(file, self._base) for file in files)
        )


def _all_meant(patterns: Sequence[str], names: Sequence[str]) -> bool:
    if not patterns:
        return True
    return bool(names) and all(any(name == p or fnmatchcase(name, p) for p in patterns) for name in names)


def _splits(samples: Sequence[AffectedSample]) -> list[str]:
    return list({sample.split for sample in samples})


def _listed(finding: Finding, what: str) -> list[str]:
    """The columns or classes that a finding about several of them lists in its evidence."""
    listed = finding.evidence.get("classes" if what == "class" else f"{what}s")
    if isinstance(listed, dict):
        return list(listed)
    names = [item.get(what) if isinstance(item, dict) else item for item in listed] if isinstance(listed, list) else []
    return [name for name in names if isinstance(name, str)] if all(isinstance(n, str) for n in names) else []


def _files_of(dataset: Dataset, finding: Finding, samples: Sequence[AffectedSample]) -> set[str]:
    """The files that a finding is about: those of its samples, if all are known, else those of its split."""
    if samples and len(samples) >= finding.affected.count and finding.affected.exact:
        return {_PLACE.sub("", sample.id) for sample in samples}
    return {
        path
        for partition in dataset.partitions
        if finding.split is None or partition.split in {None, finding.split}
        for path in partition.files_read
    }


def _relative(path: str, base: Path) -> str:
    return os.path.relpath(os.path.abspath(path), base).replace(os.sep, "/")  # noqa: PTH100


def glob_matches(pattern: str, path: str) -> bool:
    """Whether a glob as in .gitignore means a path below its folder.

    One without a slash means that name in any folder; what means a folder means all that lies in it. Segment by segment,
    so that no pattern takes long: a configuration may come with the data, and pathspec needs hours for a dozen stars.
    """
    whole = pattern.removeprefix("./")
    parts = [part for part in whole.split("/") if part]
    if "/" not in whole.rstrip("/"):
        parts = ["**", *parts]
    names = path.split("/")
    fits = [False] * len(names) + [True]  # whether the last parts mean the names from this one on
    for part in reversed([*parts, "**"]):
        if part == "**":
            fits = list(accumulate(reversed(fits), or_))[::-1]
        else:
            fits = [
                rest and (name == part or fnmatchcase(name, part)) for name, rest in zip(names, fits[1:], strict=True)
            ]
            fits.append(False)
    return fits[0]
