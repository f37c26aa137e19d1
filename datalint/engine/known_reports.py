"""Whole reports kept in the cache: a scan of data that has not changed at all reads nothing but the file times."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.sources.files import Listing, walk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.engine.cache import Cache
    from datalint.report.models import AffectedSample, Report

_RUN = "<!-- this run -->"
"""Stands in a kept page for what differs from run to run; data cannot contain it, being escaped."""


def key(
    cache: Cache, paths: Sequence[Path] | None, folders: Mapping[Path, Listing], given: Sequence[Any], chosen: Any
) -> str | None:
    """The key of a scan's report; None where it cannot be kept: objects in memory, unreadable files.

    Args:
        cache: how files are identified.
        paths: what is scanned.
        folders: what lies below those of them that are folders.
        given: predictions and embeddings; paths or None.
        chosen: everything else that the report depends on.
    """
    if paths is None or any(item is not None and not isinstance(item, (str, Path)) for item in given):
        return None
    try:
        files = [_state(cache, path, folders) for path in [*paths, *(Path(item) for item in given if item is not None)]]
    except (OSError, ValueError, DatalintError):  # the scan itself will say what is wrong
        return None
    return cache.key_of("report", [str(path) for path in paths], str(Path.cwd()), files, chosen)


def _state(cache: Cache, path: Path, folders: Mapping[Path, Listing]) -> list[Any]:
    """What a scan of the path would see of it: the files, and what it tells besides them."""
    if not path.is_dir():
        return cache.identity([str(path)])
    listing = folders.get(path) or walk(path)
    told = [[problem.path, problem.message] for problem in listing.problems]
    return [_states(cache, listing), told, listing.empty]


def _states(cache: Cache, listing: Listing) -> list[Any]:
    if cache.paranoid:
        return cache.identity(entry.where for entry in listing.entries)
    # As they were when the folder was walked, before anything was read.
    names = "\0".join(entry.where for entry in listing.entries).encode("utf-8", "surrogateescape")
    return [hashlib.sha256(part).hexdigest() for part in (names, b"".join(entry.state for entry in listing.entries))]


@dataclass(frozen=True)
class Rest:
    """What was kept beside a report: samples and pictures beyond those in its file, and its page."""

    cache: Cache
    place: str
    held: Mapping[str, bytes] = field(default_factory=dict)
    """What belongs to a loaded report, as it was when that was loaded: it cannot be lost any more."""

    def load(self) -> Rest | None:
        """The same with what belongs to the report; None where that is lost or damaged."""
        held = {what: data for what in ("affected", "thumbnails") if (data := self.cache.get(self._key(what)))}
        return replace(self, held=held) if len(held) == 2 else None

    def affected(self) -> dict[tuple[int, str], list[AffectedSample]]:
        """All affected samples where there are more than the report lists."""
        from datalint.report.models import AffectedSample

        with contextlib.suppress(ValueError, TypeError, RecursionError):  # signed by us, and yet not what we write
            kept = json.loads(self.held["affected"])
            return {(number, name): [AffectedSample.model_validate(s) for s in rows] for number, name, rows in kept}
        return {}

    def thumbnails(self) -> dict[str, bytes]:
        """Pictures by sample id."""
        with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
            return {name: base64.b64decode(text) for name, text in json.loads(self.held["thumbnails"]).items()}
        return {}

    def page(self, report: Report) -> str | None:
        """The page of this very report, if it was made before."""
        from datalint.report.html.footer import run_line

        digest, _, page = (self.cache.get(self._key("page")) or b"").decode("utf-8", "replace").partition("\n")
        return page.replace(_RUN, run_line(report.run)) if digest == _digest(report) else None

    def keep_page(self, report: Report, page: str) -> None:
        """Keep the page for another time."""
        from datalint.report.html.footer import run_line

        kept = f"{_digest(report)}\n{page.replace(run_line(report.run), _RUN)}"
        self.cache.put(self._key("page"), kept.encode("utf-8", "replace"))

    def keep(self, report: Report) -> None:
        """Keep what the report's file does not hold."""
        from datalint.report.models import LISTED

        affected = [
            f"[{number}, {json.dumps(name)}, [{', '.join(json.dumps(sample.model_dump()) for sample in samples)}]]"
            for (number, name), samples in report._all_affected.items()
            if len(samples) > LISTED  # what the report lists in full need not be kept twice
        ]
        self.cache.put(self._key("affected"), f"[{', '.join(affected)}]".encode())
        self._put("thumbnails", {name: base64.b64encode(data).decode() for name, data in report.thumbnails.items()})

    def _put(self, what: str, value: Any) -> None:
        self.cache.put(self._key(what), json.dumps(value).encode())

    def _key(self, what: str) -> str:
        return hashlib.sha256(f"{self.place} {what}".encode()).hexdigest()


def _digest(report: Report) -> str:
    return hashlib.sha256(report.model_dump_json(exclude={"run"}).encode()).hexdigest()


def load(cache: Cache, place: str) -> Report | None:
    """The report kept under a key; None where there is none or it is damaged."""
    data = cache.get(place)
    if data is None:
        return None
    # Not before it is known that there is one: what reads the data comes first.
    from pydantic import ValidationError

    from datalint.report.models import Report

    try:
        report = Report.model_validate_json(data)
    except ValidationError:
        return None
    rest = Rest(cache, place).load()
    if rest is None:
        return None
    report._keep_rest(rest, loaded=False)
    return report


def save(cache: Cache, place: str, report: Report) -> None:
    """Keep a report with all its affected samples and pictures."""
    rest = Rest(cache, place)
    rest.keep(report)
    cache.put(place, report.model_dump_json(by_alias=True).encode())
    report._keep_rest(rest, loaded=True)
