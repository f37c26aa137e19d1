"""What could not be read as data; loads nothing, so that looking at a folder is instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read as data; becomes a finding of the files or images family."""

    kind: Literal[
        "unreadable",
        "truncated",
        "empty",
        "pointer",
        "suffix",
        "ragged",
        "dialect",
        "not-scanned",
        "unseen",  # a column of values that nobody looks into
        "encoding",
        "delimiter",
        "header",
        "quote",
        "types",
        "tags",  # of tokens, that follow no scheme
        "columns",
        "stray",
        "hidden",  # a folder that scans pass over and loaders do not
        "disguised",  # a hidden file that loaders take for a picture
        "absent",
        "not-finite",
        "failed",  # nothing is known of the data: reading or judging it broke down, and may not the next time
    ]
    path: str
    message: str
    position: int = -1
    """0-based position in the partition where the problem has one."""
