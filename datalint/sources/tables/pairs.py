"""Which tables lie side by side: ``X_train.csv`` and ``y_train.csv``, ``features.csv`` and ``labels.csv``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from datalint.core import vocabulary
from datalint.core.roles import names_source
from datalint.sources.tables.beside import rows_of
from datalint.sources.tables.formats import whole_partition
from datalint.sources.tables.labels import choose_label, find_column, roles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datalint.sources.tables.format import TableFile

INPUTS = frozenset("x data feature features input inputs value values sample samples".split())  # noqa: SIM905
LABELS = frozenset("y label labels target targets class classes".split())  # noqa: SIM905

SURE = frozenset({("x", "y")})
"""Words that nobody uses for anything else: files so named belong together even where their rows do not fit."""

FEW = 10
"""Rows of two heads that are sure to be the same places of their files."""

MAX_LABELS = 20
"""Columns of a file of labels."""


@dataclass(frozen=True)
class _Name:
    """A file's name as far as it tells what the file is to others."""

    split: str | None
    stem: tuple[str, ...]
    """What else the name says."""
    word: str
    """The word of inputs or labels."""

    @property
    def key(self) -> tuple[str | None, tuple[str, ...]]:
        """What files that lie side by side have in common."""
        return self.split, self.stem


def paired(tables: Sequence[TableFile], wanted: str | None = None) -> list[TableFile]:
    """The tables of one folder, those that hold labels or groups put next to their inputs.

    ``wanted``: the label column that the user asked for. A file of labels belongs to inputs whose name differs in that
    word alone. Where split and words leave a doubt (``features.csv``, which may list the features) the rows must be as
    many; two files that share a column of keys in another order are not joined by position.
    """
    names = {table.name: _name(table.name) for table in tables}
    labels = {n.key: t for t in tables if (n := names[t.name]) and n.word in LABELS}
    if not labels:
        return list(tables)
    found: dict[str, TableFile] = {}
    taken: set[str] = set()
    for table in tables:
        own = names[table.name]
        label = labels.get(own.key) if own and own.word in INPUTS else None
        if own is None or label is None:
            continue
        sure = own.split is not None or (own.word, names[label.name].word) in SURE  # type: ignore[union-attr]
        joined = _beside(table, label, wanted, sure)
        if joined is None:
            continue
        taken.add(label.name)
        for other in tables:
            if (more := _with_group(joined, other, own)) is not None:
                joined = more
                taken.add(other.name)
        found[table.name] = joined
    return [found.get(table.name, table) for table in tables if table.name not in taken]


def companions(names: Iterable[str]) -> set[str]:
    """Of the names of one folder those of inputs next to labels, of these labels, and of the groups of both."""
    known = {name: own for name in names if (own := _name(name))}
    keys = {own.key for own in known.values() if own.word in INPUTS}
    keys &= {own.key for own in known.values() if own.word in LABELS}
    found = {name for name, own in known.items() if own.key in keys}
    return found | {name for name in names if any(_group_word(name, key) for key in keys)}


def _name(name: str) -> _Name | None:
    words = vocabulary.family_of(name).split("_")
    known = [word for word in words if word in INPUTS | LABELS]
    if len(known) != 1:
        return None
    return _Name(vocabulary.split_of(name), tuple(word for word in words if word != known[0]), known[0])


def _word(name: str) -> str:
    """What a column is called that has no name but its file's."""
    own = _name(name)
    return own.word if own else "y"


def _beside(inputs: TableFile, label: TableFile, wanted: str | None, sure: bool) -> TableFile | None:
    """The inputs with the label's file next to them; None where they are not joined."""
    if any(role == "split" for role in roles(inputs.columns).values()):
        return None
    label = _same_header(inputs, label)
    if len(label.kinds) == 1 and (column := next(iter(label.kinds))).isdigit():
        label, _ = _renamed(label, column, _word(label.name))  # the name that pandas gives to what has none
    shared = [column for column in label.kinds if column in inputs.kinds] if label.header else []
    own_roles = roles(label.columns)
    if not _same_keys(inputs, label, shared):
        return None
    own = [c for c in label.columns if c.name not in shared and own_roles[c.name] not in ("index", "id", "time")]
    # Labels in order look like an index.
    own = own or (list(label.columns) if len(label.columns) == 1 and not shared else [])
    if not own or len(own) > MAX_LABELS:
        return None
    if wanted is not None:
        chosen = find_column([column.name for column in own], wanted)
        if chosen is None and find_column(list(inputs.kinds), wanted):
            return None
    else:
        choice = choose_label(own, header=label.header) if len(own) > 1 else None
        chosen = choice.name if choice else own[0].name
    column = chosen or own[0].name
    if not label.header:
        label, column = _renamed(label, column, _word(label.name))
    if column in inputs.kinds:
        return None
    if not sure and rows_of(whole_partition(inputs)) != rows_of(whole_partition(label)):
        return None
    joined = _joined(inputs, label, column)
    return replace(joined, label=(column, f"the file {label.name} holds it row by row"))


