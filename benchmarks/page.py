"""What benchmarks write: markdown tables, the machine they ran on, and their section of ``benchmarks/README.md``."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.budgets import MB, Figures, Measured, Verdict
from datalint import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PAGE = Path(__file__).with_name("README.md")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table; all columns but the first are aligned to the right, the last to the left."""
    marks = ["---", *["---:"] * (len(head) - 2), "---"] if len(head) > 1 else ["---"]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, marks, *rows])


def contest(work: str, measured: Measured, limit: str, ours: str) -> str:
    """The table of one data set, cheapest first."""
    rows = {name: figures for (where, name), figures in measured.items() if where == work}
    order = sorted(rows, key=lambda name: (bool(rows[name].status), rows[name].cpu))
    return table(
        [
            "",
            "CPU s",
            "wall s",
            "peak MB",
            "CPU / limit",
            "CPU / datalint fast",
            "planted faults found (+ others named)",
        ],
        [
            [
                name,
                f"{rows[name].cpu:.2f}",
                f"{rows[name].wall:.2f}",
                f"{rows[name].memory / MB:,.0f}",
                _times(rows[name], rows.get(limit)),
                _times(rows[name], rows.get(ours)),
                rows[name].status or found(rows[name]),
            ]
            for name in order
        ],
    )


def _times(figures: Figures, other: Figures | None) -> str:
    return "" if other is None or figures.status or other.status or not other.cpu else f"{figures.cpu / other.cpu:.2f}"


def found(figures: Figures) -> str:
    """Recall and extras of every kind that was looked for."""
    return ", ".join(f"{kind} {score}" for kind, score in (figures.scores or {}).items())


def promises(verdicts: Sequence[Verdict]) -> str:
    """The table of the budgets."""
    return table(
        ["budget", "limit", "measured", "verdict"],
        [
            [
                verdict.promise,
                f"{'at least' if verdict.at_least else 'at most'} {_number(verdict.limit, verdict.unit)}",
                "" if verdict.value is None else _number(verdict.value, verdict.unit),
                verdict.word + (f" ({verdict.why})" if verdict.why else ""),
            ]
            for verdict in verdicts
        ],
    )


def _number(value: float, unit: str) -> str:
    if unit == "x" and 0 < value < 0.3:
        return f"1/{1 / value:.1f}".removesuffix(".0")
    return f"{value:.2f}{unit}" if unit == "x" else f"{value:,.0f}{unit}"


def median(runs: Sequence[Figures]) -> Figures:
    """The typical run of several."""
    bad = next((run.status for run in runs if run.status), "")
    return Figures(
        statistics.median(run.cpu for run in runs),
        statistics.median(run.wall for run in runs),
        statistics.median(run.memory for run in runs),
        len(runs),
        bad,
        next((run.scores for run in reversed(runs) if run.scores is not None), None),
    )


def machine() -> str:
    """When and on what it ran."""
    cpuinfo = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in _lines(cpuinfo) if line.startswith("model name")]
    memory = next((int(line.split()[1]) / 1e6 for line in _lines(Path("/proc/meminfo")) if "MemTotal" in line), 0)
    cores = len(os.sched_getaffinity(0))
    when = datetime.now(UTC).date().isoformat()
    load = os.getloadavg()[0]
    return (
        f"{when}; {cores} cores ({models[0] if models else platform.machine()}), {memory:.0f} GB of memory, "
        f"{platform.system()} {platform.release()}; load average at the end {load:.1f}"
    )


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def versions(peers: Mapping[str, str]) -> str:
    """Versions of what took part."""
    names = ("numpy", "pandas", "pyarrow", "pillow", "scikit-learn", "cleanlab")
    own = [f"{name} {importlib.metadata.version(name)}" for name in names]
    return f"datalint {__version__}, Python {platform.python_version()}, {', '.join(own)}" + "".join(
        f", {k} {v}" for k, v in peers.items()
    )


def put(name: str, text: str, page: Path = PAGE) -> None:
    """Replace one section of the page, between ``<!-- NAME -->`` and ``<!-- /NAME -->``.

    Raises:
        ValueError: the page has no such section.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    head, mark, rest = page.read_text().partition(begin)
    _, closing, tail = rest.partition(end)
    if not mark or not closing:
        raise ValueError(f"{page} has no section between {begin} and {end}")
    page.write_text(f"{head}{begin}\n\n{text.strip()}\n\n{end}{tail}")
