"""CHT101 turn-order."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, digits
from datalint_rules._shared.turns import SPEAKER, SPOKEN, Turns, key_of
from datalint_rules.conversations._chats import ChatRule, changed, chats, turns_of, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from datalint.author import Dialogue

PROMPTS = frozenset({"prompt", "prompts", "question", "query"})
"""Columns that hold questions without an answer on purpose."""


class TurnOrder(ChatRule):
    """Conversations whose turns are in no order that a chat template takes.

    Unknown speakers, no answer at all, a last question without an answer, the system speaking in between, and one side
    speaking twice in a row. Tools and calls of tools may stand wherever the assistant does.

    ## Why it hurts

    Templates stop at such conversations ("Conversation roles must alternate user/assistant"), or write them in a way that the model
    never meets again. Where the loss counts answers alone, a conversation without one is a sample without loss.

    ## How to fix it

    Join turns of one speaker, drop the question that nobody answered, put the system first, and name the speakers as the
    template does.

    ## When it is wrong

    Where several people talk, and the template is made for it. Data for reinforcement learning holds questions alone; in a
    column called ``prompt`` nothing is said of them.

    ## Reference

    37 reasons, item 4. The templates of Llama, Mistral and Gemma raise an exception; trl and axolotl pass it on or skip the sample.
    """

    code = "CHT101"
    name = "turn-order"
    severity: ClassVar[Severity] = "warning"
    item = "4"
    public = frozenset({"conversations", "share", "kinds"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.001, ge=0, le=1, description="Share of conversations in disorder that is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        for some in chats(profile):
            main = next((column for column, part in some.about.parts if part == "turns"), "")
            asked = main.strip().casefold() in PROMPTS or not some.answered
            hits = {row: what for row, one in enumerate(some.dialogues) if (what := _disorder(one, asked))}
            if not hits:
                continue
            kinds = Counter(what.partition(":")[0] for what in hits.values())
            share = len(hits) / len(some)
            yield Found(
                message=(
                    f"the turns of {len(hits):,} of {some.counted} conversations are out of order: "
                    + ", ".join(f"{count:,} with {kind}" for kind, count in kinds.most_common())
                ),
                consequence="Chat templates stop at them or write them otherwise; without an answer there is no loss.",
                remedy="Join turns of one speaker, drop questions without an answer, and name the speakers as the template does.",
                severity=weighed(len(hits), len(some), self.params.share),
                confidence=0.97,
                split=some.split.name,
                evidence={"conversations": len(hits), "share": digits(share, 3), "kinds": dict(kinds.most_common())},
                cases=some.cases(hits),
                exact=some.exact,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Drop the last answer, repeat a question, move the system or rename a speaker: 1 % of the training split, up to 20 %."""

        def broken(turns: Turns) -> Turns:
            speaker, said = key_of(turns[0], SPEAKER), key_of(turns[0], SPOKEN)
            strange: dict[str, Any] = {**turns[0], speaker: "narrator"}
            first = next((k for k, turn in enumerate(turns) if turn[speaker] != "system"), 0)
            asked = max((k for k, turn in enumerate(turns) if turn[speaker] in {"user", "human"}), default=0)
            ways = [
                turns[: asked + 1],
                [*turns[: first + 1], *turns[first:]],
                [*turns, {**turns[-1], speaker: "system", said: "Be brief."}],
                [strange, *turns[1:]],
                turns[:1],
            ]
            return ways[int(rng.integers(len(ways)))]

        return changed(clean, turns_of(clean), 0.01 + 0.19 * strength, rng, broken)


def _disorder(dialogue: Dialogue, asked: bool) -> str:
    """What is out of order in a conversation, after its kind; nothing if all is well."""
    turns = dialogue.turns
    if not turns:
        return ""  # of CHT102
    for at, turn in enumerate(turns):
        if not turn.role:
            return f"an unknown speaker: {turn.speaker!r}, turn {at + 1}"
    roles = [turn.role for turn in turns]
    if not asked:
        if "assistant" not in roles:
            return "no answer: " + " ".join(roles[:9])
        if roles[-1] == "user":
            return "a last question without an answer: " + " ".join(roles[-9:])
    talked = False
    for at, (role, turn) in enumerate(zip(roles, turns, strict=True)):
        if role == "system" and talked:
            return f"the system not first: turn {at + 1}"
        talked |= role != "system"
        if at and role == roles[at - 1] and role in {"user", "assistant"} and turn.speaker == turns[at - 1].speaker:
            return f"a speaker twice in a row: {turn.speaker!r}, turns {at} and {at + 1}"
    return ""
