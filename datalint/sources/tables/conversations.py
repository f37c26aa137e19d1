"""Columns that hold conversations: turns in lists, or a question and its answer next to each other."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from datalint.core.dialogues import CALL, LONGEST_NAME, NOBODY, SAID, TURN, TURNS, Conversation, Turn, joined
from datalint.core.hashing import bytes_hash, hex_hash
from datalint.core.roles import roles, words_of
from datalint.sources.tables.labels import find_column

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.core.dataset import Task
    from datalint.core.dialogues import Part
    from datalint.core.roles import ColumnHead
    from datalint.sources.tables.labels import LabelChoice

SPEAKERS = ("role", "from", "speaker", "sender", "author")
TEXTS = ("content", "value", "text", "message", "utterance")
"""Keys of a turn, the usual ones first."""

LABELS = frozenset({"label", "labels"})
"""Names of a column that says whether an answer is good."""

LONGEST = 200
"""Characters of what stands for a picture or a sound."""

TRIED = 200
"""Cells that are looked into to see whether a column holds turns."""

MAIN = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns", "chat")
"""Names of the column that is trained on where several hold turns."""

ASKED = ("instruction", "prompt", "question", "query", "problem", "inputs", "input")
ANSWERED = ("output", "completion", "response", "answer", "solution", "canonical_solution", "targets")
SURE = frozenset(
    {("instruction", "output"), ("prompt", "completion"), ("instruction", "response"), ("prompt", "response")}
)
"""Pairs of names that are those of a conversation whatever is answered; of others the answers must differ."""

MORE, SYSTEM, TOOLS = ("input", "context"), ("system", "system_prompt"), ("tools", "functions")

NO_LABEL = "what is to be predicted are the answers"


def text_of(value: Any) -> str | None:
    """The turns of one cell as one text, whatever stands where turns should."""
    if value is None:
        return None
    text = joined(_said(value))
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _said(value: Any) -> Iterator[tuple[str, str]]:
    for item in _items(value):
        if isinstance(item, dict):
            who = next((item[key] for key in SPEAKERS if isinstance(item.get(key), str)), NOBODY)
            yield who, _content(item)
        else:
            yield NOBODY, _words(item)


def _items(value: Any) -> Sequence[Any]:
    if isinstance(value, str) and value.lstrip()[:1] in {"[", "{"}:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return [value]
    if isinstance(value, list):
        return value
    if isinstance(value, dict):
        keys = _keys(value)
        if keys and all(isinstance(value[key], list) for key in keys):  # as Hugging Face stores a list of objects
            return [dict(zip(keys, pair, strict=False)) for pair in zip(*(value[key] for key in keys), strict=False)]
    return [value]


def _keys(item: Mapping[str, Any]) -> tuple[str, str] | None:
    who = next((key for key in SPEAKERS if key in item), None)
    what = next((key for key in TEXTS if key in item), None)
    return (who, what) if who and what else None


def _content(item: Mapping[str, Any]) -> str:
    """What is said in a turn: its text, its parts, or the tools that are called."""
    text = _words(next((item[key] for key in TEXTS if item.get(key) is not None), None))
    calls = [call for key in ("tool_calls", "function_call") if item.get(key) for call in _items(item[key])]
    return "\n".join([*([text] if text else []), *map(_called, calls)])


def _called(call: Any) -> str:
    """A tool that is called, without the identity of the call."""
    own = call.get("function", call) if isinstance(call, dict) else call
    if not isinstance(own, dict):
        return f"{CALL} {_words(own)}]"
    return f"{CALL} {own.get('name', '')} {_words(own.get('arguments'))}]"


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, (str, dict)) for part in value):
        return "\n".join(map(_part, value))
    return json.dumps(value, ensure_ascii=False, default=str)


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    kind = str(part.get("type", "text"))
    text = next((part[key] for key in TEXTS if isinstance(part.get(key), str)), None)
    if text is not None and not any(word in kind for word in ("image", "video", "audio", "file")):
        return str(text)
    if kind != "text" and "type" in part:
        # Which picture it is tells samples apart; it may stand there itself.
        held = " ".join(str(value) for key, value in part.items() if key != "type" and value is not None)
        return f"[{kind} {held if len(held) <= LONGEST else hex_hash(bytes_hash(held.encode('utf-8', 'replace')))}]"
    return json.dumps(part, ensure_ascii=False, default=str)


def single_turns(values: Sequence[Mapping[str, Any]]) -> bool:
    """Whether most objects are a turn of a known speaker each, rather than records of another kind."""
    tried = values[:TRIED]
    known = sum((keys := _keys(value)) is not None and Turn(str(value[keys[0]]), "").role != "" for value in tried)
    return 2 * known > len(tried)


def holds_turns(cells: Sequence[str | None]) -> bool:
    """Whether most cells, lists or objects as JSON, are turns with a speaker and a text each."""
    tried = found = 0
    for cell in cells:
        if cell is None or not cell.startswith(("[", "{")) or cell == "[]":
            continue
        try:
            value = json.loads(cell)
        except (ValueError, RecursionError):
            continue
        items = value if isinstance(value, list) else [value]
        tried += 1
        found += all(isinstance(item, dict) and _keys(item) is not None for item in items)
        if tried == TRIED:
            break
    return 2 * found > tried


def are_turns(kind: Any) -> bool:
    """Whether an Arrow type is one of turns: structures of a speaker and a text."""
    import pyarrow as pa

    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    return pa.types.is_struct(kind) and _keys({kind.field(j).name: None for j in range(kind.num_fields)}) is not None


def as_texts(array: Any) -> Any:
    """An Arrow array of turns, one text for each cell; as it is where it holds texts."""
    import pyarrow as pa

    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if not pa.types.is_nested(array.type):
        return _unwritten(array)
    texts = plain_texts(array)
    return pa.array(map(text_of, array.to_pylist()), pa.string()) if texts is None else texts


def _unwritten(array: Any) -> Any:
    """Texts as they are, and turns that were written as JSON into one text each."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return array
    written = pc.and_(pc.match_substring_regex(array, r"^\s*[\[{]"), pc.invert(pc.match_substring(array, SAID)))
    if not pc.any(written).as_py():
        return array
    return pa.array([cell and text_of(cell) if SAID not in (cell or "") else cell for cell in array.to_pylist()])


