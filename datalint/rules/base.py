"""What a rule is, and what it yields; rule files import it from :mod:`datalint.author`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from datalint.core.severity import SEVERITIES, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from pydantic import JsonValue

    from datalint.core.clean import Clean, Planted
    from datalint.core.dataset import Dataset, Task
    from datalint.core.loops import Loop
    from datalint.measures.base import Measurement, Reading
    from datalint.measures.places import Places
    from datalint.profile.loop import LoopProfile
    from datalint.profile.profile import Profile

__all__ = [
    "SEVERITIES",
    "AllWell",
    "Cases",
    "Field",
    "Found",
    "LoopRule",
    "Rule",
    "RuleBase",
    "RuleParams",
    "Severity",
    "Skip",
]

Stage = Literal["preview", "stable", "deprecated"]
Wants = Literal["nothing", "label", "classes", "annotations", "objects", "masks"]
Repair = Literal[
    "drop", "drop-copies", "drop-from-earlier", "leave-out", "shuffle", "turn", "respell", "relabel", "irreversible"
]


class Skip(Exception):
    """Raised by ``check`` where the rule cannot judge; the message says why, as a clause: "no label column found".

    With ``applies=False`` there is nothing in such data that the rule speaks of: "the data is not split".
    """

    def __init__(self, reason: str, *, applies: bool = True) -> None:
        super().__init__(reason)
        self.applies = applies


class AllWell(Exception):
    """Raised by ``check`` where the rule passes and has something good to say; the message is a clause."""


class RuleParams(BaseModel):
    """Parameters of a rule: every field has a default and a description with its unit."""

    # A scan builds the parameters of every rule, and checks only those that somebody set.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


@dataclass(frozen=True)
class Cases:
    """Samples that a finding names, worst first."""

    split: str | Sequence[str]
    """The split of all, or of each."""
    places: Places
    details: dict[str, Sequence[JsonValue]] = field(default_factory=dict)
    """One value per sample, by name: ``{"given": [...], "suggested": [...]}``."""


@dataclass(frozen=True)
class Found:
    """What a rule yields for one fault; the engine adds code, name, samples' identifiers and fingerprint."""

    message: str
    """One sentence with the numbers that matter."""
    remedy: str
    consequence: str
    severity: Severity | None = None
    """None for the rule's own severity."""
    confidence: float = 0.99
    split: str | None = None
    against: str | None = None
    """The other split, where the fault lies between two."""
    column: str | None = None
    class_: str | None = None
    subject: str = ""
    """What distinguishes this finding from others of the rule at the same place; part of the fingerprint, never shown."""
    evidence: dict[str, JsonValue] = field(default_factory=dict)
    cases: Cases | None = None
    files: Sequence[tuple[str, str]] = ()
    """Files that the finding names instead of samples, each with what is wrong with it."""
    count: int | None = None
    """How many samples are affected; None for as many as there are cases or files."""
    exact: bool = True
    whatever_label: bool = False
    """Whether it is a fault of its column even where that is not the label, so that a guessed label does not soften it."""
    brief: str = ""
    """What a finding about the same two splits says of this one, if it leads: a clause with the number that matters."""


class RuleBase(ABC):
    """What rules of all kinds have: a page, a code, a severity and parameters.

    The docstring of a subclass is its page: a first paragraph that says what it finds, then the headings
    ``## Why it hurts``, ``## How to fix it``, ``## When it is wrong`` and ``## Reference``.
    """

    code: ClassVar[str]
    """Family letters and three digits; stable for ever."""
    name: ClassVar[str]
    """Kebab-case; the file is named like it."""
    severity: ClassVar[Severity]
    """Default severity; a finding may lower it with context."""
    item: ClassVar[str]
    """Items of the list "37 reasons why your neural network is not working" that it answers."""
    since: ClassVar[str] = "0.1.0"
    """The version that brought it."""
    stage: ClassVar[Stage] = "stable"
    """
    ``preview``: its verdicts may still change; ``deprecated``: another rule took its place, as its page says.

    Both run only where they are selected.
    """
    trains: ClassVar[bool] = False
    """Whether it trains a model; such rules are left out of the fast preset."""
    follows: ClassVar[tuple[str, ...]] = ()
    """
    Codes of rules that explain this one: where they find something at the same place, its findings are part of theirs.

    ``VAL101:error`` explains only where it is an error, since then most of the split is of no use, and ``IMG106:samples`` only
    the samples that it names as well.

    Rules that follow each other, or themselves, speak of one fault from several sides: the most severe finding leads, of
    equal ones that of the first code.
    """
    public: ClassVar[frozenset[str]] = frozenset()
    """
    Names in evidence and details of counts and statistics, and of words of the rule's own such as kinds.

    They are all that a report for others keeps (``--redact``, ``--no-samples``), next to names of columns, splits and
    classes. What is the value of a sample is not among them, nor what follows from one: an extreme, a mean.
    """
    repair: ClassVar[Repair | None] = None
    """
    How ``datalint fix`` mends what it names; None where a person must decide.

    ``drop`` the samples; ``drop-copies``, of which the first is not among them; ``drop-from-earlier``: from the split that
    the evidence calls ``with`` those at ``<split>_index``; ``leave-out`` files and torn rows; ``shuffle`` the rows;
    ``turn`` pictures by their EXIF orientation; ``respell`` the values of the evidence's ``categories``; ``relabel`` as
    ``suggested``; ``irreversible``: the data alone cannot be mended.
    """

    class Params(RuleParams):
        """No parameters unless a rule says otherwise."""

    def __init__(self, params: BaseModel | None = None) -> None:
        self.params = self.Params.model_construct() if params is None else params

    @classmethod
    def finds(cls) -> str:
        """What it finds, in one line: the first paragraph of its page."""
        return " ".join(cls.page().split("\n\n", 1)[0].split())

    @classmethod
    def section(cls, heading: str) -> str:
        """The first paragraph under a heading of its page, in one line."""
        return " ".join(cls.page().partition(f"## {heading}\n\n")[2].split("\n\n", 1)[0].split())

    @classmethod
    def page(cls) -> str:
        """The rule's documentation: its docstring, without the indentation."""
        from inspect import cleandoc

        return cleandoc(cls.__doc__ or "")


