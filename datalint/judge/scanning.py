"""The scan of one data set: plan what to measure, measure it, let the rules judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datalint.core.dataset import Dataset, Split, split_order
from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.engine.engine import Tally, failed
from datalint.engine.processes import cores
from datalint.measures.label_sets import LabelSets
from datalint.measures.order import MISSING_CLASS, LabelRuns, TargetOrder
from datalint.measures.problems import Problems
from datalint.measures.sample import PlainSample, Sample
from datalint.profile.profile import Profile
from datalint.profile.splits import Given, SplitProfile
from datalint.sources.recognise import CHANGED
from datalint.sources.tables.labels import task_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.core.dataset import Partition, Task
    from datalint.core.severity import Severity
    from datalint.engine.engine import Engine, States
    from datalint.judge.judge import Scanned
    from datalint.measures.base import Measurement, Settings
    from datalint.rules.base import Rule

ALWAYS: tuple[type[Measurement], ...] = (LabelRuns, TargetOrder, Problems)
"""Taken whatever the rules: they read nothing but labels."""


def scan_dataset(
    dataset: Dataset,
    rules: Sequence[Rule],
    settings: Settings,
    engine: Engine,
    given: Given | None = None,
    tally: Tally | None = None,
    severities: Mapping[str, Severity] | None = None,
    thorough: bool = True,
) -> Scanned:
    """Measure one data set and let the rules judge it; ``severities`` are those the user set, by code.

    Searches that cost more than reading the data are left out unless ``thorough``.

    Raises:
        DatalintError: the data set has no samples and no problem that could be told as a finding.
    """
    applicable = [rule for rule in rules if dataset.modality in rule.modalities]
    kinds = plan(applicable, dataset)
    tally = tally or Tally(dataset.partitions, lambda _samples, _share: None)
    results = engine.measure(list(enumerate(dataset.partitions)), kinds, settings, tally)
    profile = profile_of(dataset, _reduce(_told(results, dataset.partitions, tally)), kinds, settings)
    profile.given = given or Given()
    profile.thorough = thorough
    profile.threads = min(engine.jobs, cores())
    if not any(split.samples for split in profile.splits) and not _damaged(profile):
        if not any(partition.files_read for partition in dataset.partitions):
            raise DatalintError(f"{dataset.path} holds no samples: the {dataset.layout} is empty")
        # One of several data sets, perhaps: the others are scanned all the same.
        dataset.problems.append(
            Problem("empty", dataset.path, f"holds no samples: no row of the {dataset.layout} is whole")
        )
    from datalint.judge.judge import judge  # while workers read, nothing waits for it

    scanned = judge(profile, rules, severities or {}, tally.stage)
    scanned.lasting = not any(failed(split.measured.values()) for split in profile.splits)
    return scanned


def plan(rules: Sequence[Rule], dataset: Dataset) -> tuple[type[Measurement], ...]:
    """The measurements that the rules need of a data set, each once."""
    needed: dict[type[Measurement], None] = dict.fromkeys(ALWAYS)
    if dataset.task == "multi-label":
        needed[LabelSets] = None
    for rule in rules:
        needed |= dict.fromkeys(rule.needs(dataset))
    if Sample in needed:
        needed.pop(PlainSample, None)
    return tuple(sorted(needed, key=lambda kind: kind.__name__))


def _told(results: Iterator[States], partitions: Sequence[Partition], tally: Tally) -> Iterator[States]:
    """The results as they come, each told when it has come."""
    for partition, states in zip(partitions, results, strict=True):
        tally.finish(partition)
        yield states


FAN_IN = 32
"""Partitions, and again groups of partitions, that are merged one into the other before the next level of the tree."""


def _reduce(results: Iterator[States]) -> States:
    """Merge what was measured on the partitions, in their order, as a tree of which each node has up to 32 children.

    One after the other is cheapest for a sample that is full already; but what appends to a list would be copied once per
    partition, and in the tree it is copied a logarithmic number of times. The shape depends on the number of partitions
    alone, and nothing is closed before the end.
    """
    trees: dict[str, list[list[tuple[Measurement, ...]]]] = {}
    counts: dict[str, list[int]] = {}
    for states in results:
        for split, found in states.items():
            _plant_leaf(trees.setdefault(split, []), counts.setdefault(split, []), found)
    whole: States = {}
    for split, levels in trees.items():
        merged: tuple[Measurement, ...] | None = None
        for level in reversed(levels):  # the highest level holds the first partitions
            for part in level:
                merged = part if merged is None else _merged(merged, part)
        whole[split] = tuple(state.close() for state in merged or ())
    return whole


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


def profile_of(dataset: Dataset, states: States, kinds: Sequence[type[Measurement]], settings: Settings) -> Profile:
    """The profile of a data set from its merged measurements."""
    infos = {split.name: split for split in dataset.splits}
    splits = []
    for name in sorted({*infos, *states}, key=split_order):
        measured = states.get(name) or tuple(kind(settings) for kind in kinds)
        by_kind = {type(state): state for state in measured}
        problems = by_kind[Problems]
        samples = problems.samples if isinstance(problems, Problems) else 0
        splits.append(SplitProfile(name, samples, infos.get(name, Split(name, "")), by_kind))
    return Profile(dataset, tuple(splits), settings, _task(dataset, splits))


def _task(dataset: Dataset, splits: Sequence[SplitProfile]) -> Task | None:
    if dataset.label is None or dataset.task is not None:
        return dataset.task
    counts: dict[str, int] | None = {}
    for split in splits:
        found = split[LabelRuns].counts
        counts = (
            None if counts is None or found is None else {k: counts.get(k, 0) + found.get(k, 0) for k in counts | found}
        )
    if counts is not None:
        counts.pop(MISSING_CLASS, None)
    targets = [split[TargetOrder] for split in splits]
    numeric = any(target.present for target in targets)
    if not numeric:
        return "classification"
    n = sum(target.present for target in targets)
    whole = all(target.whole for target in targets)
    values = None if counts is None else {float(k) if _is_number(k) else k: v for k, v in counts.items()}
    if values is not None and any(isinstance(key, str) for key in values):
        return "classification"  # declared class names stand for the numbers
    return "regression" if task_of("number", values, n, whole) == "regression" else "classification"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _damaged(profile: Profile) -> bool:
    """Whether anything could not be read, so that having no samples is itself a finding."""
    met = [problem for split in profile.splits for _, _, problem in split[Problems].found]
    kinds = {"unreadable", "truncated", "empty", "pointer", "failed"}
    if profile.dataset.layout == CHANGED:
        kinds.add("not-scanned")  # nobody said that they are data
    return any(problem.kind in kinds for problem in [*profile.dataset.problems, *met])
