"""Transcripts as a table: files of lines that begin with the key of a recording, and say after it what is spoken."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from datalint.sources.places import reach
from datalint.sources.remote.path import RemotePath
from datalint.sources.tables.encoding import NotATable
from datalint.sources.tables.format import CELLS, Candidate, TableFile, TableFormat
from datalint.sources.tables.jsonlines import JsonLinesPartition, rows_table
from datalint.sources.tables.labels import ColumnHead

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from datalint.sources.files import Entry
    from datalint.sources.tables.convert import TablePlan

KEY, TEXT, SPEAKER, FILE = "id", "text", "speaker", "file"

LARGEST = 256 << 20
"""Bytes of a file that are read."""

HEADS, PARTS = 20, 32
"""Files that show what the columns hold; parts of a table at most."""

_SOUND = re.compile(r"[^\s|\"']+\.(wav|flac|mp3|ogg|opus|sph|aiff?|au)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Transcripts:
    """The files of one split, and what else is said of their keys."""

    sources: tuple[str, ...]
    speakers: str = ""
    """A file of keys with speakers; else what ``apart`` parts a key by, if that begins with the speaker."""
    recordings: str = ""
    """A file of keys with the paths or commands of recordings; empty where keys are their names."""
    apart: str = ""
    base: Path | None = None
    """Where to open them, if not by their names."""

    def rows(self, sources: Sequence[str] | None = None) -> Iterator[dict[str, str]]:
        """The lines as rows.

        Raises:
            OSError: a file cannot be read.
        """
        speakers = dict(self._pairs(self.speakers)) if self.speakers else {}
        recordings = dict(self._pairs(self.recordings)) if self.recordings else {}
        for source in self.sources if sources is None else sources:
            for key, text in self._pairs(source):
                row = {}
                if self.speakers:
                    row[SPEAKER] = speakers.get(key, "")
                elif self.apart:
                    row[SPEAKER] = key.partition(self.apart)[0]
                if self.recordings:
                    row[FILE] = recording_of(recordings.get(key, "")) or key
                # What is spoken comes last, where a label is looked for: nothing else is to be learned.
                yield row | {KEY: key, TEXT: text}

    def _pairs(self, name: str) -> Iterator[tuple[str, str]]:
        return pairs_in(self._place(name))

    def _place(self, name: str) -> str | Path:
        return name if self.base is None else reach(self.base, name)


def pairs_in(path: str | Path) -> Iterator[tuple[str, str]]:
    """The key and the rest of each line.

    Raises:
        OSError: it cannot be read.
    """
    if isinstance(path, RemotePath):
        data = path.read_bytes(LARGEST)
    else:
        with open(path, "rb") as file:  # noqa: PTH123 - a Path costs as much as opening the file
            data = file.read(LARGEST)
    for line in data.decode("utf-8-sig", "replace").splitlines():
        key, _, rest = line.strip().partition("\t" if "\t" in line else " ")
        if key:
            yield key, rest.strip()


def recording_of(said: str) -> str:
    """The path in a line of ``wav.scp``, which may be a command (``flac -c -d -s a.flac |``)."""
    if not said.endswith("|"):
        return said
    found = _SOUND.search(said)
    return found[0] if found else ""


class TranscriptFormat(TableFormat):
    """Keys of recordings with what is said in them, which a layout brings together."""

    title = "transcripts"
    suffixes = frozenset()

    def __init__(self, transcripts: Transcripts | None = None) -> None:
        self.transcripts = transcripts or Transcripts(())

    def recognises(self, start: bytes, name: str) -> bool:  # noqa: ARG002 - as TableFormat has it
        """Never by itself."""
        return False

    def look(self, file: Candidate) -> TableFile:
        """Read the first files."""
        rows = []
        sources = self.transcripts.sources
        for row in self.transcripts.rows(sources[:: max(1, len(sources) // HEADS)][:HEADS]):
            rows.append(row)
            if len(rows) >= CELLS // 10:
                break
        if not rows:
            raise NotATable("no lines of a key and a text")
        table = rows_table(file, self, rows)
        for column in rows[0]:  # a number that names a speaker is a name
            table.kinds[column], table.dtypes[column] = "text", "string"
        table.columns = tuple(ColumnHead(name, "text", [row[name] for row in rows]) for name in rows[0])
        return table

    def whole(self, file: TableFile, plan: TablePlan) -> TranscriptPartition:
        """All lines of all files."""
        return TranscriptPartition(file.path.absolute(), file.shown, None, plan, transcripts=self.transcripts)

    def partitions(self, file: TableFile, plan: TablePlan) -> Sequence[TranscriptPartition]:
        """Some files each."""
        whole, sources = self.whole(file, plan), self.transcripts.sources
        step = max(1, -(-len(sources) // PARTS))
        return [
            replace(whole, transcripts=replace(self.transcripts, sources=sources[start : start + step]))
            for start in range(0, len(sources), step)
        ]


@dataclass(frozen=True)
class TranscriptPartition(JsonLinesPartition):
    """Some files, as if each line were an object."""

    transcripts: Transcripts = Transcripts(())

    @property
    def files_read(self) -> tuple[str, ...]:
        """All files whose content decides what is read."""
        own = self.transcripts
        return (*own.sources, *(name for name in (own.speakers, own.recordings) if name))

    def blocks(self) -> Iterator[bytes]:
        """The rows as objects."""
        for source in self.transcripts.sources:
            yield b"".join(json.dumps(row).encode() + b"\n" for row in self.transcripts.rows([source]))

    def line_of(self, row: Mapping[str, str | None]) -> bytes:
        """The key and the text."""
        return f"{row.get(KEY) or ''} {row.get(TEXT) or ''}".encode()


def table_of(entry: Entry, transcripts: Transcripts) -> TableFile:
    """The transcripts as a table, called after one of their files.

    Raises:
        NotATable: they hold nothing.
        OSError: a file cannot be read.
    """
    return TranscriptFormat(transcripts).look(Candidate(entry.path, entry.shown, entry.name))