class Rule(RuleBase):
    """A rule about data: it judges the profile of a data set and yields what it found."""

    shares_models: ClassVar[bool] = False
    """Whether it judges by the models that rules share (``Profile.learned``): the report then says how good they are."""
    searches: ClassVar[frozenset[str]] = frozenset()
    """Modalities in which it compares the sampled samples with each other, and is left out of the fast preset, too."""
    audits: ClassVar[bool] = False
    """Whether it judges what the user silenced instead of data: it runs once per scan, after all others."""
    of_whole: ClassVar[bool] = False
    """Whether it speaks of a set as a whole, of its order, size or scale: a changed file alone says nothing of that."""
    tells_damage: ClassVar[bool] = False
    """Whether it reports what could not be read, from the problems alone: it runs even where nothing else was measured."""
    modalities: ClassVar[frozenset[str]] = frozenset({"table", "images", "audio"})
    measures: ClassVar[tuple[type[Measurement] | Reading, ...]] = ()
    """The measurements it reads from the profile."""
    sampled: ClassVar[bool] = False
    """Whether it judges the coordinated sample, and not all samples."""
    wants: ClassVar[Wants] = "nothing"
    """``label``: skipped without a label; ``classes``: skipped as well where the label is a number to be
    regressed; ``objects``: skipped where no objects are drawn in the pictures; ``masks``: where they have no masks;
    ``annotations``: where they have neither."""
    tasks: ClassVar[frozenset[Task]] = frozenset({"classification", "regression"})
    """
    What it can judge the target of, if it wants one. With ``detection`` the classes that are drawn in a picture are its
    labels, if it judges ``multi-label``, and else the class of most objects is its label.
    """
    promise: ClassVar[float] = 0.5
    """The strength of its own fault from which 19 of 20 are found in data like the reference sets."""

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:  # noqa: ARG003 - rules override it
        """The measurements it reads from the profile of such a data set: :attr:`measures`, unless they depend on it."""
        return cls.measures

    @abstractmethod
    def check(self, profile: Profile) -> Iterable[Found]:
        """Judge the profile. Raises :class:`Skip` where it cannot, :class:`AllWell` to say why it passes."""

    @classmethod
    @abstractmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put the fault into a clean data set.

        Args:
            clean: the data set; not changed.
            strength: 0 (barely there) to 1 (blatant).
            rng: source of randomness.

        Returns:
            The faulty data set and where the fault is; None where the fault cannot exist in such data.
        """

    @classmethod
    def judges_by_objects(cls, dataset: Dataset) -> bool:
        """Whether it takes the classes that are drawn in the pictures of a data set for their labels."""
        return dataset.task == "detection" and cls.wants in {"label", "classes"} and "detection" in cls.tasks

    def coverage(self, profile: Profile) -> str:
        """How much of the data the verdict rests on."""
        return profile.sample_coverage if self.sampled else "all samples"


class LoopRule(RuleBase):
    """A rule about a training loop: it judges what was measured of a model, its loss, a loader and an optimizer.

    It knows no framework: adapters measure, and rules read the records in the profile.
    """

    measures: ClassVar[tuple[type[Any], ...]] = ()
    """The records that it reads from the profile."""

    @abstractmethod
    def check(self, profile: LoopProfile) -> Iterable[Found]:
        """Judge the loop. Raises :class:`Skip` where it cannot, :class:`AllWell` to say why it passes."""

    @classmethod
    @abstractmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Put the fault into a loop that is sound.

        Args:
            loop: new objects, which may be changed.
            rng: source of randomness.

        Returns:
            The broken loop; None where the fault cannot exist in it.
        """
