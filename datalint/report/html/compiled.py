"""Templates compiled once per installation, and kept where Python keeps its own compiled modules."""

from __future__ import annotations

import contextlib
import pickle
import sys
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import BytecodeCache

from datalint.core.writing import replacing

if TYPE_CHECKING:
    from jinja2.bccache import Bucket

TEMPLATES: Final = Path(__file__).parent / "templates"


class Compiled(BytecodeCache):
    """Compiled templates in ``__pycache__`` next to them: who can write there can write the package, too.

    Where that cannot be written, or ``PYTHONDONTWRITEBYTECODE`` is set, templates are compiled each time. A damaged
    or outdated file is compiled again.
    """

    def get_cache_key(self, name: str, filename: str | None = None) -> str:  # noqa: ARG002 - Jinja's
        """One file per template, so that what is outdated is replaced."""
        return name

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket if there is something that fits it."""
        try:
            with _path(bucket).open("rb") as file:
                bucket.load_bytecode(file)
        except (OSError, EOFError, ValueError, TypeError, pickle.UnpicklingError):
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled; another process may be doing the same."""
        if sys.dont_write_bytecode:
            return
        path = _path(bucket)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                bucket.write_bytecode(file)


def _path(bucket: Bucket) -> Path:
    return Path(cache_from_source(str(TEMPLATES / bucket.key)))
