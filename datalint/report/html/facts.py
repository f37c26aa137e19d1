"""The facts that the writers know how to show; a fact that is missing or malformed is left out, never an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, TypeAdapter, ValidationError

if TYPE_CHECKING:
    from datalint.report.models import DatasetReport


class Fact(BaseModel):
    """Base of the facts: keys of later versions are ignored."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore")


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ClassStrip(Fact):
    """Labels in stored order: samples per class (inner list, in the order of ``classes``) per stretch of the split."""

    kind: Literal["classes"]
    classes: list[str]
    bins: list[list[Amount]]
    samples: int
    exact: bool = True


class NumericStrip(Fact):
    """Numeric target in stored order: its mean per stretch of the split; null where a stretch has none."""

    kind: Literal["numeric"]
    means: list[FiniteFloat | None]
    low: FiniteFloat
    high: FiniteFloat
    samples: int
    exact: bool = True


class Balance(Fact):
    """Class counts of one split and what they imply."""

    counts: dict[str, int] = Field(default_factory=dict)
    ratio: float | None = None
    weights: dict[str, float] = Field(default_factory=dict)
    majority_accuracy: float | None = None
    chance_loss: float | None = None
    prior_entropy: float | None = None


class Batches(Fact):
    """What sequential batches of one split hold, against shuffled ones."""

    size: int
    single_label_share: float | None = None
    shuffled_single_label_share: float | None = None
    classes_per_batch: float | None = None
    shuffled_classes_per_batch: float | None = None


class InputRange(Fact):
    """Range of the input values of one split."""

    low: float | None = None
    high: float | None = None
    mean: float | None = None
    deviation: float | None = None


class Model(Fact):
    """The out-of-fold model behind the model-based rules."""

    name: str
    accuracy: float | None = None
    chance_accuracy: float | None = None
    log_loss: float | None = None
    chance_log_loss: float | None = None
    calibration_error: float | None = None
    samples: int | None = None


Strip = Annotated[ClassStrip | NumericStrip, Field(discriminator="kind")]
_T = TypeVar("_T")


class Facts:
    """The facts of one data set, by split where they belong to one."""

    def __init__(self, dataset: DatasetReport) -> None:
        """Read what is there of ``dataset.facts``."""
        self._facts = dataset.facts
        strips: TypeAdapter[ClassStrip | NumericStrip] = TypeAdapter(Strip)
        self.strips = self._by_split("label_strip", strips)
        self.balance = self._by_split("class_balance", TypeAdapter(Balance))
        self.batches = self._by_split("batches", TypeAdapter(Batches))
        self.ranges = self._by_split("input_range", TypeAdapter(InputRange))
        self.model = _read(TypeAdapter(Model), self._facts.get("model"))

    def _by_split(self, key: str, adapter: TypeAdapter[_T]) -> dict[str, _T]:
        value = self._facts.get(key)
        if not isinstance(value, dict):
            return {}
        read = {split: _read(adapter, item) for split, item in value.items()}
        return {split: item for split, item in read.items() if item is not None}


def _read(adapter: TypeAdapter[_T], item: Any) -> _T | None:
    try:
        return adapter.validate_python(item)
    except ValidationError:
        return None
