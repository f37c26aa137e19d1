"""The rules about conversations next to what they plant themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from tests.conversations import chats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from datalint.report.models import Finding

Chat = list[tuple[str, str]]


def frame(some: Sequence[Chat], names: dict[str, str] | None = None) -> pd.DataFrame:
    called = names or {}
    return pd.DataFrame(
        {"messages": [[{"role": called.get(who, who), "content": text} for who, text in chat] for chat in some]}
    )


def found(source: Any, code: str, **options: Any) -> list[Finding]:
    return list(datalint.scan(source, select=[code], config=False, **options).findings)


CALLS: Chat = [("user", "What is the weather?"), ("assistant", "A call."), ("tool", "{}"), ("assistant", "It rains.")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda chat: [*chat, ("user", "And then?")], "a last question without an answer"),
        (lambda chat: chat[:1], "no answer"),
        (lambda chat: [*chat, ("system", "Be brief."), *chat], "the system not first"),
        (lambda chat: [("narrator", "Once upon a time"), *chat], "an unknown speaker"),
        (lambda chat: [chat[0], chat[0], *chat[1:]], "a speaker twice in a row"),
    ],
)
def test_disorder_is_named(change: Callable[[Chat], Chat], words: str) -> None:
    some = chats(100)
    some[7], some[9] = change(some[7]), change(some[9])
    (finding,) = found(frame(some), "CHT101")
    assert finding.severity == "warning" and f"2 with {words}" in finding.message
    assert [sample.index for sample in finding.affected.samples] == [7, 9]


@pytest.mark.parametrize("some", [[CALLS] * 60, [[("system", "Be brief."), *chat] for chat in chats(60)]])
def test_tools_and_a_first_system_are_in_order(some: list[Chat]) -> None:
    assert not found(frame(some), "CHT101")


def test_questions_alone_are_meant_where_the_column_says_so() -> None:
    asked = frame([chat[:1] for chat in chats(80)])
    assert found(asked, "CHT101")[0].severity == "error"
    assert not found(asked.rename(columns={"messages": "prompt"}), "CHT101")


def test_more_in_disorder_is_no_milder() -> None:
    ranks = {"info": 0, "warning": 1, "error": 2}
    severities = []
    for count in (1, 3, 30, 60, 99, 100):
        some = [chat[:-1] if row < count else chat for row, chat in enumerate(chats(100, most=1))]
        severities.append(ranks[found(frame(some), "CHT101")[0].severity])
    assert severities == sorted(severities)


def test_what_tools_give_back_may_be_empty() -> None:
    assert not found(frame([[*CALLS[:2], ("tool", ""), *CALLS[3:]]] * 60), "CHT102")


def test_empty_cells_of_flat_tables() -> None:
    table = pd.DataFrame({"instruction": [c[0][1] for c in chats(90)], "output": [c[1][1] for c in chats(90)]})
    table["input"] = ""
    assert not found(table, "CHT102")
    table.loc[[4, 5], "output"] = None
    table.loc[6, "instruction"] = " "
    (finding,) = found(table, "CHT102")
    assert "2 with an answer, 1 with a question" in finding.message
    assert not [f for f in datalint.scan(table, config=False).findings if f.code in {"VAL103", "TXT101"}]


def test_code_and_what_the_question_holds_are_no_leftovers() -> None:
    some = chats(100)
    some[3] = [("user", "What does <|im_end|> mean?"), ("assistant", "<|im_end|> ends a turn.")]
    some[4] = [("user", "Show me Jinja."), ("assistant", "Like this:\n```\nHello {{ name }}\n```\nor `{{name}}`.")]
    some[5] = [("user", "Sum this up.\nUser: Hi\nAssistant: Hello"), ("assistant", "Two people greet each other.")]
    some[6] = [("user", "Cross it out."), ("assistant", "It is <s>old</s> new.")]
    assert not found(frame(some), "CHT105")
    some[8] = [("user", "Who are you?"), ("assistant", "I am {{name}}.")]
    assert "'{{name}}' in 1" in found(frame(some), "CHT105")[0].message


def test_answers_cut_by_tokens_are_seen_by_their_ends() -> None:
    rng = np.random.default_rng(0)
    some = chats(600, most=1)
    cut = np.quantile([len(chat[1][1]) for chat in some], 0.93)
    for row, chat in enumerate(some):
        if len(chat[1][1]) > cut:
            words = chat[1][1][: int(cut + rng.integers(0, 30))].rsplit(" ", 2)[0].rstrip(".,")
            some[row] = [chat[0], ("assistant", words)]
    (finding,) = found(frame(some), "CHT103")
    assert "in the middle of a sentence" in finding.message and finding.affected.count > 15


def test_lists_and_code_need_no_full_stop() -> None:
    some = [[chat[0], ("assistant", chat[1][1].replace(". ", "\n- ").rstrip("."))] for chat in chats(300, most=1)]
    some[3] = [some[3][0], ("assistant", "```python\nprint(1)\n```")]
    assert not found(frame(some), "CHT103")
    some[3] = [some[3][0], ("assistant", "```python\nprint(1")]
    assert "block of code" in found(frame(some), "CHT103")[0].message


def pairs(count: int = 200) -> pd.DataFrame:
    one, two = chats(count, 1, 1), chats(count, 2, 1)
    rows = [(a[0][1], a[1][1], b[1][1]) for a, b in zip(one, two, strict=True)]
    return pd.DataFrame(rows, columns=["prompt", "chosen", "rejected"])


def test_contradicting_pairs_and_other_questions() -> None:
    table = pairs()
    table.loc[50] = [table.prompt[51], table.rejected[51], table.chosen[51]]
    (finding,) = found(table, "CHT106")
    assert "2 with answers that other pairs prefer" in finding.message

    def whole(question: str, answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]

    both = pd.DataFrame(
        {
            "chosen": [whole(q, a) for q, a in zip(table.prompt, table.chosen, strict=True)],
            "rejected": [whole(q, a) for q, a in zip(table.prompt, table.rejected, strict=True)],
        }
    ).drop([50, 51])
    assert not found(both, "CHT106")
    worse = both["rejected"].tolist()
    both["rejected"] = pd.Series([*worse[:3], whole("Something else?", "Yes."), *worse[4:]], index=both.index)
    assert "1 with answers to different questions" in found(both, "CHT106")[0].message


def test_transcripts_are_turns() -> None:
    table = pairs()
    said = {
        name: [f"\n\nHuman: {q}\n\nAssistant: {a}" for q, a in zip(table.prompt, table[name], strict=True)]
        for name in ("chosen", "rejected")
    }
    transcripts = pd.DataFrame(said)
    assert not datalint.scan(transcripts, select=["CHT"], config=False).findings
    transcripts.loc[4, "rejected"] = transcripts.chosen[4]
    assert "1 with equal answers" in found(transcripts, "CHT106")[0].message


def test_the_length_that_tells_which_is_preferred() -> None:
    table = pairs(300)
    swap = table.chosen.str.len() < table.rejected.str.len()
    table.loc[swap, ["chosen", "rejected"]] = table.loc[swap, ["rejected", "chosen"]].to_numpy()
    (finding,) = found(table, "CHT106")
    assert "the longer answer is the preferred one" in finding.message
    part = pairs(300)
    mild = swap & (np.arange(300) % 2 == 0)
    part.loc[mild, ["chosen", "rejected"]] = part.loc[mild, ["rejected", "chosen"]].to_numpy()
    assert not found(part, "CHT106")


def test_one_convention_among_another() -> None:
    some = chats(100)
    table = frame(some)
    table.loc[[1, 2], "messages"] = frame(some, {"user": "human", "assistant": "gpt"}).loc[[1, 2], "messages"]
    (finding,) = found(table, "CHT107")
    assert "'human' for 'user'" in finding.message and finding.affected.count == 2
    assert not found(frame(some, {"user": "human", "assistant": "gpt"}), "CHT107")


def test_farewells_and_classes_are_no_boilerplate() -> None:
    some = [[*chat[:2], ("user", "Thanks!"), ("assistant", "You are welcome. Ask me anything.")] for chat in chats(100)]
    assert not found(frame(some), "CHT108")
    assert not found(frame([[chat[0], ("assistant", "positive")] for chat in chats(100)]), "CHT108")


def test_the_context_is_a_parameter() -> None:
    some = [[chat[0], ("assistant", " ".join([chat[1][1]] * 10))] for chat in chats(100, most=1)]
    assert not found(frame(some), "CHT104")
    options = {"rules": {"CHT104": {"context": 300}}}
    (finding,) = datalint.scan(frame(some), select=["CHT104"], config=options).findings
    assert finding.severity == "warning" and finding.evidence["context"] == 300


def test_other_tables_hold_no_conversations() -> None:
    report = datalint.scan(pd.DataFrame({"x": range(50), "y": ["a", "b"] * 25}), select=["CHT"], config=False)
    assert {status.reason for status in report.datasets[0].rules} == {"the table holds no conversations"}


def test_tokens_as_a_tokenizer_counts_them(tmp_path: Path) -> None:
    """One that knows letters alone counts far more than the estimate."""
    from tokenizers import Regex, Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Split

    letters = {chr(k): k for k in range(32, 127)} | {"[UNK]": 0}
    tokenizer = Tokenizer(WordLevel(letters, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Split(Regex("."), "isolated")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    some = chats(60, most=1)
    longest = max(len(chat[0][1]) + len(chat[1][1]) + 8 for chat in some)
    for place in (tmp_path, tmp_path / "tokenizer.json"):
        options = {"rules": {"CHT104": {"context": longest - 1, "tokenizer": str(place)}}}
        (finding,) = datalint.scan(frame(some), select=["CHT104"], config=options).findings
        assert finding.affected.samples[0].detail["tokens"] == longest
        assert "as the tokenizer counts them" in finding.message
        options["rules"]["CHT104"]["context"] = longest
        assert not datalint.scan(frame(some), select=["CHT104"], config=options).findings
    options = {"rules": {"CHT104": {"tokenizer": str(tmp_path / "none.json")}}}
    (status,) = datalint.scan(frame(some), select=["CHT104"], config=options).datasets[0].rules
    assert (status.status, status.reason) == ("skipped", f"there is no tokenizer {str(tmp_path / 'none.json')!r}")


def test_what_is_left_of_answers() -> None:
    some = [[("user", "word " * 100), ("assistant", "word " * 100)] for _ in range(40)]
    some = [[("user", f"{k} {chat[0][1]}"), chat[1]] for k, chat in enumerate(some)]
    options = {"rules": {"CHT104": {"context": 150}}}
    (finding,) = datalint.scan(frame(some), select=["CHT104"], config=options).findings
    assert 0.3 < float(str(finding.evidence["answers_left"])) < 0.5


def test_calls_of_tools_are_no_boilerplate() -> None:
    """Many questions lead to one search; what is said after it is the answer."""
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "function": {"name": "find", "arguments": "{}"}}],
    }

    def rows(answer: str | None) -> pd.DataFrame:
        turns = [
            [
                {"role": "user", "content": chat[0][1]},
                call,
                {"role": "tool", "content": "{}"},
                {"role": "assistant", "content": answer or chat[1][1]},
            ]
            for chat in chats(100)
        ]
        return pd.DataFrame({"messages": turns})

    assert not found(rows(None), "CHT108")
    (finding,) = found(rows("I could not find anything about this."), "CHT108")
    assert finding.severity == "error"


def test_answers_that_repeat_their_question_say_nothing() -> None:
    some = chats(200, most=1)
    for k in (3, 50, 90):
        some[k] = [some[k][0], ("assistant", some[k][0][1])]
    (finding,) = found(frame(some), "CHT102")
    assert "3 with an answer that repeats the question" in finding.message
    assert [sample.index for sample in finding.affected.samples] == [3, 50, 90]


def test_texts_to_be_edited_may_stay_as_they_are() -> None:
    """As data sets of corrections have them: most answers are the text with a word or two changed."""
    some = [
        [("user", chat[1][1]), ("assistant", chat[1][1].replace("the", "a", k % 3))]
        for k, chat in enumerate(chats(200))
    ]
    assert not found(frame(some), "CHT102")


def test_answers_that_end_in_an_article_were_cut() -> None:
    some = chats(200, most=1)
    for k in range(20, 60, 5):
        words = some[k][1][1].split()
        some[k] = [some[k][0], ("assistant", " ".join([*words[:9], "and", "the"]))]
    (finding,) = found(frame(some), "CHT103")
    assert "8 of 200 answers stop in the middle of a sentence" in finding.message
    assert finding.affected.count == 8
    assert finding.severity == "warning"
    assert not found(frame([*some[:30], *some[60:]]), "CHT103")
    lines = [
        [asked, ("assistant", answer.rstrip("."))] if k % 3 else [asked, (who, answer)]
        for k, (asked, (who, answer)) in enumerate(some)
    ]
    (finding,) = found(frame(lines), "CHT103")
    assert finding.severity == "info"  # where many have no full stop, they may be lines
