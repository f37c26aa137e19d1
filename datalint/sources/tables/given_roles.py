"""What the user says of the columns of a table and of its task, in place of what was recognised."""

from __future__ import annotations

from dataclasses import is_dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, cast

from datalint.core.errors import DatalintError
from datalint.core.wording import did_you_mean
from datalint.sources.tables.convert import TablePlan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from datalint.core.dataset import Dataset, Field, Partition, Role, Task

SPOKEN = {"ignore": "ignored"}
"""Roles that are called otherwise in the configuration."""


def with_roles(
    datasets: Sequence[Dataset], roles: Mapping[Any, Sequence[str]], task: Task | None = None
) -> list[Dataset]:
    """The data sets as they are read then; ``roles`` holds globs of column names by role.

    Raises:
        DatalintError: a pattern means no column of any of them, or the task needs a label that none has.
    """
    if not roles and task is None:
        return list(datasets)
    used: set[str] = set()
    found = [_with_roles(dataset, roles, used) if roles else dataset for dataset in datasets]
    for role, patterns in roles.items():
        for pattern in patterns:
            if pattern not in used:
                names = dict.fromkeys(field.name for dataset in datasets for field in dataset.fields)
                raise DatalintError(f"roles.{role}: no column is called {pattern!r}{did_you_mean(pattern, names)}")
    if task is None:
        return found
    judged = [replace(d, task=task) if d.label is not None and d.modality == "table" else d for d in found]
    if not any(dataset.label is not None for dataset in found):
        raise DatalintError(f"task = {task!r} needs a label, and none was recognised; name it with --label")
    return judged


def _with_roles(dataset: Dataset, roles: Mapping[str, Sequence[str]], used: set[str]) -> Dataset:
    given: dict[str, Role] = {}
    for role, patterns in roles.items():
        for field in dataset.fields:
            hits = [p for p in patterns if field.name == p or fnmatchcase(field.name, p)]
            used.update(hits)
            if hits and field.role != "label" and field.kind != "other":
                given[field.name] = cast("Role", SPOKEN.get(role, role))
    if not given:
        return dataset
    ignored = {name for name, role in given.items() if role == "ignored"}
    return replace(
        dataset,
        fields=_fields(dataset.fields, given),
        partitions=[_planned(partition, given) for partition in dataset.partitions],
        splits=tuple(
            replace(split, columns=tuple(column for column in split.columns if column[0] not in ignored))
            for split in dataset.splits
        ),
    )


def _fields(fields: Sequence[Field], given: Mapping[str, Role]) -> tuple[Field, ...]:
    return tuple(replace(field, role=given[field.name]) if field.name in given else field for field in fields)


def _planned(partition: Partition, given: Mapping[str, Role]) -> Partition:
    """The partition, which reads the columns in their given roles."""
    plan = getattr(partition, "plan", None)
    if not isinstance(plan, TablePlan) or not is_dataclass(partition):
        return partition
    changed: Any = replace(cast("Any", partition), plan=replace(plan, fields=_fields(plan.fields, given)))
    return cast("Partition", changed)
