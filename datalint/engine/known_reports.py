"""Whole reports kept in the cache: a scan of data that has not changed at all reads nothing but the file times."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.engine.cache import sources_stamp
from datalint.report.models import Held
from datalint.rules.packs import pack_folders
from datalint.sources.places import walk
from datalint.sources.remote.path import place_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.engine.cache import Cache
    from datalint.report.models import AffectedSample, Report
    from datalint.sources.files import Listing
    from datalint.sources.locate import Located

_RUN = "<!-- this run -->"
"""Stands in a kept page for what differs from run to run; data cannot contain it, being escaped."""


@dataclass(frozen=True)
class KnownReport:
    """The place of one scan's report in the cache."""

    cache: Cache | None
    key: str | None
    """None where it cannot be kept: objects in memory, unreadable files."""

    @classmethod
    def of(cls, cache: Cache | None, located: Located, given: Sequence[Any], chosen: Any) -> KnownReport:
        """Where the report is kept that depends on the data, on what is ``given`` with it and on what was ``chosen``."""
        beside = [item for item in given if item is not None]
        if cache is None or located.paths is None or not all(isinstance(item, (str, Path)) for item in beside):
            return cls(cache, None)
        try:
            files = [_state(cache, path, located.folders) for path in [*located.paths, *map(place_of, beside)]]
        except (OSError, ValueError, DatalintError):  # the scan itself will say what is wrong
            return cls(cache, None)
        packs = [f"{folder} {sources_stamp(folder)}" for folder in pack_folders()]
        paths = [str(path) for path in located.paths]
        return cls(cache, cache.key_of("report", paths, str(Path.cwd()), files, packs, given, chosen))

    def load(self) -> Report | None:
        """The report; None where there is none or it is damaged."""
        data = self.cache.get(self.key) if self.cache and self.key else None
        if self.cache is None or self.key is None or data is None:
            return None
        # Not before it is known that there is one: what reads the data comes first.
        from pydantic import ValidationError

        from datalint.report.models import Report

        try:
            report = Report.model_validate_json(data)
        except ValidationError:
            return None
        kept = _Kept(self.cache, self.key)
        return report.holding(kept) if kept.load() else None

    def save(self, report: Report) -> Report:
        """Keep a report with all its affected samples and pictures; returns it with a place for its page."""
        if self.cache is None or self.key is None:
            return report
        kept = _Kept(self.cache, self.key)
        kept.keep(report.held)
        self.cache.put(self.key, report.model_dump_json(by_alias=True).encode())
        return report.holding(kept)


def _state(cache: Cache, path: Path, folders: Mapping[Path, Listing]) -> list[Any]:
    """What a scan of the path would see of it: the files, and what it tells besides them."""
    if not path.is_dir():
        return cache.identity([str(path)])
    listing = folders.get(path) or walk(path)
    told = [[problem.path, problem.message] for problem in listing.problems]
    told += [[entry.where, why] for entry, why in listing.passed]
    return [_states(cache, listing), told, listing.empty]


def _states(cache: Cache, listing: Listing) -> list[Any]:
    if cache.paranoid:
        return cache.identity(entry.where for entry in listing.entries)
    # As they were when the folder was walked, before anything was read.
    names = "\0".join(entry.where for entry in listing.entries).encode("utf-8", "surrogateescape")
    return [hashlib.sha256(part).hexdigest() for part in (names, b"".join(entry.state for entry in listing.entries))]


class _Kept(Held):
    """What is kept next to a report: samples and pictures beyond those in its file, and its page."""

    def __init__(self, cache: Cache, place: str) -> None:
        self._cache, self._place = cache, place
        self._loaded: dict[str, bytes] = {}
        """As it was when the report was loaded: it cannot be lost any more."""

    def load(self) -> bool:
        """Load it as bytes; False where it is lost or damaged."""
        self._loaded = {what: self._cache.get(self._key(what)) or b"" for what in ("affected", "thumbnails")}
        return all(self._loaded.values())

    @cached_property
    def affected(self) -> Mapping[tuple[int, str], Sequence[AffectedSample]]:
        """All affected samples where there are more than the report lists."""
        from datalint.report.models import AffectedSample

        with contextlib.suppress(ValueError, TypeError, RecursionError):  # signed by us, and yet not what we write
            kept = json.loads(self._loaded["affected"])
            return {(number, name): [AffectedSample.model_validate(s) for s in rows] for number, name, rows in kept}
        return {}

    @cached_property
    def thumbnails(self) -> Mapping[str, bytes]:
        """Pictures by sample id."""
        with contextlib.suppress(ValueError, TypeError, AttributeError, RecursionError):
            return {name: base64.b64decode(text) for name, text in json.loads(self._loaded["thumbnails"]).items()}
        return {}

    def page(self, report: Report) -> str | None:
        """The page of this very report, if it was made before."""
        from datalint.report.html.footer import run_line

        digest, _, page = (self._cache.get(self._key("page")) or b"").decode("utf-8", "replace").partition("\n")
        return page.replace(_RUN, run_line(report.run)) if digest == _digest(report) else None

    def keep_page(self, report: Report, page: str) -> None:
        """Keep the page for another time."""
        from datalint.report.html.footer import run_line

        kept = f"{_digest(report)}\n{page.replace(run_line(report.run), _RUN)}"
        self._cache.put(self._key("page"), kept.encode("utf-8", "replace"))

    def keep(self, held: Held) -> None:
        """Keep what a new report holds, and hold it."""
        from datalint.report.models import LISTED

        self.affected, self.thumbnails = held.affected, held.thumbnails
        affected = [
            f"[{number}, {json.dumps(name)}, [{', '.join(json.dumps(sample.model_dump()) for sample in samples)}]]"
            for (number, name), samples in held.affected.items()
            if len(samples) > LISTED  # what the report lists in full need not be kept twice
        ]
        self._cache.put(self._key("affected"), f"[{', '.join(affected)}]".encode())
        pictures = {name: base64.b64encode(data).decode() for name, data in held.thumbnails.items()}
        self._cache.put(self._key("thumbnails"), json.dumps(pictures).encode())

    def _key(self, what: str) -> str:
        return hashlib.sha256(f"{self._place} {what}".encode()).hexdigest()


def _digest(report: Report) -> str:
    return hashlib.sha256(report.model_dump_json(exclude={"run"}).encode()).hexdigest()
