"""What the rules about objects share: sizes of pictures, shares, the pictures to show, and annotations to spoil."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    ImageHeaders,
    Measurement,
    Objects,
    Planted,
    Profile,
    Rule,
    Severity,
    SplitProfile,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

HALF = 0.5
"""Share from which a split is of no use."""


class AnnotationRule(Rule):
    """A rule about what annotations say of pictures."""

    modalities = frozenset({"images"})

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement], ...]:
        """The objects, and the headers of the pictures for their sizes."""
        return () if dataset.annotations is None else (ImageHeaders, Objects)


class ObjectRule(AnnotationRule):
    """A rule about the objects in pictures."""

    wants = "objects"


def severity_of(hit: int, total: int) -> Severity:
    """An error from half of the split on."""
    return "error" if hit >= HALF * total else "warning"


def image_sizes(split: SplitProfile) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[pictures, 2] width and height as stored, or as declared where unreadable, and after the turn of the EXIF tag."""
    headers, objects = split[ImageHeaders], split[Objects]
    read = np.column_stack([headers.width, headers.height])
    stored: NDArray[np.float64] = np.where(read > 0, read, objects.sizes).astype(np.float64)
    turned: NDArray[np.float64] = np.where((headers.orientation >= 5)[:, None], stored[:, ::-1], stored)
    return stored, turned


def cases_of(
    split: SplitProfile, hit: NDArray[np.int64], worst: NDArray[np.floating[Any]], said: Sequence[str]
) -> Cases:
    """The pictures of some objects, the worst first; ``worst`` and ``said`` have one entry for each of ``hit``."""
    order = np.argsort(-worst, kind="stable")
    pictures = split[Objects].picture[hit]
    _, first, counts = np.unique(pictures[order], return_index=True, return_counts=True)
    turn = np.argsort(first)
    leads = order[first[turn]]
    places = split[ImageHeaders].places.take(pictures[leads])
    return Cases(split.name, places, {"object": [said[k] for k in leads], "objects": counts[turn].tolist()})


def named(profile: Profile, split: SplitProfile, at: np.intp) -> str:
    """What people can look an object up by: its id, or file and line."""
    objects = split[Objects]
    ref, name = int(objects.refs[at]), objects.classes[objects.codes[at]]
    if ref < 0:
        return f"{name!r}"
    file = profile.described_in(split[ImageHeaders].places, int(objects.picture[at]))
    return f"{file}:{ref} ({name!r})" if file else f"{ref} ({name!r})"


# --- planting -------------------------------------------------------------------------------------------------------


def spoil(
    clean: Clean,
    strength: float,
    rng: np.random.Generator,
    most: float,
    change: Callable[[dict[str, Any], dict[str, Any]], bool],
) -> Planted | None:
    """Change some objects of COCO annotations: one, up to ``most`` of all at full strength.

    Args:
        clean: with annotations in ``annotations/<split>.json``.
        strength: of the fault.
        rng: source of randomness.
        most: share of the objects.
        change: changes an object, given its picture; False where the fault cannot exist in it.
    """
    documents = documents_of(clean)
    found = [(split, item) for split, document in documents.items() for item in document["annotations"]]
    if not found:
        return None
    wanted = max(1, round(most * strength * len(found)))
    rows: dict[str, set[int]] = {}
    for k in rng.permutation(len(found)):
        split, item = found[k]
        images = documents[split]["images"]
        at = next(row for row, image in enumerate(images) if image["id"] == item["image_id"])
        if change(item, images[at]):
            rows.setdefault(split, set()).add(at)
            wanted -= 1
        if not wanted:
            break
    return planted(clean, documents, rows) if rows else None


def documents_of(clean: Clean) -> dict[str, Any]:
    """The annotations by split."""
    return {
        path.split("/")[-1].removesuffix(".json"): json.loads(data)
        for path, data in clean.annotations.items()
        if path.endswith(".json")
    }


def planted(
    clean: Clean, documents: dict[str, Any], rows: dict[str, Iterable[int]] | dict[str, set[int]], **place: Any
) -> Planted:
    """The pictures with other annotations."""
    written = {f"annotations/{split}.json": json.dumps(document).encode() for split, document in documents.items()}
    faulty = {split: frozenset(some) for split, some in rows.items()}
    return Planted(Clean(clean.name, files=clean.files, annotations=written), rows=faulty, **place)
