"""Pictures that are masks of other pictures: segmentation, whose folders are no classes."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from datalint.core.dataset import Problem
from datalint.sources.images.decode import FORMATS, MAX_SIDE, content, strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datalint.sources.files import Entry

FOLDER = re.compile(
    r"(.*[-_ ]|train|val|test)?(masks?|segmentations?|segs?|segmaps?|labels?|annotations?|annots?|anns?|instances?"
    r"|gt|ground[-_ ]?truths?)([-_ ](dir|png))?|segmentation(class|object)|gt(fine|coarse)",
    re.IGNORECASE,
)
"""Names of folders that may hold masks."""

STEM = re.compile(
    r"(?<=.)[-_ ](mask|seg|segmentation|gt|label|labels|groundtruth|gt(fine|coarse)_(color|(label|instance)(train)?ids))$",
    re.IGNORECASE,
)
"""How the name of a mask may end beside that of its picture."""

PICTURE = re.compile(r"(?<=.)[-_ ](image|img|rgb|sat|photo|leftimg8bit)$", re.IGNORECASE)
"""How that of the picture may end."""

COLOURS = 64
"""A mask has few colours, one for each kind of thing; photos have thousands."""

LOOKED_AT = 5
PIXELS = 50_000_000


def without_masks(images: Sequence[Entry]) -> tuple[list[Entry], list[Problem]]:
    """The images that are no masks, and what to tell of those that are.

    Masks have the names of their pictures, lie in a folder of their own (or end in ``_mask``), and have few colours.
    """
    suspects: defaultdict[tuple[str, ...], list[tuple[Entry, tuple[str, ...]]]] = defaultdict(list)
    pictures: set[tuple[str, ...]] = set()
    named: dict[tuple[str, ...], int | None] = {}
    """By folder, the level at which its name is one of masks."""
    for entry in images:
        folder = entry.folder
        if folder not in named:
            named[folder] = next((k for k, part in enumerate(folder) if FOLDER.fullmatch(part)), None)
        level = named[folder]
        own = _stem(entry.name)
        if level is not None:
            key = (*folder[:level], *folder[level + 1 :], STEM.sub("", own))
            suspects[folder[: level + 1]].append((entry, key))
        elif STEM.search(own):
            suspects[(*folder, "*")].append((entry, (*folder, STEM.sub("", own))))
        else:
            # A picture may lie beside its mask or in any folder that stands where that of the mask does.
            for k in range(len(folder) + 1):
                for stem in {own, PICTURE.sub("", own)}:
                    pictures.add((*folder[:k], *folder[k + 1 :], stem))
    masks: set[tuple[str, ...]] = set()
    problems = []
    for place, items in suspects.items():
        known = [entry for entry, key in items if key in pictures]
        if 10 * len(known) >= 9 * len(items) and all(map(_few_colours, _some(known))):
            masks |= {entry.parts for entry, _ in items}
            shown = items[0][0].shown.rsplit("/", max(1, len(items[0][0].parts) - len(place)))[0]
            text = f"{len(items):,} masks of pictures: segmentation is not judged, so they are left out"
            problems.append(Problem("not-scanned", shown, text))
    return [entry for entry in images if entry.parts not in masks], problems


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _some(entries: Sequence[Entry]) -> Iterable[Entry]:
    return entries[:: max(1, len(entries) // LOOKED_AT)][:LOOKED_AT]


def _few_colours(entry: Entry) -> bool:
    from PIL import Image

    try:
        with strict(), Image.open(io.BytesIO(content(str(entry.path))), formats=FORMATS) as image:
            if image.width * image.height > PIXELS or max(image.size) > MAX_SIDE:
                return False
            return image.getcolors(COLOURS) is not None
    except Exception:  # as damaged files raise, which reading them will tell
        return False
