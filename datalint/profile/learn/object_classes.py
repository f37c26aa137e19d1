"""The classes of objects against what is in their boxes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from datalint.measures.images import ImageHeaders
from datalint.measures.objects import Objects
from datalint.profile.learn.outoffold import OutOfFold, Refusal, out_of_fold

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from datalint.profile.learn.object_views import ObjectViews
    from datalint.profile.splits import SplitProfile

MOST = 4_000
"""Objects that models see, about."""


@dataclass(frozen=True)
class LearnedObjects:
    """What models say of the classes of some objects that never saw the pictures these are in."""

    classes: tuple[str, ...]
    labels: NDArray[np.intp]
    """[objects] Given class of each."""
    split: NDArray[np.int64]
    """[objects] Number of its split."""
    at: NDArray[np.int64]
    """[objects] Position among all objects of its split."""
    result: OutOfFold | Refusal


def learn_objects(splits: tuple[SplitProfile, ...], views: Mapping[str, ObjectViews]) -> LearnedObjects:
    """Train models on what is in the boxes, on their sizes, shapes and places."""
    names = sorted({name for split in splits for name in split[Objects].classes})
    code_of = {name: k for k, name in enumerate(names)}
    parts, labels, owners, places, pictures = [], [], [], [], []
    each = max(1, MOST // max(1, sum(len(views[split.name]) for split in splits)))
    for number, split in enumerate(splits):
        seen, objects = views[split.name], split[Objects]
        codes = np.array([code_of[name] for name in objects.classes], np.intp)
        # Every object of pictures with few, and of the others as many as there is room for, spread over them.
        chosen = [np.unique(np.linspace(0, len(own) - 1, min(len(own), 2 * each)).astype(int)) for own in seen.objects]
        found, owner, which = seen.crops([own[some] for own, some in zip(seen.boxes, chosen, strict=True)])
        if not len(found):
            continue
        at = np.concatenate([own[some] for own, some in zip(seen.objects, chosen, strict=True)])[which]
        boxes = np.concatenate([own[some] for own, some in zip(seen.boxes, chosen, strict=True)])[which]
        sides = np.log(np.maximum(boxes[:, 2:] - boxes[:, :2], 1e-4))
        middles = (boxes[:, :2] + boxes[:, 2:]) * 2
        parts.append(np.concatenate([found, sides, sides[:, :1] - sides[:, 1:], middles], axis=1).astype(np.float32))
        labels.append(codes[objects.codes[at]])
        owners.append(np.full(len(at), number, np.int64))
        places.append(at)
        pictures.append(split[ImageHeaders].places.content[seen.rows[owner]])
    if not parts:
        none = np.zeros(0, np.int64)
        return LearnedObjects(
            tuple(names), none.astype(np.intp), none, none, Refusal("no object is large enough to be seen")
        )
    values = np.concatenate(parts)
    values = (values - values.mean(axis=0)) / (values.std(axis=0) + 1e-3)
    given = np.concatenate(labels)
    # Objects of one picture share a fold: the light and the camera would give them away.
    result = out_of_fold(values, given, np.concatenate(pictures))
    return LearnedObjects(tuple(names), given, np.concatenate(owners), np.concatenate(places), result)
