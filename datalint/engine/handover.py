"""How a worker hands over what it measured: as a file, of which the pipe carries the name alone.

A pipe takes a name at once or not at all. Of a larger message a worker that is killed leaves the first half, and whoever reads
waits for the second half for ever.
"""

from __future__ import annotations

import contextlib
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datalint.engine.plan import Measured


def handed_over(part: Measured, place: Path) -> Path | Measured:
    """The file that holds it; itself where no file can be written."""
    content = pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL)
    file: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=place, delete=False) as stream:
            file = Path(stream.name)
            stream.write(content)
    except OSError:  # no room: the pipe has some
        if file is not None:
            with contextlib.suppress(OSError):
                file.unlink()
        return part
    return file


def received(part: Path | Measured) -> Measured:
    """What was handed over; its file is removed."""
    if not isinstance(part, Path):
        return part
    with part.open("rb") as stream:
        found: Measured = pickle.load(stream)  # noqa: S301 - written by a process of this one, into a folder of this user alone
    part.unlink(missing_ok=True)
    return found
