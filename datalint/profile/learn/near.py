"""Near-identical samples among the sampled rows of all splits, found once and shared."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from datalint.core.codes import codes_of
from datalint.core.dialogues import asked, spoken
from datalint.measures.places import Places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from datalint.core.dataset import Dataset
    from datalint.core.dialogues import Conversation
    from datalint.profile.learn.near_rows import RowPairs
    from datalint.profile.splits import SplitProfile


@dataclass(frozen=True)
class Near:
    """Pairs of near-identical samples; no copies, which have equal inputs."""

    splits: tuple[str, ...]
    split: NDArray[np.int64]
    """[rows] index into ``splits`` of each pooled row."""
    places: Places
    """Of the pooled rows."""
    inputs: NDArray[np.uint64]
    first: NDArray[np.int64]
    """[pairs] pooled row of one sample, the earlier one."""
    second: NDArray[np.int64]
    kind: Literal["pictures", "rows", "texts"]
    details: tuple[str, ...]
    """Per pair what is the same or differs, in words."""
    reason: str | None = None
    """Why nothing could be compared."""

    @cached_property
    def pair_splits(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The splits of both samples of each pair."""
        return self.split[self.first], self.split[self.second]

    def within(self, split: str) -> NDArray[np.int64]:
        """Pairs of which both samples lie in a split."""
        k = self.splits.index(split)
        a, b = self.pair_splits
        return np.flatnonzero((a == k) & (b == k))

    def groups(self, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which group each pooled row belongs to once these pairs are joined."""
        first, second = self.first[pairs], self.second[pairs]
        group = np.arange(len(self.split))
        # Loading scipy takes longer than all else that is done with some thousand pairs. Every round joins each group
        # to the least it touches and halves the way to it, so the rounds grow with the logarithm of the longest chain.
        while True:
            least = np.minimum(group[first], group[second])
            joined = group.copy()
            np.minimum.at(joined, group[first], least)
            np.minimum.at(joined, group[second], least)
            joined = joined[joined]
            if (joined == group).all():
                return np.unique(group, return_inverse=True)[1]
            group = joined

    def name(self, dataset: Dataset, row: int) -> str:
        """What a person can open to see a pooled row."""
        return dataset.partitions[int(self.places.part[row])].sample_id(int(self.places.line[row]))

    def listed(self, dataset: Dataset, pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[str], list[str]]:
        """The samples of these pairs, nearest first: pooled row, its near copy's name, and how they compare."""
        both = np.stack([self.first[pairs], self.second[pairs]], axis=1).ravel()
        rows, at = np.unique(both, return_index=True)
        order = np.argsort(at, kind="stable")
        other = np.stack([self.second[pairs], self.first[pairs]], axis=1).ravel()
        picked = at[order]
        names = [self.name(dataset, int(other[k])) for k in picked]
        return rows[order], names, [self.details[int(pairs[k // 2])] for k in picked]


def find_near(
    dataset: Dataset,
    splits: Sequence[SplitProfile],
    feature_names: Sequence[str],
    thorough: bool = True,
    threads: int = 1,
) -> Near:
    """Compare the sampled rows of all splits with each other; large crops of pictures are ``thorough``."""
    used = [split for split in splits if len(split.rows)]
    places = Places.none()
    for split in used:
        places = places.then(split.rows.places)
    which = np.concatenate([np.full(len(s.rows), k, np.int64) for k, s in enumerate(used)] or [np.zeros(0, np.int64)])
    inputs = np.concatenate([s.rows.inputs for s in used] or [np.zeros(0, np.uint64)])
    names = tuple(s.name for s in used)
    # Copies of one content within a split are one sample here.
    key = np.stack([which.astype(np.uint64), inputs], axis=1)
    _, once = np.unique(key, axis=0, return_index=True) if len(key) else (None, np.zeros(0, np.int64))
    once = np.sort(once)
    unseen = next((field.name for field in dataset.fields if field.kind == "other"), None)
    none = np.zeros(0, np.int64)
    pairs: _Pairs
    if dataset.modality == "images":
        pairs = _pictures(used, once, inputs, thorough, threads)
    elif dataset.modality == "audio":  # as spectrograms, of which no part is a recording of its own
        pairs = _pictures(used, once, inputs, False, threads)
    elif dataset.conversation is not None:
        pairs = _conversations(dataset.conversation, used, once, inputs)
    elif unseen is not None:
        pairs = f"rows may differ in {unseen!r}, which is not looked into", "rows", none, none, []
    else:
        pairs = _rows(dataset, used, feature_names, once, inputs)
    reason, kind, first, second, details = pairs
    return Near(names, which, places, inputs, once[first], once[second], kind, tuple(details), reason)


_Pairs = tuple[str | None, Literal["pictures", "rows", "texts"], "NDArray[np.int64]", "NDArray[np.int64]", list[str]]


def _pictures(
    splits: Sequence[SplitProfile], once: NDArray[np.int64], inputs: NDArray[np.uint64], thorough: bool, threads: int
) -> _Pairs:
    from datalint.profile.learn.near_crops import near_crops
    from datalint.profile.learn.near_pictures import near_pictures

    none = np.zeros(0, np.int64)
    parts = [split.rows.pictures for split in splits]
    if not parts or any(part is None for part in parts):
        return "there are no thumbnails to compare", "pictures", none, none, []
    pictures = [part for part in parts if part is not None]
    if len({part.ndim for part in pictures}) > 1:
        pictures = [np.repeat(p[..., None], 3, axis=3) if p.ndim == 3 else p for p in pictures]
    readable = np.concatenate([split.rows.readable for split in splits])
    kept = np.flatnonzero(readable[once])
    if len(kept) < 20:
        return "fewer than 20 readable images", "pictures", none, none, []
    stacked = pictures[0] if len(pictures) == 1 else np.concatenate(pictures)
    rows = once[kept]
    first, second, likeness, flipped = near_pictures(stacked, inputs[rows], rows, threads)
    words = [
        f"correlation {value:.3f}" + (", mirrored" if flip else "")
        for value, flip in zip(likeness.tolist(), flipped.tolist(), strict=True)
    ]
    if thorough:
        crops = near_crops(stacked, inputs[rows], rows)
        known = set(zip(first.tolist(), second.tolist(), strict=True))
        low, high = np.minimum(crops.whole, crops.part), np.maximum(crops.whole, crops.part)
        new = [k for k, pair in enumerate(zip(low.tolist(), high.tolist(), strict=True)) if pair not in known]
        words += [f"correlation {crops.likeness[k]:.3f}, cropped by {crops.removed[k]:.0%}" for k in new]
        first, second = np.concatenate([first, low[new]]), np.concatenate([second, high[new]])
    return None, "pictures", kept[first], kept[second], words


def _conversations(
    conversation: Conversation, splits: Sequence[SplitProfile], once: NDArray[np.int64], inputs: NDArray[np.uint64]
) -> _Pairs:
    from datalint.profile.learn.near_rows import near_texts

    none = np.zeros(0, np.int64)
    if len(once) < 20:
        return "fewer than 20 different conversations", "texts", none, none, []
    held = [one for split in splits for one in conversation.dialogues(split.rows.texts, len(split.rows))]
    held = [held[row] for row in once.tolist()]
    pairs, share = near_texts([spoken(one) for one in held], inputs[once])
    kept = _asking_the_same([asked(one) for one in held], pairs)
    return (
        None,
        "texts",
        pairs.first[kept],
        pairs.second[kept],
        [f"{s:.0%} of the wording" for s in share[kept].tolist()],
    )


def _asking_the_same(texts: Sequence[str], pairs: RowPairs) -> NDArray[np.int64]:
    from datalint.profile.learn.near_rows import told_apart

    both = zip(pairs.first.tolist(), pairs.second.tolist(), strict=True)
    return np.array([k for k, (a, b) in enumerate(both) if not told_apart(texts[a], texts[b])], np.int64)


def _rows(
    dataset: Dataset,
    splits: Sequence[SplitProfile],
    feature_names: Sequence[str],
    once: NDArray[np.int64],
    inputs: NDArray[np.uint64],
) -> _Pairs:
    from datalint.profile.learn import near_rows

    none = np.zeros(0, np.int64)
    if len(once) < 20:
        return "fewer than 20 different rows", "rows", none, none, []
    numbers = np.empty((sum(len(split.rows) for split in splits), len(feature_names)), order="F")
    for j, name in enumerate(feature_names):
        numbers[:, j] = np.concatenate([split.rows.column(name) for split in splits])
    codes, texts = [], []
    for field in dataset.fields:
        if field.kind != "text" or field.role not in {"feature", "text"}:
            continue
        columns = [split.rows.texts.get(field.name, np.full(len(split.rows), None, object)) for split in splits]
        column = np.concatenate(columns)[once]
        if field.role == "text":
            texts.append(column)
        else:
            codes.append(codes_of(column)[0])
    own = inputs[once]
    if (found := _with_texts(texts, numbers[once], codes, own)) is not None:
        return found
    pairs = near_rows.near_rows(numbers[once], codes, own)
    if pairs.columns < near_rows.LEAST_COLUMNS and not texts:
        reason = f"{pairs.columns} feature columns that vary are too few to distinguish similar from equal"
        return reason, "rows", none, none, []
    words = [
        f"{count} of {pairs.columns} columns differ" if count else "equal but for rounding"
        for count in pairs.changed.tolist()
    ]
    return None, "rows", pairs.first, pairs.second, words


def _with_texts(
    texts: Sequence[NDArray[np.object_]],
    numbers: NDArray[np.float64],
    codes: Sequence[NDArray[np.int64]],
    inputs: NDArray[np.uint64],
) -> _Pairs | None:
    """Rows that are similar in one of their texts, and in all else; None if there are none."""
    from datalint.profile.learn import near_rows

    together = ["\n".join(str(cell or "") for cell in cells) for cells in zip(*texts, strict=True)]
    for column in texts:
        pairs, share = near_rows.near_texts(column.tolist(), inputs)
        whole = near_rows.agreeing(numbers, codes, pairs.first, pairs.second)
        kept = np.flatnonzero(whole)
        if len(texts) > 1:
            kept = np.intersect1d(kept, _asking_the_same(together, pairs))
        if len(kept):
            return (
                None,
                "texts",
                pairs.first[kept],
                pairs.second[kept],
                [f"{s:.0%} of the wording" for s in share[kept]],
            )
    return None
