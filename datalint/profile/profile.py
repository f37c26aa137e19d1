"""All the facts of one data set: the merged measurements per split, and what is derived from them once and shared."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from datalint.profile.splits import Given, SplitProfile

if TYPE_CHECKING:
    from datalint.core.dataset import Dataset, Task
    from datalint.core.silence import Silence
    from datalint.measures.base import Settings
    from datalint.profile.duplicates import Copies
    from datalint.profile.learn.near import Near
    from datalint.profile.learn.pooled import Learned


@dataclass
class Profile:
    """The facts of one data set, and what rules share."""

    dataset: Dataset
    splits: tuple[SplitProfile, ...]
    settings: Settings
    task: Task | None
    """What is to be predicted; None without a label."""
    given: Given = field(default_factory=Given)
    thorough: bool = True
    """Whether searches may cost more than reading the data; not with the preset ``fast``."""
    threads: int = 1
    """How many a search may use."""
    silences: tuple[Silence, ...] = ()
    """What the user silenced and what became of it; told to rules that audit."""

    @cached_property
    def labelled(self) -> tuple[SplitProfile, ...]:
        """The splits whose samples have labels."""
        return tuple(s for s in self.splits if sum(s.counts.values()))

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Numeric feature columns: no ids, times, split or group keys."""
        names = {f.name for f in self.dataset.fields if f.role == "feature" and f.kind == "number"}
        return tuple(sorted(names))

    @cached_property
    def content_names(self) -> frozenset[str]:
        """Columns that make up a sample's input: two rows that differ in an id alone are the same sample."""
        from datalint.core.dataset import HASHED_ROLES

        return frozenset(f.name for f in self.dataset.fields if f.role in HASHED_ROLES)

    @cached_property
    def sentence_names(self) -> frozenset[str]:
        """Columns of sentences."""
        return frozenset(f.name for f in self.dataset.fields if f.role == "text")

    @cached_property
    def copies(self) -> Copies:
        """The samples whose inputs occur more than once, found once."""
        from datalint.profile.duplicates import Copies

        return Copies.of(self.splits)

    @property
    def sample_coverage(self) -> str:
        """How much of the data the sample holds."""
        total = sum(s.samples for s in self.splits)
        kept = sum(len(s.rows) for s in self.splits)
        return "all samples" if kept >= total else f"a sample of {kept:,} of {total:,} samples"

    @cached_property
    def learned(self) -> Learned:
        """Out-of-fold class probabilities for the labelled sample, made once."""
        from datalint.profile.learn.pooled import learn

        return learn(self.dataset, self.splits, self.feature_names, self.given)

    @cached_property
    def near(self) -> Near:
        """Near-identical samples among the sampled rows of all splits, found once."""
        from datalint.profile.learn.near import find_near

        return find_near(self.dataset, self.splits, self.feature_names, self.thorough, self.threads)
