"""CHT107 mixed-schema."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, digits
from datalint_rules._shared.turns import SPEAKER, Turns, key_of
from datalint_rules.conversations._chats import ChatRule, changed, chats, turns_of, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from datalint.author import Dialogue


class MixedSchema(ChatRule):
    """Conversations that are written in another convention than the rest: ``human`` and ``gpt`` among ``user`` and ``assistant``.

    ## Why it hurts

    A loader maps one convention. What is written in another one is dropped, raises an error in the middle of an epoch, or ends up
    as a question that should be an answer.

    ## How to fix it

    Rename the speakers and the keys, so that all conversations are written in the same way.

    ## When it is wrong

    Where the loader knows all of them.

    ## Reference

    37 reasons, item 1. axolotl and LLaMA-Factory configure ``message_property_mappings`` and ``tags`` once per data set.
    """

    code = "CHT107"
    name = "mixed-schema"
    severity: ClassVar[Severity] = "warning"
    item = "1"
    public = frozenset({"conversations", "share", "conventions"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(
            0.001, ge=0, le=1, description="Share of conversations written otherwise that is a warning."
        )

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for some in chats(profile):
            written = [_convention(one) for one in some.dialogues]
            # Names of one role: no conversation has to have all roles.
            usual = {
                role: Counter(names.get(role, "") for names in written if role in names)
                for role in ("user", "assistant")
            }
            first = {role: found.most_common(1)[0][0] for role, found in usual.items() if found}
            hits = {
                row: ", ".join(f"{name!r} for {first[role]!r}" for role, name in names.items() if name != first[role])
                for row, names in enumerate(written)
                if any(name != first[role] for role, name in names.items())
            }
            if not hits:
                continue
            told = Counter(hits.values())
            yield Found(
                message=(
                    f"{len(hits):,} of {some.counted} conversations name their speakers otherwise than the rest: "
                    + "; ".join(f"{words} in {count:,}" for words, count in told.most_common(3))
                ),
                consequence="A loader maps one convention, and drops the others or takes answers for questions.",
                remedy="Rename the speakers, so that all conversations are written in the same way.",
                severity=weighed(len(hits), len(some), self.params.share),
                confidence=0.97,
                split=some.split.name,
                evidence={"conversations": len(hits), "share": digits(len(hits) / len(some), 3)},
                cases=some.cases(hits),
                exact=some.exact,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Give the speakers other names (user and human, assistant and gpt) in 1 % of the training split, in 30 % at full strength."""
        names = {"user": "human", "assistant": "gpt", "human": "user", "gpt": "assistant"}

        def renamed(turns: Turns) -> Turns:
            key = key_of(turns[0], SPEAKER)
            return [{**turn, key: names.get(turn[key], turn[key])} for turn in turns]

        return changed(clean, turns_of(clean), 0.01 + 0.29 * strength, rng, renamed)


def _convention(dialogue: Dialogue) -> dict[str, str]:
    """What user and assistant are called; calls of tools are another thing than answers."""
    named: dict[str, str] = {}
    for turn in dialogue.turns:
        if turn.role in {"user", "assistant"} and not turn.speaker.casefold().endswith("_call"):
            named.setdefault(turn.role, turn.speaker)
    return named
