from __future__ import annotations

import numpy as np
import pytest

from datalint.profile.learn.features import MAX_COLUMNS, encode_images, encode_table, encode_vectors


def test_numbers_are_imputed_and_gaps_become_a_column() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(5, 3, size=(400, 3))
    numbers[:100, 0] = np.nan
    numbers[3, 1] = np.inf
    encoded = encode_table(numbers, [], [])
    assert encoded.dtype == np.float32
    assert encoded.shape == (400, 4)  # one column of gaps: the single infinite cell is not frequent
    assert np.isfinite(encoded).all()
    assert np.allclose(encoded[:, :3].std(axis=0), 1, atol=0.05)
    assert np.array_equal(encoded[:, 3] == 1, np.isnan(numbers[:, 0]))


def test_heavy_tails_do_not_flatten_the_rest() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=500)
    values[:3] = 1e9
    encoded = encode_table(values[:, None], [], [])[:, 0]
    assert np.abs(encoded).max() <= 8
    assert encoded[3:].std() > 0.2
    assert np.array_equal(np.argsort(encoded[3:]), np.argsort(values[3:]))


def test_constant_and_empty_columns_are_dropped() -> None:
    numbers = np.full((50, 3), 7.0)
    numbers[:, 1] = np.nan
    numbers[:, 2] = np.arange(50)
    assert encode_table(numbers, [np.zeros(50, np.int32)], [1]).shape == (50, 1)
    assert encode_table(np.zeros((50, 0)), [], []).shape == (50, 0)


def test_categories_small_and_large() -> None:
    rng = np.random.default_rng(0)
    small = rng.integers(-1, 3, 1000).astype(np.int32)
    large = rng.integers(0, 500, 1000).astype(np.int32)
    encoded = encode_table(np.zeros((1000, 0)), [small, large], [3, 500])
    assert encoded.shape[0] == 1000
    assert 4 + 2 <= encoded.shape[1] <= 4 + 20
    assert np.array_equal(encoded[:, :4].argmax(axis=1) - 1, small)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="level counts"):
        encode_table(np.zeros((5, 1)), [np.zeros(5, np.int32)], [])
    with pytest.raises(ValueError, match="length"):
        encode_table(np.zeros((5, 1)), [np.zeros(4, np.int32)], [1])


def test_wide_tables_keep_their_distances_in_few_columns() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    numbers = rng.normal(size=(60, 20_000)) + 0.4 * y[:, None]
    encoded = encode_table(numbers, [], [])
    assert encoded.shape == (60, MAX_COLUMNS)
    between = np.linalg.norm(encoded[y == 0].mean(axis=0) - encoded[y == 1].mean(axis=0))
    by_chance = np.linalg.norm(encoded[:30].mean(axis=0) - encoded[30:].mean(axis=0))
    assert between > 1.3 * by_chance


@pytest.mark.parametrize("shape", [(40, 32, 32), (40, 32, 32, 3), (40, 8, 8), (40, 20, 48, 3)])
def test_pictures_of_any_shape(shape: tuple[int, ...]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    encoded = encode_images(pictures)
    assert encoded.shape[0] == 40
    assert 0 < encoded.shape[1] <= 96
    assert np.isfinite(encoded).all()
    assert np.array_equal(encoded, encode_images(pictures))


def test_equal_pictures_have_no_features() -> None:
    assert encode_images(np.zeros((10, 16, 16), np.uint8)).shape == (10, 0)


def test_given_vectors_are_brought_to_one_scale() -> None:
    vectors = np.random.default_rng(0).normal(100, 50, size=(300, 400))
    vectors[0, 0] = np.nan
    encoded = encode_vectors(vectors)
    assert encoded.shape == (300, 192)
    assert 0.1 < encoded.std() <= 1.0
