"""PRE132."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from datalint.author import Found, Loop, LoopProfile, LoopRule, Sequences, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


class TokenRange(LoopRule):
    """Tokens that the model's table of vectors does not have, and padding that it learns as a word.

    ## Why it hurts

    An index outside of the table fails, on a GPU with a message about something else. A padding token without ``padding_idx`` is
    learnt like any word.

    ## How to fix it

    Make the table as long as the vocabulary, special tokens included, and name the padding token to it.

    ## When it is wrong

    Where padding is hidden by a mask: the note about it is then of no importance.

    ## Reference

    37 reasons, item 22.
    """

    code = "PRE132"
    name = "token-range"
    severity: ClassVar[Severity] = "error"
    item = "22"
    measures = (Sequences,)
    public = frozenset({"rows", "padded_share"})

    def check(self, profile: LoopProfile) -> Iterator[Found]:
        """Compare indices with tables."""
        sequences = profile[Sequences]
        for table in sequences.embeddings:
            if table.error:
                yield Found(
                    message=f"{table.place!r} has {table.rows:,} vectors, and gets indices from {table.low:,} to {table.high:,}",
                    consequence="Training fails there.",
                    remedy="Make the table as long as the vocabulary, special tokens included.",
                    subject=table.place,
                    evidence={"rows": table.rows, "low": table.low, "high": table.high},
                )
        tables = sorted(sequences.embeddings, key=lambda table: -table.rows)
        if (
            sequences.padding is not None
            and tables
            and tables[0].padding is None
            and sequences.mask_ones is None
            and sequences.padded > 0.1
        ):
            yield Found(
                message=f"token {sequences.padding} fills {sequences.padded:.0%} of the places, and {tables[0].place!r} has no padding_idx",
                consequence="Padding is learnt like any word.",
                remedy=f"Set padding_idx={sequences.padding}, or hide it with a mask.",
                severity="info",
                subject="padding",
                evidence={"padded_share": sequences.padded},
            )

    @classmethod
    def plant(cls, loop: Loop, rng: np.random.Generator) -> Loop | None:
        """Cut the table of vectors down to its first rows."""
        for layer in loop.layers("Embedding").values():
            layer.weight.data = layer.weight.data[:4].clone()
            layer.num_embeddings = 4
            return loop
        return None
