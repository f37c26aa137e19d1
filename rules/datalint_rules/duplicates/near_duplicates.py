"""DUP102 near-duplicates."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Found,
    Planted,
    Profile,
    Severity,
    Skip,
    SplitProfile,
    counted,
    digits,
    training,
)
from datalint_rules._shared.near_copies import copies_in_table, detailed, replace_files
from datalint_rules._shared.near_rule import NearParams, NearRule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray


MADE = re.compile(
    r"(?<=.)[-_. ](rf\.[0-9a-zA-Z]{8,}$|(aug(mented|mentation)?|[hv]?flip(ped)?|rot(ated?)?|mirror(ed)?)(?![a-z]))",
    re.IGNORECASE,
)
"""Where the name of the source ends in those that augmentation gives to files."""

AUGMENTED = 0.9
"""Share of the groups from which near-duplicates are meant."""


class NearDuplicates(NearRule):
    """Samples of one split that are nearly the same.

    Pictures saved, brightened, mirrored or cropped again; rows that are equal after rounding or in all but a few columns;
    texts that share most of their wording.

    How near is near is measured on the set itself: unrelated pictures of digits are more similar than unrelated photos,
    and rows of a few categories coincide all the time. A pair is reported only if chance would hardly give one such pair
    in the whole set. Exact copies are the business of exact-duplicates.

    ## Why it hurts

    Copies weigh more than other samples without telling the model anything new, and once such a set is split at random
    they end up on both sides: the test score then measures memory.

    ## How to fix it

    Keep one sample of each group, or give the group to the splitter (``GroupShuffleSplit``, ``GroupKFold``).

    ## When it is wrong

    Augmented copies made on purpose, and consecutive frames of a video, are near-identical by design. They still must
    not be split apart. Where the names of the files say so (``cat_aug_2.jpg``, ``.rf.`` of Roboflow) it is info. Pictures cropped by up to a quarter of one side, or a fifth of two, are found where the set has
    eleven of them: fewer cannot be distinguished from overlapping crops of one scene, and of such cut-outs, digits, faces and
    textures none is reported. Texts count only where the other columns agree as well, if there are three or more. Not
    found are larger crops, crops that are mirrored as well, rows rounded so coarsely that many columns move by more than
    half a hundredth of their spread, and copies of rows that have many others nearly as near, such as curves of one form
    in all sizes.

    ## Reference

    37 reasons, item 13. Barz and Denzler, "Do we train on test data?", 2020. Peers use one fixed distance between
    perceptual hashes for all sets and so call digits duplicates of each other; here the bound follows from how similar
    unrelated samples of the set are.
    """

    code = "DUP102"
    name = "near-duplicates"
    severity: ClassVar[Severity] = "warning"
    item = "13"
    public = frozenset(
        {"unlike_groups", "near_identical", "groups", "superfluous", "superfluous_share", "pairs", "compared"}
    )

    class Params(NearParams):
        """Cuts."""

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge every split."""
        if profile.dataset.redrawn:
            raise Skip("the sampler draws with replacement, so duplicates are meant", applies=False)
        if profile.near.reason is not None:
            raise Skip(profile.near.reason)
        for split in profile.splits:
            if split.name in profile.near.splits:
                pairs = profile.near.within(split.name)
                if len(pairs):
                    yield self._found(profile, split, pairs)

    def _found(self, profile: Profile, split: SplitProfile, pairs: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Found:
        near = profile.near
        rows, names, words = near.listed(profile.dataset, pairs)
        groups = len(np.unique(near.groups(pairs)[rows]))
        superfluous = len(rows) - groups
        sampled = len(split.rows)
        whole = split.rows.complete
        share = superfluous / sampled
        serious = superfluous >= self.params.least and share >= self.params.share
        what = {"pictures": "images", "rows": "rows", "texts": "texts"}[near.kind]
        what = "recordings" if profile.dataset.modality == "audio" else what
        group_of = near.groups(pairs)[rows]
        meant = near.kind == "pictures" and _augmented([near.name(profile.dataset, int(k)) for k in rows], group_of)
        unlike = _unlike(profile, split, rows, group_of)
        words_on = (
            "; by the names of their files they are augmented versions of one picture each" if meant else ""
        ) + (f"; in {counted(unlike, 'group')} the labels differ" if unlike else "")
        place = f"{split.samples:,} {what}" if whole else f"{sampled:,} sampled {what}"
        return Found(
            message=(
                f"{len(rows):,} of {place} are near-identical to another one, in {groups:,} "
                f"group{'s' if groups > 1 else ''}; {superfluous:,} ({share:.1%}) are superfluous{words_on}"
            ),
            consequence=(
                "They weigh more than others without adding anything, and leak into the test set of a random split"
                + (", and the model is given two answers to one question." if unlike else ".")
            ),
            remedy=(
                "Look at the groups with two labels and correct the wrong one; keep one of each group, or split by group."
                if unlike
                else "Keep one of each group, or split by group."
            ),
            severity=None if serious and (unlike or not meant) else "info",
            confidence=0.95,
            split=split.name,
            evidence={
                "near_identical": len(rows),
                "groups": groups,
                "superfluous": superfluous,
                "superfluous_share": digits(share, 3),
                "pairs": len(pairs),
                "compared": sampled,
                "unlike_groups": unlike,
            },
            cases=Cases(split.name, near.places.take(rows), {"near": names, "comparison": words}),
            exact=whole,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put near copies of samples in the place of others: 5 % of them, a quarter at full strength."""
        share = 0.05 + 0.2 * strength
        if clean.files:
            if clean.modality != "images":
                return None
            paths = sorted(clean.files)
            trains = [path for path in paths if path.startswith("train/")] or paths
            count = max(6, round(share / 2 * len(trains)))
            originals = detailed(clean, trains)
            if len(originals) < 2 * count:
                return None
            chosen = [originals[k] for k in rng.choice(len(originals), 2 * count, replace=False)]
            return replace_files(clean, list(zip(chosen[:count], chosen[count:], strict=True)), strength)
        split = training(clean)
        table = clean.tables[split]
        count = max(6, round(share / 2 * len(table)))
        if len(table) < 4 * count:
            return None
        rows = [int(r) for r in rng.choice(len(table), 2 * count, replace=False)]
        faulty = copies_in_table(table, clean.label, table, rows[:count], rows[count:], int(rng.integers(2**31)))
        if faulty is None:
            return None
        data = Clean(clean.name, {**clean.tables, split: faulty}, clean.label)
        return Planted(data, split=split, rows={split: frozenset(rows)})


def _augmented(names: Sequence[str], groups: NDArray[np.int64]) -> bool:
    """Whether nearly all groups are made of one picture each, as the names of the files say."""
    sources: defaultdict[int, set[str]] = defaultdict(set)
    marked: set[int] = set()
    for name, group in zip(names, groups.tolist(), strict=True):
        stem = name.rpartition("/")[2].rpartition(".")[0]
        source, made = _parted(stem)
        sources[group].add(source)
        marked |= {group} if made else set()
    meant = sum(len(some) == 1 and group in marked for group, some in sources.items())
    return meant >= AUGMENTED * len(sources)


def _parted(stem: str) -> tuple[str, bool]:
    """The name of the picture that a file was made of, and whether it was made of another."""
    match = MADE.search(stem)
    return (stem[: match.start()], True) if match else (stem, False)


def _unlike(profile: Profile, split: SplitProfile, rows: NDArray[np.int64], groups: NDArray[np.int64]) -> int:
    """How many groups hold samples of two classes."""
    near = profile.near
    if profile.task != "classification" or near.kind != "pictures":
        return 0
    own = np.flatnonzero(near.split == near.splits.index(split.name))
    labels = split.rows.label[rows - own[0]]
    classes: defaultdict[int, set[object]] = defaultdict(set)
    for group, label in zip(groups.tolist(), labels.tolist(), strict=True):
        if label is not None:
            classes[group].add(label)
    return sum(len(some) > 1 for some in classes.values())
