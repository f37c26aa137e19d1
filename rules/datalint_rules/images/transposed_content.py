"""IMG102 transposed-content."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import LEAST_ORIENTED as LEAST
from datalint.author import ORIENTATIONS as VERSIONS
from datalint.author import (
    AllWell,
    Cases,
    Clean,
    Field,
    Found,
    Orientation,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    as_pictures,
    codes_of,
    digits,
    orient,
    pixel_columns,
    rows_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_BEYOND_DOUBT = 0.7
"""Gain of pictures that come twice as near to their peers when turned; no upright digit of 10,000 does."""


class TransposedContent(Rule):
    """Pictures whose content is transposed or rotated relative to its peers, or a whole split relative to the training split.

    Tables whose columns are the pixels of square pictures (``pixel0``, ``pixel1``, ...) are judged as pictures too.

    Each picture is compared with its neighbours in the training split (those of its class where it has one) as it is
    stored, and once more with a transposition or a rotation undone. A picture that comes much nearer to its peers when
    turned is reported. Where the pictures have no upright, such as textures, maps and random crops, most look as good
    turned; the rule notices that and stays silent.

    ## Why it hurts

    The model must learn such objects a second time from few examples, or, where a whole split is turned, is tested on
    pictures unlike those it was trained on: accuracy falls to near chance without any error.

    ## How to fix it

    Turn the listed pictures back. Where a whole split is turned, compare how the splits are read: column-major files
    (MATLAB, EMNIST) read as row-major are transposed.

    ## When it is wrong

    Where orientation is free, such as microscopy or aerial views of objects with a usual heading, or a 6 that may be
    a 9.

    ## Reference

    37 reasons, item 1. Cohen et al., "EMNIST", 2017 (its images are stored transposed). No peer looks for it.
    """

    code = "IMG102"
    name = "transposed-content"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    trains = True
    modalities = frozenset({"images", "table"})
    follows = ("IMG101",)
    public = frozenset({"judged", "upright_share_of_reference", "turned", "version", "looks", "gain", "largest_gain"})
    measures = (Sample,)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        gain: float = Field(
            0.4,
            gt=0,
            description="Smallest gain: logarithm of the ratio of distances to the peers, as stored and turned.",
        )
        share: float = Field(
            0.002, ge=0, le=1, description="Share of turned pictures from which it is a warning; strange ones occur."
        )
        least: int = Field(4, ge=1, description="Turned pictures from which it is a warning.")
        split: float = Field(
            0.6, gt=0.5, le=1, description="Share of a split turned one way, from which it is an error."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split against the first, which is the training split."""
        shown = _pictures(profile)
        splits, pictures = [split for split, _ in shown], [part for _, part in shown]
        if not splits or int(splits[0].rows.readable.sum()) < LEAST:
            raise Skip(f"fewer than {LEAST} readable images to compare with")
        if len({part.ndim for part in pictures}) > 1:
            pictures = [np.repeat(p[..., None], 3, axis=3) if p.ndim == 3 else p for p in pictures]
        stacked = np.concatenate(pictures)
        labels = np.concatenate([split.rows.label for split in splits])
        classes, _ = codes_of(labels)
        which = np.repeat(np.arange(len(splits)), [len(split.rows) for split in splits])
        readable = np.concatenate([split.rows.readable for split in splits])
        detailed = readable & (stacked.reshape(len(stacked), -1).std(axis=1) >= 4)
        inputs = np.concatenate([split.rows.inputs for split in splits])
        seen = orient(stacked, inputs, classes, detailed & (which == 0))
        if seen is None:
            raise AllWell("the pictures have no upright: most look as much like their peers when turned")
        for k, split in enumerate(splits):
            found = self._judge(split, k, seen, which, detailed)
            if found is not None:
                yield found

    def _judge(
        self, split: SplitProfile, k: int, seen: Orientation, which: NDArray[np.int64], detailed: NDArray[np.bool_]
    ) -> Found | None:
        offset = int(np.flatnonzero(which == k)[0])
        mine = np.flatnonzero((which == k) & detailed)
        if len(mine) == 0:
            return None
        evidence = {"judged": len(mine), "upright_share_of_reference": digits(seen.upright, 3)}
        turned = (seen.gain[mine] > 0) & (seen.doubt[mine] > 0)
        ways = np.bincount(seen.version[mine][turned], minlength=len(VERSIONS))
        way = int(ways.argmax())
        if k > 0 and len(mine) >= 20 and ways[way] >= self.params.split * len(mine):
            return Found(
                message=(
                    f"the pictures of {split.name} look {VERSIONS[way]} relative to the first split: {ways[way]:,} of "
                    f"{len(mine):,} come nearer to their peers there when that is undone, "
                    f"{1 - seen.upright:.0%} of the first split's own do when turned"
                ),
                consequence="A model trained on one split meets turned pictures in the other and is wrong on most of them.",
                remedy=f"Undo it in {split.name} (or in the first split), and read both splits in the same way.",
                severity="error",
                confidence=0.97,
                split=split.name,
                subject="split",
                evidence={**evidence, "turned": int(ways[way]), "version": VERSIONS[way]},
                count=split.samples,
                exact=split.rows.complete,
            )
        strong = mine[(seen.gain[mine] >= self.params.gain) & (seen.doubt[mine] >= self.params.gain / 3)]
        # Of the pictures that the others are compared with, few can be turned.
        if len(strong) == 0 or (k == 0 and len(strong) > 0.25 * len(mine)):
            return None
        serious = len(strong) >= max(self.params.least, self.params.share * len(mine))
        if not serious:
            # Strange pictures occur in any set; few are worth a word only where there is no doubt.
            strong = strong[seen.gain[strong] >= _BEYOND_DOUBT]
            if len(strong) == 0:
                return None
        strong = strong[np.argsort(-seen.gain[strong], kind="stable")]
        kinds = np.bincount(seen.version[strong], minlength=len(VERSIONS))
        words = " and ".join(f"{kinds[v]:,} {VERSIONS[v]}" for v in np.argsort(-kinds, kind="stable") if kinds[v])
        return Found(
            message=f"{len(strong):,} of {len(mine):,} images look turned relative to their peers: {words}",
            consequence="The model sees these objects lying or mirrored, and learns them badly or wrongly.",
            remedy="Look at the listed pictures and turn them back.",
            severity=None if serious else "info",
            confidence=0.9 if serious else 0.6,
            split=split.name,
            evidence={**evidence, "turned": len(strong), "largest_gain": digits(float(seen.gain[strong[0]]), 3)},
            cases=Cases(
                split.name,
                split.rows.places.take(strong - offset),
                {
                    "looks": [VERSIONS[v] for v in seen.version[strong]],
                    "gain": [digits(float(g), 3) for g in seen.gain[strong]],
                },
            ),
            exact=split.rows.complete,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Transpose the content of square pictures that have an upright: 3 % of them, 8 % at full strength."""
        from PIL import Image

        if clean.modality != "images":
            return None
        paths = [path for path in sorted(clean.files) if path.startswith("train/")] or sorted(clean.files)
        count = max(8, round((0.03 + 0.05 * strength) * len(paths)))
        if len(paths) < 10 * count:
            return None
        chosen = {paths[k] for k in rng.choice(len(paths), count, replace=False)}
        files = dict(clean.files)
        for path in chosen:
            with Image.open(io.BytesIO(files[path])) as image:
                if image.width != image.height:
                    return None
                out = io.BytesIO()
                image.transpose(Image.Transpose.TRANSPOSE).save(out, image.format or "PNG")
            files[path] = out.getvalue()
        return Planted(Clean(clean.name, files=files), rows=rows_of(clean, chosen))


def _pictures(profile: Profile) -> list[tuple[SplitProfile, NDArray[np.uint8]]]:
    """The splits with their pictures: small ones of image files and arrays, or those that the columns of a table make up.

    Raises:
        Skip: the table has no columns of pixels.
    """
    splits = [split for split in profile.splits if len(split.rows) and split.rows.readable.any()]
    if profile.dataset.modality == "images":
        return [(split, split.rows.pictures) for split in splits if split.rows.pictures is not None]
    names = pixel_columns([field.name for field in profile.dataset.fields if field.kind == "number"])
    if not names:
        raise Skip("the table has no columns of pixels", applies=False)
    ends = [np.nanquantile(np.stack([split.rows.column(name) for name in names]), [0, 1]) for split in splits[:1]]
    return [
        (split, as_pictures(split.rows, names, (float(low), float(high)))) for low, high in ends for split in splits
    ]
