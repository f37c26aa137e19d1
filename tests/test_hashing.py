"""Content hashes: equal content, equal hash; anything else, another hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from datalint.core import hashing
from datalint.core.dataset import Batch, Categories, ImageBlock, LabelBlock, TableBlock

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def rows_hash(numbers: NDArray[np.float64], names: tuple[str, ...] = ()) -> hashing.Hashes:
    return TableBlock(names or tuple(f"x{j}" for j in range(numbers.shape[1])), np.asfortranarray(numbers)).hashes


def distinct(hashes: hashing.Hashes) -> int:
    return len(np.unique(hashes))


def test_the_hash_of_known_content_never_changes() -> None:
    """Fingerprints in stored reports and baselines depend on it."""
    table = TableBlock(("a", "b"), np.array([[1.0, np.nan]]), (Categories("c", np.array([0], np.int32), ["é"]),))
    batch = Batch("all", 0, 1, labels=LabelBlock(np.array([0], np.int32), ["cat"]), table=table)
    assert hashing.hex_hash(int(batch.hashes[0])) == "2eada200b61ef6c6"
    assert hashing.hex_hash(hashing.bytes_hash(b"datalint")) == "2651f86199851c6a"


def test_equal_content_has_equal_hashes_wherever_it_stands() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(50, 3))
    texts = rng.integers(-1, 3, 50).astype(np.int32)
    whole = TableBlock(("a", "b", "c"), numbers, (Categories("t", texts, ["u", "v", "w"]),))
    order = [2, 0, 1]
    recoded = np.array([2, 0, 1, -1], np.int32)[texts]
    turned = TableBlock(
        ("c", "a", "b"), np.asfortranarray(numbers[:, order]), (Categories("t", recoded, ["v", "w", "u", "unused"]),)
    )
    assert (whole.hashes == turned.hashes).all()
    single = [
        TableBlock(("a", "b", "c"), numbers[k : k + 1], (Categories("t", texts[k : k + 1], ["u", "v", "w"]),)).hashes[0]
        for k in range(50)
    ]
    assert whole.hashes.tolist() == single


def test_one_zero_and_one_missing_value() -> None:
    nans = np.array([0x7FF8000000000000, 0xFFF8000000000000, 0x7FF8000000000001, 0x7FF0000000000001], np.uint64)
    assert distinct(hashing.number_bits(nans.view(np.float64))) == 1
    assert distinct(hashing.number_bits(np.array([0.0, -0.0]))) == 1
    values = np.array([0.0, np.nan, np.inf, -np.inf, 5e-324, 1.0, -1.0])
    assert distinct(hashing.number_bits(values)) == len(values)
    assert distinct(rows_hash(values[:, None])) == len(values)


def test_columns_labels_and_texts_tell_samples_apart() -> None:
    ab = rows_hash(np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 1.0], [2.0, 2.0], [0.0, 0.0], [np.nan, 0.0], [0.0, np.nan]]))
    assert distinct(ab) == 7
    assert rows_hash(np.ones((1, 1)), ("a",)) != rows_hash(np.ones((1, 1)), ("b",))
    table = TableBlock(("a",), np.zeros((3, 1)))
    labels = LabelBlock(np.array([0, 1, -1], np.int32), ["x", "y"])
    batch = Batch("all", 0, 3, labels=labels, table=table)
    assert distinct(batch.hashes) == 3
    assert distinct(batch.input_hashes) == 1
    assert (
        distinct(Batch("all", 0, 3, labels=LabelBlock(None, [], np.array([1.0, 2.0, np.nan])), table=table).hashes) == 3
    )
    texts = ["", "a", "A", " a", "á", "a\u0301", "\ud800", "0", "nan"]
    assert distinct(hashing.text_hashes(texts)) == len(texts)


def test_columns_that_are_no_content_do_not_count() -> None:
    numbers = np.array([[1.0, 5.0], [2.0, 5.0]])
    assert distinct(TableBlock(("id", "a"), numbers, hashed=frozenset({"a"})).hashes) == 1


def test_images_are_their_bytes() -> None:
    one, zero = np.ones(2, np.int32), np.zeros(2, np.uint8)
    images = ImageBlock(one, one, zero, ["L", "L"], hashing.text_hashes(["p", "q"]))
    assert distinct(Batch("all", 0, 2, images=images).hashes) == 2


def test_remembered_hashes_of_texts_are_those_of_texts() -> None:
    hasher = hashing.TextHasher(limit=2)
    for texts in (["a", "b", "c"], ["c", "d"], [], ["a", "a"]):
        assert hasher(texts).tolist() == hashing.text_hashes(texts).tolist()


GRIDS: dict[str, Callable[[], NDArray[Any]]] = {
    "100 x 100 x 100": lambda: np.indices((100, 100, 100)).reshape(3, -1).T,
    "20 columns of 0 and 1": lambda: (np.arange(1 << 20)[:, None] >> np.arange(20)) & 1,
    "powers of two": lambda: 2.0 ** np.indices((100, 100, 100)).reshape(3, -1).T,
    "counting from a million": lambda: 1e6 + np.indices((1000, 1000)).reshape(2, -1).T,
    "one-hot and thousandths": lambda: np.column_stack(
        [np.eye(4)[np.arange(10**6) % 4], np.arange(10**6) // 4 / 1000],
    ),
}


@pytest.mark.parametrize("name", GRIDS)
def test_a_million_alike_rows_do_not_collide(name: str) -> None:
    """A good 64-bit hash collides once in about 36,000,000 such sets."""
    rows = np.asfortranarray(GRIDS[name](), dtype=np.float64)
    assert distinct(rows_hash(rows)) == len(rows)


@pytest.mark.parametrize("name", GRIDS)
def test_the_sums_before_the_last_mix_use_all_their_bits(name: str) -> None:
    """The last step is a bijection, so it hides what the sums have lost: the low bits must vary as the high ones do."""
    grid = GRIDS[name]()
    rows = grid[:: len(grid) // 4096].astype(np.float64)
    total = np.zeros(len(rows), np.uint64)
    for j in range(rows.shape[1]):
        total += hashing.scramble(hashing.number_bits(np.ascontiguousarray(rows[:, j])), hashing.salt_of(f"x{j}"))
    low = total & np.uint64(0xFFFFF)
    # 4,096 balls in 2**20 bins: all but some eight in a bin of their own.
    assert distinct(low) > 0.95 * len(np.unique(rows, axis=0))


def test_every_bit_of_a_cell_moves_half_of_the_bits_of_the_hash() -> None:
    rng = np.random.default_rng(1)
    numbers = rng.normal(size=(400, 3))
    before = rows_hash(numbers)
    moved = np.zeros((64, 64))
    for bit in range(64):
        changed = numbers.copy()
        changed[:, 1] = (changed[:, 1].view(np.uint64) ^ np.uint64(1 << bit)).view(np.float64)
        differing = before ^ rows_hash(changed)
        moved[bit] = ((differing[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)).mean(0)
    # Of 4,096 shares of 400 flips none lies more than six standard deviations from a half.
    assert np.abs(moved - 0.5).max() < 6 * 0.5 / 20
    assert abs(moved.mean() - 0.5) < 0.005
