"""The words by which people name splits: of files, of folders and in columns.

The base is the convention of the Hugging Face hub (a keyword counts when it is bounded by ``-``, ``.``, ``_``, a space
or a digit), with the aliases that torchvision, TFDS, COCO, VOC, CIFAR, MNIST and KEEL add. Words also end where camel
case starts a new one (``KDDTrain``, ``PublicTest``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

TRAIN, VALIDATION, TEST, TRAINVAL, UNLABELED = "train", "validation", "test", "trainval", "unlabeled"
WHOLE = "all"
"""The split of data that is not split."""

_ALIASES = {
    TRAIN: "train training trn tra trainset fit",
    VALIDATION: "validation valid val vali dev devel minival tune newsdev",
    TEST: "test testing tst t10k eval evaluation holdout devtest testset newstest",
    TRAINVAL: "trainval",
    UNLABELED: "unlabeled unlabelled unsupervised",
}
_CANONICAL = {alias: split for split, aliases in _ALIASES.items() for alias in aliases.split()}
_ANY = "|".join(sorted(_CANONICAL, key=len, reverse=True))
# CIFAR names its train files "data_batch_1"; held-out is two words.
_WORD = re.compile(rf"(?<![^\W\d_])(?:({_ANY})|(data[-_. ]batch)|(hold[-_. ]out))(?![^\W\d_])")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SHARD = re.compile(r"^(?P<prefix>.*?)[-_.]?(?P<index>\d+)-of-(?P<total>\d+)(?P<suffix>(?:\.[A-Za-z0-9]+)*)$")
_SUFFIX = re.compile(r"(?:\.(?!(?:%s)\b)[A-Za-z][A-Za-z0-9]*)+$" % _ANY, re.IGNORECASE)  # noqa: UP031
_SUBMISSION = re.compile(r"submission|submit", re.IGNORECASE)

SPLIT_COLUMNS = frozenset({"split", "fold", "set", "subset", "partition", "usage", "data_split", "dataset_split"})
"""Names (lower case) of columns whose values may name splits."""


def word_set(words: str) -> frozenset[str]:
    """The words of a line as a set."""
    return frozenset(words.split())


def split_of(name: str) -> str | None:
    """Split that a file name, stem, array key or folder name names, or None.

    The answer is "train", "validation", "test", "trainval" (the two joined, as in VOC) or "unlabeled". Names that hold
    the words of two splits that do not join, such as ``train_test.csv``, name none.
    """
    found = {_canonical(match) for match in _WORD.finditer(_lowered(name))}
    if len(found) == 1:
        return found.pop()
    return TRAINVAL if found and found <= {TRAIN, VALIDATION, TRAINVAL} else None


def family_of(name: str) -> str:
    """What is left of a file name without its split words, shard number and suffix: equal families are one data set.

    ``iris_train.csv`` and ``iris-test.csv.gz`` are both "iris"; ``train.csv`` is "".
    """
    shard = _SHARD.match(name)
    stem = shard["prefix"] if shard else _SUFFIX.sub("", name)
    bare = _WORD.sub(" ", _lowered(stem))
    words = [word for word in re.split(r"[\W_]+", bare) if word]
    while words and words[-1].isdigit():  # train-0001, train2017
        words.pop()
    return "_".join(words)


def split_folders(names: Sequence[str]) -> dict[str, str] | None:
    """Splits of sibling folders that all hold data, or None when the folders are something else, such as classes.

    They are splits only if every one is named by a split word and at least one of them is train: a class called "train"
    stands next to "car" and "bus". Two folders may share a split (``train`` and ``train_extra``).
    """
    found = {name: split for name in names if (split := split_of(name)) is not None}
    if len(found) != len(names) or not {TRAIN, TRAINVAL} & set(found.values()):
        return None
    return _joined(found)


def split_files(names: Sequence[str]) -> dict[str, str]:
    """Splits of sibling files, by name; files that belong to no split are left out (`left_out` says why).

    A lone keyword may be an accident (``blood_test.csv``), so the files count as splits only when one of them is train
    or two different splits are named; otherwise the answer is empty. A file without a keyword next to files with one is
    not guessed into train: it is a sample submission or a table of its own.
    """
    tables = [name for name in names if not is_submission(name)]
    found = {name: split for name in tables if (split := split_of(name)) is not None}
    # The UCI repository calls the two files of a set adult.data and adult.test, MovieLens u1.base and u1.test.
    found |= {name: TRAIN for name in tables if name.endswith((".data", ".base")) and f"{name[:-5]}.test" in found}
    splits = set(found.values())
    if not {TRAIN, TRAINVAL} & splits and len(splits) < 2:
        return {}
    return _joined(found)


def left_out(names: Sequence[str]) -> dict[str, str]:
    """Reason, by name, why a file next to files with splits belongs to none of them."""
    chosen = split_files(names)
    reasons = {}
    for name in names if chosen else ():
        if is_submission(name):
            reasons[name] = "sample submission: holds predictions to fill in, not data"
        elif name not in chosen:
            reasons[name] = "no split word in its name: read as a data set of its own"
    return reasons


def is_submission(name: str) -> bool:
    """Whether a file is a competition's sample submission (``sample_submission.csv``, ``gender_submission.csv``)."""
    return _SUBMISSION.search(name) is not None


