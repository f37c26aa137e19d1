"""A split as it was recognised in an object of PyTorch, torchvision or Hugging Face."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.annotations import Annotations
    from datalint.core.dataset import Field, Kind, Label, LoadedBatches, Partition, Problem, Task
    from datalint.core.dialogues import Conversation
    from datalint.core.terms import Modality

Source = Literal["hugging-face", "loader", "data set", "stream"]


@dataclass
class Part:
    """One split as it was recognised in an object."""

    seen: str
    """What the object is, in words."""
    modality: Modality
    partitions: Sequence[Partition]
    label: Label | None
    fields: tuple[Field, ...] = ()
    why_no_label: str = ""
    shape: tuple[int, ...] | None = None
    columns: tuple[tuple[str, Kind | None], ...] = ()
    batch_size: int | None = None
    by_class: bool = False
    redrawn: bool = False
    """Whether a sampler may draw a sample more than once."""
    augmented: bool = False
    """Whether an item is another at every draw."""
    problems: list[Problem] = field(default_factory=list)
    loaded: LoadedBatches | None = None
    conversation: Conversation | None = None
    task: Task | None = None
    annotations: Annotations | None = None
