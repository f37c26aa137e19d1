"""Texts as codes: in memory that does not depend on the longest text, and nowhere as NumPy's own texts."""

from __future__ import annotations

import ast
import tracemalloc
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import datalint
import datalint_rules
from datalint.core.codes import codes_of

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(datalint.__file__).parent
ROOMS = ("core", "engine", "judge", "measures", "profile", "rules", "suppress")
SOURCES = [
    *(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")),
    *Path(datalint_rules.__file__).parent.rglob("*.py"),
]


@given(st.lists(st.none() | st.text(max_size=3)))
def test_codes_say_which_text_is_where(texts: list[str | None]) -> None:
    codes, names = codes_of(np.array([*texts, None], dtype=object))
    assert names == sorted({text for text in texts if text})
    assert [names[code] if code >= 0 else None for code in codes] == [*(text or None for text in texts), None]


def test_one_long_text_takes_its_own_length_and_no_more() -> None:
    texts = np.array([f"note {k % 50}" for k in range(30_000)], dtype=object)
    texts[7] = "x" * 1_000_000
    tracemalloc.start()
    try:
        codes, names = codes_of(texts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert Counter(codes.tolist())[names.index(texts[7])] == 1
    assert peak < 8_000_000


def _fixed_width(tree: ast.Module) -> Iterator[int]:
    """Lines that make an array of NumPy's own texts; what plants faults into tables of pandas makes texts of pandas."""
    planting = {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any(arg.annotation and ast.unparse(arg.annotation) in {"Clean", "pd.DataFrame"} for arg in node.args.args)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or node.lineno in planting:
            continue
        types = [keyword.value for keyword in node.keywords if keyword.arg == "dtype"]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
            types += node.args[:1]
        for kind in types:
            named = ast.unparse(kind).strip("'\"")
            if named in {"str", "np.str_", "U", "S", "np.bytes_", "bytes"}:
                yield node.lineno


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-2:]))
def test_no_array_is_as_wide_as_its_longest_text(path: Path) -> None:
    assert list(_fixed_width(ast.parse(path.read_text()))) == []
