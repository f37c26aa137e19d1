"""From the columns of tables to a data set: label, roles and splits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from datalint.core.dataset import NAME_IT, Dataset, Field, Label, Split, split_order
from datalint.core.errors import DatalintError
from datalint.core.roles import words_of
from datalint.sources.sounds.columns import recordings_of
from datalint.sources.sounds.rows import sounded
from datalint.sources.tables.beside import BesidePartition
from datalint.sources.tables.conversations import NO_LABEL, conversation_of, task_of, with_others, written_turns
from datalint.sources.tables.convert import TablePlan
from datalint.sources.tables.labels import (
    ColumnHead,
    LabelChoice,
    LabelNotFound,
    choose_label,
    find_split_column,
    roles,
)
from datalint.sources.tables.picture_columns import picture_column, pictured
from datalint.sources.tables.several_labels import LIST, SeveralLabels, choose_target
from datalint.sources.tables.unlike import known_kind, unlike

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from datalint.core.dataset import Kind, Partition, Role
    from datalint.core.dialogues import Conversation
    from datalint.sources.tables.format import TableFile


_SOURCES = frozenset(
    ["source", "origin", "dataset", "domain", "subset", "category", "topic", "task", "language", "lang"]
)
"""Words that say where a conversation is from."""


@dataclass(frozen=True)
class Member:
    """A table file and the split it belongs to."""

    file: TableFile
    split: str
    why: str


def table_dataset(
    name: str,
    path: str,
    layout: str,
    evidence: str,
    members: Sequence[Member],
    label: str | None = None,
    submission: Iterable[str] = (),
) -> Dataset:
    """One data set of one or several files.

    Raises:
        datalint.core.errors.DatalintError: the label column that the user named does not exist.
    """
    first = next((m.file for m in members if m.split == "train"), members[0].file)
    heads = {head.name: head for m in reversed([*members]) for head in m.file.columns} | {
        head.name: head for head in first.columns
    }
    order = list(dict.fromkeys(column for file in [first, *(m.file for m in members)] for column in file.kinds))
    columns = [heads[column] for column in order]
    kinds = {column: _joined_kind([known_kind(m.file, column) for m in members]) for column in order}
    dtypes = {name: dtype for m in reversed([*members]) for name, dtype in m.file.dtypes.items()} | first.dtypes
    dtypes |= written_turns(columns)
    conversation, candidates = conversation_of(columns, dtypes, label)
    if conversation is not None:
        conversation = with_others(conversation, [(m.file.columns, m.file.dtypes) for m in members], label)
    choice, class_names, several = _label(first, candidates, members, label, submission)
    media = members[0].file.sounds or picture_column([m.file for m in members])
    if label is None and choice and choice.confidence == "low" and media:
        choice = several = (
            None  # what stands last next to pictures and recordings may be anything that is known of them
        )
    labels = target_columns(choice, several)
    lists = {head.name: head for m in reversed([*members]) for head in m.file.lists if head.name not in kinds}
    if conversation is not None:  # what is seen next to it, such as pictures, tells samples apart
        lists = {name: head for name, head in lists.items() if name in labels}
    kinds |= dict.fromkeys(lists, "text")
    plan = plan_of(
        [*columns, *(head for name, head in lists.items() if name not in labels)],
        kinds,
        choice,
        several,
        dtypes=dtypes,
        lists=lists,
        conversation=conversation,
        one_split=len({member.split for member in members}) == 1,
    )
    unseen = {
        column: dtype
        for member in reversed([*members])
        for column, dtype in member.file.unseen.items()
        if column not in kinds
    }
    plan = replace(plan, unseen=tuple(sorted(unseen)))
    partitions: list[Partition] = []
    about = tuple(f"column {name!r} holds " for name in lists)
    problems = [problem for m in members for problem in m.file.problems if not problem.message.startswith(about)]
    problems += unlike([(m.file, m.split) for m in members])
    for member in sorted(members, key=lambda m: (*split_order(m.split), m.file.shown)):
        partitions += _partitions(member.file, replace(plan.of_split(member.split), class_names=class_names))
    if plan.split_column:
        why = f"values of the column {plan.split_column!r}"
        splits = [Split(split, why) for split in dict.fromkeys(plan.split_values.values())]
    else:
        ignored = {field.name for field in plan.fields if field.role == "ignored"}
        splits = [
            Split(
                m.split,
                m.why,
                columns=tuple((n, known_kind(m.file, n)) for n in m.file.kinds if n not in ignored),
            )
            for m in {m.split: m for m in reversed([*members])}.values()
        ]
    dataset = Dataset(
        name=name,
        path=path,
        layout=layout,
        modality="table",
        evidence=f"{evidence}; {conversation.evidence}" if conversation else evidence,
        partitions=partitions,
        splits=tuple(sorted(splits, key=lambda split: split_order(split.name))),
        label=None if choice is None else Label(choice.name, choice.evidence, choice.confidence),
        fields=(*plan.fields, *(Field(name, "other", "ignored", dtype) for name, dtype in sorted(unseen.items()))),
        problems=problems,
        task="multi-label" if several else task_of(conversation, choice),
        storage=first.format.storage,
        conversation=conversation,
        skipped_label=NO_LABEL if conversation else NAME_IT,
        recordings=recordings_of(columns),
    )
    files = [m.file for m in members]
    return (
        sounded(dataset, files)
        if files[0].sounds and not files[0].pictures
        else pictured(dataset, files, label is not None)
    )


def target_columns(choice: LabelChoice | None, several: SeveralLabels | None) -> tuple[str, ...]:
    """The columns that hold the label."""
    return several.columns if several else (choice.name,) if choice else ()


def plan_of(
    heads: Sequence[ColumnHead],
    kinds: Mapping[str, Kind],
    choice: LabelChoice | None,
    several: SeveralLabels | None,
    *,
    dtypes: Mapping[str, str] | None = None,
    ignored: Iterable[str] = (),
    lists: Collection[str] = (),
    conversation: Conversation | None = None,
    one_split: bool,
) -> TablePlan:
    """What to read of the tables of a data set, wherever they lie, and as what; only the split of each is not known yet.

    Args:
        heads: the columns.
        kinds: of all columns, in the order of the fields.
        choice: the label.
        several: where its values stand if samples have several.
        dtypes: how columns are stored.
        ignored: columns that are nothing to learn from, like the twins of the label.
        lists: columns whose cells are lists, which are no keys.
        conversation: what the columns make up, if it is one.
        one_split: whether a column may say the split of each row.
    """
    labels, dtypes = target_columns(choice, several), dtypes or {}
    role_of: dict[str, Role] = {
        **{name: role if name not in lists or role == "text" else "feature" for name, role in roles(heads).items()},
        **dict.fromkeys((*(choice.twins if choice else ()), *ignored), "ignored"),
    }
    if conversation is not None:
        # What is known of a conversation is no part of it; where it is from may tell the order in which they are stored.
        sources = {head.name for head in heads if _names_source(head)}
        role_of |= {
            name: "group" if name in sources else "ignored"
            for name, role in role_of.items()
            if role in {"feature", "text"}
        }
        role_of |= dict.fromkeys(conversation.columns, "text")
    split_column, values = find_split_column(heads, role_of) if one_split else (None, {})
    return TablePlan(
        tuple(
            Field(name, kind, "label" if name in labels else role_of[name], dtypes.get(name, ""))
            for name, kind in kinds.items()
        ),
        choice.name if choice and several is None else None,
        "number" if labels and kinds[labels[0]] == "number" else "text",
        split_column=split_column,
        split_values=values,
        several=several,
        conversation=conversation,
    )


def _names_source(head: ColumnHead) -> bool:
    """Whether a column says of each conversation from which of a few places it is."""
    few = head.kind == "text" and 2 <= len(head.facts.counts) <= 50
    return few and head.facts.present >= 10 * len(head.facts.counts) and bool(_SOURCES & set(words_of(head.name)))


def _joined_kind(kinds: Iterable[Kind | None]) -> Kind:
    """Of a column in several files; those in which it holds nothing have no say."""
    found = {kind for kind in kinds if kind is not None}
    return found.pop() if len(found) == 1 else "text"


def _label(
    first: TableFile,
    columns: Sequence[ColumnHead],
    members: Sequence[Member],
    explicit: str | None,
    submission: Iterable[str],
) -> tuple[LabelChoice | None, tuple[str, ...], SeveralLabels | None]:
    names = {head.name for head in columns}
    lists = list({head.name: head for m in reversed([*members]) for head in m.file.lists}.values())
    if explicit is None and first.declared is not None:
        name, classes = first.declared
        choice = LabelChoice(name, "declared by the file itself", "certain")
        if name in names:
            return choice, classes, None
        if name in {head.name for head in lists}:
            return choice, (), SeveralLabels((name,), LIST, classes)
    if explicit is None and first.label is not None:
        twins = choose_label(columns, header=first.header, explicit=first.label[0])
        return LabelChoice(*first.label, "high", twins.twins if twins else ()), (), None
    tests = [m.file for m in members if m.split == "test"]
    only_in_train = {column for column in first.kinds if tests and all(column not in file.kinds for file in tests)}
    try:
        chosen, several = choose_target(
            columns,
            lists,
            header=first.header,
            explicit=explicit,
            only_in_train=only_in_train,
            submission=tuple(submission),
        )
    except LabelNotFound as error:
        raise DatalintError(f"{first.shown}: {error}") from error
    classes = first.declared[1] if first.declared and chosen and first.declared[0] == chosen.name else ()
    return chosen, classes, several and replace(several, class_names=classes)


def _partitions(file: TableFile, plan: TablePlan) -> Sequence[Partition]:
    if not file.beside:
        return file.format.partitions(file, plan)
    own = [name for name in file.kinds if all(name not in side.kinds for side in file.beside)]
    taken = [(side, [name for name in side.kinds if name in file.kinds]) for side in file.beside]
    inputs = file.format.whole(file, plan.part(own))
    beside = replace(plan, unseen=())
    sides = [part.format.whole(part, beside.part(names)) for part, names in taken]
    return [BesidePartition(inputs, tuple(sides))]