def _same_header(inputs: TableFile, label: TableFile) -> TableFile:
    """The labels read with a header or without, as the inputs are.

    One column says little of itself: "0" above numbers is the name that pandas gives, "setosa" above others is a label.
    """
    if inputs.dialect is None or label.dialect is None or len(label.columns) != 1:
        return label
    head, dialect = label.columns[0], label.dialect
    if inputs.dialect.header and not dialect.header and str(head.values[0]) in {"0", "0.0"}:
        name, values = "0", head.values[1:]
        dialect = replace(dialect, header=True, names=(name,), data_start=dialect.data_start + 1)
    elif not inputs.dialect.header and dialect.header and head.name in set(map(_plain, head.values)):
        name, values = "column_1", [head.name, *head.values]
        dialect = replace(dialect, header=False, names=(name,), data_start=dialect.data_start - 1)
    else:
        return label
    columns = (replace(head, name=name, values=values),)
    kind, dtype = label.kinds[head.name], label.dtypes[head.name]
    return replace(label, columns=columns, kinds={name: kind}, dtypes={name: dtype}, dialect=dialect)


def _plain(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _same_keys(inputs: TableFile, label: TableFile, shared: Sequence[str]) -> bool:
    """Whether the columns that both have hold the same, as far as their heads show."""
    ours, theirs = ({head.name: head.values for head in table.columns} for table in (inputs, label))
    return all(list(ours[name][:FEW]) == list(theirs[name][:FEW]) for name in shared)


def _renamed(table: TableFile, column: str, name: str) -> tuple[TableFile, str]:
    """A file without a header whose column is called after the file."""
    if table.dialect is None:
        return table, column
    columns = tuple(replace(head, name=name) if head.name == column else head for head in table.columns)
    names = tuple(name if own == column else own for own in table.dialect.names)
    kinds = {(name if own == column else own): kind for own, kind in table.kinds.items()}
    dtypes = {(name if own == column else own): dtype for own, dtype in table.dtypes.items()}
    dialect = replace(table.dialect, names=names)
    return replace(table, columns=columns, kinds=kinds, dtypes=dtypes, dialect=dialect), name


def _joined(inputs: TableFile, side: TableFile, column: str) -> TableFile:
    """The inputs with one column of another file."""
    head = next(head for head in side.columns if head.name == column)
    side = replace(side, columns=(head,), kinds={column: side.kinds[column]}, dtypes={column: side.dtypes[column]})
    return replace(
        inputs,
        columns=(*inputs.columns, head),
        kinds=inputs.kinds | side.kinds,
        dtypes=inputs.dtypes | side.dtypes,
        problems=inputs.problems + side.problems,
        beside=(*inputs.beside, side),
    )


def _group_word(name: str, key: tuple[str | None, tuple[str, ...]]) -> str | None:
    """The word that says whose each sample is, in the name of a file next to others: ``subject_train.txt``."""
    if vocabulary.split_of(name) != key[0]:
        return None
    words = [word for word in vocabulary.family_of(name).split("_") if word not in key[1]]
    return words[0] if len(words) == 1 and names_source(words[0]) else None


def _with_group(inputs: TableFile, table: TableFile, own: _Name) -> TableFile | None:
    """The inputs with the one column of a file that holds the source of each sample; None if the file is something else."""
    word = _group_word(table.name, own.key)
    if word is None or len(table.columns) != 1:
        return None
    side = _same_header(inputs, table)
    column = side.columns[0].name
    if not side.header:
        side, column = _renamed(side, column, word)
    return None if column in inputs.kinds else _joined(inputs, side, column)
