"""Measuring a data set: from its partitions to its profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from datalint.core.dataset import Dataset, Split, split_order
from datalint.core.errors import DatalintError
from datalint.core.problem import Problem
from datalint.engine.engine import Tally
from datalint.engine.plan import plan
from datalint.engine.processes import cores
from datalint.engine.reduce import reduce
from datalint.measures.problems import Problems
from datalint.profile.profile import Profile
from datalint.profile.splits import Given, SplitProfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.dataset import Partition
    from datalint.engine.engine import Engine
    from datalint.engine.plan import Measured, Plan
    from datalint.measures.base import Settings
    from datalint.rules.base import Rule


def measure(
    dataset: Dataset,
    rules: Sequence[Rule],
    settings: Settings,
    engine: Engine,
    tally: Tally | None = None,
    *,
    given: Given | None = None,
    thorough: bool = True,
) -> Profile:
    """The profile of a data set with what the rules need; ``thorough`` lets searches cost more than reading the data.

    Raises:
        DatalintError: the data set has no samples and no problem that could be reported as a finding.
    """
    todo = plan(rules, dataset, settings)
    tally = tally or Tally(dataset.partitions)
    parts = engine.measure(list(enumerate(dataset.partitions)), todo, tally)
    measured = reduce(_counted(parts, dataset.partitions, tally))
    threads = min(engine.jobs, cores()) if engine.jobs > 1 else 1
    profile = profile_of(dataset, measured, todo, given or Given(), thorough, threads)
    if not any(split.samples for split in profile.splits) and not _damaged(profile):
        if not any(partition.files_read for partition in dataset.partitions):
            raise DatalintError(f"{dataset.path} holds no samples: the {dataset.layout} is empty")
        # One of several data sets, perhaps: the others are scanned all the same.
        empty = Problem("empty", dataset.path, f"holds no samples: no row of the {dataset.layout} is whole")
        return replace(profile, dataset=replace(dataset, problems=[*dataset.problems, empty]))
    return profile


def profile_of(dataset: Dataset, measured: Measured, plan: Plan, given: Given, thorough: bool, threads: int) -> Profile:
    """The profile of a data set that was measured."""
    infos = {split.name: split for split in dataset.splits}
    splits = (
        SplitProfile(
            name, infos.get(name, Split(name, "")), {type(s): s for s in measured.states.get(name) or plan.fresh()}
        )
        for name in sorted({*infos, *measured.states}, key=split_order)
    )
    return Profile(dataset, tuple(splits), plan.settings, given, thorough, threads, lasting=not measured.failed)


def _counted(parts: Iterator[Measured], partitions: Sequence[Partition], tally: Tally) -> Iterator[Measured]:
    """What was measured on each partition as it comes, which the tally is told."""
    for partition, part in zip(partitions, parts, strict=True):
        tally.finish(partition)
        yield part


def _damaged(profile: Profile) -> bool:
    """Whether anything could not be read, so that having no samples is itself a finding."""
    met = [problem for split in profile.splits for _, _, problem in split[Problems].found]
    kinds = {"unreadable", "truncated", "empty", "pointer", "failed"}
    if not profile.dataset.partitions:
        kinds.add("not-scanned")  # changed files, of which nobody said that they are data
    return any(problem.kind in kinds for problem in [*profile.dataset.problems, *met])
