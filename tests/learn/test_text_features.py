"""What models see of sentences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import datalint
from datalint.profile.learn import features
from tests.conversations import chats

TOPICS = {
    "kitchen": "oven knife soup bread salt butter onion recipe spoon kettle pepper stew flour dough grill sauce",
    "garden": "soil seed rose hedge spade lawn tomato compost bulb shade frost weed prune root blossom watering",
    "music": "violin chord tempo choir rhythm melody organ flute drum pitch octave concert score bass encore solo",
    "travel": "train hotel border ticket suitcase harbour map airport visa hostel ferry museum luggage beach tour guide",
}


def topics(seed: int, flips: float, count: int = 400) -> tuple[pd.DataFrame, set[int]]:
    """Sentences on four topics, each with some words of its own among words that all share, and some labels exchanged."""
    rng = np.random.default_rng(seed)
    shared = " ".join(text for chat in chats(60, seed) for _, text in chat).split()
    rows = []
    for topic, words in TOPICS.items():
        for _ in range(count // len(TOPICS)):
            own = rng.choice(words.split(), int(rng.integers(1, 5)))
            rows.append((" ".join(rng.permutation([*own, *rng.choice(shared, 14)])), topic))
    table = pd.DataFrame([rows[k] for k in rng.permutation(len(rows))], columns=["text", "topic"])
    wrong = rng.choice(len(table), round(flips * len(table)), replace=False)
    for row in wrong:
        table.loc[row, "topic"] = rng.choice([topic for topic in TOPICS if topic != table.topic[row]])
    return table, {int(row) for row in wrong}


@pytest.mark.parametrize("seed", [0, 1])
def test_wrong_labels_of_texts_are_found_and_right_ones_are_not_doubted(seed: int) -> None:
    table, _ = topics(seed, 0)
    assert not datalint.scan(table, label="topic", select=["LBL102"], config=False).findings
    table, wrong = topics(seed, 0.06)
    report = datalint.scan(table, label="topic", select=["LBL102"], config=False)
    (finding,) = report.findings
    named = set(report.affected("LBL102")["index"])
    assert finding.severity == "warning"
    assert len(named & wrong) >= 0.5 * len(wrong) and len(named & wrong) >= 0.7 * len(named)


def test_texts_without_anything_in_common_have_no_features() -> None:
    assert features.encode_texts(["one two", None, "three four", ""]).shape == (4, 0)
    assert features.encode_texts([]).shape == (0, 0)


def test_equal_texts_are_equal_and_many_are_read_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [text for chat in chats(40) for _, text in chat]
    encoded = features.encode_texts([*texts, texts[3]])
    assert np.allclose(encoded[3], encoded[-1], atol=1e-4)
    assert np.isfinite(encoded).all() and encoded.shape[1] <= 128
    monkeypatch.setattr(features, "_PARTS", 10)
    assert features.encode_texts(texts).shape[0] == len(texts)
