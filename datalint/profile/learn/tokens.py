"""Counting tokens with a tokenizer that the user has."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from datalint.core.project import install

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NEEDED = f"counting tokens needs the package tokenizers: {install('tokens')}"

AT_ONCE = 1_000
"""Texts that are cut into tokens at once."""


class NoTokenizer(Exception):
    """The message says why there is none, as a clause."""


@lru_cache(maxsize=2)
def token_counter(path: str) -> Callable[[Sequence[str]], list[int]]:
    """What counts the tokens of texts, without those that a template adds.

    Args:
        path: a ``tokenizer.json``, or the folder that holds it.

    Raises:
        NoTokenizer: there is none, or the package that reads it is not installed.
    """
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise NoTokenizer(NEEDED) from error
    file = Path(path)
    file = file / "tokenizer.json" if file.is_dir() else file
    if not file.is_file():
        raise NoTokenizer(f"there is no tokenizer {path!r}")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing more precise
        raise NoTokenizer(f"{path!r} is no tokenizer: {str(error)[:200]}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def count(texts: Sequence[str]) -> list[int]:
        found: list[int] = []
        for start in range(0, len(texts), AT_ONCE):
            some = tokenizer.encode_batch(list(texts[start : start + AT_ONCE]), add_special_tokens=False)
            found += [len(one.ids) for one in some]
        return found

    return count
