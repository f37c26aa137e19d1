"""Tables of the HTML page: evidence, splits, classes and facts as rows of text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from datalint.core.terms import Storage
from datalint.report import wording

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import JsonValue

    from datalint.report.html.facts import Facts
    from datalint.report.models import DatasetReport

_COLUMNS = 12  # more do not fit a page, and a row of evidence is flat and short


@dataclass(frozen=True)
class Table:
    """A table of text; numeric columns are set flush right."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]
    note: str = ""


@dataclass(frozen=True)
class SplitRow:
    """One split of the overview; ``width`` is the bar's length in percent."""

    name: str
    samples: str
    share: str
    width: float
    classes: str
    evidence: str


@dataclass(frozen=True)
class ClassRow:
    """One class: per split its count, its share and the bar's length in percent, and the class weight."""

    name: str
    cells: tuple[tuple[str, str, float], ...]
    weight: str
    gap: int = 0
    """Classes left out between this row and the one before."""


@dataclass(frozen=True)
class DatasetTables:
    """All the tables of one data set."""

    splits: tuple[SplitRow, ...]
    class_splits: tuple[str, ...]
    classes: tuple[ClassRow, ...]
    hidden_classes: int
    others: tuple[Table, ...]


def of_evidence(evidence: Mapping[str, JsonValue], rows: int) -> tuple[tuple[tuple[str, str], ...], tuple[Table, ...]]:
    """Single values as pairs of name and text, and a table for every list of records and every mapping."""
    pairs: list[tuple[str, str]] = []
    tables: list[Table] = []
    for key, item in evidence.items():
        if len(pairs) + len(tables) >= rows:
            break
        if isinstance(item, list) and item and all(isinstance(row, dict) for row in item):
            tables.append(_records(key, item, rows))
        elif isinstance(item, dict) and item:
            name = wording.label(key).capitalize()
            cells = tuple((part, wording.value(_either(key, part), of, rows)) for part, of in list(item.items())[:rows])
            numeric = all(isinstance(of, int | float) for of in item.values())
            tables.append(Table(name, ("Name", "Value"), cells, (False, numeric), _showing(len(cells), len(item))))
        else:
            pairs.append((wording.label(key), wording.value(key, item, min(rows, 12))))
    return tuple(pairs), tuple(tables)


def _either(key: str, part: str) -> str:
    """The name that decides how a number is written: a mapping called ``..._share`` holds shares by class."""
    return key if wording.is_share(key) else part


def _records(key: str, records: Sequence[Any], rows: int) -> Table:
    keys = list(dict.fromkeys(name for record in records[:rows] for name in record))[:_COLUMNS]
    cells = tuple(
        tuple(wording.value(name, record[name], 6) if name in record else "" for name in keys)
        for record in records[:rows]
    )
    numeric = tuple(
        all(isinstance(record[name], int | float) for record in records[:rows] if record.get(name) is not None)
        for name in keys
    )
    columns = tuple(wording.label(name).capitalize() for name in keys)
    return Table(wording.label(key).capitalize(), columns, cells, numeric, _showing(len(cells), len(records)))


def _showing(shown: int, total: int) -> str:
    return f"Showing {shown:,} of {total:,}." if shown < total else ""


def of_facts(dataset: DatasetReport, facts: Facts, rows: int) -> DatasetTables:
    """The tables of ``dataset`` with at most ``rows`` rows each."""
    class_splits, classes, hidden = _classes(dataset, facts, min(rows, 20))
    others = (
        _baselines(facts),
        _batches(facts),
        # Of columns of a table each has a range of its own, and all together none.
        *([] if dataset.modality == "table" and dataset.storage is not Storage.NUMPY else [_ranges(facts)]),
        _model(facts),
    )
    return DatasetTables(
        splits=_splits(dataset, rows),
        class_splits=class_splits,
        classes=classes,
        hidden_classes=hidden,
        others=tuple(_cut(table, rows) for table in others if table.rows),
    )


def _cut(table: Table, rows: int) -> Table:
    if len(table.rows) <= rows:
        return table
    return Table(table.caption, table.columns, table.rows[:rows], table.numeric, _showing(rows, len(table.rows)))


def _splits(dataset: DatasetReport, rows: int) -> tuple[SplitRow, ...]:
    total = wording.samples(dataset)
    return tuple(
        SplitRow(
            name=split.name,
            samples=f"{split.samples:,}",
            share=wording.percent(split.samples / total) if total else "",
            width=round(100 * split.samples / total, 1) if total else 0.0,
            classes="" if split.classes is None else f"{len(split.classes):,}",
            evidence=split.evidence,
        )
        for split in dataset.splits[:rows]
    )


