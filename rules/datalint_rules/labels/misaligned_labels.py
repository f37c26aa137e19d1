"""LBL107 misaligned-labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    LabelRuns,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    digits,
    features_of,
    labelled_rows,
    training,
)
from datalint_rules.labels._alignment import Shift, agreement, find_shift, neighbours, serial

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


class MisalignedLabels(Rule):
    """Labels that do not belong to their rows.

    They are shifted by some rows, in the whole split or in half of it, or shuffled apart from the inputs in one split
    while another is in order, or mean something else in one split: reversed, or classes numbered in another order. Similar samples should have similar labels. Where they do not, but would if every label
    were moved by the same number of rows, the labels slipped.

    ## Why it hurts

    Nothing can be learnt from such labels, and nothing else in the file looks wrong: the class counts are right, the
    values are right. It happens when a row is dropped on one side, when inputs and labels are sorted or shuffled
    separately, when a header is counted as a row.

    ## How to fix it

    Join inputs and labels by a key instead of by position; shuffle them with one permutation. Where the finding gives a
    lag, move the labels back by it. Map the labels of all splits through one table of names.

    ## When it is wrong

    In time series, where the next row may hold the answer of this one on purpose, and in panels stored in blocks: where
    rows are related to their successors the finding is only info, and unsure. Where samples of one class do not lie near each other nothing can be told.

    ## Reference

    37 reasons, items 4 and 7. No peer has this check; on handwritten digits a shift by seven rows leaves an agreement of
    0.10 at the row itself and 0.97 seven rows on.
    """

    code = "LBL107"
    name = "misaligned-labels"
    severity: ClassVar[Severity] = "error"
    item = "4, 7"
    trains = True
    wants = "label"
    follows: ClassVar[tuple[str, ...]] = ("VAL101:error",)
    public = frozenset(
        {
            "agreement_with_other",
            "agreement_in_other",
            "agreement_if_exchanged",
            "pairs",
            "lag",
            "part",
            "agreement_at_lag",
            "agreement_at_row",
        }
    )
    measures = (LabelRuns, Sample)

    class Params(RuleParams):
        """Cuts."""

        lag: int = Field(64, ge=1, le=1000, description="Largest number of rows by which labels may have slipped.")
        rows: int = Field(3_000, ge=200, le=20_000, description="Rows among which neighbours are looked for.")

    params: Params

    def coverage(self, profile: Profile) -> str:
        """The sample."""
        return f"neighbours among up to {self.params.rows:,} samples of each split"

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split by itself, then those without agreement against the one that has most."""
        if profile.dataset.by_class:
            raise Skip("labels are class folders, which cannot slip", applies=False)
        numeric = profile.task == "regression"
        parts = []
        for split in profile.splits:
            known = labelled_rows(split.rows, numeric, len(split.rows))
            if len(known) >= 100:
                parts.append((split, known, labelled_rows(split.rows, numeric, self.params.rows)))
        if not parts:
            raise Skip("no split has 100 labelled samples")
        X = features_of(profile.dataset, profile.feature_names, [(split, rows) for split, _, rows in parts])
        if X.shape[1] == 0:
            raise Skip("no feature varies")
        names = {name: float(k) for k, name in enumerate(sorted({n for s, _, _ in parts for n in s.counts}))}
        start, agreements, slipped = 0, {}, set()
        spans: dict[str, NDArray[np.int64]] = {}
        for split, known, rows in parts:
            own = np.arange(start, start + len(rows))
            start += len(rows)
            spans[split.name] = own
            asked = own[:: max(1, len(own) // 2000)]
            near = neighbours(X, asked, own)
            position = split.rows.places.row[rows]
            pairs = (position[asked - own[0]], position[near - own[0]])
            shift, zero = find_shift(
                split.rows.places.row[known], _labels(split, known, names, numeric), pairs, split.samples,
                min(self.params.lag, split.samples // 4), numeric,
            )  # fmt: skip
            agreements[split.name] = zero
            if shift is not None:
                slipped.add(split.name)
                yield _shifted(split, shift, numeric, serial=serial(X[own], position, shift.lag))
        best = max(agreements, key=lambda name: agreements[name].kappa)
        if not slipped and not agreements[best].sure:
            raise Skip("similar samples share no more labels than by chance, so a shift would not show")
        if not agreements[best].sure:
            return
        labels = {split.name: _labels(split, rows, names, numeric) for split, _, rows in parts}
        doubtful = [
            s
            for s, _, _ in parts
            if s.name not in slipped | {best} and agreements[s.name].none and (numeric or len(s.counts) > 1)
        ]
        found = (self._apart(X, spans, labels, split, best, numeric) for split in doubtful)
        yield from filter(None, found)
        sure = [s for s, _, _ in parts if s.name not in slipped and agreements[s.name].sure]
        classes = [] if numeric else list(names)
        yield from filter(None, (_exchanged(X, spans, labels, split, sure[0].name, classes) for split in sure[1:]))

    def _apart(
        self,
        X: NDArray[np.float32],
        spans: dict[str, NDArray[np.int64]],
        labels: dict[str, NDArray[np.float64]],
        split: SplitProfile,
        best: str,
        numeric: bool,
    ) -> Found | None:
        """A split without agreement, if the best one has some with as few samples."""
        own, other = spans[split.name], spans[best]
        asked = own[:: max(1, len(own) // 2000)]
        near = neighbours(X, asked, other)
        across = agreement(labels[split.name][asked - own[0]], labels[best][near - other[0]], numeric)
        few = other[:: max(1, len(other) // len(own))][: len(own)]
        near = neighbours(X, few, few)
        alike = agreement(labels[best][few - other[0]], labels[best][near - other[0]], numeric)
        if not across.none or not alike.sure or across.kappa > 0.3 * alike.kappa:
            return None
        return Found(
            message=(
                f"the labels of {split.name} do not belong to their rows: neighbours agree no more than by chance, among "
                f"themselves and with those of {best}, while in {best} they agree {_share(alike.raw, numeric)}"
            ),
            consequence="Labels and inputs were shuffled or joined apart; nothing can be learnt or measured here.",
            remedy="Join inputs and labels by a key, or shuffle them with one permutation.",
            confidence=0.95,
            split=split.name,
            subject="apart",
            evidence={
                "against": best,
                "agreement_with_other": digits(across.raw, 3),
                "agreement_in_other": digits(alike.raw, 3),
                "pairs": across.pairs,
            },
            count=split.samples,
        )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move the labels of train down by 1 to 20 rows."""
        if clean.label is None or not clean.tables:
            return None
        split = training(clean)
        table = clean.tables[split].copy()
        if len(table) < 150 or table[clean.label].nunique() < 2:
            return None
        lag = int(rng.integers(1, 21))
        table[clean.label] = np.roll(table[clean.label].to_numpy(copy=True), lag)
        return Planted(Clean(clean.name, {**clean.tables, split: table}, clean.label), split=split)


def _exchanged(
    X: NDArray[np.float32],
    spans: dict[str, NDArray[np.int64]],
    labels: dict[str, NDArray[np.float64]],
    split: SplitProfile,
    best: str,
    classes: list[str],
) -> Found | None:
    """A split whose labels mean something else than those of the best one: reversed, or numbered in another order."""
    own, other = spans[split.name], spans[best]
    asked = own[:: max(1, len(own) // 2000)]
    near = neighbours(X, asked, other)
    mine, theirs = labels[split.name][asked - own[0]], labels[best][near - other[0]]
    told = agreement(mine, theirs, not classes)
    if not classes:
        turned, meant = agreement(-mine, theirs, numeric=True), []
    else:
        counts = np.zeros((len(classes), len(classes)), np.int64)
        np.add.at(counts, (mine.astype(np.int64), theirs.astype(np.int64)), 1)
        present = np.flatnonzero(counts.sum(1))
        # A common class is next to all others: what counts is how much more often than it is met at all.
        excess = counts - np.outer(counts.sum(1), counts.sum(0)) / max(1, counts.sum())
        to = np.arange(len(classes))
        to[present] = excess[present].argmax(1)
        meant = [k for k in present.tolist() if to[k] != k]
        if not meant or len(set(to[present].tolist())) < len(present):
            return None
        turned = agreement(to[mine.astype(np.int64)].astype(np.float64), theirs, numeric=False)
    if not turned.sure or told.kappa > 0.3 * turned.kappa:
        return None
    ways = ", ".join(f"{classes[k]!r} looks like {classes[to[k]]!r} there" for k in meant[:4])
    return Found(
        message=(
            f"the labels of {split.name} mean something else than those of {best}: "
            + (f"{ways}; " if classes else "what is large is small there; ")
            + f"neighbours agree {_share(turned.raw, not classes)} once that is undone, {_share(told.raw, not classes)} as they are"
        ),
        consequence="A model trained on one split is wrong on nearly every sample of the other.",
        remedy="Map the labels of all splits through one table of names, and compare some rows with their source.",
        confidence=0.95,
        split=split.name,
        subject="exchanged",
        evidence={
            "against": best,
            "agreement_with_other": digits(told.raw, 3),
            "agreement_if_exchanged": digits(turned.raw, 3),
            "pairs": turned.pairs,
        },
        count=split.samples,
    )


def _labels(
    split: SplitProfile, rows: NDArray[np.int64], names: dict[str, float], numeric: bool
) -> NDArray[np.float64]:
    if numeric:
        return np.asarray(split.rows.target[rows])
    return np.array([names.get(label, -1.0) for label in split.rows.label[rows]])


def _share(raw: float, numeric: bool) -> str:
    return f"with a rank correlation of {raw:.2f}" if numeric else f"in {raw:.0%} of cases"


def _shifted(split: SplitProfile, shift: Shift, numeric: bool, *, serial: bool) -> Found:
    steps = abs(shift.lag)
    way = "down" if shift.lag > 0 else "up"
    where = f" in the {shift.part} of {split.name}" if shift.part != "whole" else ""
    rows = "row" if steps == 1 else "rows"
    # Rows that resemble their neighbours, as in a series or a panel stored in blocks, agree at a distance by themselves.
    verdict = f"labels may be moved {way}" if serial else f"labels are moved {way}"
    caveat = "; rows in a series or in blocks can look like that without any fault" if serial else ""
    return Found(
        message=(
            f"{verdict} by {steps} {rows}{where}: similar samples have labels that agree "
            f"{_share(shift.at_lag.raw, numeric)} {steps} {rows} {'further on' if shift.lag > 0 else 'before'}, and "
            f"{_share(shift.at_zero.raw, numeric)} at their own rows{caveat}"
        ),
        consequence=(
            "If they were moved, nearly every sample carries the label of another one."
            if serial
            else "Nearly every sample carries the label of another one, so nothing can be learnt."
        ),
        remedy=(
            "Compare a few rows with their source; where each row is meant to foretell the next, or the rows are a panel "
            "in blocks, nothing needs to be done."
            if serial
            else f"Move the labels {'up' if shift.lag > 0 else 'down'} by {steps} {rows}, or join them by a key."
        ),
        severity="info" if serial else None,
        confidence=0.3 if serial else 0.99,
        split=split.name,
        subject="shift",
        evidence={
            "lag": shift.lag,
            "part": shift.part,
            "agreement_at_lag": digits(shift.at_lag.raw, 3),
            "agreement_at_row": digits(shift.at_zero.raw, 3),
            "pairs": shift.at_lag.pairs,
        },
        count=split.samples // (1 if shift.part == "whole" else 2),
    )
