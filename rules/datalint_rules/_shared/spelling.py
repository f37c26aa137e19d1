"""How class names are spelt: which are variants of one, and which stand for no class at all."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from datalint.author import missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_JOINT = re.compile(r"(?<=\w)[\s_\-]+(?=\w)")
_YES = ({"yes", "y", "true", "t", "1"}, {"no", "n", "false", "f", "0"})


def is_number(name: str) -> bool:
    """Whether a class name is a number."""
    return _NUMBER.fullmatch(name) is not None


def key_of(name: str) -> str:
    """What is left of a class name without case, accents, quotes, a final stop, and the kind of joint between words."""
    if is_number(name):
        # "1", "1.0" and "01"; a float as such would make 2^53 and 2^53 + 1 one.
        whole, _, rest = name.lstrip("+").partition(".")
        return name if rest.strip("0") or "e" in name.lower() else (whole.lstrip("0") or "0")
    text = unicodedata.normalize("NFKD", name).casefold()
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    text = text.strip().strip("'\"").strip()
    if len(text) > 1:
        text = text.rstrip(".") or text
    return _JOINT.sub(" ", " ".join(text.split()))


def variants(names: Iterable[str]) -> list[list[str]]:
    """Groups of class names that are one class.

    Single letters in two cases are classes of their own (handwritten "a" and "A") where there are four or more of them.
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(key_of(name), []).append(name)
    letters = sum(len(key) == 1 and key.isalpha() for key in groups)
    found = [group for key, group in groups.items() if len(group) > 1 and (len(key) > 1 or letters < 4)]
    if found:
        return found
    # "yes" and "y": only where nothing but answers occurs, and one of them is given in two ways.
    keys = set(groups)
    if len(keys) > 2 and keys <= _YES[0] | _YES[1] and all(keys & side for side in _YES):
        return [[groups[key][0] for key in sorted(keys & side)] for side in _YES if len(keys & side) > 1]
    return []


def told_apart_by_case(counts: Mapping[str, int]) -> bool:
    """Whether spellings of one name are names of their own, such as the vowels 'hAd' and 'had'.

    They differ in the case of letters only, one has a capital where nobody's habit puts it, and none is a slip among the
    others: each is at least half as frequent as the most frequent one.
    """
    if len({name.casefold() for name in counts}) > 1:
        return False
    odd = any(name not in {name.lower(), name.upper(), name.capitalize(), name.title()} for name in counts)
    return odd and 2 * min(counts.values()) >= max(counts.values())


def placeholders(counts: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """Class names that stand for a missing label.

    Returns:
        Those that surely do, and those that may as well be a class.
    """
    if len(counts) < 2:
        return [], []
    folded = {name: name.strip().casefold() for name in counts}
    sure = [name for name, word in folded.items() if word in missing.NEVER_A_CLASS]
    perhaps: list[str] = []
    others = [name for name in counts if folded[name] not in missing.NEVER_A_CLASS | missing.PERHAPS_A_CLASS]
    for name, word in folded.items():
        if word not in missing.PERHAPS_A_CLASS or (word in {"-", "--"} and "+" in counts):
            continue
        # A class of its own has about the size of the others; what is missing is rare, and Python writes it "None".
        rare = len(others) >= 2 and counts[name] < 0.2 * sum(counts[other] for other in others) / len(others)
        python = name == "None" and bool(others) and not any(other[:1].isupper() for other in others)
        (sure if rare or python else perhaps).append(name)
    sure += _numbers(counts)
    return sure, perhaps


def unlabelled(counts: Mapping[str, int], train: Mapping[str, int]) -> str | None:
    """What stands in place of all labels of a split, such as the -1 of a test split whose labels are kept back."""
    if len(counts) != 1 or len(train) < 2:
        return None
    (name,) = counts
    stands = name.strip().casefold() in {"-1", "-1.0"} | missing.NEVER_A_CLASS | missing.PERHAPS_A_CLASS
    return name if stands and name not in train else None


def _numbers(counts: Mapping[str, int]) -> list[str]:
    """-1, 99, 999 ... next to the class numbers 0..C-1 or 1..C."""
    if not all(re.fullmatch(r"-?\d{1,15}", name) for name in counts):
        return []
    values = sorted(int(name) for name in counts)
    for strange in ({values[0]}, {values[-1]}):
        rest = [value for value in values if value not in strange]
        if len(rest) < 2 or rest[0] not in {0, 1} or rest[-1] - rest[0] != len(rest) - 1:
            continue
        (value,) = strange
        # {-1, 0, 1} are three classes of opinion, and {-1, 1} two.
        low = value == -1 and rest[0] == 0 and len(rest) >= 3
        far = str(abs(value)) in {"9", "99", "999", "9999", "99999"} and abs(value) > 3 * len(rest) and abs(value) > 9
        if low or far:
            return [str(value)]
    return []
