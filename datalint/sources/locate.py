"""Where the data of a scan lies, and the data sets there."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.sources.files import spoken, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from datalint.sources.files import Listing
    from datalint.sources.recognise import Recognised


@dataclass(frozen=True)
class Located:
    """What is scanned: an object in memory, or paths of which the folders were walked once."""

    source: Any
    paths: tuple[Path, ...] | None
    """None for an object in memory."""
    folders: Mapping[Path, Listing]

    @property
    def weight(self) -> int:
        """Bytes of all that lies at the paths."""
        weight = sum(entry.size for listing in self.folders.values() for entry in listing.entries)
        for path in self.paths or ():
            if path not in self.folders:
                with contextlib.suppress(OSError, ValueError):  # recognising it will say what is wrong
                    weight += path.stat().st_size
        return weight

    def recognise(self, label: str | None, splits: Mapping[str, Any] | None, changed_only: bool = False) -> Recognised:
        """The data sets and what else lies there; each path by itself if it is a changed file.

        Raises:
            DatalintError: nothing is recognised.
        """
        from datalint.sources.objects.memory import from_object
        from datalint.sources.recognise import Recognised, Wishes, recognise, recognise_files

        if self.paths is None:
            return Recognised(from_object(self.source, label, splits))
        if changed_only:
            return Recognised(recognise_files(self.paths))
        patterns = {
            split: [value] if isinstance(value, str) else [str(item) for item in value]
            for split, value in (splits or {}).items()
        }
        found = Recognised()
        for path in self.paths:
            try:
                found += recognise(path, Wishes(label, patterns, self.folders))
            except DatalintError:
                raise
            except Exception as error:
                raise DatalintError(f"{path} could not be recognised: {spoken(error)}") from error
        return found


def paths_of(source: Any) -> tuple[Path, ...] | None:
    """The paths that a source consists of; None for an object in memory."""
    items = [source] if isinstance(source, (str, Path)) else source
    if isinstance(items, (list, tuple)) and items and all(isinstance(item, (str, Path)) for item in items):
        return tuple(map(Path, items))
    return None


def locate(source: Any) -> Located:
    """Walk the folders of a source; one that cannot be read is left to be reported when it is recognised.

    Raises:
        DatalintError: one of the paths is none.
    """
    paths = paths_of(source)
    for item in [] if paths is None else [source] if isinstance(source, (str, Path)) else source:
        if not str(item).strip() or "://" in str(item):
            raise DatalintError(f"{str(item)!r} is not a path: datalint reads files and folders of this machine")
    folders = {}
    for path in paths or ():
        with contextlib.suppress(OSError, ValueError, DatalintError):
            if path.is_dir():
                folders[path] = walk(path)
    return Located(source, paths, folders)
