"""Texts of evaluation that lie elsewhere, for training data to be compared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from datalint.core.errors import DatalintError
from datalint.measures.passages import Passages
from datalint.profile.splits import Elsewhere

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.measures.base import Settings


def read_against(paths: Sequence[str | Path], settings: Settings) -> tuple[Elsewhere, ...]:
    """The passages of the texts at each of some paths.

    Raises:
        DatalintError: a path holds no texts of 13 words.
    """
    return tuple(found for path in paths for found in _read(Path(path), settings))


def _read(path: Path, settings: Settings) -> list[Elsewhere]:
    from datalint.engine.engine import read
    from datalint.sources.folder import Wishes
    from datalint.sources.recognise import recognise

    try:
        datasets = recognise(path, Wishes()).datasets
    except DatalintError as error:
        raise DatalintError(f"--against: {error}") from error
    found = []
    for dataset in datasets:
        if not any(field.role == "text" for field in dataset.fields):
            continue
        passages = Passages(settings)
        for number, partition in enumerate(dataset.partitions):
            for batch in read(partition, Passages.reads):
                batch.part = number
                passages.update(batch)
        if len(passages.close().places):
            found.append(Elsewhere(dataset.name, passages, dataset.partitions))
    if not found:
        raise DatalintError(f"--against: {path} holds no texts of 13 words or more to look for")
    return found
