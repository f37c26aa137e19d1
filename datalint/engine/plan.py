"""What is measured of a data set, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.measures.base import Measurement, Reading, Settings
from datalint.measures.label_sets import LabelSets
from datalint.measures.objects import Objects
from datalint.measures.order import LabelRuns, TargetOrder
from datalint.measures.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.dataset import Aspect, Dataset
    from datalint.rules.base import Rule

ALWAYS: tuple[type[Measurement], ...] = (LabelRuns, TargetOrder, Problems)
"""Taken whatever the rules: they read nothing but labels."""

States = dict[str, tuple[Measurement, ...]]
"""Measurements by split, in the order of the plan."""


@dataclass(frozen=True)
class Plan:
    """The measurements of one pass, and the aspects of the samples that they see."""

    kinds: tuple[type[Measurement], ...]
    aspects: frozenset[Aspect]
    settings: Settings

    @classmethod
    def of(cls, needs: Sequence[type[Measurement] | Reading], settings: Settings) -> Plan:
        """A plan of some measurements, each once."""
        kinds = {need.kind if isinstance(need, Reading) else need for need in needs}
        aspects = frozenset(aspect for need in needs for aspect in need.reads)
        return cls(tuple(sorted(kinds, key=lambda kind: kind.__name__)), aspects, settings)

    def fresh(self) -> tuple[Measurement, ...]:
        """The measurements before they have seen anything."""
        return tuple(kind(self.settings) for kind in self.kinds)


@dataclass(frozen=True)
class Measured:
    """What came of one partition, or of a whole data set."""

    states: States
    samples: int = 0
    failed: bool = False
    """Whether reading broke down, so that the same data may give another result the next time."""


def plan(rules: Sequence[Rule], dataset: Dataset, settings: Settings) -> Plan:
    """The measurements that the rules need of a data set."""
    suited = [rule for rule in rules if dataset.modality in rule.modalities]
    needs = [*ALWAYS, *(need for rule in suited for need in rule.needs(dataset))]
    if any(rule.judges_by_objects(dataset) for rule in suited):
        needs.append(Objects)
    # Where a sample has one label, sets of labels would count none.
    several = dataset.task == "multi-label"
    return Plan.of([*needs, LabelSets] if several else [need for need in needs if need is not LabelSets], settings)
