"""CHT104 token-length."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from datalint.author import (
    Clean,
    Field,
    Found,
    NoTokenizer,
    Planted,
    Profile,
    RuleParams,
    Severity,
    Skip,
    digits,
    token_counter,
)
from datalint_rules.conversations._chats import ChatRule, answers_changed, chats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from datalint.author import Dialogue

PER_TURN = 4
"""Tokens that a template adds to a turn, about."""

ERROR = 0.15
"""Relative error of the estimate: 18 of 20 English and Chinese texts are within it of the vocabulary o200k of OpenAI."""

DEFAULT = 4_096


class TokenLength(ChatRule):
    """Conversations that are longer than the context that a model is trained with, and what is lost of them.

    With the parameter ``tokenizer``, the path of a ``tokenizer.json``, tokens are counted (the extra ``tokens``).
    Without it they are estimated: a word of up to nine letters makes one, so do three digits and any mark, and
    four signs of Chinese, Japanese or Korean make three. Older vocabularies need half as many again for Chinese. The context is a parameter; unless it is set, the finding is information only.

    ## Why it hurts

    Trainers cut what is too long in silence (``max_length``, ``cutoff_len``, ``sequence_len``). What is cut off is the end, which is
    the answer: the model then learns to stop in the middle, or sees no answer at all and has nothing to learn from.

    ## How to fix it

    Train with a longer context, cut the question and not the answer, split long conversations at a turn, or drop them.

    ## When it is wrong

    Where long samples are packed or cut on purpose, and near the limit, where the estimate is not good enough.

    ## Reference

    37 reasons, item 4. trl's ``SFTConfig.max_length`` is 1,024 unless set.
    """

    code = "CHT104"
    name = "token-length"
    severity: ClassVar[Severity] = "info"
    item = "4"
    public = frozenset(
        {"conversations", "context", "share", "without_answer", "answers_left", "median_tokens", "longest_tokens"}
    )

    class Params(RuleParams):
        """Cuts."""

        context: int = Field(DEFAULT, ge=16, description="Tokens of the context that a model is trained with.")
        share: float = Field(
            0.01, ge=0, le=1, description="Share of longer ones that is a warning, once the context is set."
        )

        tokenizer: str = Field(
            "", description="Path of a tokenizer.json by which tokens are counted; estimated if empty."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        context, counter = self.params.context, None
        if self.params.tokenizer:
            try:
                counter = token_counter(self.params.tokenizer)
            except NoTokenizer as error:
                raise Skip(str(error)) from error
        how = "by estimate" if counter is None else "as the tokenizer counts them"
        for some in chats(profile):
            sizes = [_tokens(one) for one in some.dialogues] if counter is None else _counted(some.dialogues, counter)
            total = np.array([sum(own) for own in sizes])
            limit = context * (1 + ERROR) if counter is None else context
            hits = {int(row): int(total[row]) for row in np.flatnonzero(total > limit)}
            if not hits:
                continue
            lost = sum(_before_answer(some.dialogues[row], sizes[row]) >= context for row in hits)
            share = len(hits) / len(some)
            said, left = _answers(some.dialogues, sizes, context)
            loud = context != DEFAULT and share >= self.params.share and len(hits) > 1
            yield Found(
                message=(
                    f"{len(hits):,} of {some.counted} conversations have more than {context:,} tokens, {how} ({share:.1%})"
                    + (f"; {lost:,} lose the whole answer" if lost else "")
                    + (f"; {1 - left / said:.1%} of all tokens of answers are cut off" if left < said else "")
                ),
                consequence="What is too long is cut in silence, and what is cut off is the answer.",
                remedy="Train with a longer context, cut questions and not answers, or split or drop these conversations.",
                severity="warning" if loud else "info",
                confidence=0.8 if counter is None else 0.97,
                split=some.split.name,
                evidence={
                    "conversations": len(hits),
                    "context": context,
                    "share": digits(share, 3),
                    "without_answer": lost,
                    "answers_left": digits(left / max(1, said), 3),
                    "median_tokens": digits(float(np.median(total)), 2),
                    "longest_tokens": digits(float(total.max()), 2),
                },
                cases=some.cases(hits, "tokens"),
                exact=some.exact,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Make answers of 1 % of the training split longer than any context, of 20 % at full strength."""
        return answers_changed(
            clean,
            0.01 + 0.19 * strength,
            rng,
            lambda text: " ".join([text] * (8 * DEFAULT // max(1, len(text.split())))),
        )


# A word costs a token for each nine letters, numbers one for each three digits.
_PIECES = re.compile(r"[^\W\d_]{1,9}|\d{1,3}|[^\w\s]|_")
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def _tokens(dialogue: Dialogue) -> list[int]:
    """Tokens of each turn, about."""
    return [PER_TURN + _count(turn.text) for turn in dialogue.turns]


def _count(text: str) -> int:
    dense = len(_DENSE.findall(text))
    return dense * 3 // 4 + len(_PIECES.findall(_DENSE.sub(" ", text) if dense else text))


def _counted(dialogues: Sequence[Dialogue], counter: Callable[[Sequence[str]], list[int]]) -> list[list[int]]:
    """Tokens of each turn, and about those of the template."""
    counts = iter(counter([turn.text for one in dialogues for turn in one.turns]))
    return [[PER_TURN + next(counts) for _ in one.turns] for one in dialogues]


def _answers(dialogues: Sequence[Dialogue], sizes: Sequence[list[int]], context: int) -> tuple[int, int]:
    """Tokens of all answers, which a loss is taken of, and those within the context."""
    said = left = 0
    for one, own in zip(dialogues, sizes, strict=True):
        at = 0
        for turn, size in zip(one.turns, own, strict=True):
            if turn.role == "assistant":
                said += size
                left += min(size, max(0, context - at))
            at += size
    return said, left


def _before_answer(dialogue: Dialogue, sizes: list[int]) -> int:
    """Tokens before the last answer."""
    last = max((at for at, turn in enumerate(dialogue.turns) if turn.role == "assistant"), default=len(sizes))
    return sum(sizes[:last])
