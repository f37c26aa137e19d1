"""What all peers' scripts share: ``python -m benchmarks.peers.NAME INPUT OUT.json [BROKEN...]``.

They run in the peer's own environment, so they import nothing of datalint. ``OUT.json`` gets what was found by kind, with
the names of :mod:`benchmarks.scoring`. ``BROKEN`` are files to hide from a peer that would crash on them.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

INPUT, OUT = Path(sys.argv[1]), Path(sys.argv[2])
HIDDEN = set(sys.argv[3:])

FLOATS = [f"f{j}" for j in range(20)]
WHOLE = [f"i{j}" for j in range(5)]
WORDS = [f"c{j}" for j in range(4)]


def found(**kinds: Any) -> None:
    """Say what was found."""
    OUT.write_text(json.dumps(kinds, default=str))


def name(path: Any) -> str:
    """A file as the truth names it: class folder and file."""
    return "/".join(Path(str(path)).parts[-2:])


def without_hidden() -> Path:
    """A view of the pictures, by links, without the files that the peer cannot bear."""
    view = Path(tempfile.mkdtemp(prefix="peer-"))
    for file in INPUT.glob("*/*"):
        if name(file) not in HIDDEN:
            (view / file.parent.name).mkdir(exist_ok=True)
            os.symlink(file.resolve(), view / file.parent.name / file.name)  # noqa: PTH211
    return view
