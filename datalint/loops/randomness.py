"""Random states and counters that other people's loaders hold, and those of the process."""

from __future__ import annotations

import contextlib
import copy
import random
import sys
from dataclasses import dataclass, field
from itertools import islice
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH = 4
"""How deep parts are looked for in a loader: data set, subset, transform, its parts."""

KEPT = 1_000_000
"""Items of a list or mapping that are put back."""


def seed_all(seed: int) -> None:
    """Seed Python, NumPy, and PyTorch where it is loaded."""
    random.seed(seed)
    np.random.seed(seed)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


@contextlib.contextmanager
def loader_kept(loader: Any) -> Iterator[None]:
    """Put the random generators and the counters that a loader and its parts hold back afterwards."""
    parts = parts_of(loader)
    states = [(source, state_of(source)) for source in parts.sources]
    owned = [(owner, dict(vars(owner))) for owner in parts.owners]
    filled = [(holder, copy.copy(holder)) for holder in parts.holders if len(holder) <= KEPT]
    try:
        yield
    finally:
        for source, state in states:
            put_back(source, state)
        for owner, attributes in owned:
            _restore(vars(owner), attributes)
        for holder, content in filled:
            if isinstance(holder, dict):
                _restore(holder, content)
            elif isinstance(holder, set):
                holder.intersection_update(content)
                holder.update(content)
            elif len(holder) != len(content) or any(a is not b for a, b in zip(holder, content, strict=True)):
                holder[:] = content


def _restore(now: dict[Any, Any], before: dict[Any, Any]) -> None:
    """Change back what changed, and nothing else: other threads may read it."""
    for name in now.keys() - before.keys():
        del now[name]
    for name, value in before.items():
        if name not in now or now[name] is not value:
            now[name] = value


def random_sources(root: Any) -> list[Any]:
    """The random generators that a loader, its data set and their transforms hold, each once."""
    return parts_of(root).sources


@dataclass
class Parts:
    """What a loader is made of."""

    sources: list[Any] = field(default_factory=list)
    """Random generators."""
    owners: list[Any] = field(default_factory=list)
    """Objects with attributes."""
    holders: list[Any] = field(default_factory=list)
    """Lists, mappings and sets."""


def parts_of(root: Any) -> Parts:
    """The parts of a loader, its data set and their transforms, each once."""
    torch: Any = sys.modules.get("torch")
    kinds: tuple[Any, ...] = (np.random.Generator, np.random.RandomState, random.Random)
    closed: tuple[Any, ...] = (type, ModuleType, FunctionType)
    if torch is not None:
        kinds, closed = (*kinds, torch.Generator), (*closed, torch.Tensor, torch.nn.Module)
    parts = Parts()
    seen: set[int] = set()

    def look(value: Any, depth: int) -> None:
        if id(value) in seen or depth > DEPTH or isinstance(value, closed):
            return
        seen.add(id(value))
        inside: list[Any] = []
        if isinstance(value, kinds):
            parts.sources.append(value)
        elif type(value) in {list, dict, set}:
            parts.holders.append(value)
            inside = list(islice(value.values() if isinstance(value, dict) else value, 50))
        elif isinstance(value, tuple):
            inside = list(value[:50])
        elif isinstance(getattr(value, "__dict__", None), dict):
            parts.owners.append(value)
            inside = list(islice(vars(value).values(), 200))
        for item in inside:
            if not isinstance(item, (str, bytes, int, float, np.ndarray)):
                look(item, depth + 1)

    look(root, 0)
    return parts


def state_of(source: Any) -> Any:
    """The state of a random generator."""
    if isinstance(source, np.random.Generator):
        return copy.deepcopy(source.bit_generator.state)
    if isinstance(source, random.Random):
        return source.getstate()
    if isinstance(source, np.random.RandomState):
        return source.get_state()
    return source.get_state().clone()


def put_back(source: Any, state: Any) -> None:
    """Put a random generator into a state."""
    if isinstance(source, np.random.Generator):
        source.bit_generator.state = state
    elif isinstance(source, random.Random):
        source.setstate(state)
    else:
        source.set_state(state)
