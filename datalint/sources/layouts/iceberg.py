"""Iceberg tables: data files that the manifests of the newest metadata list. Needs the extra ``avro``."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar

from datalint.sources.files import HEAD_BYTES, head_of
from datalint.sources.layouts.lakes import LakeLayout, Place, Version
from datalint.sources.tables.avro import records_of
from datalint.sources.tables.encoding import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

LOG = "metadata"
MOST = 256 << 20
"""Bytes of metadata that are read."""

WHAT = "an Iceberg table"
DELETED = 2
"""Status of a file that is the table's no more."""

_METADATA = re.compile(r"v?(\d+)(?:-.*)?\.(?:gz\.)?metadata\.json(?:\.gz)?")
_HINT = "read it with the pyiceberg package and save it as Parquet"


class Iceberg(LakeLayout):
    """Iceberg tables in their current snapshot."""

    what: ClassVar[str] = "Iceberg table"
    log: ClassVar[str] = LOG

    def homes(self, folder: Folder) -> Iterable[Place]:
        """The folders with metadata of a table."""
        for entry in folder.left:
            if entry.folder[-1:] == (LOG,) and _METADATA.fullmatch(entry.name):
                yield entry.folder[:-1]

    def version(self, home: Place, entries: Sequence[Entry]) -> Version:
        """What the manifests of the current snapshot list."""
        by_place = {entry.parts[len(home) :]: entry for entry in entries}
        metadata = _newest([entry for place, entry in by_place.items() if place[:-1] == (LOG,)])
        head, whole = head_of(metadata.path, MOST)
        if not whole:
            raise NotJudged(f"{WHAT} with more than {MOST:,} bytes of metadata: {_HINT}")
        about = json.loads(head)
        if _renamed(about.get("schemas") or []):
            raise NotJudged(f"{WHAT} whose columns were renamed, so that its files have other names: {_HINT}")
        found = Version(int(_METADATA.fullmatch(metadata.name)[1]))  # type: ignore[index] # it was found by this
        current = about.get("current-snapshot-id")
        snapshot = next((one for one in about.get("snapshots") or [] if one["snapshot-id"] == current), None)
        if snapshot is None:
            return found
        where = _Where(str(about.get("location", "")), by_place)
        if "manifest-list" in snapshot:
            manifests = [
                item["manifest_path"] for item in records_of(where.entry(snapshot["manifest-list"]).path, WHAT)
            ]
        else:
            manifests = snapshot["manifests"]
        for manifest in manifests:
            for item in records_of(where.entry(manifest).path, WHAT):
                file = item["data_file"]
                if item["status"] == DELETED:
                    continue
                if file.get("content"):
                    raise NotJudged(f"{WHAT} with rows that are marked as deleted: {_HINT}")
                place = where.place(file["file_path"])
                if place is None:
                    found.elsewhere.append(file["file_path"])
                else:
                    found.files[place] = {}
        return found


def _newest(entries: Sequence[Entry]) -> Entry:
    """The metadata that the hint of the catalogue names, or that with the highest number."""
    known = {int(match[1]): entry for entry in entries if (match := _METADATA.fullmatch(entry.name))}
    for entry in entries:
        if entry.name == "version-hint.text":
            hint = head_of(entry.path, HEAD_BYTES)[0].decode().strip()
            if hint.isdecimal() and int(hint) in known:
                return known[int(hint)]
    return known[max(known)]


def _renamed(schemas: Sequence[Mapping[str, Any]]) -> bool:
    names: dict[int, str] = {}
    return any(
        names.setdefault(field["id"], field["name"]) != field["name"]
        for schema in schemas
        for field in schema.get("fields") or []
    )


class _Where:
    """The files of a table that may have been copied since it was written."""

    def __init__(self, location: str, by_place: Mapping[Place, Entry]) -> None:
        self._location = location.rstrip("/") + "/"
        self._by_place = by_place

    def place(self, path: str) -> Place | None:
        """Where a file lies below the table; None if it lies elsewhere."""
        below = path.removeprefix(self._location)
        if below == path:  # by its end: the folder was moved and its metadata written anew
            parts = path.split("/")
            return next((place for k in range(len(parts)) if (place := tuple(parts[k:])) in self._by_place), None)
        place = tuple(below.split("/"))
        return None if ".." in place else place

    def entry(self, path: str) -> Entry:
        """A file of metadata."""
        place = self.place(path)
        if place is None or place not in self._by_place:
            raise ValueError(f"{path.rpartition('/')[2]} is missing")
        return self._by_place[place]
