"""CHT105 template-leftovers."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from datalint.author import Clean, Field, Found, Planted, Profile, RuleParams, Severity, digits
from datalint_rules.conversations._chats import ChatRule, answers_changed, chats, weighed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from datalint.author import Dialogue


class TemplateLeftovers(ChatRule):
    """Turns that hold what only a chat template may write: special tokens, marks of turns, or places that were never filled in.

    Looks for the marks of the common families (``<|im_start|>``, ``[INST]``, ``<start_of_turn>``, ``### Response:``), for answers
    that go on with the next question (a line that begins with "User:"), and for ``{{name}}``. Code between backticks is left out, and so is what the
    question holds too: there it is what is talked about.

    ## Why it hurts

    The template adds its own marks, so the model sees two beginnings or an end in the middle, and learns to write marks
    as text, to ask its own questions, or to call itself {{name}}.

    ## How to fix it

    Strip the marks, store one turn as one text, fill in the places, and let the template of the model do the rest.

    ## When it is wrong

    Where templates and their marks are what is talked about.

    ## Reference

    37 reasons, item 4. trl's documentation warns of adding special tokens twice.
    """

    code = "CHT105"
    name = "template-leftovers"
    severity: ClassVar[Severity] = "warning"
    item = "4"
    public = frozenset({"conversations", "share", "kinds"})

    class Params(RuleParams):
        """Cuts."""

        share: float = Field(0.002, ge=0, le=1, description="Share of conversations with leftovers that is a warning.")

    params: Params

    def check(self, profile: Profile) -> Iterator[Found]:
        """Judge each split."""
        marks, places = _patterns()
        for some in chats(profile):
            hits = {row: what for row, one in enumerate(some.dialogues) if (what := _left(one, marks, places))}
            if not hits:
                continue
            kinds = Counter(hits.values())
            told = ", ".join(f"{kind!r} in {count:,}" for kind, count in kinds.most_common(4))
            share = len(hits) / len(some)
            yield Found(
                message=f"{len(hits):,} of {some.counted} conversations hold leftovers of a template: {told}",
                consequence="The model sees two templates at once, and learns to write their marks or places as text.",
                remedy="Strip the marks, fill in the places, and let the template of the model write the marks.",
                severity=weighed(len(hits), len(some), self.params.share),
                confidence=0.95,
                split=some.split.name,
                evidence={"conversations": len(hits), "share": digits(share, 3)},
                cases=some.cases(hits),
                exact=some.exact,
            )

    @classmethod
    def plant(cls, clean: Clean, strength: float, rng: np.random.Generator) -> Planted | None:
        """Put marks of templates, the next question or a place into answers: 1 % of the training split, up to 30 %."""
        ways = (
            "{}<|im_end|>",
            "<|begin_of_text|>{}",
            "[INST] {} [/INST]",
            "{}</s>",
            "### Response: {}",
            "{}\nUser: And what else?",
            "Hello, I am {{{{name}}}}. {}",
        )

        def marked(text: str) -> str:
            return ways[int(rng.integers(len(ways)))].format(text)

        return answers_changed(clean, 0.01 + 0.29 * strength, rng, marked)


def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    marks = re.compile(
        r"<\|(?:im_(?:start|end|sep)|end_?of_?text|begin_of_text|eot_id|eom_id|(?:start|end)_header_id|system|user|assistant|end"
        r"|endofprompt|pad|tool|observation|(?:start|end)_of_(?:role|turn|text)|reserved_special_token_\d+)\|>"
        r"|<\uff5c[^\uff5c<>]{2,30}\uff5c>|\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|\A\s*<s>|</s>\s*\Z|<(?:bos|eos)>|\A\s*\[BOS\]|\[EOS\]\s*\Z"
        r"|^### (?:Instruction|Response|Input|Human|Assistant):"
        r"|\n+(?:Human|USER|User|ASSISTANT|Assistant): ",
        re.MULTILINE,
    )
    return marks, re.compile(r"\{\{ ?[A-Za-z_]{2,30} ?\}\}")


_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def _left(dialogue: Dialogue, marks: re.Pattern[str], places: re.Pattern[str]) -> str:
    """What a template left in a conversation; nothing if all is well."""
    before = ""
    for turn in (*dialogue.turns, *(dialogue.rejected or ())):
        text = turn.text
        # Looked for first in all of the text: hardly any has it.
        for pattern in (marks, places):
            if pattern.search(text) is None:
                continue
            for match in pattern.finditer(_CODE.sub(" ", text)):
                found = match[0].strip()
                # Within a question it is what is asked about, as is a transcript that is quoted.
                around = text.strip()
                if turn.role != "assistant" and (
                    found.endswith(":") or not (around.startswith(found) or around.endswith(found))
                ):
                    continue
                if found not in before:
                    return found
        before += text
    return ""
