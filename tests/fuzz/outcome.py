"""What must not come of any input."""

from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tests.fuzz.case import GOOD_CLASS, GOOD_ROWS, SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fuzz.case import Case

SECONDS = 60
"""Of processor time."""
BUDGET = 1 << 30
"""Bytes of memory that an input of less than 10 MB may take."""

Snapshot = dict[str, tuple[Any, ...]]
_REFUSAL = re.compile(
    r"(datalint: |Usage: )[^\n]+\n|(datalint: [^\n]*\.toml:[^\n]+\n){2,}(datalint: and [\d,]+ more errors\n)?"
)
"""One line, or one for each error of the settings."""
_NOTICE = re.compile(r"datalint: |_?TIFF\w+: |.*\.tiff?: |(?=LZW|ZIP|PackBits|JPEG|Fax|Old)\w+: ")
"""What may stand on stderr: notices of datalint's own, and what libtiff prints by itself, which Pillow cannot silence."""
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Fault:
    """Something that must not come of any input."""

    kind: str
    detail: str

    @property
    def signature(self) -> str:
        """The same for inputs that fail in the same way: the kind, and the place of an exception without its values."""
        return f"{self.kind}: {re.sub(r'[0-9]+', 'N', self.detail.splitlines()[-1] if self.detail else '')[:160]}"


@dataclass(frozen=True)
class Outcome:
    """One run of the command."""

    status: int
    """Exit status, or the number of the signal that ended it, negative."""
    seconds: float
    peak: int
    out: str
    err: str
    audit: str
    late: bool
    """Whether it had to be stopped though it took no processor time."""
    left_over: bool
    """Whether processes outlived it."""


def snapshot(root: Path) -> Snapshot:
    """What lies below a folder but outside that of the output: sizes, times, modes, targets."""
    found: Snapshot = {}
    pending = [str(root)]
    while pending:
        folder = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.path.removeprefix(f"{root}{os.sep}")
                if name in {"out", "cache", "stdout.txt", "stderr.txt", "audit.txt"}:
                    continue
                status = entry.stat(follow_symlinks=False)
                folder_now = entry.is_dir(follow_symlinks=False)
                time_ = None if name == "tmp" else status.st_mtime_ns
                found[name] = (status.st_mode, 0 if folder_now else status.st_size, time_, status.st_ino, status.st_uid)
                if folder_now:
                    pending.append(entry.path)
    return found


def report_of(root: Path) -> Any:
    whole = json.loads((root / "out" / "report.json").read_bytes())
    whole.pop("run")
    return whole


def faults(case: Case, outcome: Outcome, size: int, root: Path, before: Snapshot) -> Iterator[Fault]:
    """All that is wrong with an outcome; where the command broke down, nothing of what it should have written."""
    broken = _breakdown(outcome)
    if outcome.status >= 0:
        yield from _harm(outcome, root, before)
    if broken is not None:
        yield broken
        return
    if outcome.peak > BUDGET and size < 10_000_000:
        yield Fault("memory", f"{outcome.peak / 1e6:,.0f} MB for {size / 1e6:,.1f} MB")
    yield from _words(case, outcome)
    if case.command[0] == "scan":
        yield from _report_faults(case, outcome, root)


def _breakdown(outcome: Outcome) -> Fault | None:
    if outcome.status == -signal.SIGXCPU or outcome.seconds > SECONDS:
        return Fault("time", f"over {SECONDS} s of processor time")
    if outcome.late:
        return Fault("hangs", "no end, and no processor time")
    if "Traceback (most recent call last)" in outcome.err:
        places = re.findall(r'File "[^"]*?/((?:datalint|datalint_rules)/[^"]+)", line \d+, in (\w+)', outcome.err)
        last = " < ".join(":".join(place) for place in reversed(places[-2:]))
        return Fault("traceback", f"{outcome.err}\n{outcome.err.strip().splitlines()[-1][:80]} in {last}")
    if "a fault of its own" in outcome.err:  # what nobody foresaw, caught last of all
        return Fault("broke down", outcome.err.strip())
    if outcome.status not in {0, 1, 2}:
        return Fault("status", f"{outcome.err[-300:]}\nexit status {outcome.status}")
    return None


def _harm(outcome: Outcome, root: Path, before: Snapshot) -> Iterator[Fault]:
    if outcome.left_over:
        yield Fault("processes", "some outlived the command")
    if outcome.audit:
        yield Fault("harm", outcome.audit.replace(str(root), "")[:600])
    after = snapshot(root)
    if after != before:
        changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        yield Fault("harm", f"changed: {', '.join(changed)[:300]}")


def _words(case: Case, outcome: Outcome) -> Iterator[Fault]:
    if outcome.status == 2:
        if not _REFUSAL.fullmatch(outcome.err):
            yield Fault("words", f"not one line: {outcome.err[:600]!r}")
        if not case.may_refuse:
            yield Fault("refused", f"one bad file ends the scan\n{outcome.err.strip()[-300:]}")
    elif more := [line for line in outcome.err.splitlines() if not _NOTICE.match(line)]:
        yield Fault("words", "\n".join(more)[:600])
    if re.search("not enough memory|nable to allocate", outcome.err):
        yield Fault("memory", outcome.err.strip())
    if control := _CONTROL.search(outcome.out + outcome.err):
        yield Fault("words", f"a control character is printed: {control[0]!r}")


def _report_faults(case: Case, outcome: Outcome, root: Path) -> Iterator[Fault]:
    written = (
        sorted(str(path.relative_to(root / "out")) for path in (root / "out").rglob("*"))
        if (root / "out").exists()
        else []
    )
    if outcome.status == 2:
        if set(written) - {".gitignore"}:
            yield Fault("report", f"written though the scan failed: {written}")
        return
    if [
        name for name in written if name not in {".gitignore", "report.json", "report.html"}
    ] or "report.json" not in written:
        yield Fault("report", f"there are {written}")
        return
    for path in (root / "out").iterdir():
        if SECRET.encode() in path.read_bytes() or SECRET in outcome.out:
            yield Fault("leak", "what lies outside the data is in the report")
    text = (root / "out" / "report.json").read_text(encoding="utf-8")
    try:
        from datalint.report.models import Report

        json.loads(text, parse_constant=_refuse)
        report = Report.model_validate_json(text)
    except ValueError as error:
        yield Fault("report", f"not valid: {str(error)[:300]}")
        return
    if hidden := re.search(r'its scan broke down: [^"]{,200}', text):
        yield Fault("broke down", hidden[0])
    for dataset in report.datasets:
        for rule in dataset.rules:
            if rule.status == "failed":
                yield Fault("rule failed", f"{rule.code} {rule.reason}")
    if case.good:
        judged = sum(
            split.samples
            for dataset in report.datasets
            for split in dataset.splits
            if GOOD_CLASS in (split.classes or {})
        )
        if judged < GOOD_ROWS:
            yield Fault("good one lost", f"{judged} of its {GOOD_ROWS} samples were judged")


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
