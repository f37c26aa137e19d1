"""Delta tables: Parquet files of which the log in ``_delta_log`` says which are the table's."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote

from datalint.sources.layouts.lakes import LakeLayout, Place, Version
from datalint.sources.places import arrow_file
from datalint.sources.tables.encoding import NotJudged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

LOG = "_delta_log"
MOST = 256 << 20
"""Bytes of one file of the log that is read."""

KNOWN = frozenset({"timestampNtz", "vacuumProtocolCheck", "typeWidening", "typeWidening-preview"})
"""What a reader must know of, and which changes nothing of where the rows lie and what columns are called."""

_COMMIT = re.compile(r"(\d{20})\.json")
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet")
_HINT = "read it with the deltalake package and save it as Parquet"


class DeltaLake(LakeLayout):
    """Delta tables in their newest version."""

    what: ClassVar[str] = "Delta table"
    log: ClassVar[str] = LOG

    def homes(self, folder: Folder) -> Iterable[Place]:
        """The folders with a log."""
        for entry in folder.left:
            if entry.folder[-1:] == (LOG,) and (_COMMIT.fullmatch(entry.name) or _CHECKPOINT.fullmatch(entry.name)):
                yield entry.folder[:-1]

    def version(self, home: Place, entries: Sequence[Entry]) -> Version:
        """What the actions of the log leave, the newest last."""
        log = {entry.name: entry for entry in entries if entry.folder == (*home, LOG)}
        commits = {int(match[1]): log[name] for name in log if (match := _COMMIT.fullmatch(name))}
        start, parts = _checkpoint(log) if 0 not in commits else (-1, [])
        newest = max([start, *commits])
        if lost := set(range(start + 1, newest + 1)) - commits.keys():
            raise ValueError(f"its version {min(lost):,} is missing")
        found = Version(newest)
        for entry in [*parts, *(commits[number] for number in range(start + 1, newest + 1))]:
            if entry.size > MOST:
                raise NotJudged(f"a Delta table with more than {MOST:,} bytes in {entry.name}: {_HINT}")
            for action in _stored(entry) if entry.suffix == ".parquet" else _written(entry):
                _apply(action, found)
        return found


def _checkpoint(log: dict[str, Entry]) -> tuple[int, list[Entry]]:
    """The newest whole checkpoint, and its files."""
    by_version: dict[int, dict[str, list[Entry]]] = {}
    for name, entry in sorted(log.items()):
        if match := _CHECKPOINT.fullmatch(name):
            by_version.setdefault(int(match[1]), {}).setdefault(match[3] or "1", []).append(entry)
    for version, kinds in sorted(by_version.items(), reverse=True):
        for count, parts in kinds.items():
            if len(parts) == int(count):
                return version, parts
    raise NotJudged(f"a Delta table whose log begins with no checkpoint that is read: {_HINT}")


def _written(entry: Entry) -> Iterator[Any]:
    """The actions of one commit."""
    for line in entry.path.read_bytes().splitlines():
        if line.strip():
            yield json.loads(line)


def _stored(entry: Entry) -> Iterator[Any]:
    """Those of a checkpoint."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with arrow_file(entry.path) as raw, pq.ParquetFile(raw) as file:
            wanted = [name for name in ("protocol", "metaData", "add", "sidecar") if name in file.schema_arrow.names]
            for batch in file.iter_batches(10_000, columns=wanted, use_threads=False):
                yield from batch.to_pylist()
    except pa.ArrowException as error:
        raise ValueError(f"{entry.name}: {str(error).splitlines()[0]}") from error


def _apply(action: dict[str, Any], found: Version) -> None:
    """Take in one action.

    Raises:
        NotJudged: it changes what the files hold, or what their columns are called.
    """
    protocol, about = action.get("protocol") or {}, action.get("metaData") or {}
    features = set(protocol.get("readerFeatures") or ()) - KNOWN
    # Features that are allowed and not used show in the actions themselves.
    if strange := features - {"deletionVectors", "columnMapping", "v2Checkpoint"}:
        raise NotJudged(f"a Delta table with {min(strange)!r}, which is not known: {_HINT}")
    settings = dict(about.get("configuration") or {})
    if settings.get("delta.columnMapping.mode", "none") != "none":
        raise NotJudged(f"a Delta table whose columns have other names in its files: {_HINT}")
    if action.get("sidecar"):
        raise NotJudged(f"a Delta table whose checkpoint lies in several files: {_HINT}")
    for kind in ("remove", "add"):
        item = action.get(kind)
        if not item:
            continue
        path = unquote(item["path"])
        place = tuple(path.split("/"))
        local = "://" not in path and not path.startswith("/") and ".." not in place
        if kind == "remove":
            found.files.pop(place, None)
            found.elsewhere = [name for name in found.elsewhere if name != path]
        elif item.get("deletionVector"):
            raise NotJudged(f"a Delta table with rows that are marked as deleted: {_HINT}")
        elif local:
            found.files[place] = dict(item.get("partitionValues") or {})
        else:
            found.elsewhere.append(path)
