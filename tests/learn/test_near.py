"""Near-identical pictures, rows and texts, and what is only alike."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from datalint.profile.learn.near_crops import near_crops
from datalint.profile.learn.near_pictures import near_pictures
from datalint.profile.learn.near_rows import agreeing, near_rows, near_texts, told_apart
from tests.reference import crop, photos


def tiles() -> np.ndarray:
    """The windows of two photos side by side: none overlaps another."""
    parts = [
        photo[top : top + 64, left : left + 64]
        for photo in photos().values()
        for top in range(0, 427 - 64, 64)
        for left in range(0, 640 - 64, 64)
    ]
    return np.stack([np.asarray(Image.fromarray(part).resize((32, 32))) for part in parts])


def windows(count: int) -> np.ndarray:
    """Windows of one photo that overlap more or less."""
    rng = np.random.default_rng(0)
    china = photos()["china"]
    return np.stack([np.asarray(Image.fromarray(crop(china, 120, 120, rng)).resize((32, 32))) for _ in range(count)])


def digits() -> np.ndarray:
    X, _ = load_digits(return_X_y=True)
    small = (X.reshape(-1, 8, 8) * 15).astype(np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((32, 32), Image.Resampling.BILINEAR)) for one in small])


def jpeg(pixels: np.ndarray) -> np.ndarray:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=50)
    return np.asarray(Image.open(out))


def pairs(pictures: np.ndarray) -> set[tuple[int, int]]:
    first, second, _, _ = near_pictures(pictures, np.arange(len(pictures), dtype=np.uint64))
    return set(zip(first.tolist(), second.tolist(), strict=True))


@pytest.mark.parametrize("change", ["jpeg", "darker", "mirrored"])
def test_changed_copies_of_photos(change: str) -> None:
    pictures = tiles()
    assert not pairs(pictures)
    copies = [12, 15, 22, 31, 41, 51]
    changed = []
    for k in copies:
        image = pictures[k]
        if change == "jpeg":
            image = jpeg(image)
        elif change == "darker":
            image = (image * 0.7).astype(np.uint8)
        else:
            image = image[:, ::-1]
        changed.append(image)
    found = pairs(np.concatenate([pictures, changed]))
    planted = {(k, len(pictures) + j) for j, k in enumerate(copies)}
    assert len(found & planted) >= 5
    assert not found - planted


def test_pictures_of_one_form_in_other_colours_are_no_copies() -> None:
    pictures = tiles()
    colours, detail = np.ptp(pictures.mean(axis=(1, 2)), axis=1), pictures.mean(axis=3).std(axis=(1, 2))
    vivid = np.flatnonzero((colours > 25) & (detail > 25))[::4].tolist()
    assert len(vivid) >= 8
    swapped = [pictures[k][..., [2, 0, 1]] for k in vivid]  # the red apple turns green
    same = [jpeg(pictures[k]) for k in vivid]
    found = pairs(np.concatenate([pictures, swapped, same]))
    n = len(pictures)
    assert not {(k, n + j) for j, k in enumerate(vivid)} & found
    assert {(k, n + len(vivid) + j) for j, k in enumerate(vivid)} <= found


def test_slight_crops_of_pictures_that_are_unlike_each_other() -> None:
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(32)[:, None], np.fft.rfftfreq(32)) + 1 / 32
    smooth = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(1_000, 32, 32))) / frequency**1.5, s=(32, 32))
    pictures = np.clip(128 + 60 * smooth / smooth.std(), 0, 255).astype(np.uint8)
    cropped = [np.asarray(Image.fromarray(p).crop((1, 1, 31, 31)).resize((32, 32))) for p in pictures[:10]]
    found = pairs(np.concatenate([pictures, cropped]))
    planted = {(k, 1_000 + k) for k in range(10)}
    assert len(found & planted) >= 8
    assert not found - planted


def unlike(count: int, side: int) -> np.ndarray:
    """Smooth pictures that have nothing in common."""
    rng = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)) + 1 / side
    smooth = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(count, side, side))) / frequency**1.5, s=(side, side))
    return np.asarray(np.clip(128 + 60 * smooth / smooth.std(), 0, 255), np.uint8)


def small(pictures: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    parts = [Image.fromarray(picture).crop(box) for picture in pictures]
    return np.stack([np.asarray(part.resize((32, 32), Image.Resampling.BOX)) for part in parts])


def crops(pictures: np.ndarray) -> set[tuple[int, int]]:
    found = near_crops(pictures, np.arange(len(pictures), dtype=np.uint64))
    return set(zip(found.whole.tolist(), found.part.tolist(), strict=True))


@pytest.mark.parametrize(
    "box", [(13, 0, 128, 128), (0, 19, 109, 128), (10, 10, 118, 118), (0, 0, 128, 96), (6, 0, 115, 120)], ids=str
)
def test_parts_of_pictures(box: tuple[int, int, int, int]) -> None:
    pictures = unlike(400, 128)
    whole = small(pictures, (0, 0, 128, 128))
    assert not crops(whole)
    found = crops(np.concatenate([whole, small(pictures[:20], box)]))
    planted = {(k, 400 + k) for k in range(20)}
    assert len(found & planted) >= 14  # between the windows that are tried some are missed
    assert not found - planted


def test_few_parts_may_be_cut_outs() -> None:
    pictures = unlike(400, 128)
    assert not crops(np.concatenate([small(pictures, (0, 0, 128, 128)), small(pictures[:6], (13, 0, 128, 128))]))


def test_look_alikes_are_no_parts_of_each_other() -> None:
    assert not crops(digits())
    assert not crops(windows(400))
    rng = np.random.default_rng(0)
    china = photos()["china"]
    sizes = rng.integers(60, 300, 400).tolist()
    cuts = [np.asarray(Image.fromarray(crop(china, size, size, rng)).resize((32, 32))) for size in sizes]
    assert not crops(np.stack(cuts))


def test_windows_that_overlap_are_a_continuum() -> None:
    assert len(pairs(windows(400))) <= 4


def test_digits_are_alike_but_no_copies() -> None:
    pictures = digits()
    assert not pairs(pictures)
    assert pairs(np.concatenate([pictures, pictures[5:6] // 2])) == {(5, 1797)}


def test_blank_pictures_are_no_copies_of_each_other() -> None:
    rng = np.random.default_rng(0)
    blank = np.full((200, 32, 32), 128, np.uint8) + rng.integers(0, 3, (200, 32, 32), dtype=np.uint8)
    assert not pairs(blank)
    assert not pairs(np.zeros((50, 32, 32, 3), np.uint8))


def test_pictures_of_equal_content_are_no_pair() -> None:
    pictures = np.tile(tiles(), (2, 1, 1, 1))
    contents = np.tile(np.arange(len(pictures) // 2, dtype=np.uint64), 2)
    first, _, _, _ = near_pictures(pictures, contents)
    assert not len(first)


def rows_of(numbers: np.ndarray) -> set[tuple[int, int]]:
    found = near_rows(numbers, [], np.arange(len(numbers), dtype=np.uint64))
    return set(zip(found.first.tolist(), found.second.tolist(), strict=True))


def test_rows_rounded_or_with_one_other_value() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(50, 10, (3_000, 12))
    assert not rows_of(numbers)
    rounded = np.round(numbers[:20], 2)
    other = numbers[100:120].copy()
    other[np.arange(20), rng.integers(0, 12, 20)] = 0.0
    found = near_rows(np.concatenate([numbers, rounded, other]), [], np.arange(3_040, dtype=np.uint64))
    got = dict(zip(zip(found.first.tolist(), found.second.tolist(), strict=True), found.changed.tolist(), strict=True))
    assert got == {(k, 3_000 + k): 0 for k in range(20)} | {(100 + k, 3_020 + k): 1 for k in range(20)}


def test_coarse_tables_coincide_by_chance() -> None:
    rng = np.random.default_rng(0)
    assert not rows_of(rng.integers(0, 3, (2_000, 12)).astype(float))
    assert not rows_of(rng.poisson(0.3, (2_000, 30)).astype(float))
    # One cause behind all columns.
    cause = rng.integers(0, 40, 2_000)
    assert not rows_of((cause[:, None] * np.arange(1, 13) + (rng.random((2_000, 12)) < 0.2)).astype(float))


def test_curves_of_one_form_and_all_sizes_are_no_copies() -> None:
    rng = np.random.default_rng(0)
    size = np.exp(rng.uniform(0, 10, 1_200))
    assert not rows_of(size[:, None] * (1 + 0.02 * rng.normal(size=(1_200, 60))))
    assert not rows_of(size[:, None] * (1 + 0.2 * rng.normal(size=(1_200, 60))))
    # Where each has a form of its own, copies are told apart however small they are.
    curves = size[:, None] * np.exp(rng.normal(size=(1_200, 60)))
    assert rows_of(np.concatenate([curves, 1.0001 * curves[:12]])) == {(k, 1_200 + k) for k in range(12)}


def test_hostile_numbers() -> None:
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(300, 9))
    numbers[:, 0] *= 3e307
    numbers[:, 1] = np.where(numbers[:, 1] > 0, np.inf, -np.inf)
    numbers[:, 2] = np.nan
    numbers[:, 3] = 5.0
    numbers[:, 4] = 5e-324
    assert not rows_of(numbers)


def test_rows_with_alike_texts_are_no_copies_if_the_rest_differs() -> None:
    rng = np.random.default_rng(0)
    flights = rng.normal(size=(200, 5))
    flights[150:] = flights[:50]
    flights[190:, 2] += 1
    flights[195:, 4] += 1
    airport = np.arange(200, dtype=np.int64) % 50
    first, second = np.arange(50), 150 + np.arange(50)
    # One column of six may differ.
    assert agreeing(flights, [airport], first, second).tolist() == [True] * 45 + [False] * 5
    assert not agreeing(flights, [airport], first, 50 + np.arange(50)).any()
    # Next to two columns the text is what the row is about.
    assert agreeing(flights[:, :2], [], first, 50 + np.arange(50)).all()


def test_texts() -> None:
    rng = np.random.default_rng(0)
    words = [f"word{k}" for k in range(2_000)]
    texts = [" ".join(rng.choice(words, 50)) for _ in range(300)]
    texts += [texts[k].replace(texts[k].split()[7], "other", 1) for k in range(5)]
    found, share = near_texts([*texts, None, ""], np.arange(307, dtype=np.uint64))
    assert set(zip(found.first.tolist(), found.second.tolist(), strict=True)) == {(k, 300 + k) for k in range(5)}
    assert (share > 0.7).all()
    template = [
        f"dear customer {k} we thank you for your order of {w} and will send it soon" for k, w in enumerate(words)
    ]
    assert not len(near_texts(template, np.arange(2_000, dtype=np.uint64))[0].first)


def test_questions_about_one_passage_are_told_apart() -> None:
    passage = "The bridge was built in 1894 and carries two lanes of traffic.\nIt was painted green after the war.\n"
    assert told_apart(passage + "When was the bridge built?", passage + "Which colour did it have before the war?")
    assert told_apart(passage + "When was it painted?", passage + "When was it built?")
    assert not told_apart(passage + "When was the bridge built?", passage + "when was the bridge built? ")
    assert not told_apart(passage, passage + "When was the bridge built?")
    long = "How many lanes does the bridge carry today, and since when has it been closed to lorries on Sundays?"
    assert not told_apart(long, long.replace("today", "now"))
