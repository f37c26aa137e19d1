"""Words of messages."""

from __future__ import annotations

import pytest

from datalint.core.wording import more_of


@pytest.mark.parametrize(
    ("count", "noun", "words"),
    [
        (1, "column", "1 more column"),
        (1_200, "column", "1,200 more columns"),
        (1, "category", "1 more category"),
        (2, "category", "2 more categories"),
        (3, "class", "3 more classes"),
        (2, "box", "2 more boxes"),
    ],
)
def test_more(count: int, noun: str, words: str) -> None:
    assert more_of(count, noun) == words
