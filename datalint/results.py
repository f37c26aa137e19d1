"""Whole reports kept in the cache: a scan of data that has not changed at all reads nothing but the file times."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.errors import DatalintError
from datalint.report.models import LISTED
from datalint.sources.files import walk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from datalint.cache import Cache
    from datalint.report.models import Report


@dataclass(frozen=True)
class Kept:
    """A report as it was kept."""

    report: Report

    def again(self, started: datetime, clock: float) -> Report:
        """The same report as of now."""
        import time

        from datalint.report.models import Run

        run = Run(
            started=started.isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            engine="cache",
            jobs=1,
        )
        self.report.run = run
        return self.report


def key(cache: Cache, paths: Sequence[Path] | None, given: Sequence[Any], chosen: Any) -> str | None:
    """
    The key of a scan's report; None where it cannot be kept: objects in memory, unreadable files.

    Args:
        cache: how files are identified.
        paths: what is scanned.
        given: predictions and embeddings; paths or None.
        chosen: everything else that the report depends on.
    """
    if paths is None or any(item is not None and not isinstance(item, (str, Path)) for item in given):
        return None
    try:
        files = [_state(cache, path) for path in [*paths, *(Path(item) for item in given if item is not None)]]
    except (OSError, ValueError, DatalintError):  # the scan itself will say what is wrong
        return None
    return cache.key_of("report", [str(path) for path in paths], str(Path.cwd()), files, chosen)


def _state(cache: Cache, path: Path) -> list[Any]:
    """What a scan of the path would see of it: the files, and what it tells besides them."""
    if not path.is_dir():
        return cache.identity([path])
    listing = walk(path)
    told = [[problem.path, problem.message] for problem in listing.problems]
    return [cache.identity(entry.path for entry in listing.entries), told, listing.empty]


def load(cache: Cache, place: str) -> Kept | None:
    """The report kept under a key; None where there is none or it is damaged."""
    from pydantic import ValidationError

    from datalint.report.models import AffectedSample, Report

    data = cache.get(place)
    if data is None:
        return None
    try:
        kept = json.loads(data)
        report = Report.model_validate(kept["report"])
        for number, item in enumerate(kept["datasets"]):
            affected = {f: [AffectedSample.model_validate(s) for s in rows] for f, rows in item["affected"].items()}
            report._keep(number, affected, {})
        report._keep(0, {}, {name: base64.b64decode(text) for name, text in kept["thumbnails"].items()})
    except (ValueError, KeyError, ValidationError):
        return None
    return Kept(report)


def save(cache: Cache, place: str, report: Report) -> None:
    """Keep a report with all its affected samples and pictures."""
    datasets = [
        {
            "affected": {
                fingerprint: [sample.model_dump() for sample in samples]
                for (owner, fingerprint), samples in report._all_affected.items()
                # What the report lists in full need not be kept twice.
                if owner == number and len(samples) > LISTED
            }
        }
        for number in range(len(report.datasets))
    ]
    pictures = {name: base64.b64encode(data).decode() for name, data in report.thumbnails.items()}
    kept = {"report": report.model_dump(by_alias=True, mode="json"), "datasets": datasets, "thumbnails": pictures}
    cache.put(place, json.dumps(kept).encode())
