"""What the page's pictures show of a data set: small records, counted while scanning and kept in the report."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, JsonValue

Mark = Literal["", "swapped", "tagged"]


class View(BaseModel):
    """Base of the views: fixed once made, unknown keys refused."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid")


class Overlap(View):
    """Samples whose input occurs more than once, by pairs of splits."""

    splits: tuple[str, ...]
    samples: tuple[int, ...]
    """Samples of each split."""
    shared: tuple[tuple[int, ...], ...] = Field(
        description="Row: a split; column: how many of its samples have an input that the column's split holds as well; "
        "where both are one, its samples beyond the first of each input."
    )
    exact: bool = True


class ColumnScale(View):
    """Range and moments of one numeric column."""

    name: str
    low: FiniteFloat
    high: FiniteFloat
    mean: FiniteFloat
    deviation: FiniteFloat


class Scales(View):
    """The numeric features of one split, those farthest from a standard deviation of 1 first, constants last."""

    split: str
    columns: tuple[ColumnScale, ...]
    features: int = Field(description="How many there are, shown or not.")
    ratio: FiniteFloat | None = Field(
        default=None, description="Largest standard deviation to the smallest one, of all that are not constant."
    )


class ColumnValues(View):
    """The values of one column in one split."""

    missing: int = Field(description="Cells without a value.")
    distinct: int | None = Field(default=None, description="Different values; null where they were not all counted.")
    low: FiniteFloat | None = None
    median: FiniteFloat | None = Field(default=None, description="Of the sampled samples.")
    high: FiniteFloat | None = None
    bins: tuple[int, ...] = Field(
        default=(), description="Sampled samples per stretch of the column's range, which all splits share."
    )
    top: tuple[tuple[str, int], ...] = Field(default=(), description="The most frequent values, and how often each is.")


class Column(View):
    """One column, split by split."""

    name: str
    kind: str = Field(description="number, text, category ...")
    role: str = Field(default="feature", description="feature, label, id, time ...")
    splits: tuple[ColumnValues | None, ...] = Field(description="Null where a split lacks the column.")
    start: FiniteFloat | None = Field(default=None, description="Where the first stretch begins.")
    end: FiniteFloat | None = Field(default=None, description="Where the last one ends.")


class Columns(View):
    """The columns of a table, in the order of the file."""

    splits: tuple[str, ...]
    samples: tuple[int, ...]
    """Samples of each split."""
    columns: tuple[Column, ...]
    total: int = Field(description="How many there are, shown or not.")
    exact: bool = Field(default=True, description="False where stretches and medians are those of a sample.")


class Size(View):
    """Images of one size, in pixels, as a loader that obeys the EXIF orientation sees them."""

    width: int
    height: int
    images: int
    mark: Mark = Field(
        default="",
        description="swapped: the same size the other way round is more frequent; tagged: an EXIF tag exchanges width "
        "and height of the stored file.",
    )


class Sizes(View):
    """The sizes of all images, marked ones first, then the most frequent."""

    points: tuple[Size, ...]
    distinct: int = Field(description="How many different sizes there are, shown or not.")


class HeadSample(View):
    """One sample of a batch."""

    id: str
    index: int
    label: str | FiniteFloat | None = None
    values: tuple[JsonValue, ...] = Field(default=(), description="One per column.")


class HeadBatch(View):
    """One batch in stored order."""

    samples: int
    labels: dict[str, int] = Field(default_factory=dict, description="Samples per class, largest first.")
    missing: int = Field(default=0, description="Samples without a label.")
    shown: tuple[HeadSample, ...] = Field(default=(), description="The first samples; none where they are withheld.")


class FirstBatches(View):
    """What a loader that does not shuffle hands to the first training steps."""

    split: str
    batch_size: int
    columns: tuple[str, ...] = ()
    hidden_columns: int = 0
    batches: tuple[HeadBatch, ...]


class Views(View):
    """All of them; null where a picture would say nothing or was not measured."""

    overlap: Overlap | None = None
    scales: Scales | None = None
    columns: Columns | None = None
    sizes: Sizes | None = None
    first_batches: FirstBatches | None = None
