"""Labels of which a sample may have several: in a list, joined in a text, or one column of 0 and 1 for each.

The values decide, and have to be clear: categories that are encoded as columns are features, and a text with commas is a text.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.core.amounts import is_amount
from datalint.core.dataset import Categories, LabelBlock, LabelSet
from datalint.core.roles import role_of, words_of
from datalint.sources.tables.labels import ASKED, LabelChoice, choose_label, find_column

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

    from datalint.core.roles import ColumnHead
    from datalint.core.terms import Confidence

LIST = "["
"""How a column is marked whose cells are lists, as JSON or Python writes them."""

MAX_LIST = 100_000
"""Characters of a list that is read."""

_OPTIONS = frozenset({"choices", "options", "endings", "candidates", "answers", "alternatives"})
_RIGHT = frozenset({"answer", "label", "target", "gold", "correct", "solution", "key"})
"""Words of columns that hold what may be chosen, and of those that say which of it is right."""

_TARGETS = frozenset({"label", "labels", "target", "targets", "class", "classes"})
_SEVERAL = _TARGETS | {"tags", "genres", "categories", "topics"}
_MEDIA = re.compile(r".+\.(jpe?g|png|bmp|tiff?|webp|gif|dcm|wav|mp3|flac|ogg)", re.IGNORECASE)


@dataclass(frozen=True)
class SeveralLabels:
    """Where the labels of a sample stand."""

    columns: tuple[str, ...]
    joint: str = ""
    """What joins the labels in the only column, or ``[``; empty for one column of 0 and 1 per label."""
    class_names: tuple[str, ...] = ()
    """Declared names of the labels 0..C-1."""
    off: int = 0
    """What stands in the column of a label that a sample has not: 0, or -1 as in CelebA."""

    @property
    def name(self) -> str:
        """What a report calls the label, and ``--label`` takes."""
        return ",".join(self.columns)

    def of_texts(self, cells: Categories) -> LabelBlock:
        """The labels in the cells of the only column; an empty cell between joined ones is one without labels."""
        sets = [set_of(value, self.joint, self.class_names) for value in cells.values]
        if self.joint == LIST:
            return _block(cells.codes, sets)
        return _block(np.where(cells.codes < 0, len(sets), cells.codes).astype(np.int32), [*sets, LabelSet(())])

    def of_flags(self, flags: NDArray[np.float64]) -> LabelBlock:
        """The labels whose columns hold 1: ``flags`` has a row per sample."""
        missing = np.isnan(flags)
        states = np.where(missing, 3, np.where(flags == 1, 1, np.where(flags == self.off, 0, 2))).astype(np.uint8)
        _, first, codes = np.unique(states, axis=0, return_index=True, return_inverse=True)
        sets = [
            LabelSet(
                tuple(sorted(name for name, state in zip(self.columns, row, strict=True) if state == 1)),
                tuple(
                    f"{name!r} is {'missing' if state == 3 else f'neither {self.off} nor 1'}"
                    for name, state in zip(self.columns, row, strict=True)
                    if state > 1
                ),
            )
            for row in states[first].tolist()
        ]
        known = np.where(missing.all(axis=1), -1, codes.reshape(-1)).astype(np.int32)
        return replace(_block(known, sets), declared=self.columns)


def _block(codes: NDArray[np.int32], sets: list[LabelSet]) -> LabelBlock:
    return LabelBlock(codes, [json.dumps(one.labels, ensure_ascii=False) for one in sets], sets=sets)


def set_of(cell: str, joint: str, class_names: tuple[str, ...] = ()) -> LabelSet:
    """The labels in one cell; whatever else is in it is told."""
    items = _listed(cell) if joint == LIST else [part for part in cell.split(joint) if part.strip()]
    if items is None:
        return LabelSet((cell,), ("a value that is no list",))
    labels: list[str] = []
    strange = set()
    for item in items:
        if isinstance(item, str) and item.strip():
            labels.append(item.strip())
        elif isinstance(item, (int, float)) and not isinstance(item, bool):
            named = isinstance(item, int) and 0 <= item < len(class_names)
            labels.append(class_names[int(item)] if named else f"{item:.15g}" if isinstance(item, float) else str(item))
        else:
            strange.add(
                "an empty label" if item in (None, "") or isinstance(item, str) else "an entry that is no label"
            )
    if len({isinstance(item, str) for item in items if isinstance(item, (str, int, float))}) > 1:
        strange.add("numbers and texts in one list")
    if len(set(labels)) < len(labels):
        strange.add("a label twice")
    return LabelSet(tuple(sorted(set(labels))), tuple(sorted(strange)))


def _listed(cell: str) -> list[Any] | None:
    """The entries of a list; None for what is none."""
    if not (cell.startswith("[") and cell.endswith("]") and len(cell) <= MAX_LIST):
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = ast.literal_eval(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return found if isinstance(found, list) else None


def choose_target(
    columns: Sequence[ColumnHead],
    lists: Sequence[ColumnHead] = (),
    *,
    header: bool,
    explicit: str | int | None = None,
    only_in_train: Collection[str] = (),
    submission: Collection[str] = (),
) -> tuple[LabelChoice | None, SeveralLabels | None]:
    """The label, as :func:`choose_label` finds it, and where its values stand if samples have several.

    Args:
        columns: as for ``choose_label``, like what follows ``lists``; several names in ``explicit`` are joined by commas.
        lists: columns of lists, which are read for labels only.
        header: whether the names come from the file.
        explicit: what was asked for.
        only_in_train: columns of train that test lacks.
        submission: columns of the sample submission.

    Raises:
        LabelNotFound: there is no such label.
    """
    names = [column.name for column in columns]
    if isinstance(explicit, str) and "," in explicit and find_column(names, explicit) is None:
        asked = [find_column(names, part) for part in explicit.split(",")]
        flags = SeveralLabels(tuple(name for name in asked if name is not None))
        if len(flags.columns) == len(asked) == len(set(asked)):
            return LabelChoice(flags.name, ASKED, "certain"), flags
    choice = choose_label(
        columns if explicit is None else [*columns, *lists],
        header=header,
        explicit=explicit,
        only_in_train=only_in_train,
        submission=submission,
    )
    sure = choice is not None and (explicit is not None or choice.confidence in {"certain", "high"})
    if not sure or (choice is not None and choice.name in only_in_train):
        flags_found = _flags(columns, choice, only_in_train) if header and explicit is None else None
        if flags_found is not None:
            return flags_found
    if not sure and explicit is None and (found := _right_one(columns, lists)) is not None:
        return found, None
    listed = {column.name for column in lists}
    for column in _candidates([*columns, *lists], choice, sure=sure, listed=lists):
        joint = LIST if explicit is not None and column.name in listed else joint_of(column)
        if joint is not None:
            how = "lists of labels that recur" if joint == LIST else f"its parts, joined by {joint!r}, recur"
            if choice is not None and choice.name == column.name:
                found = replace(choice, evidence=ASKED if explicit is not None else f"{choice.evidence}; {how}")
            else:
                found = LabelChoice(column.name, f"the column is named {column.name!r}; {how}", "medium")
            found = replace(found, confidence="medium" if found.confidence == "low" else found.confidence)
            return found, SeveralLabels((column.name,), joint)
    return choice, None


def _right_one(columns: Sequence[ColumnHead], lists: Sequence[ColumnHead]) -> LabelChoice | None:
    """The column that says which entry of a list is right, as in questions of multiple choice: by number or by letter."""
    for listed in lists:
        if not _OPTIONS.intersection(words_of(listed.name)):
            continue
        counts = [len(_listed(cell) or ()) if isinstance(cell, str) else 0 for cell in listed.values]
        for column in columns:
            if column.name in {"", listed.name} or not _RIGHT.intersection(words_of(column.name)):
                continue
            given = [(_place_of(value), count) for value, count in zip(column.values, counts, strict=False) if count]
            known = [(place, count) for place, count in given if place is not None]
            if known and 10 * sum(place <= count for place, count in known) >= 9 * len(given):
                return LabelChoice(column.name, f"says which entry of {listed.name!r} is right", "high")
    return None


def _place_of(value: object) -> int | None:
    """A number or letter as a number; at most the count of entries whether they are numbered from 0 or from 1."""
    text = str(value).strip().rstrip(").").upper()
    if len(text) == 1 and "A" <= text <= "Z":
        return ord(text) - ord("A") + 1
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number == int(number) and number >= 0 else None


def _candidates(
    columns: Sequence[ColumnHead], choice: LabelChoice | None, *, sure: bool, listed: Sequence[ColumnHead]
) -> list[ColumnHead]:
    """Columns that may hold sets, the likeliest first."""
    chosen = [column for column in columns if choice is not None and column.name == choice.name]
    if sure:
        return chosen
    guessed = choice is None or choice.confidence == "low"
    last = {column.name: words_of(column.name)[-1:] for column in columns if column.kind == "text"}
    tiers = (_TARGETS, _SEVERAL) if guessed else (_TARGETS,)
    named = [column for words in tiers for column in columns if words.intersection(last.get(column.name, ()))]
    return [*named, *chosen, *(listed if guessed and len(listed) == 1 else ())]


def joint_of(column: ColumnHead) -> str | None:
    """What joins the labels in the cells of a text column; ``[`` for lists, None for cells that are no sets of labels.

    Labels recur, each in different sets, and sets differ in size. The parts of a name or a sentence do not: those of
    "Oslo, Norway" are always two, and those of "tench, Tinca tinca" never meet others.
    """
    cells = column.facts.counts if column.kind == "text" else Counter[float | str]()
    total = sum(cells.values())
    # The words of prose are looked at no further than they must be.
    if len(cells) < 3 or sum(len(str(cell)) > 500 for cell in cells) > 0.05 * len(cells):
        return None
    for joint in (LIST, "|", ";", ","):
        if sum(count for cell, count in cells.items() if joint in str(cell)) < 0.05 * total:
            continue
        if joint == "," and sum(is_amount(str(cell)) for cell in cells) > len(cells) / 2:
            continue
        if _recur([(set_of(str(cell), joint), count) for cell, count in cells.items()], total):
            return joint
    return None


def _recur(sets: Sequence[tuple[LabelSet, int]], total: int) -> bool:
    counts: Counter[str] = Counter()
    meets: Counter[str] = Counter()
    for one, count in sets:
        for label in () if one.strange else one.labels:
            counts[label] += count
            meets[label] += 1
    odd = sum(count for one, count in sets if one.strange)
    often = sum(count for count in counts.values() if count >= 3)
    return (
        len(counts) >= 2
        and len({len(one.labels) for one, _ in sets}) >= 2
        and odd <= 0.05 * total
        and often >= 0.9 * sum(counts.values())
        and sum(meets[label] >= 2 for label in counts) >= 0.5 * len(counts)
        and max(len(label.split()) for label in counts) <= 6
    )


def _flags(
    columns: Sequence[ColumnHead], choice: LabelChoice | None, lacking: Collection[str]
) -> tuple[LabelChoice, SeveralLabels] | None:
    """One column of 0 and 1 per label: all that test lacks, those named so, or all that there is next to texts or media."""
    last = _last_flags(columns, choice)
    if last and any(map(_names_files, columns)):
        return _named_flags(last, "last columns of 0 and 1 in a list of files", "medium", 0)
    offs = {column.name: off for column in columns if (off := off_of(column)) is not None}
    off = -1 if sum(value == -1 for value in offs.values()) > len(offs) / 2 else 0
    flags = [column for column in columns if offs.get(column.name) == off]
    names = [column.name for column in flags]
    if len(flags) < 2 or (choice is not None and choice.confidence != "low" and choice.name not in names):
        return None
    if len(lacking) >= 2 and set(lacking) <= set(names):
        return _named_flags(
            [name for name in names if name in lacking], f"columns of {off} and 1 that test lacks", "high", off
        )
    if choice is not None and choice.confidence != "low" and choice.name == columns[-1].name:
        return None  # the usual place of the only one
    called = [column for column in flags if words_of(column.name)[:1] and words_of(column.name)[0] in _TARGETS]
    if len(called) >= 3 and _overlap(called):
        return _named_flags([column.name for column in called], f"columns of {off} and 1 named as labels", "high", off)
    rest = [column for column in columns if column.name not in names]
    roles = [role_of(column, first=column is columns[0]) for column in rest]
    said = any(
        role == "text" or _MEDIA.fullmatch(str(next(iter(column.facts.counts), "")))
        for role, column in zip(roles, rest, strict=True)
    )
    properties = any(words_of(name)[:1] in (["has"], ["is"]) for name in names)
    if len(flags) < 3 or not said or "feature" in roles or properties or not _overlap(flags):
        return None
    known = choice is not None and choice.confidence == "medium"
    why = f"columns of {off} and 1, and no other column but texts and keys"
    return _named_flags(names, why, "medium" if known else "low", off)


def _last_flags(columns: Sequence[ColumnHead], choice: LabelChoice | None) -> list[str]:
    """The last columns if each says 1, 0, or -1 for uncertain, as those of CheXpert after sex, age and view do."""
    found: list[ColumnHead] = []
    for column in reversed(columns):
        counts = column.facts.counts if column.kind in {"number", "bool"} else {}
        told = Counter({_flag(value): 0 for value in counts})
        for value, count in counts.items():
            told[_flag(value)] += count
        sure = told[1] + told[0]
        if not counts or 2 * told[-1] >= column.facts.present or sure + told[-1] < 0.95 * column.facts.present:
            break
        found.insert(0, column)
    names = [column.name for column in found]
    properties = any(words_of(name)[:1] in (["has"], ["is"]) for name in names)
    guessed = choice is None or choice.confidence == "low" or choice.name in names
    # A person's sex may be written as 0 and 1 before them; what follows it overlaps.
    return names if len(found) >= 4 and guessed and not properties and _overlap(found) else []


def _names_files(column: ColumnHead) -> bool:
    """Whether the first values are names of pictures or recordings."""
    shown = [str(value) for value in column.values[:20] if value]
    return column.kind == "text" and bool(shown) and all(map(_MEDIA.fullmatch, shown))


def _named_flags(
    names: Sequence[str], evidence: str, confidence: Confidence, off: int
) -> tuple[LabelChoice, SeveralLabels]:
    found = SeveralLabels(tuple(names), off=off)
    return LabelChoice(found.name, f"{len(names)} {evidence}", confidence), found


def off_of(column: ColumnHead) -> int | None:
    """What stands for no in a column of which nearly all values are 0 or 1, -1 or 1, or true and false; None for others."""
    # A glance is enough for most: of a wide table not every column can be counted.
    glance = [value for value in map(_flag, column.values[:20]) if value is not None]
    for off in (0, -1):
        if sum(value not in {off, 1} for value in glance) > 4:
            continue
        counts = column.facts.counts
        flags = sum(count for value, count in counts.items() if _flag(value) in {off, 1})
        # Where -1 never meets its opposite it is a mark for something else.
        both = off == 0 or len(counts) > 1
        if counts and both and flags >= 0.95 * column.facts.present and role_of(column) == "feature":
            return off
    return None


def _flag(value: object) -> float | None:
    """A cell as a number, of which 0 and 1 are flags; None where it is missing."""
    if isinstance(value, str):
        return {"true": 1.0, "false": 0.0}.get(value.casefold(), 2.0)
    return None if not isinstance(value, (int, float)) or np.isnan(value) else float(value)


def _overlap(flags: Sequence[ColumnHead]) -> bool:
    """Whether some row has two of them, as the columns of an encoded category never do."""
    ones = np.sum([[_flag(value) == 1 for value in flag.values] for flag in flags], axis=0)
    return bool((ones >= 2).any())
