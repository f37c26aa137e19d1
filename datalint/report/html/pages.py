"""The report as a folder: an index and pages for each rule, for results that one page has no room for."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from datalint.core.errors import DatalintError
from datalint.core.severity import SEVERITIES
from datalint.core.writing import write_text
from datalint.report import wording
from datalint.report.models import Affected, Held, Report, Summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from datalint.core.severity import Severity
    from datalint.report.html.limits import Limits
    from datalint.report.models import AffectedSample, DatasetReport, Finding

INDEX: Final = "index.html"

SAMPLES: Final = 500
"""Samples of one card; a finding with more goes on in another card."""

MOST_SAMPLES: Final = 5_000
"""Samples of one finding on its pages, worst first: nobody looks at more, and ``Report.affected`` has them all."""

PAGE_SAMPLES: Final = 2_000
"""Samples of one page."""

CARDS: Final = 100
"""Cards of one page."""

_OURS = re.compile(r"[A-Za-z0-9]+(-\d+)?\.html")
_MARK: Final = b'<meta name="generator" content="datalint '


@dataclass(frozen=True)
class Row:
    """One rule of the index."""

    severity: Severity
    code: str
    title: str
    findings: int
    samples: str
    file: str
    pages: int


@dataclass(frozen=True)
class _Unit:
    """One card: a finding with some of its samples."""

    number: int
    """Of the data set."""
    finding: Finding


def check_folder(folder: Path) -> None:
    """See that nothing but earlier pages of ours lies there.

    Raises:
        DatalintError: something else does.
    """
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DatalintError(f"--report-dir {folder} is a file: choose a folder")
    try:
        other = next((path.name for path in sorted(folder.iterdir()) if not _is_ours(path)), None)
    except OSError as error:
        raise DatalintError(f"cannot read {folder}: {error.strerror}; choose another folder") from error
    if other is not None:
        raise DatalintError(f"--report-dir {folder} holds other files ({other}): choose a new folder")


def write_pages(report: Report, folder: Path) -> Path:
    """Write the pages to a folder, in place of earlier ones, and return the index.

    Raises:
        DatalintError: something else lies there, or it cannot be written.
    """
    from datalint.report.html.html import _render

    check_folder(folder)
    rows: list[Row] = []
    written = {INDEX}
    for code in _codes(report):
        units, left_out = _units(report, code)
        pages = list(_pages(report, units))
        names = [f"{_file(code)}{'' if k == 0 else f'-{k + 1}'}.html" for k in range(len(pages))]
        for k, (part, limits) in enumerate(pages):
            text = _render(
                part,
                limits,
                "rule.html.j2",
                number=k + 1,
                pages=len(pages),
                before=names[k - 1] if k else "",
                after=names[k + 1] if k + 1 < len(names) else "",
                left_out=left_out,
            )
            write_text(folder / names[k], text, folder)
        written.update(names)
        rows.append(_row(report, code, names))
    index = folder / INDEX
    write_text(index, _index(report, rows), folder)
    for path in folder.iterdir():
        if path.name not in written and _is_ours(path):
            path.unlink(missing_ok=True)  # of a rule that finds nothing any more
    return index


def _is_ours(path: Path) -> bool:
    if not _OURS.fullmatch(path.name) or path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return _MARK in file.read(4_096)


def _codes(report: Report) -> list[str]:
    """The codes of what was found, the rule with the worst finding first."""
    return list(dict.fromkeys(finding.code for finding in wording.leading(report)))


def _file(code: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", code) or "rule"


def _row(report: Report, code: str, names: Sequence[str]) -> Row:
    found = [finding for finding in wording.leading(report) if finding.code == code]
    total = sum(finding.affected.count for finding in found)
    about = "" if all(finding.affected.exact for finding in found) else "about "
    samples = f"{about}{total:,}" if total else ""
    return Row(found[0].severity, code, wording.title(found[0].rule), len(found), samples, names[0], len(names))


def _index(report: Report, rows: Sequence[Row]) -> str:
    from datalint.report.html.html import _render
    from datalint.report.html.limits import LEVELS, MOST_BYTES

    text = ""
    for limits in LEVELS:
        text = _render(
            report, replace(limits, cards=0), INDEX + ".j2", rows=rows, files={row.code: row.file for row in rows}
        )
        if len(text.encode("utf-8")) <= MOST_BYTES:
            break
    return text


def _units(report: Report, code: str) -> tuple[list[_Unit], str]:
    """The cards of one rule, worst first, and what is said of samples that have no room."""
    units: list[_Unit] = []
    hidden = 0
    pairs = [(n, f) for n, dataset in enumerate(report.datasets) for f in dataset.leading if f.code == code]
    for number, finding in sorted(pairs, key=lambda pair: SEVERITIES.index(pair[1].severity)):
        samples = report.samples(finding)
        hidden += max(len(samples) - MOST_SAMPLES, 0)
        samples = samples[:MOST_SAMPLES]
        blocks = [samples[at : at + SAMPLES] for at in range(0, len(samples), SAMPLES)] or [[]]
        units += [_Unit(number, _with(finding, block)) for block in blocks]
    return units, f"{hidden:,} more samples are not on these pages." if hidden else ""


def _with(finding: Finding, samples: list[AffectedSample]) -> Finding:
    known = finding.affected
    affected = Affected(
        count=known.count, exact=known.exact, samples=tuple(samples), truncated=len(samples) < known.count
    )
    return finding.model_copy(update={"affected": affected})


def _pages(report: Report, units: Sequence[_Unit]) -> Iterator[tuple[Report, Limits]]:
    """The reports of the pages, each small enough, and how much of it is shown."""
    from datalint.report.html.html import _render
    from datalint.report.html.limits import LEVELS, MOST_BYTES

    full = replace(
        LEVELS[0], cards=CARDS, cards_per_rule=CARDS, samples=SAMPLES, pictures=SAMPLES, picture_bytes=3_000_000,
        text=1_000, characters=None,
    )  # fmt: skip
    at = 0
    while at < len(units):
        size, samples = 0, 0
        while at + size < len(units) and size < CARDS:
            samples += len(units[at + size].finding.affected.samples)
            if size and samples > PAGE_SAMPLES:
                break
            size += 1
        while True:
            part = _part(report, units[at : at + size])
            # The links around it are short; what is left of the budget is far more than they take.
            if len(_render(part, full).encode("utf-8")) <= MOST_BYTES - 100_000:
                yield part, full
                break
            if size == 1:
                yield part, LEVELS[-1]  # which fits whatever the finding holds
                break
            size = max(size // 2, 1)
        at += size


def _part(report: Report, units: Sequence[_Unit]) -> Report:
    """A report of these cards alone."""
    numbers = sorted({unit.number for unit in units})
    codes = {unit.finding.code for unit in units}
    datasets: list[DatasetReport] = []
    for number in numbers:
        known = report.datasets[number]
        found = tuple(unit.finding for unit in units if unit.number == number)
        rules = tuple(rule for rule in known.rules if rule.code in codes)
        datasets.append(known.model_copy(update={"findings": found, "rules": rules, "facts": {}, "suppressed": 0}))
    counts = {name: sum(unit.finding.severity == name for unit in units) for name in SEVERITIES}
    return Report(
        tool=report.tool,
        summary=Summary(**counts, datasets=len(datasets)),
        datasets=tuple(datasets),
        run=report.run,
    ).holding(Held(thumbnails=report.thumbnails))