def _classes(dataset: DatasetReport, facts: Facts, rows: int) -> tuple[tuple[str, ...], tuple[ClassRow, ...], int]:
    """Classes by size, largest first; of very many, the largest and, because imbalance shows there, the smallest."""
    counts = {split.name: split.classes for split in dataset.splits if split.classes}
    counts |= {name: balance.counts for name, balance in facts.balance.items() if balance.counts}
    counts = {name: per_class for name, per_class in list(counts.items())[:6] if sum(per_class.values()) > 0}
    if not counts:
        return (), (), 0
    weights = next((b.weights for b in facts.balance.values() if b.weights), {})
    totals = {name: sum(per_class.values()) for name, per_class in counts.items()}
    of_class = {
        name: sum(c.get(name, 0) for c in counts.values())
        for name in dict.fromkeys(k for c in counts.values() for k in c)
    }
    names = sorted(of_class, key=lambda name: -of_class[name])
    hidden = max(len(names) - rows, 0)
    tail = rows // 4 if hidden else 0
    shown = names[: rows - tail] + (names[-tail:] if tail else [])
    largest = max(max(per_class.values()) / totals[split] for split, per_class in counts.items()) or 1.0
    lines = []
    for position, name in enumerate(shown):
        shares = [
            (per_class.get(name, 0), per_class.get(name, 0) / totals[split]) for split, per_class in counts.items()
        ]
        cells = tuple(
            (f"{amount:,}", wording.percent(share), round(100 * share / largest, 1)) for amount, share in shares
        )
        weight = wording.number(weights[name]) if name in weights else ""
        lines.append(ClassRow(name, cells, weight, hidden if tail and position == rows - tail else 0))
    return tuple(counts), tuple(lines), hidden


def _baselines(facts: Facts) -> Table:
    rows = tuple(
        (
            split,
            _ratio(b.ratio),
            _share(b.majority_accuracy),
            _loss(b.chance_loss),
            _loss(b.prior_entropy),
        )
        for split, b in facts.balance.items()
        if any(x is not None for x in (b.ratio, b.majority_accuracy, b.chance_loss, b.prior_entropy))
    )
    columns = (
        "Split",
        "Largest to smallest class",
        "Always guessing the largest",
        "Loss at chance",
        "Entropy of the class mix",
    )
    return Table("What a model must beat", columns, rows, (False, True, True, True, True))


def _batches(facts: Facts) -> Table:
    rows = tuple(
        (
            split,
            f"{b.size:,}",
            _share(b.single_label_share),
            _share(b.shuffled_single_label_share),
            _plain(b.classes_per_batch),
            _plain(b.shuffled_classes_per_batch),
        )
        for split, b in facts.batches.items()
    )
    columns = ("Split", "Batch size", "One label only", "if shuffled", "Classes per batch", "if shuffled")
    kept = [k for k in range(len(columns)) if k < 2 or any(row[k] for row in rows)]
    return Table(
        "Batches in stored order",
        tuple("Classes per batch if shuffled" if k == 5 and 4 not in kept else columns[k] for k in kept),
        tuple(tuple(row[k] for k in kept) for row in rows),
        tuple(k > 0 for k in kept),
    )


def _ranges(facts: Facts) -> Table:
    rows = tuple(
        (split, _plain(r.low), _plain(r.high), _plain(r.mean), _plain(r.deviation)) for split, r in facts.ranges.items()
    )
    columns = ("Split", "Lowest", "Highest", "Mean", "Standard deviation")
    return Table("Input values", columns, rows, (False, True, True, True, True))


def _model(facts: Facts) -> Table:
    model = facts.model
    if model is None:
        return Table("", (), (), ())
    lines = [
        ("Accuracy", _share(model.accuracy), _share(model.chance_accuracy)),
        ("Log loss", _loss(model.log_loss), _loss(model.chance_log_loss)),
        ("Calibration error", _plain(model.calibration_error), ""),
    ]
    rows = tuple(line for line in lines if line[1])
    note = (
        f"{model.name}{f', {model.samples:,} samples' if model.samples is not None else ''}; predictions out of fold."
    )
    return Table("Model behind the model-based rules", ("Measure", "Model", "Chance"), rows, (False, True, True), note)


def _plain(value: float | None) -> str:
    return "" if value is None else wording.number(value)


def _loss(value: float | None) -> str:
    # Three decimals, as training loops print the loss that this is compared with.
    return "" if value is None else f"{value:.3f}"


def _share(value: float | None) -> str:
    return "" if value is None else wording.number(value, share=True)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{wording.number(value)} : 1"
