"""FIL102 reading-hazards."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from datalint.author import (
    AllWell,
    Clean,
    Dataset,
    Found,
    Measurement,
    NumberStats,
    Planted,
    Problem,
    Problems,
    Profile,
    Rule,
    Severity,
    quoted,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import pandas as pd

REFUSED = {"XGBoost": frozenset("[]<"), "LightGBM": frozenset('",:[]{}')}
"""Characters that trainers do not take in names of features."""


class ReadingHazards(Rule):
    """Files that a usual reader takes for something else than they are, without stopping.

    Covers header lines repeated among the rows, quotes that are not closed and swallow rows, decimal commas, encodings
    and delimiters that differ between files or change within one, columns or types of columns that flip between shards or records, tags of tokens that mix schemes (entities that begin with I- among those with B-),
    hidden folders with pictures among class folders, hidden files with the suffix of a picture in them (``._photo.jpg``), and, as info, byte-order marks, saved row indexes, unnamed or
    repeated column names, names with characters that XGBoost or LightGBM refuse, mixed line ends, lines above the header, and files among images that are none. Rows with a
    wrong number of fields belong to FIL101.

    ## Why it hurts

    One stray header line or decimal comma turns a column of numbers into text; a swallowed row is missing without a
    word; two files read the same way although they are written differently give garbage in one of them.

    ## How to fix it

    Write all files with one program and one set of options: UTF-8, one delimiter, decimal points, one header line.

    ## When it is wrong

    Where the reader in use is configured for it (``decimal=","``, ``encoding="cp1252"``): then put the code on the ignore list.

    ## Reference

    37 reasons, item 1. None of its peers looks at how files are written beyond refusing what is not UTF-8.
    """

    code = "FIL102"
    name = "reading-hazards"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    public = frozenset({"files", "hazard"})

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """Tables must be read to their end to know."""
        return (Problems, NumberStats) if dataset.modality == "table" else (Problems,)

    def check(self, profile: Profile) -> Iterator[Found]:
        """One finding per kind of hazard."""
        met = [problem for split in profile.splits for _, _, problem in split[Problems].found]
        kinds: dict[str, list[Problem]] = {}
        for problem in dict.fromkeys([*profile.dataset.problems, *met]):
            group = _group(problem)
            # A header line that its head has shown is counted again by the reader.
            if group and all(problem.path != other.path for other in kinds.get(group, [])):
                kinds.setdefault(group, []).append(problem)
        # A file that differs in its encoding is reported once.
        told = {problem.path for problem in kinds.get("encoding", [])}
        kinds["one encoding"] = [problem for problem in kinds.get("one encoding", []) if problem.path not in told]
        for group in _HAZARDS:
            if kinds.get(group):
                yield _found(group, sorted(kinds[group], key=lambda problem: problem.path))
        refused = _refused(profile.dataset)
        if refused:
            yield _refused_found(refused)
        if (
            not refused
            and not any(kinds.values())
            and not any(partition.files_read for partition in profile.dataset.partitions[:1])
        ):
            raise AllWell("the data was given in memory: no file was read")

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Write the training table as CSV shards and one of them (two at full strength) in another way than the rest."""
        split, shards = training(clean) if clean.tables else "", 5
        if not split or len(clean.tables[split]) < 60 or clean.tables[split].shape[1] < 3:
            return None
        chosen = sorted(int(k) for k in rng.choice(shards, 1 + (strength > 0.5), replace=False))
        kind = str(rng.choice(["header", "delimiter", "types"]))
        files: dict[str, bytes] = {}
        faulty = set()
        for name, table in clean.tables.items():
            for k in range(shards):
                path = f"{name}-{k:05d}.csv"
                part = table.iloc[len(table) * k // shards : len(table) * (k + 1) // shards]
                spoilt = name == split and k in chosen
                files[path] = _spoil(part, kind, clean.label) if spoilt else part.to_csv(index=False).encode()
                faulty |= {path} if spoilt else set()
        return Planted(Clean(clean.name, label=clean.label, files=files), files=frozenset(faulty))


def _spoil(part: pd.DataFrame, kind: str, label: str | None) -> bytes:
    """One shard, written badly."""
    numeric = [column for column in part.columns if column != label and part[column].dtype.kind in "iuf"]
    if kind == "header" and numeric:
        lines = part.to_csv(index=False).splitlines(keepends=True)
        middle = 1 + len(part) // 2
        return "".join([*lines[:middle], lines[0], *lines[middle:]]).encode()
    if kind == "types" and numeric:
        changed = part.copy()
        changed[numeric[0]] = changed[numeric[0]].astype(str) + " kg"
        return changed.to_csv(index=False).encode()
    return part.to_csv(index=False, sep=";").encode()


class _Hazard(NamedTuple):
    title: str
    severity: Severity
    consequence: str
    remedy: str


_HAZARDS: dict[str, _Hazard] = {
    "header": _Hazard(
        "header lines among the rows",
        "warning",
        "Readers take the names for values, and whole columns of numbers for text.",
        "Drop the repeated header lines; write the header once when files are joined.",
    ),
    "quote": _Hazard(
        "rows swallowed by an open quote",
        "warning",
        "All rows up to the next quote become one value: they are missing from training.",
        "Close or double the quote where the row begins, or read without quoting.",
    ),
    "types": _Hazard(
        "types that flip",
        "warning",
        "Readers that take the types from the beginning stop where they change, or turn numbers into text or gaps.",
        "Bring the column into one type in all files and records, and name the type when reading.",
    ),
    "tags": _Hazard(
        "tags that follow no scheme",
        "warning",
        "Scores count entities by where they begin and end: the same ones are counted, dropped or joined by chance.",
        "Convert the tags to one scheme (BIO: B- begins each entity), and mend the rows without a known tag.",
    ),
    "columns": _Hazard(
        "columns that differ between shards",
        "warning",
        "Joined by name the missing columns become gaps; joined by position, values land in other columns.",
        "Write all shards with the same columns in the same order.",
    ),
    "delimiter": _Hazard(
        "delimiters that differ between files",
        "warning",
        "A reader set to one delimiter takes each line of the other files for a single value.",
        "Write all files with the same delimiter.",
    ),
    "encoding": _Hazard(
        "encodings that differ",
        "warning",
        "Read as one encoding, the letters beyond ASCII of the other turn into garbage, so equal texts differ.",
        "Convert everything to UTF-8.",
    ),
    "decimal": _Hazard(
        "decimal commas",
        "warning",
        "With default options the numbers are read as text, or as thousands.",
        'Write decimal points, or read with decimal=",".',
    ),
    "one encoding": _Hazard(
        "an encoding other than UTF-8",
        "info",
        "Readers that expect UTF-8 stop, or replace letters.",
        "Convert to UTF-8, or name the encoding when reading.",
    ),
    "mark": _Hazard(
        "a byte-order mark",
        "info",
        "Some readers make it part of the first column's name.",
        'Write without it, or read as "utf-8-sig".',
    ),
    "index": _Hazard(
        "a saved row index",
        "info",
        "The position becomes a feature, and in sorted files it predicts the label.",
        "Save with index=False, or read with index_col=0.",
    ),
    "names": _Hazard(
        "names of columns that readers change",
        "info",
        "Columns are then found under another name than the file gives, or not at all.",
        "Give every column one name of its own, without blanks around it.",
    ),
    "shape": _Hazard(
        "lines that are not what a plain reader expects",
        "info",
        "A reader with default options takes them for columns or rows.",
        "Write a plain table, or name these options when reading.",
    ),
    "ends": _Hazard(
        "mixed line ends",
        "info",
        "Simple readers leave a carriage return at the end of the last value, which makes two classes of one.",
        "Convert all line ends to one kind.",
    ),
    "hidden": _Hazard(
        "hidden folders with pictures among the class folders",
        "warning",
        "Loaders that count every folder train on them as one more class, and the numbers of all classes move.",
        "Remove them: notebooks and file managers leave them behind.",
    ),
    "disguised": _Hazard(
        "hidden files that loaders take for pictures",
        "warning",
        "Loaders that go by the suffix (torchvision's ImageFolder, Keras) read them, and stop in the middle of an epoch.",
        "Remove them, as with `find . -name '._*' -delete`; `COPYFILE_DISABLE=1 tar ...` on macOS writes none.",
    ),
    "stray": _Hazard(
        "files among the images that are none",
        "info",
        "Loaders pass over them or stop; pictures of unknown kinds are missing without a word.",
        "Move them out of the class folders; convert pictures to PNG or JPEG.",
    ),
}
"""By group, worst first."""

_DIALECT = (
    ("the header is repeated", "header"),
    ("quotes that are not closed", "quote"),
    ("decimal comma", "decimal"),
    ("not UTF-8", "one encoding"),
    ("byte-order mark", "mark"),
    ("saved row index", "index"),
    ("duplicate header names", "names"),
    ("empty header names", "names"),
    ("spaces around header names", "names"),
    ("mixed line ends", "ends"),
    ("every line ends with a delimiter", "shape"),
    ("1 line above", "shape"),
    (" lines above", "shape"),
)
"""What a dialect's remark belongs to; ragged rows are FIL101's, blanks between values no hazard."""


def _group(problem: Problem) -> str | None:
    if problem.kind == "dialect":
        return next((group for words, group in _DIALECT if words in problem.message), None)
    return problem.kind if problem.kind in _HAZARDS else None


def _refused(dataset: Dataset) -> list[str]:
    """Features of a table whose names a trainer does not take; of tables of text no such trainer is asked."""
    if dataset.modality != "table" or dataset.storage.of_arrays or dataset.conversation is not None:
        return []
    features = [field for field in dataset.fields if field.role == "feature" and field.kind in {"number", "text"}]
    if len(features) < 2:
        return []
    return [field.name for field in features if any(set(field.name) & signs for signs in REFUSED.values())]


def _refused_found(names: list[str]) -> Found:
    trainers = {trainer: signs for trainer, signs in REFUSED.items() if any(set(name) & signs for name in names)}
    found = {trainer: sorted(set("".join(names)) & signs) for trainer, signs in trainers.items()}
    told = " and ".join(f"{trainer} refuses {' '.join(signs)}" for trainer, signs in found.items())
    return Found(
        message=f"names of columns that trainers refuse: {quoted(names)}; {told}",
        consequence="Training on a frame with these names stops at once, or needs it as an array, where only positions tell columns.",
        remedy="Rename the columns with letters, digits and underscores, the same in all splits.",
        severity="info",
        confidence=0.97,
        column=names[0] if len(names) == 1 else None,
        subject="refused names",
        evidence={"hazard": "refused names", "files": 0, "columns": [*names[:200]]},
        count=0,
    )


def _found(group: str, problems: list[Problem]) -> Found:
    hazard = _HAZARDS[group]
    first, files = problems[0], len(problems)
    more = f" (and {files - 1:,} more {'files' if files > 2 else 'file'})" if files > 1 else ""
    return Found(
        message=f"{hazard.title}: {first.path}: {first.message}{more}",
        consequence=hazard.consequence,
        remedy=hazard.remedy,
        severity=hazard.severity,
        confidence=0.97 if hazard.severity == "warning" else 0.9,
        subject=group,
        evidence={"hazard": group, "files": files},
        files=[(problem.path, problem.message) for problem in problems],
    )
