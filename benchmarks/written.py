"""Clean documents, instructions, conversations and preferences: texts that Python ships, and parts put together at random.

The documentation and the functions of Python's own library are real, written by many people, with code, tables and short
entries in them; a seed draws which of them are taken.
"""

from __future__ import annotations

import ast
import json
import sysconfig
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from datalint.core.clean import Clean
from tests.conversations import chats
from tests.reference import SPLITS, cut

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

MODULES = """argparse ast asyncio/base_events base64 bdb bisect calendar cgi cmd code codecs collections/__init__ colorsys
configparser contextlib copy csv dataclasses datetime difflib dis doctest email/message email/utils enum filecmp fileinput
fnmatch fractions ftplib functools getopt glob gzip heapq html/parser http/client http/cookiejar imaplib inspect ipaddress
json/decoder json/encoder locale logging/__init__ mailbox mimetypes nntplib operator optparse os pathlib pdb pickle platform
plistlib poplib posixpath pprint pstats queue quopri random shelve shlex shutil smtplib socket socketserver statistics string
subprocess tarfile tempfile textwrap threading timeit tokenize trace traceback turtle typing urllib/parse urllib/request uuid
wave weakref webbrowser xml/dom/minidom xml/etree/ElementTree zipfile""".split()  # noqa: SIM905
"""Modules written in Python."""

SHORTEST, LONGEST = 120, 2_500
"""Characters of a function that is taken."""


@cache
def functions() -> tuple[tuple[str, str, str], ...]:
    """Name, first sentence of the documentation, and source of many functions, no two of the same source."""
    found: dict[str, tuple[str, str, str]] = {}
    library = Path(sysconfig.get_path("stdlib"))
    for module in MODULES:
        path = library / f"{module}.py"
        if not path.exists():
            continue
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.FunctionDef) or (said := ast.get_docstring(node)) is None:
                continue
            source = ast.get_source_segment(text, node) or ""
            first = " ".join(said.split("\n\n")[0].split())
            if SHORTEST <= len(source) <= LONGEST and len(first) >= 30:
                found.setdefault(source, (f"{module.replace('/', '.')}.{node.name}", first, source))
    return tuple({first: item for item in found.values() for first in [item[1]]}.values())


@cache
def paragraphs() -> tuple[str, ...]:
    """Paragraphs of the documentation of Python's language, each once."""
    from pydoc_data.topics import topics

    parts = (" ".join(part.split()) for text in topics.values() for part in text.split("\n\n"))
    return tuple(dict.fromkeys(part for part in parts if 150 <= len(part) <= 2_000))


def _some(items: tuple[Any, ...], count: int, rng: np.random.Generator) -> list[Any]:
    return [items[k] for k in rng.choice(len(items), min(count, len(items)), replace=False)]


def _count(rng: np.random.Generator) -> int:
    return int(rng.integers(350, 700))


def _functions(rng: np.random.Generator) -> Clean:
    """Instructions that are answered with code."""
    rows = [(f"Write the function {name}. {said}", code) for name, said, code in _some(functions(), _count(rng), rng)]
    return Clean("functions", {"all": pd.DataFrame(rows, columns=["instruction", "output"])})


def _explained(rng: np.random.Generator) -> Clean:
    """Code with the question what it does; half of the instructions have no input of their own."""
    rows = []
    for k, (name, said, code) in enumerate(_some(functions(), _count(rng), rng)):
        rows.append(("What does this do?", code, said) if k % 2 else (f"What is {name} for?", "", said))
    return Clean("explained", cut(pd.DataFrame(rows, columns=["instruction", "input", "output"]), SPLITS))


def _documents(rng: np.random.Generator) -> Clean:
    """Paragraphs of a manual to go on training with."""
    return Clean("documents", cut(pd.DataFrame({"text": _some(paragraphs(), _count(rng), rng)}), SPLITS))


def _sources(rng: np.random.Generator) -> Clean:
    """Functions as documents, and nothing else."""
    return Clean(
        "sources", {"all": pd.DataFrame({"text": [code for _, _, code in _some(functions(), _count(rng), rng)]})}
    )


def _shared(rng: np.random.Generator) -> Clean:
    """Conversations as ShareGPT has them, half of which begin with the same instruction of the system."""
    made = []
    for k, chat in enumerate(chats(_count(rng), int(rng.integers(2**31)))):
        turns = [{"from": "human" if role == "user" else "gpt", "value": text} for role, text in chat]
        made.append(
            [{"from": "system", "value": "You answer in short and friendly sentences."}, *turns] if k % 2 else turns
        )
    return Clean("shared", {"all": pd.DataFrame({"conversations": made})})


def _called(rng: np.random.Generator) -> Clean:
    """Conversations in which the assistant calls a tool before it answers."""
    made = []
    for k, chat in enumerate(chats(_count(rng), int(rng.integers(2**31)), 1)):
        (_, asked), (_, said) = chat
        call = {"name": "look_up", "arguments": json.dumps({"query": asked, "most": int(rng.integers(1, 9))})}
        made.append(
            [
                {"role": "user", "content": asked, "tool_calls": None},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [{"id": f"c{k}", "type": "function", "function": call}],
                },
                {"role": "tool", "content": said.split(". ")[-1], "tool_calls": None},
                {"role": "assistant", "content": said, "tool_calls": None},
            ]
        )
    return Clean("called", {"all": pd.DataFrame({"messages": made})})


def _ranked(rng: np.random.Generator) -> Clean:
    """Preferences between two conversations that begin with the same question."""
    count = _count(rng)
    one, two = (chats(count, int(rng.integers(2**31)), 1) for _ in range(2))
    rows = []
    for a, b in zip(one, two, strict=True):
        asked = {"role": "user", "content": a[0][1]}
        rows.append([[asked, {"role": "assistant", "content": chat[1][1]}] for chat in (a, b)])
    return Clean("ranked", {"all": pd.DataFrame(rows, columns=["chosen", "rejected"])})


def _marked(rng: np.random.Generator) -> Clean:
    """Answers that are marked as wanted or not (KTO)."""
    made = chats(_count(rng), int(rng.integers(2**31)), 1)
    table = pd.DataFrame({"prompt": [chat[0][1] for chat in made], "completion": [chat[1][1] for chat in made]})
    return Clean("marked", {"all": table.assign(label=rng.random(len(table)) < 0.6)})


WRITTEN: tuple[Callable[[np.random.Generator], Clean], ...] = (
    _functions,
    _explained,
    _documents,
    _sources,
    _shared,
    _called,
    _ranked,
    _marked,
)
