"""From what was measured on the partitions to what was measured on the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.engine.plan import Measured

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datalint.engine.plan import States
    from datalint.measures.base import Measurement

FAN_IN = 32
"""Partitions, and again groups of partitions, that are merged one into the other before the next level of the tree."""


def reduce(results: Iterable[Measured]) -> Measured:
    """Merge what was measured on the partitions, in their order, as a tree of which each node has up to 32 children.

    One after the other is cheapest for a sample that is full already; but what appends to a list would be copied once per
    partition, and in the tree it is copied a logarithmic number of times. The shape depends on the number of partitions
    alone, and nothing is closed before the end.
    """
    samples, failed = 0, False
    trees: dict[str, list[list[tuple[Measurement, ...]]]] = {}
    counts: dict[str, list[int]] = {}
    for part in results:
        samples, failed = samples + part.samples, failed or part.failed
        for split, found in part.states.items():
            _plant_leaf(trees.setdefault(split, []), counts.setdefault(split, []), found)
    whole: States = {}
    for split, levels in trees.items():
        merged: tuple[Measurement, ...] | None = None
        for level in reversed(levels):  # the highest level holds the first partitions
            for states in level:
                merged = states if merged is None else _merged(merged, states)
        whole[split] = tuple(state.close() for state in merged or ())
    return Measured(whole, samples, failed)


def _plant_leaf(levels: list[list[tuple[Measurement, ...]]], counts: list[int], found: tuple[Measurement, ...]) -> None:
    """Merge one more partition into the lowest level; a level that is full moves up as one."""
    rank = 0
    while True:
        if rank == len(levels):
            levels.append([])
            counts.append(0)
        levels[rank] = [_merged(levels[rank][0], found) if levels[rank] else found]
        counts[rank] += 1
        if counts[rank] < FAN_IN:
            return
        found, levels[rank], counts[rank] = levels[rank][0], [], 0
        rank += 1


def _merged(earlier: tuple[Measurement, ...], later: tuple[Measurement, ...]) -> tuple[Measurement, ...]:
    return tuple(a.merge(b) for a, b in zip(earlier, later, strict=True))
