"""The coordinated sample: which contents it holds depends on the contents alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datalint.core.dataset import Batch, LabelBlock, TableBlock
from datalint.measures.base import Settings
from datalint.measures.sample import MAX_COPIES, MIN_SAMPLES, Sample
from datalint.profile.splits import SampledRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = Settings(sample_size=MIN_SAMPLES)


def batch_of(x: NDArray[np.float64], start: int, stop: int) -> Batch:
    rows = x[start:stop]
    labels = LabelBlock((rows[:, 0] % 3).astype(np.int32), ["p", "q", "r"])
    table = TableBlock(tuple(f"x{j}" for j in range(x.shape[1])), np.asfortranarray(rows))
    return Batch("all", start, stop - start, labels=labels, table=table)


def sampled(x: NDArray[np.float64], cuts: list[int], given_settings: Settings = SMALL) -> Sample:
    state = Sample(given_settings)
    for start, stop in zip([0, *cuts], [*cuts, len(x)], strict=True):
        state.update(batch_of(x, start, stop))
    return state.close()


def column(values: NDArray[np.int64]) -> NDArray[np.float64]:
    return values.astype(np.float64)[:, None]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([5, 150, 900, 9_000]),
    st.sampled_from([1, 3, 40, 180, MIN_SAMPLES, 260, 5_000]),
    st.sampled_from([0.0, 0.6]),
)
def test_sample_against_brute_force(seed: int, size: int, distinct: int, heavy: float) -> None:
    """Bottom-k by hash, exact counts, and per content the places that come first by priority."""
    rng = np.random.default_rng(seed)
    x = column(np.where(rng.random(size) < heavy, 0, rng.integers(distinct, size=size)))
    cuts = sorted(int(cut) for cut in rng.integers(0, size + 1, int(rng.integers(12))))
    middle = int(rng.integers(len(cuts) + 1))
    state = sampled(x, cuts)
    halves = Sample(SMALL), Sample(SMALL)
    for k, (start, stop) in enumerate(zip([0, *cuts], [*cuts, size], strict=True)):
        halves[k > middle].update(batch_of(x, start, stop))
    whole = batch_of(x, 0, size)
    contents, first, counts = np.unique(whole.hashes, return_index=True, return_counts=True)
    kept = min(len(contents), MIN_SAMPLES)
    for found in (state, halves[0].merge(halves[1]).close()):
        assert found.samples == size
        assert found.contents.tolist() == contents[:kept].tolist()
        assert found.counts.tolist() == counts[:kept].tolist()
        assert found.payload is not None
        assert found.payload.numbers[:, 0].tolist() == x[first[:kept], 0].tolist()
        assert found.payload.label.tolist() == ["pqr"[int(v) % 3] for v in x[first[:kept], 0]]
        assert found.payload.inputs.tolist() == whole.input_hashes[first[:kept]].tolist()
        places = found.places
        assert (places.content == whole.hashes[places.row]).all()
        assert (places.line == places.row).all()
        for content, count in zip(found.contents, found.counts, strict=True):
            own = places.take(places.content == content)
            assert (np.diff(own.row) > 0).all()
            assert len(own) == min(count, found.copies)
        assert len(places) <= MAX_COPIES * found.size
        assert found.complete == (len(places) == size)
        if size <= MIN_SAMPLES:
            assert found.complete


def test_places_are_the_same_for_any_cut_even_of_mass_duplicates() -> None:
    x = column(np.random.default_rng(0).integers(3, size=9_000))
    one, many = sampled(x, []), sampled(x, list(range(100, 9_000, 100)))
    assert one.places.row.tolist() == many.places.row.tolist()
    assert one.places.part.tolist() == many.places.part.tolist()
    assert len(one.places) < 9_000


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_and_of_columns_changes_places_alone(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(25, size=(1_500, 2)).astype(np.float64)
    a, b = sampled(x, [500]), sampled(x[rng.permutation(len(x))], [40, 900])
    assert a.payload is not None
    assert b.payload is not None
    assert a.contents.tolist() == b.contents.tolist()
    assert a.counts.tolist() == b.counts.tolist()
    assert a.payload.numbers.tolist() == b.payload.numbers.tolist()
    assert a.payload.label.tolist() == b.payload.label.tolist()
    swapped = Sample(SMALL)
    batch = batch_of(x, 0, len(x))
    assert batch.labels is not None
    swapped.update(
        Batch("all", 0, len(x), labels=batch.labels, table=TableBlock(("x1", "x0"), np.asfortranarray(x[:, ::-1])))
    )
    swapped.close()
    assert swapped.names == a.names == ("x0", "x1")
    assert swapped.payload is not None
    assert swapped.payload.numbers.tolist() == a.payload.numbers.tolist()


@pytest.mark.parametrize("values", ["counting", "multiples of 0.001", "1e6 on"])
def test_every_content_is_as_likely_as_any_other(values: str) -> None:
    """Chi-squared over 40 equal bins of the contents in their own order, and over the residues modulo 32."""
    from scipy import stats

    n, k = 60_000, 4_000
    number = np.arange(n)
    x = {"counting": number * 1.0, "multiples of 0.001": number * 0.001, "1e6 on": 1e6 + number}[values]
    state = Sample(Settings(sample_size=k))
    for start in range(0, n, 7_000):
        part = x[start : start + 7_000, None]
        state.update(Batch("all", start, len(part), table=TableBlock(("x",), np.asfortranarray(part))))
    rows = state.close().places.row
    assert len(rows) == k
    for groups in (np.bincount(rows * 40 // n, minlength=40), np.bincount(rows % 32, minlength=32)):
        assert stats.chisquare(groups).pvalue > 1e-4


def test_rows_are_all_samples_in_stored_order_while_they_are_few() -> None:
    x = np.random.default_rng(1).integers(4, size=(190, 1)).astype(np.float64)
    rows = SampledRows.of(sampled(x, [50, 51]))
    assert rows.complete
    assert rows.places.row.tolist() == list(range(190))
    assert rows.numbers.tolist() == x.tolist()
    assert SampledRows.of(Sample(SMALL).close()).complete


@pytest.mark.parametrize(("size", "kept"), [(3_000, 1_000), (9_000, MIN_SAMPLES), (60_000, 1_000)])
def test_rows_of_few_contents_are_a_fair_sample_of_the_rows(size: int, kept: int) -> None:
    """A content is as frequent among the rows as in the split, and lies in no part of it more than in another."""
    from scipy import stats

    shares = [0.5, 0.25, 0.15, 0.07, 0.03]
    x = column(np.random.default_rng(2).choice(5, size=size, p=shares))
    rows = SampledRows.of(sampled(x, list(range(500, size, 500)), Settings(sample_size=kept)))
    assert len(rows) == kept
    assert (np.diff(rows.places.row) > 0).all()
    assert (rows.numbers[:, 0] == x[rows.places.row, 0]).all()
    seen = np.bincount(rows.numbers[:, 0].astype(int), minlength=5)
    assert stats.chisquare(seen, np.array(shares) * kept).pvalue > 1e-4
    assert stats.chisquare(np.bincount(rows.places.row * 3 // size, minlength=3)).pvalue > 1e-4


@pytest.mark.parametrize("distinct", [120, 260, 100_000])
def test_many_small_parts_merge_to_the_whole_whether_closed_on_the_way_or_not(distinct: int) -> None:
    x = column(np.random.default_rng(4).integers(distinct, size=2_400))
    cuts = list(range(3, len(x), 3))
    whole = sampled(x, cuts)
    for every in (1, 7, len(x)):
        state = Sample(SMALL)
        for k, (start, stop) in enumerate(zip([0, *cuts], [*cuts, len(x)], strict=True)):
            part = Sample(SMALL)
            part.update(batch_of(x, start, stop))
            state = state.merge(part.close())
            if k % every == 0:
                state.close()
        state.close()
        assert state.samples == len(x)
        assert state.contents.tolist() == whole.contents.tolist()
        assert state.counts.tolist() == whole.counts.tolist()
        assert state.places.row.tolist() == whole.places.row.tolist()


def test_a_column_of_a_part_that_adds_no_sample_still_counts() -> None:
    rng = np.random.default_rng(5)
    state = sampled(rng.normal(size=(4_000, 1)), [])
    wide = rng.normal(size=(400, 2))
    hashes = batch_of(wide, 0, 400).hashes
    (row,) = np.flatnonzero(hashes == hashes.max())
    later = sampled(wide[[row]], [])
    assert later.contents[0] > state.contents[-1]
    state = state.merge(later).close()
    assert state.names == ("x0", "x1")
    assert state.payload is not None
    assert state.payload.numbers.shape == (MIN_SAMPLES, 2)
    assert np.isnan(state.payload.numbers[:, 1]).all()


def test_a_copy_of_the_last_content_that_fits_is_counted_and_placed() -> None:
    x = np.random.default_rng(6).normal(size=(1_000, 1))
    state = sampled(x, [])
    (row,) = np.flatnonzero(batch_of(x, 0, len(x)).hashes == state.contents[-1])
    before = state.contents.tolist()
    others = x[batch_of(x, 0, len(x)).hashes > state.contents[-1]]
    # A part of which nothing else can enter: it holds that content and ones that were driven out.
    state = state.merge(sampled(np.concatenate([others, x[[row]]]), [])).close()
    assert state.contents.tolist() == before
    assert state.counts[-1] == 2
    assert state.places.row[state.places.content == state.contents[-1]].tolist() == [row, 1_000 + len(others)]