def written_turns(columns: Sequence[ColumnHead]) -> dict[str, str]:
    """The columns of texts that are turns written as JSON."""
    found = {}
    for column in columns:
        if column.kind == "text":
            cells = [cell.strip() if isinstance(cell, str) else None for cell in column.values[:TRIED]]
            shown = [cell for cell in cells if cell]
            likely = sum(cell.startswith(("[{", "[ {", '{"')) for cell in shown)
            if shown and 2 * likely > len(shown) and holds_turns(shown):
                found[column.name] = TURNS
    return found


def plain_texts(array: Any) -> Any:
    """The same without a loop over cells; None where any turn is more than a speaker and a text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    inner = array.type.value_type if pa.types.is_list(array.type) or pa.types.is_large_list(array.type) else None
    if inner is None or not pa.types.is_struct(inner):
        return None
    keys = _keys({inner.field(j).name: None for j in range(inner.num_fields)})
    if keys is None or not all(pa.types.is_string(inner.field(key).type) for key in keys):
        return None
    flat = array.flatten()
    who, what = (flat.field(inner.get_field_index(key)) for key in keys)
    if flat.null_count or who.null_count or what.null_count:
        return None
    who, what = (pc.utf8_trim_whitespace(texts) for texts in (who, what))
    # A turn without a text may call a tool.
    odd = pc.or_(pc.equal(what, ""), pc.or_(pc.equal(who, ""), pc.greater(pc.utf8_length(who), LONGEST_NAME)))
    marked = [pc.match_substring(texts, mark) for texts in (who, what) for mark in (TURN, SAID)]
    if any(pc.any(found).as_py() for found in (odd, *marked)):
        return None
    counts = pc.fill_null(pc.list_value_length(array), 0).to_pylist()
    lists = pa.LargeListArray.from_arrays(
        pa.array([0, *accumulate(counts)], pa.int64()), pc.binary_join_element_wise(who, what, SAID)
    )
    texts = pc.binary_join(lists, TURN)
    return pc.if_else(array.is_valid(), texts, pa.scalar(None, texts.type)) if array.null_count else texts


def plain_type(turns: Any) -> Any:
    """The Arrow type of a column of turns, judged by one cell; None where they are more than texts."""
    import pyarrow as pa

    if isinstance(turns, str):  # as JSON
        return pa.string()
    keys = _keys(turns[0]) if isinstance(turns, list) and turns and isinstance(turns[0], dict) else None
    return pa.list_(pa.struct([(key, pa.string()) for key in keys])) if keys else None


def conversation_of(
    columns: Sequence[ColumnHead], dtypes: Mapping[str, str], label: str | None
) -> tuple[Conversation | None, Sequence[ColumnHead]]:
    """The columns that make up a conversation, and those that may be its label: of other tables all may be.

    No column that the user names as the label is part of a conversation.
    """
    found = _conversation(columns, dtypes)
    if found is None or (label is not None and find_column([c.name for c in columns], label) in found.columns):
        return None, columns
    others = [c for c in columns if c.name not in found.columns]
    # What else is known of a conversation is not predicted from it, unless it is called so.
    return found, others if label is not None else [c for c in others if c.name.strip().casefold() in LABELS]


def with_others(
    conversation: Conversation, files: Sequence[tuple[Sequence[ColumnHead], Mapping[str, str]]], label: str | None
) -> Conversation:
    """With the columns of files that are written otherwise: a benchmark is seldom in the shape of the training data."""
    parts = dict(conversation.parts)
    for columns, dtypes in files:
        if not any(column.name in conversation.columns for column in columns):
            own, _ = conversation_of(columns, dtypes, label)
            texts = [name for name, role in roles(columns).items() if role == "text" and name != label]
            asked: list[tuple[str, Part]] = [(name, "user") for name in texts[:1]]
            parts = {**dict(own.parts if own is not None else asked), **parts}
    return replace(conversation, parts=tuple(parts.items()), mixed=len(parts) > len(conversation.parts))


def task_of(conversation: Conversation | None, choice: LabelChoice | None) -> Task | None:
    """What is to be predicted where no label decides."""
    if conversation is None or choice is not None:
        return None
    return "preference" if conversation.compares else "chat"


def _conversation(columns: Sequence[ColumnHead], dtypes: Mapping[str, str]) -> Conversation | None:
    named = {column.name.strip().casefold(): column for column in reversed(columns) if column.kind == "text"}
    turns = [column.name for column in columns if dtypes.get(column.name) == TURNS]
    around: list[tuple[Sequence[str], Part]] = [
        (SYSTEM, "system"),
        (TOOLS, "given"),
    ]
    before = tuple((c.name, part) for names, part in around if (c := _first(named, names)) and c.name not in turns)
    pair = {word: [c for c in named.values() if word in words_of(c.name)] for word in ("chosen", "rejected")}
    if all(len(found) == 1 for found in pair.values()):
        (chosen,), (rejected,) = pair.values()
        if len(words_of(chosen.name)) == len(words_of(rejected.name)):
            asked = _first({n: c for n, c in named.items() if c not in (chosen, rejected)}, (*MAIN, *ASKED))
            question: tuple[tuple[str, Part], ...] = ()
            if asked:
                question = ((asked.name, "turns" if asked.name in turns else "user"),)
            parts = (*before, *question, (chosen.name, "chosen"), (rejected.name, "rejected"))
            return Conversation(parts, f"{chosen.name!r} is to be preferred to {rejected.name!r}")
    asked, answered = _pair(named)
    if asked and answered and set(turns) <= {asked.name, answered.name}:
        more = _first({n: c for n, c in named.items() if c not in (asked, answered)}, MORE)
        added: tuple[tuple[str, Part], ...] = ((more.name, "input"),) if more else ()
        parts = (*before, (asked.name, "user"), *added, (answered.name, "assistant"))
        return Conversation(parts, f"{answered.name!r} answers {asked.name!r}")
    if not turns:
        return None
    main = next((name for name in turns if name.strip().casefold() in MAIN), turns[0])
    return Conversation((*before, (main, "turns")), f"turns in {main!r}")


def _first(named: Mapping[str, ColumnHead], names: Sequence[str]) -> ColumnHead | None:
    return next((named[name] for name in names if name in named), None)


def _pair(named: Mapping[str, ColumnHead]) -> tuple[ColumnHead | None, ColumnHead | None]:
    for question in ASKED:
        for answer in ANSWERED:
            if question in named and answer in named:
                found = named[question], named[answer]
                if (question, answer) in SURE or all(map(_varied, found)):
                    return found
    return None, None


def _varied(column: ColumnHead) -> bool:
    """Whether the texts of a column are sentences that differ, for the most part: few of anything are classes."""
    texts = [str(value) for value in column.values[:TRIED] if value]
    worded = sum(len(text.split()) > 1 or len(text) > 20 for text in texts)
    return 2 * len(set(texts)) > len(texts) > 0 and 2 * worded > len(texts)
