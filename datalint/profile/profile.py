"""All the facts of one data set: the merged measurements per split, and what is derived from them once and shared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from datalint.core.amounts import is_number
from datalint.core.vocabulary import TEST, VALIDATION
from datalint.measures.contents import Contents
from datalint.measures.order import MISSING_CLASS, LabelRuns, TargetOrder
from datalint.profile.splits import Given, SplitProfile
from datalint.sources.tables.labels import task_of

if TYPE_CHECKING:
    from datalint.core.dataset import Dataset, Task
    from datalint.core.dialogues import Dialogue
    from datalint.core.silence import Silence
    from datalint.measures.base import Settings
    from datalint.measures.places import Places
    from datalint.profile.duplicates import Copies
    from datalint.profile.learn.near import Near
    from datalint.profile.learn.object_classes import LearnedObjects
    from datalint.profile.learn.object_views import ObjectViews
    from datalint.profile.learn.pooled import Learned


@dataclass(frozen=True)
class Profile:
    """The facts of one data set, and what rules share."""

    dataset: Dataset
    splits: tuple[SplitProfile, ...]
    settings: Settings
    given: Given = field(default_factory=Given)
    thorough: bool = True
    """Whether searches may cost more than reading the data; not with the preset ``fast``."""
    threads: int = 1
    """How many a search may use."""
    silences: tuple[Silence, ...] = ()
    """What the user silenced and what became of it; for rules that audit."""
    lasting: bool = True
    """Whether the same data would give the same again; not where reading it broke down."""

    @cached_property
    def task(self) -> Task | None:
        """What is to be predicted; None without a label."""
        if self.dataset.label is None or self.dataset.task is not None or not self.splits:
            return self.dataset.task if self.splits else None
        targets = [split[TargetOrder] for split in self.splits]
        present = sum(target.present for target in targets)
        if not present:
            return "classification"
        counted = [split[LabelRuns].counts for split in self.splits]
        values: dict[float | str, int] | None = None
        if all(counts is not None for counts in counted):
            classes = sum((Counter(counts) for counts in counted), Counter[str]())
            values = {float(k) if is_number(k) else k: v for k, v in classes.items() if k != MISSING_CLASS}
            if any(isinstance(key, str) for key in values):
                return "classification"  # declared class names stand for the numbers
        whole = all(target.whole for target in targets)
        return "regression" if task_of("number", values, present, whole) == "regression" else "classification"

    @property
    def compares_inputs(self) -> bool:
        """Whether :attr:`copies` can be found: the inputs were hashed, and there are any."""
        hashed = all(Contents in split.measured for split in self.splits)
        return hashed and (self.dataset.modality != "table" or bool(self.content_names))

    @property
    def learnable(self) -> bool:
        """Whether :attr:`learned` can be made: there is more than one class to tell apart."""
        return self.task == "classification" and any(len(split.counts) > 1 for split in self.labelled)

    @cached_property
    def by_objects(self) -> Profile:
        """Pictures whose labels are the classes that are drawn in them."""
        return self._labelled_by_objects(several=True)

    @cached_property
    def by_most_objects(self) -> Profile:
        """Pictures whose label is the class of most objects in them."""
        return self._labelled_by_objects(several=False)

    def _labelled_by_objects(self, *, several: bool) -> Profile:
        from datalint.profile.drawn import labelled_by_objects

        dataset, splits = labelled_by_objects(self.dataset, self.splits, self.settings, several=several)
        return replace(self, dataset=dataset, splits=splits)

    @cached_property
    def labelled(self) -> tuple[SplitProfile, ...]:
        """The splits whose samples have labels."""
        return tuple(s for s in self.splits if sum(s.counts.values()))

    @cached_property
    def trained(self) -> tuple[SplitProfile, ...]:
        """The splits whose order a training loop may see: nobody needs to shuffle those that are only evaluated on."""
        seen = tuple(split for split in self.splits if split.info.trains)
        return tuple(split for split in seen if split.name not in {VALIDATION, TEST}) or seen

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """Numeric feature columns: no ids, times, split or group keys."""
        names = {f.name for f in self.dataset.fields if f.role == "feature" and f.kind == "number"}
        return tuple(sorted(names))

    @cached_property
    def content_names(self) -> frozenset[str]:
        """Columns that make up a sample's input: two rows that differ in an id alone are the same sample."""
        from datalint.core.dataset import HASHED_ROLES

        if self.dataset.conversation is not None:
            return frozenset(self.dataset.conversation.columns)
        return frozenset(f.name for f in self.dataset.fields if f.role in HASHED_ROLES)

    @property
    def optional_names(self) -> frozenset[str]:
        """Columns in which gaps and one value in all rows are as they should be."""
        return self.dataset.conversation.optional if self.dataset.conversation is not None else frozenset()

    @cached_property
    def unseen_names(self) -> tuple[str, ...]:
        """Columns of lists, objects and the like, of which nothing is known but whether two cells are equal."""
        return tuple(f.name for f in self.dataset.fields if f.kind == "other")

    @cached_property
    def sentence_names(self) -> frozenset[str]:
        """Columns of sentences."""
        return frozenset(f.name for f in self.dataset.fields if f.role == "text")

    @cached_property
    def dialogues(self) -> dict[str, list[Dialogue]]:
        """The conversations among the sampled rows by split, in the order of ``split.rows``; empty where there are none."""
        conversation = self.dataset.conversation
        if conversation is None:
            return {}
        return {split.name: conversation.dialogues(split.rows.texts, len(split.rows)) for split in self.splits}

    @cached_property
    def copies(self) -> Copies:
        """The samples whose inputs occur more than once, found once; rows of a table without a value repeat nothing."""
        from datalint.profile.duplicates import Copies, blank_inputs

        copies = Copies.of(self.splits)
        if not self.of_numbers:
            return copies
        return copies.without(np.concatenate([blank_inputs(split, self.feature_names) for split in self.splits]))

    @cached_property
    def of_numbers(self) -> bool:
        """Whether a row is nothing without its numbers: at least half of a table's features, and more than one."""
        if self.dataset.modality != "table" or self.dataset.conversation is not None or self.unseen_names:
            return False
        features = [f for f in self.dataset.fields if f.role in {"feature", "text"}]
        numbers = len(self.feature_names)
        return numbers > 1 and 2 * numbers >= len(features) and all(f.role == "feature" for f in features)

    def described_in(self, places: Places, k: int) -> str:
        """The file of its own that says what is drawn in one of some pictures; empty where one file describes many."""
        notes = getattr(self.dataset.partitions[int(places.part[k])], "note", None)
        return notes(int(places.line[k])) if notes is not None else ""

    @property
    def sample_coverage(self) -> str:
        """How much of the data the sample holds."""
        total = sum(s.samples for s in self.splits)
        kept = sum(len(s.rows) for s in self.splits)
        return "all samples" if kept >= total else f"a sample of {kept:,} of {total:,} samples"

    @cached_property
    def object_views(self) -> dict[str, ObjectViews]:
        """Some pictures of each split with the boxes in them, read once."""
        from datalint.profile.learn.object_views import ObjectViews
        from datalint.profile.learn.placement import PICTURES

        return {split.name: ObjectViews.of(self.dataset, split, PICTURES) for split in self.splits}

    @cached_property
    def learned_objects(self) -> LearnedObjects:
        """Out-of-fold class probabilities for objects in sampled pictures, made once."""
        from datalint.profile.learn.object_classes import learn_objects

        return learn_objects(self.splits, self.object_views)

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
