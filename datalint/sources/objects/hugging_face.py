"""Data sets of Hugging Face: their Arrow tables, their class names, and pictures as the bytes they are stored as."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datalint.core.dataset import Field, Label
from datalint.core.errors import DatalintError
from datalint.core.vocabulary import WHOLE
from datalint.core.wording import are
from datalint.sources.files import printable
from datalint.sources.images.files import BATCH
from datalint.sources.objects.frames import FramePartition, frame_dataset
from datalint.sources.objects.items import declared_classes, declared_label
from datalint.sources.objects.part import Part
from datalint.sources.objects.torch import streamed_part
from datalint.sources.tables.conversations import are_turns
from datalint.sources.tables.convert import TablePlan
from datalint.sources.tables.drawn_columns import drawn_columns
from datalint.sources.tables.kinds import DECLARED, arrow_kind
from datalint.sources.tables.picture_columns import PictureRows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.core.problem import Problem
    from datalint.sources.tables.format import Cells


def hugging_face_parts(parts: Mapping[str, Any], label: str | None) -> dict[str, Part]:
    """Recognise each split by the features it declares.

    Raises:
        DatalintError: a split is empty or holds nothing that can be judged.
    """
    first = next(iter(parts.values()))
    for split, value in parts.items():
        if hasattr(value, "__len__") and len(value) == 0:
            raise DatalintError(f"{_what(split)} is empty: it has no rows")
    declared = declared_classes(first)
    wanted = label or declared_label(declared)
    likely = wanted or next((name for name in DECLARED if name in (first.features or {})), None)
    if all(hasattr(value, "__len__") and hasattr(value, "data") for value in parts.values()):
        shown = next((name for name, feature in first.features.items() if _is(feature, "Image")), None)
        if shown is not None:
            return {split: _pictures(split, value, shown, label, declared) for split, value in parts.items()}
        if any(_judged(feature) or _turns(first, name) for name, feature in first.features.items() if name != likely):
            return _tables(parts, label, wanted, declared)
    return {
        split: streamed_part(
            split,
            value.with_format(None) if hasattr(value, "__len__") else value,
            False,
            "dataset" if split == WHOLE else split,
            label or wanted,
            None,
            declared.get(wanted or "", ()),
        )
        for split, value in parts.items()
    }


def _what(split: str) -> str:
    return "the data set" if split == WHOLE else f"the data set of {split}"


def _is(feature: Any, name: str) -> bool:
    return type(feature).__name__ == name


def _judged(feature: Any) -> bool:
    """Whether a column is a number, a text or a time; lists, sounds and mappings are not."""
    kind = str(getattr(feature, "dtype", ""))
    return (_is(feature, "Value") and not kind.startswith(("binary", "large_binary"))) or _is(feature, "ClassLabel")


def _turns(value: Any, name: str) -> bool:
    """Whether a column holds the turns of conversations."""
    return are_turns(value.features.arrow_schema.field(name).type)


def _seen(value: Any, what: str) -> str:
    return f"a Hugging Face Dataset of {len(value):,} rows, {what}"


class RowsPartition(FramePartition):
    """Rows of a data set that its owner finds by their number."""

    def sample_id(self, line: int) -> str:
        """Name of the split and 0-based row."""
        return f"{self.name}[{line}]"


# --- tables ----------------------------------------------------------------------------------------------------------


def _tables(
    parts: Mapping[str, Any], label: str | None, wanted: str | None, declared: Mapping[str, tuple[str, ...]]
) -> dict[str, Part]:
    tables: dict[str, Any] = {}
    left: dict[str, list[str]] = {}
    for split, value in parts.items():
        kept = [name for name, feature in value.features.items() if _judged(feature) or _turns(value, name)]
        left[split] = [name for name in value.features if name not in kept]
        tables[split] = _table(value, kept, declared)
    dataset = frame_dataset(
        tables,
        wanted,
        declared=None if label is not None else "declared as ClassLabel in the features",
        class_names=declared,
    )
    columns = {split.name: split.columns for split in dataset.splits}
    found = {}
    for split, partition in zip(tables, dataset.partitions, strict=True):
        assert isinstance(partition, FramePartition)
        seen = _seen(parts[split], "its Arrow table read as it is")
        if left[split]:
            listed = ", ".join(map(printable, left[split][:6]))
            seen += f"; {listed} {are(len(left[split]))} not looked at"
        found[split] = Part(
            seen,
            "table",
            [RowsPartition(partition.table, partition.plan, None, "dataset" if split == WHOLE else split)],
            dataset.label,
            dataset.fields,
            dataset.skipped_label,
            columns=columns.get(split, ()),
            conversation=dataset.conversation,
            task=dataset.task if dataset.conversation else None,
        )
    return found


def _table(value: Any, kept: list[str], declared: Mapping[str, Any]) -> Any:
    """The rows as an Arrow table; where rows were picked or put in another order, a copy of these."""
    import pyarrow as pa
    import pyarrow.compute as pc

    stored = value.data.table if getattr(value, "_indices", None) is None and hasattr(value.data, "table") else None
    table = stored if stored is not None else value.with_format("arrow")[:]
    table = table.select(kept)
    for name in kept:
        if name in declared:  # -1 stands for a label that is not known
            column = table.column(name)
            known = pc.if_else(pc.less(column, 0), pa.scalar(None, column.type), column)
            table = table.set_column(table.schema.get_field_index(name), name, known)
    return table.replace_schema_metadata(None)


# --- pictures --------------------------------------------------------------------------------------------------------


HEAD = 8
"""Rows that say how what is drawn in pictures is stored."""


@dataclass(frozen=True)
class DatasetRows:
    """The rows of a data set in memory that are needed to judge its pictures."""

    split: str
    data: Any
    """The data set, whose rows come as Arrow tables."""
    plan: TablePlan
    name: str

    @property
    def files_read(self) -> tuple[str, ...]:
        """None: the rows are the business of this process."""
        return ()

    @property
    def weight(self) -> int:
        """Not known."""
        return 0

    def sample_id(self, line: int) -> str:
        """Name of the split and 0-based row."""
        return f"{self.name}[{line}]"

    def records(self, columns: Sequence[str] | None, problems: list[Problem], cells: Cells) -> Iterator[Any]:  # noqa: ARG002 - as of files
        """Some rows at a time."""
        rows = self.data.with_format("arrow", columns=columns)
        for start in range(0, len(rows), BATCH):
            yield from rows[start : start + BATCH].combine_chunks().to_batches()


def _pictures(split: str, value: Any, shown: str, label: str | None, declared: Mapping[str, tuple[str, ...]]) -> Part:
    if label is not None and label not in value.features:
        raise DatalintError(f"no column {label!r} in {_what(split)}; its columns are {', '.join(value.features)}")
    schema = value.features.arrow_schema
    others = [name for name, feature in value.features.items() if name != shown and _is(feature, "Image")]
    drawn = drawn_columns(schema, [shown, *others], lambda names: _head(value, names)) if label is None else None
    simple = {name for name, feature in value.features.items() if _is(feature, "Value")}
    named = next((name for name in DECLARED if name in simple), None)
    chosen = None if drawn else label or declared_label(declared) or named
    chosen = chosen if chosen in value.features else None
    why = "asked for" if label else "declared as ClassLabel in the features" if chosen in declared else "its name"
    columns = [shown, *([] if chosen is None else [chosen]), *(drawn.columns if drawn else ())]
    name = "dataset" if split == WHOLE else split
    names = declared.get(chosen or "", ())
    kind = "text" if chosen is None else arrow_kind(schema.field(chosen).type)[0]
    fields = () if chosen is None else (Field(chosen, kind, "label"),)
    plan = TablePlan(fields, chosen, "number" if kind == "number" else "text", names, split)
    left = [printable(other) for other in value.features if other not in columns]
    seen = _seen(value, f"its pictures read as they are stored in {printable(shown)!r}")
    seen += f", {drawn.evidence}" if drawn else ""
    if left:
        listed = ", ".join(left[:6])
        seen += f"; {listed} {are(len(left))} not looked at"
    return Part(
        seen,
        "images",
        [PictureRows(DatasetRows(split, value, plan, name), shown, follow=True, drawn=drawn)],
        None if chosen is None else Label(chosen, why, "certain"),
        why_no_label=drawn.unlabelled if drawn else "no column is declared as ClassLabel; name the label with label=",
        task=drawn.task if drawn else None,
        annotations=drawn.annotations if drawn else None,
    )


def _head(value: Any, names: list[str]) -> Any:
    """The first rows of some columns."""
    rows = value.with_format("arrow", columns=names)[:HEAD]
    return next(iter(rows.combine_chunks().to_batches()), None)
