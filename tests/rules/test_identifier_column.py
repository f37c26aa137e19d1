"""VAL107: keys among the features, and numbers that are unique by nature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import datalint


def found(frame: Any) -> list[tuple[str, str | None]]:
    return [(f.severity, f.column) for f in datalint.scan(frame, label="y", select=["VAL107"]).findings]


def table(n: int = 300) -> tuple[pd.DataFrame, np.random.Generator]:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"a": rng.normal(3, 2, n), "b": rng.integers(0, 9, n), "y": rng.choice(["u", "v"], n)}), rng


def test_shuffled_keys_are_found_whatever_their_name_and_offset() -> None:
    frame, rng = table()
    assert found(frame.assign(ref=rng.permutation(300))) == [("warning", "ref")]
    assert found(frame.assign(ref=5_000_000 + 3 * rng.permutation(300))) == [("warning", "ref")]


def test_whole_numbers_of_a_wide_spread_are_unique_by_nature() -> None:
    frame, rng = table()
    assert not found(frame.assign(income=rng.lognormal(11, 0.8, 300).round(), big=rng.integers(0, 10**12, 300)))
    assert not found(frame.assign(age=rng.integers(18, 90, 300)))


def test_a_counter_of_the_rows_in_any_unit() -> None:
    frame, _ = table()
    assert found(frame.assign(t=0.25 * np.arange(300))) == [("warning", "t")]


def test_what_is_recognised_by_its_name_is_info() -> None:
    frame, rng = table()
    report = datalint.scan(frame.assign(customer_id=rng.permutation(300)), label="y", select=["VAL107"])
    (finding,) = report.findings
    assert (finding.severity, finding.column) == ("info", "customer_id")
    assert "left out by datalint" in finding.message


def test_texts_that_nearly_all_differ_unless_they_are_sentences() -> None:
    frame, rng = table()
    ref = [f"TX-{k:05d}" for k in rng.permutation(300)]
    ref[7] = ref[8]
    assert found(frame.assign(ref=ref)) == [("warning", "ref")]
    words = np.array(["the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "and", "runs", "away"])
    said = [" ".join(rng.choice(words, 9)) for _ in range(300)]
    assert not found(frame.assign(said=said))


def test_dates_amounts_and_lists_differ_in_nearly_every_row_and_are_no_keys() -> None:
    frame, rng = table()
    days = pd.date_range("1988-01-01", periods=300, freq="11D")[rng.permutation(300)]
    assert not found(frame.assign(born=[f"{day.day}-{day:%b-%y}" for day in days]))
    assert not found(frame.assign(income=[f"${50_000 + k * 37:,}" for k in rng.permutation(300)]))
    near = [",".join(rng.choice(list("ABCDEFGHIJKLMNOP"), 6, replace=False)) for _ in range(300)]
    near[5] = near[6]
    assert not found(frame.assign(near=near))


def test_next_to_documents_without_labels_a_key_is_no_feature() -> None:
    """A model reads the texts; where each was found is kept beside them in most corpora."""
    rng = np.random.default_rng(0)
    words = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lmnrs"])
    texts = [" ".join(rng.choice(words, 40)) for _ in range(300)]
    frame = pd.DataFrame(
        {"text": texts, "place": [f"https://example.org/{int(k) % 299}" for k in rng.permutation(300)]}
    )
    (finding,) = datalint.scan(frame, select=["VAL107"]).findings
    assert (finding.severity, finding.column) == ("info", "place")
    assert ("warning", "place") in found(frame.assign(y=rng.choice(["u", "v"], 300)))
