"""Classes that the names of pictures say: ``cat.0.jpg``, ``american_bulldog_12.jpg``, ``n01440764_10026.JPEG``."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import PurePath
from typing import TYPE_CHECKING

from datalint.core import vocabulary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FEWEST = 5
"""Pictures that each class must have; fewer share a word by chance."""

_NUMBERED = re.compile(r"(n\d{8}|[^\W\d_](?:[^\W\d]|[ '.-])*?)[\s._-]*\(?\d+\)?(?:[\s._-]+\d+)*")
_NO_CLASS = vocabulary.word_set(
    # What cameras, phones and programs call all their pictures,
    "img image images imag pic picture photo dsc dscn dscf pxl cimg sam sdc gopr dji mvimg vid pano burst scan screenshot screen "
    "whatsapp signal received snapchat fb unnamed untitled file frame frames page slide sample item data new copy "
    # views, versions and places of one scene,
    "left right front back rear side top bottom up down upper lower center centre inside outside before after original "
    "edited input output source target real fake generated rendered crop cropped tile patch resized small large thumb "
    # parts of a sequence, and what belongs to a picture.
    "video clip seq sequence shot scene view cam camera chapter part fold speaker subject patient person id case series "
    "mask label seg annotation gt depth rgb flow"
)


def classes_in_names(splits: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The class of each picture by the word before its number, where such words recur.

    Args:
        splits: the names of the files of each split. All of a split must be named so, or all be numbers alone: such a split
            has no labels.

    Returns:
        The classes of each split that has labels, in the order of its files; none where the words may say anything else, such
        as what a camera calls its pictures.
    """
    found: dict[str, list[str]] = {}
    for split, names in splits.items():
        stems = [PurePath(name).stem for name in names]
        if all(name.isdigit() for name in stems):
            continue
        matches = [_NUMBERED.fullmatch(name) for name in stems]
        found[split] = [match[1] for match in matches if match]
        if len(found[split]) < len(names):
            return {}
    counts = Counter(word for words in found.values() for word in words)
    if len(counts) < 2 or min(counts.values()) < FEWEST:
        return {}
    if any(not _NO_CLASS.isdisjoint(re.split(r"[\W_]+", word.lower())) or vocabulary.split_of(word) for word in counts):
        return {}
    return found
