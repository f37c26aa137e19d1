"""TXT108 misplaced-answer."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from datalint.author import (
    Cases,
    Clean,
    Field,
    Found,
    Planted,
    Profile,
    Rule,
    RuleParams,
    Sample,
    Severity,
    Skip,
    SplitProfile,
    TextStats,
    digits,
    training,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

LOOKED_AT = 300
"""Rows by which the columns are recognised."""

STARTS = frozenset({"start", "begin", "offset"})
SURE = "answer_start"


class MisplacedAnswer(Rule):
    """Answers that do not stand in their passage where the data says: ``answer_start`` is one off, or counts something else.

    Judges tables that hold a passage, a part of it, and where that part begins, as SQuAD does. Case and blanks do not count.

    ## Why it hurts

    Reading comprehension and tagging are trained on positions, not on texts: the model learns to cut off the first letter of
    its answers, or to answer with other words, and its scores stay low for no visible reason.

    ## How to fix it

    Find the text of the answer again in its passage, nearest to where it should stand; count characters of the passage as it
    is stored, before anything is stripped from it.

    ## When it is wrong

    Where positions count bytes, words or tokens: all of them are then off, which the finding says.

    ## Reference

    37 reasons, item 4. huggingface/datasets#2585: ``answer_start`` of SQuAD was off where the passage had begun with blanks.
    """

    code = "TXT108"
    name = "misplaced-answer"
    severity: ClassVar[Severity] = "warning"
    item = "4"
    modalities = frozenset({"table"})
    public = frozenset({"answers", "share", "shift"})
    measures = (Sample, TextStats)
    sampled = True

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.001, ge=0, le=1, description="Share of misplaced answers that is a warning.")
        known: float = Field(
            0.3, gt=0, le=1, description="Share of answers in place by which columns of other names are known."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        columns = self._columns(profile)
        for split in profile.splits:
            if columns.passage not in split.rows.texts or columns.answer not in split.rows.texts:
                continue
            shifts = dict(_misplaced(*columns.of(split.rows.texts, split.rows.column(columns.start))))
            # Blanks around a text are not read, and move what stands behind them.
            shifts = {row: shift for row, shift in shifts.items() if shift is None or not _padded(split, columns, row)}
            judged = int((split.rows.texts[columns.answer] != None).sum())  # noqa: E711 - element by element
            if not shifts:
                continue
            rows = np.array(sorted(shifts), np.int64)
            usual = [shift for shift in shifts.values() if shift is not None]
            most = max(set(usual), key=lambda shift: (usual.count(shift), -abs(shift))) if usual else None
            told = f", {usual.count(most):,} of them {abs(most)} too far {_side(most)}" if most is not None else ""
            share = len(rows) / judged
            loud = len(rows) > 1 and share >= self.params.share
            counted = f"{judged:,}" if split.rows.complete else f"{judged:,} sampled"
            yield Found(
                message=(
                    f"{len(rows):,} of {counted} answers ({share:.2%}) do not stand in {columns.passage!r} where "
                    f"{columns.start!r} says{told}"
                ),
                consequence="The model learns other words than the answers, or cuts them off.",
                remedy="Find each answer again in its passage, and store where it begins.",
                severity="error" if share >= 0.5 else "warning" if loud else "info",
                confidence=0.97,
                split=split.name,
                column=columns.start,
                evidence={"answers": len(rows), "share": digits(share, 3), "shift": most},
                cases=Cases(
                    split.name,
                    split.rows.places.take(rows),
                    {"shift": [shifts[int(row)] for row in rows]},
                ),
                exact=split.rows.complete,
            )

    def _columns(self, profile: Profile) -> _Columns:
        fields = [field for field in profile.dataset.fields if field.role != "label"]
        starts = [f.name for f in fields if f.kind == "number" and STARTS & set(f.name.lower().split("_"))]
        texts = [f.name for f in fields if f.kind == "text"]
        split = max(profile.splits, key=lambda split: len(split.rows), default=None)
        if split is None or not starts or len(texts) < 2:
            raise Skip("the table holds no passages with a part of each and where it begins", applies=False)
        held = {name: split.rows.texts[name][:LOOKED_AT] for name in texts if name in split.rows.texts}
        lengths = {name: float(np.median([len(cell) for cell in cells if cell] or [0])) for name, cells in held.items()}
        passages = sorted(held, key=lambda name: -lengths[name])[:2]
        best: tuple[float, _Columns] | None = None
        for start, passage, (answer, cells) in product(starts, passages, held.items()):
            if answer == passage or lengths[answer] == 0 or lengths[answer] > lengths[passage]:
                continue
            columns = _Columns(passage, answer, start)
            astray = len(list(_misplaced(*columns.of(held, split.rows.column(start)[:LOOKED_AT]))))
            share = 1 - astray / max(1, sum(cell is not None for cell in cells))
            # Of columns that say so themselves all answers may be misplaced.
            sure = start.endswith(SURE) and answer.startswith("answer")
            if (share >= self.params.known or sure) and (best is None or share > best[0]):
                best = share, columns
        if best is None:
            raise Skip("no column of numbers says where one text stands in another", applies=False)
        return best[1]

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Move where answers begin by one to three in 2 % of the training split, in half of it at full strength."""
        if not clean.tables or SURE not in clean.tables[training(clean)].columns:
            return None
        split = training(clean)
        table = clean.tables[split]
        # A single letter stands anywhere.
        long = np.flatnonzero([len(str(answer)) > 3 for answer in table.get("answer", ())])
        count = max(3, round(len(table) * (0.02 + 0.48 * strength)))
        if len(long) < count:
            return None
        rows = sorted(rng.choice(long, count, replace=False))
        starts = table[SURE].to_numpy().copy()
        starts[rows] += int(rng.integers(1, 4))
        tables = {**clean.tables, split: table.assign(**{SURE: starts})}
        return Planted(
            Clean(clean.name, tables, clean.label), split=split, rows={split: frozenset(int(row) for row in rows)}
        )


class _Columns(NamedTuple):
    passage: str
    answer: str
    start: str

    def of(
        self,
        texts: Mapping[str, NDArray[np.object_]],
        starts: NDArray[np.float64],
    ) -> tuple[NDArray[np.object_], NDArray[np.object_], NDArray[np.float64]]:
        return texts[self.passage], texts[self.answer], starts


def _misplaced(
    passages: NDArray[np.object_], answers: NDArray[np.object_], starts: NDArray[np.float64]
) -> Iterator[tuple[int, int | None]]:
    """Rows whose answer does not stand where it should, and by how much the number is too large, if that is known."""
    for row, (passage, answer, start) in enumerate(
        zip(passages.tolist(), answers.tolist(), starts.tolist(), strict=True)
    ):
        if not answer or passage is None or not start >= 0:
            continue  # no answer is an answer, too: -1 or nothing says so
        begin = int(start)
        if passage.startswith(answer, begin) or _plain(passage[begin : begin + len(answer)]) == _plain(answer):
            continue
        left, right = passage.rfind(answer, 0, begin + len(answer) - 1), passage.find(answer, begin)
        near = [begin - at for at in (left, right) if at >= 0]
        yield row, min(near, key=abs, default=None)


def _padded(split: SplitProfile, columns: _Columns, row: int) -> bool:
    for name in (columns.passage, columns.answer):
        padded = split[TextStats].padded.get(name, {})
        if padded is None or split.rows.texts[name][row] in padded:
            return True
    return False


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _side(shift: int) -> str:
    return "right" if shift > 0 else "left"
