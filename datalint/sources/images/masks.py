"""Pictures that are masks of other pictures: segmentation, whose folders are no classes."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.sources.files import shared
from datalint.sources.images.decode import FORMATS, MAX_SIDE, content, strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from datalint.sources.files import Entry

FOLDER = re.compile(
    r"(.*[-_ ]|train|val(id(ation)?)?|test|(?-i:.*[a-z](?=[MSLAG])))?(masks?|segmentations?|segs?|segmaps?|labels?|annotations?|annots?|anns?|instances?"
    r"|trimaps?|gt|ground[-_ ]?truths?)([-_ ](dir|png))?|segmentation(class|object)|gt(fine|coarse)",
    re.IGNORECASE,
)
"""Names of folders that may hold masks."""


def names_mask(name: str) -> bool:
    """Whether a column or a part of an item is called as masks are."""
    return FOLDER.fullmatch(name.removesuffix("_map")) is not None


STEM = re.compile(
    r"(?<=.)[-_ ](mask|seg|segmentation|gt|label|labels|groundtruth|gt(fine|coarse)_(color|(label|instance)(train)?ids))$",
    re.IGNORECASE,
)
"""How the name of a mask may end next to that of its picture."""

PICTURE = re.compile(r"(?<=.)[-_ ](image|img|rgb|sat|photo|leftimg8bit)$", re.IGNORECASE)
"""How that of the picture may end."""

COLOURS = 64
"""A mask has few colours, one for each kind of thing; photos have thousands."""

BLENDED = 24
"""Levels of grey that nine of ten pixels of a mask have which was scaled smoothly or stored as JPEG."""

LOOKED_AT = 5
ALIKE = 4
"""Masks for each that has many colours."""

PIXELS = 50_000_000


@dataclass(frozen=True)
class MaskFolder:
    """Pictures of one place that are masks of others."""

    place: tuple[str, ...]
    shown: str
    of: Mapping[Entry, Entry | None]
    """Each mask with its picture."""


def find_masks(images: Sequence[Entry]) -> list[MaskFolder]:
    """The images that are masks of others.

    Masks have the names of their pictures, lie in a folder of their own (or end in ``_mask``), and have few colours.
    """
    suspects: defaultdict[tuple[str, ...], list[tuple[Entry, tuple[str, ...]]]] = defaultdict(list)
    pictures: defaultdict[tuple[str, ...], list[Entry]] = defaultdict(list)
    named: dict[tuple[str, ...], int | None] = {}
    """By folder, the level at which its name is one of masks."""
    for entry in images:
        folder = entry.folder
        if folder not in named:
            named[folder] = next((k for k, part in enumerate(folder) if FOLDER.fullmatch(part)), None)
        level = named[folder]
        own = _stem(entry.name)
        if level is not None:
            # annotations/trimaps: both say what lies there.
            end = next((k for k in range(level, len(folder)) if not FOLDER.fullmatch(folder[k])), len(folder))
            key = (*folder[:level], *folder[end:], STEM.sub("", own))
            suspects[folder[:end]].append((entry, key))
        elif STEM.search(own):
            suspects[(*folder, "*")].append((entry, (*folder, STEM.sub("", own))))
        else:
            # A picture may lie next to its mask or in any folder that stands where that of the mask does.
            for key in {
                (*folder[:k], *folder[k + 1 :], stem)
                for k in range(len(folder) + 1)
                for stem in (own, PICTURE.sub("", own))
            }:
                pictures[key].append(entry)
    found = []
    for place, items in suspects.items():
        known = [entry for entry, key in items if key in pictures]
        looks = [_few_colours(entry) for entry in _some(known)] if 10 * len(known) >= 9 * len(items) else []
        # One that is damaged says nothing of the others, and one that was scaled smoothly is a fault that is judged.
        if True in looks and looks.count(True) >= ALIKE * looks.count(False):
            shown = items[0][0].shown.rsplit("/", max(1, len(items[0][0].parts) - len(place)))[0]
            of = {
                entry: max(pictures[key], key=lambda e, own=entry: shared(e.folder, own.folder))  # type: ignore[misc]
                if key in pictures
                else None
                for entry, key in items
            }
            found.append(MaskFolder(place, shown, of))
    return found


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _some(entries: Sequence[Entry]) -> Iterable[Entry]:
    return entries[:: max(1, len(entries) // LOOKED_AT)][:LOOKED_AT]


def _few_colours(entry: Entry) -> bool | None:
    """Whether a picture has no more colours than a mask; None where it cannot be read."""
    from PIL import Image

    try:
        with strict(), Image.open(io.BytesIO(content(entry.place or entry.where)), formats=FORMATS) as image:
            if image.width * image.height > PIXELS or max(image.size) > MAX_SIDE:
                return False
            if image.getcolors(COLOURS) is not None:
                return True
            # Those that were scaled smoothly or stored as JPEG have more, of which nearly all pixels have a few.
            levels = sorted(image.convert("L").histogram(), reverse=True)
            return sum(levels[:BLENDED]) >= 0.9 * sum(levels)
    except Exception:  # as damaged files raise, which reading them will tell
        return None
