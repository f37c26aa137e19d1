"""SPL112 contamination."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Dataset,
    Field,
    Found,
    Measurement,
    Passages,
    Planted,
    Profile,
    Reading,
    Rule,
    RuleParams,
    Severity,
    Skip,
    SplitProfile,
    binomial_tail,
    digits,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from pydantic import JsonValue

    from datalint.author import Elsewhere


SEARCHED = 20_000
"""Training texts that are compared with the others to see how often texts share their wording here."""


@dataclass(frozen=True)
class Texts:
    """Passages of a split, and the text that each is of."""

    owner: NDArray[np.int64]
    hashes: NDArray[np.uint64]

    def where(self, kept: NDArray[np.bool_]) -> Texts:
        """Some of the passages."""
        return Texts(self.owner[kept], self.hashes[kept])


@dataclass(frozen=True)
class Likest:
    """Texts most of whose passages lie within one other text; arrays have one entry for each of them."""

    text: NDArray[np.int64]
    source: NDArray[np.int64]
    """The other text."""
    shared: NDArray[np.int64]
    """Passages of both."""
    kept: NDArray[np.int64]
    """Passages of the text, those that many texts have left out."""


@dataclass(frozen=True)
class _Overlap:
    """The texts of one set that lie within texts of another, one of each sample."""

    found: Likest
    judged: int
    """Samples with texts that are long enough."""
    chance: float
    """Share of samples that share their wording within the training data."""
    rate: float
    """Share of the passages that were compared."""

    @property
    def shared(self) -> list[str]:
        """What each shares with its source, in words."""
        pairs = zip(self.found.shared, self.found.kept, strict=True)
        return [f"{shared:,} of {kept:,} runs of words" for shared, kept in pairs]

    def evidence(self, total: int) -> dict[str, JsonValue]:
        """The numbers that matter, of so many samples."""
        return {
            "contaminated": len(self.found.text),
            "share": digits(len(self.found.text) / total, 3),
            "judged": self.judged,
            "expected_of_training_texts": digits(self.chance * total, 3),
            "rate": digits(self.rate, 3),
        }


class Contamination(Rule):
    """Texts of an evaluation split, or of given benchmarks, whose wording lies within texts of the training split.

    Benchmarks are given with ``--against PATH``. Compared are runs of 13 words, in which case and marks do not count (50 characters in scripts without spaces), of each
    text or turn by itself. A sample counts where most runs of one of its texts are found in one text of training. Runs
    that many training texts have are boilerplate. What training texts share with each other as often is not reported.

    ## Why it hurts

    The model has read the question, and often its answer. What is measured is memory: a benchmark in the training data is
    worth nothing, and copies with a new first line are seen neither by comparing hashes nor by deleting duplicates.

    ## How to fix it

    Drop the training samples that are named, or at least report the score on the clean part of the evaluation.

    ## When it is wrong

    Where texts quote one source on purpose, such as questions about the same articles in every split.

    ## Reference

    37 reasons, item 15. Brown et al. 2020 (GPT-3, appendix C): runs of 13 words; Llama 3 and OLMo judge by the share of a sample.
    """

    code = "SPL112"
    name = "contamination"
    severity: ClassVar[Severity] = "warning"
    item = "15"
    modalities = frozenset({"table"})
    follows = ("SPL101", "SPL102")
    repair = "drop-from-earlier"
    public = frozenset({"contaminated", "share", "judged", "expected_of_training_texts", "with", "rate"})

    class Params(RuleParams):
        """Cuts."""

        overlap: float = Field(0.7, gt=0, le=1, description="Share of a text's runs of words that must be in training.")
        least: int = Field(8, ge=1, description="Runs of words that a text must have to be judged: 20 words.")
        common: int = Field(10, ge=1, description="Training texts beyond which a run of words is boilerplate (GPT-3).")
        share: float = Field(0.005, ge=0, le=1, description="Share of contaminated samples that is a warning.")
        much: float = Field(0.1, ge=0, le=1, description="Share from which it is an error.")

    params: Params

    @classmethod
    def needs(cls, dataset: Dataset) -> tuple[type[Measurement] | Reading, ...]:
        """The passages, where there are sentences in several splits."""
        return (Passages,) if _compared(dataset) else ()

    def check(self, profile: Profile) -> Iterator[Found]:
        """Compare each split with the training split."""
        if not _compared(profile.dataset):
            told = "there are no sentences in a training and another split, and no texts were given with --against"
            raise Skip(told, applies=False)
        judged = len(profile.given.against)
        for other in profile.given.against:
            for split in profile.trained:
                yield from self._given(profile, split, other)
        train = next((split for split in profile.splits if split.name == "train"), None)
        if train is None and not judged:
            raise Skip("there is no training split")
        for split in profile.splits if train is not None else ():
            if train is not None and split is not train and len(split[Passages].places):
                judged += 1
                yield from self._judge(profile, train, split)
        if not judged:
            raise Skip("no text of an evaluation split has 13 words")

    def _judge(self, profile: Profile, train: SplitProfile, split: SplitProfile) -> Iterator[Found]:
        mine, theirs = split[Passages], train[Passages]
        overlap = self._overlap(mine, theirs)
        if overlap is None:
            return
        found, count, total = overlap.found, len(overlap.found.text), split.samples
        share = count / total
        parts, sources = profile.dataset.partitions, theirs.places.take(found.source)
        yield Found(
            message=(
                f"{count:,} of {total:,} samples of {split.name} ({share:.1%}) lie word for word within a sample of "
                f"{train.name}, most of one of their texts; {digits(overlap.chance * total, 2):g} expected, as often as "
                f"samples of {train.name} share their wording"
            ),
            consequence="The model has read them in training, so that their score measures its memory.",
            remedy=f"Drop the named samples from {train.name}, or report the score on the rest of {split.name}.",
            severity=self._severity(count, share),
            confidence=0.95,
            split=split.name,
            against=train.name,
            subject=train.name,
            evidence={**overlap.evidence(total), "with": train.name},
            cases=Cases(
                split.name,
                mine.places.take(found.text),
                {
                    "shared": overlap.shared,
                    "near": [
                        parts[int(part)].sample_id(int(line))
                        for part, line in zip(sources.part, sources.line, strict=True)
                    ],
                    f"{train.name}_index": sources.row.tolist(),
                },
            ),
            count=count,
            exact=overlap.rate == 1,
            brief=f"{count:,} samples of {split.name} lie word for word within samples of {train.name}",
        )

    def _given(self, profile: Profile, train: SplitProfile, other: Elsewhere) -> Iterator[Found]:
        """Texts that the user gave: what is named are the training samples that hold them."""
        mine, theirs = other.passages, train[Passages]
        overlap = self._overlap(mine, theirs) if len(theirs.places) else None
        if overlap is None:
            return
        found, count, total = overlap.found, len(overlap.found.text), mine.samples
        share = count / total
        sources = theirs.places.take(found.source)
        _, once = np.unique(sources.row, return_index=True)
        alone = len(profile.splits) == 1
        where = "the data" if alone else train.name
        yield Found(
            message=(
                f"{count:,} of {total:,} samples of {other.name} ({share:.1%}), given to compare with, lie word for word "
                f"within a sample of {where}; {digits(overlap.chance * total, 2):g} expected, as often as samples of "
                f"{where} share their wording"
            ),
            consequence="A model that is trained on them has read them, so that their score measures its memory.",
            remedy=f"Drop the named samples from {where}, or report the score on the rest of {other.name}.",
            severity=self._severity(count, share),
            confidence=0.95,
            split=train.name,
            subject=f"given {other.name}",
            evidence={**overlap.evidence(total), "with": train.name},
            cases=Cases(
                train.name,
                sources.take(once),
                {
                    "shared": [overlap.shared[k] for k in once],
                    "near": [other.sample_id(int(found.text[k])) for k in once],
                    f"{train.name}_index": sources.row[once].tolist(),
                },
            ),
            exact=overlap.rate == 1,
        )

    def _severity(self, count: int, share: float) -> Severity | None:
        serious = count > 1 and share >= self.params.share
        return ("error" if share >= self.params.much else None) if serious else "info"

    def _overlap(self, mine: Passages, theirs: Passages) -> _Overlap | None:
        """The texts that lie within others, one of each sample; None where no more do than texts share anyway."""
        limit = min(mine.limit, theirs.limit)
        rate = min(mine.rate, theirs.rate)
        # Copies of a training sample are one text here.
        rows, at = np.unique(theirs.places.row, return_index=True)
        _, once = np.unique(theirs.places.content[at], return_index=True)
        first = np.isin(theirs.places.row, rows[once])
        known = Texts(theirs.owner, theirs.hashes).where(first[theirs.owner] & (theirs.hashes <= limit))
        least = max(2.0, self.params.least * rate)
        found = self._likest(Texts(mine.owner, mine.hashes).where(mine.hashes <= limit), known, least, own=False)
        if len(found.text) == 0:
            return None
        # One finding for each sample, of the text that shares most.
        order = np.lexsort((-found.shared, mine.places.row[found.text]))
        row = mine.places.row[found.text[order]]
        order = order[np.append(True, row[1:] != row[:-1])]
        step = -(-len(theirs.places) // SEARCHED)
        some = known.where(known.owner % step == 0)
        among = self._likest(some, known, least, own=True)
        chance = len(np.unique(theirs.places.row[among.text])) * step / max(1, len(once))
        if chance > 0 and binomial_tail(len(order), mine.samples, min(1.0, chance)) > 1e-3:
            return None
        judged = len(np.unique(mine.places.row))
        likest = Likest(found.text[order], found.source[order], found.shared[order], found.kept[order])
        return _Overlap(likest, judged, chance, rate)

    def _likest(self, texts: Texts, known: Texts, least: float, *, own: bool) -> Likest:
        """The texts of which enough lies within one of the known ones, of those other than themselves if they are known."""
        order = np.argsort(known.hashes, kind="stable")
        hashes, owners = known.hashes[order], known.owner[order]
        starts, ends = (np.searchsorted(hashes, texts.hashes, side) for side in ("left", "right"))
        held = ends - starts
        rare = held <= self.params.common + own
        size = int(texts.owner.max()) + 1 if len(texts.owner) else 0
        kept = np.bincount(texts.owner[rare], minlength=size)
        hits = np.bincount(texts.owner[rare & (held > own)], minlength=size)
        likely = (kept >= least) & (hits >= self.params.overlap * kept)
        chosen = np.flatnonzero(likely[texts.owner] & rare & (held > own))
        # Each passage with each text that has it.
        which = np.repeat(chosen, held[chosen])
        within = np.arange(len(which)) - np.repeat(np.cumsum(held[chosen]) - held[chosen], held[chosen])
        text, source = texts.owner[which], owners[starts[which] + within]
        if own:
            text, source = text[text != source], source[text != source]
        pairs, shared = np.unique(np.stack([text, source], axis=1), axis=0, return_counts=True)
        text, source = pairs[:, 0], pairs[:, 1]
        enough = shared >= self.params.overlap * kept[text]
        text, source, shared = text[enough], source[enough], shared[enough]
        best = np.lexsort((source, -shared, text))
        best = best[np.append(True, text[best][1:] != text[best][:-1])] if len(best) else best
        return Likest(text[best], source[best], shared[best], kept[text[best]])

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put texts of the test split into training texts, with words around them: 3 % of test, 30 % at full strength."""
        import pandas as pd

        column = _long_texts(clean)
        if column is None:
            return None
        train, test = clean.tables["train"], clean.tables["test"]
        long = np.flatnonzero([len(text.split()) >= 25 for text in test[column]])
        count = max(5, round((0.03 + 0.27 * strength) * len(test)))
        if count > min(len(train), len(long)):
            return None
        rows = sorted(int(row) for row in rng.choice(long, count, replace=False))
        places = rng.choice(len(train), count, replace=False)
        texts = train[column].tolist()
        for place, row in zip(places, rows, strict=True):
            texts[place] = f"Here is something that I read: {test[column].iloc[row]} What do you think of that?"
        table = train.assign(**{column: pd.Series(texts, index=train.index, dtype=object)})
        data = Clean(clean.name, {**clean.tables, "train": table}, clean.label)
        return Planted(data, split="test", rows={"test": frozenset(rows)})


def _compared(dataset: Dataset) -> bool:
    several = len(dataset.splits) > 1 or dataset.against
    return several and any(field.role == "text" for field in dataset.fields)


def _long_texts(clean: Clean) -> str | None:
    """The first column of long texts that differ, in a table with a training and a test split."""
    if not {"train", "test"} <= set(clean.tables):
        return None
    for name in clean.tables["test"].columns:
        cells = clean.tables["test"][name]
        if name == clean.label or not all(isinstance(cell, str) for cell in cells) or len(cells) < 60:
            continue
        if cells.is_unique and np.median([len(text.split()) for text in cells]) >= 25:
            return str(name)
    return None