def missing_shards(names: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """Shard numbers that ``<prefix>-00000-of-00012<suffix>`` promises and that are absent, by ``<prefix><suffix>``.

    Numbers count from 0; a series that holds shard n of n and no shard 0 counts from 1.
    """
    series: dict[tuple[str, str, int], set[int]] = {}
    for name in names:
        if shard := _SHARD.match(name):
            key = (shard["prefix"], shard["suffix"], int(shard["total"]))
            series.setdefault(key, set()).add(int(shard["index"]))
    missing: dict[str, tuple[int, ...]] = {}
    for (prefix, suffix, total), found in sorted(series.items()):
        first = 1 if total in found and 0 not in found else 0
        # A name may promise a billion shards; a list of absentees is for a person to read.
        absent = tuple(index for index in range(first, first + min(total, 100_000)) if index not in found)
        if absent:
            missing[prefix + suffix] = missing.get(prefix + suffix, ()) + absent
    return missing


def split_values(values: Collection[str]) -> dict[str, str] | None:
    """Splits named by the distinct values of a split column, or None unless all of them are split words.

    A column that names one split only, and not train, says nothing and is None too.
    """
    named = {value: split for value in values if (split := split_of(str(value))) is not None}
    if not named or len(named) != len(values):
        return None
    splits = set(named.values())
    return _joined(named) if {TRAIN, TRAINVAL} & splits or len(splits) > 1 else None


def coded_splits(name: str, values: Collection[str]) -> dict[str, str] | None:
    """Splits that numbers stand for in a column or file of this name, or None.

    A partition counts train, validation and test from 0, as CelebA does; what asks whether a sample is for training
    (``is_training``, ``train_test_split``) answers 1 or 0.
    """
    words = set(re.split(r"[\W_]+", _lowered(name)))
    if "partition" in words and "0" in values and {"1", "2"} & {*values} and {*values} <= {"0", "1", "2"}:
        return {"0": TRAIN, "1": VALIDATION, "2": TEST}
    if {"train", "training"} & words and {"is", "split"} & words and {*values} == {"0", "1"}:
        return {"0": TEST, "1": TRAIN}
    return None


def _lowered(name: str) -> str:
    return _CAMEL.sub("_", name).casefold()


def _canonical(match: re.Match[str]) -> str:
    word, batch, _ = match.groups()
    return _CANONICAL[word] if word else TRAIN if batch else TEST


def _joined(found: dict[str, str]) -> dict[str, str]:
    """Trainval is the train split, unless its two parts are there as well and would be counted twice."""
    if {TRAIN, VALIDATION} & set(found.values()):
        return found
    return {name: TRAIN if split == TRAINVAL else split for name, split in found.items()}
