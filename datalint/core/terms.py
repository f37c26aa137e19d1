"""Terms that data sets and reports share; loads nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

Modality = Literal["table", "images", "audio", "loop"]
"""A loop is no data: a model, its loss, a loader and an optimizer, before training."""
Confidence = Literal["certain", "high", "medium", "low"]


class Storage(StrEnum):
    """What the samples of a data set are stored in."""

    DELIMITED = "delimited"
    PARQUET = "parquet"
    JSON_LINES = "jsonlines"
    JSON = "json"
    ARROW = "arrow"
    ORC = "orc"
    NUMPY = "numpy"
    """``.npy`` and ``.npz`` files."""
    PICTURES = "pictures"
    """One file per picture."""
    TEXTS = "texts"
    """One file per text."""
    SOUNDS = "sounds"
    """One file per recording."""
    VOLUMES = "volumes"
    """One file per medical volume."""
    ARRAYS = "arrays"
    """Arrays in memory."""
    MEMORY = "memory"
    """Other objects in memory: frames, loaders, data sets."""
    OTHER = "other"

    @property
    def rewritten(self) -> bool:
        """Whether it is files that ``datalint fix`` writes again."""
        files = {Storage.DELIMITED, Storage.PARQUET, Storage.JSON_LINES, Storage.JSON, Storage.ARROW, Storage.ORC}
        return self in {*files, Storage.PICTURES}

    @property
    def of_arrays(self) -> bool:
        """Whether all values of a sample are numbers of one type, so that NaN is a value and no gap."""
        return self in {Storage.NUMPY, Storage.ARRAYS, Storage.VOLUMES}
