"""Random states that other people's loaders hold, and those of the process."""

from __future__ import annotations

import contextlib
import copy
import random
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

DEPTH = 4
"""How deep random generators are looked for in a loader: data set, subset, transform, its parts."""


def seed_all(seed: int) -> None:
    """Seed Python, NumPy, and PyTorch where it is loaded."""
    random.seed(seed)
    np.random.seed(seed)
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)


@contextlib.contextmanager
def loader_kept(loader: Any) -> Iterator[None]:
    """Put the random generators that a loader holds back afterwards."""
    states = [(source, state_of(source)) for source in random_sources(loader)]
    try:
        yield
    finally:
        for source, state in states:
            put_back(source, state)


def random_sources(root: Any) -> list[Any]:
    """The random generators that a loader, its data set and their transforms hold, each once."""
    torch: Any = sys.modules.get("torch")
    kinds: tuple[Any, ...] = (np.random.Generator, np.random.RandomState, random.Random)
    closed: tuple[Any, ...] = (type,)
    if torch is not None:
        kinds, closed = (*kinds, torch.Generator), (*closed, torch.Tensor, torch.nn.Module)
    found: dict[int, Any] = {}
    seen: set[int] = set()

    def look(value: Any, depth: int) -> None:
        if id(value) in seen or depth > DEPTH:
            return
        seen.add(id(value))
        if isinstance(value, kinds):
            found[id(value)] = value
        elif isinstance(value, (list, tuple)):
            for item in value[:50]:
                look(item, depth + 1)
        elif hasattr(value, "__dict__") and not isinstance(value, closed):
            for item in list(vars(value).values())[:200]:
                if not isinstance(item, (str, bytes, int, float, np.ndarray)):
                    look(item, depth + 1)

    look(root, 0)
    return list(found.values())


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
