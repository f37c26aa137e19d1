"""Recordings made of noise and tones: of three kinds that differ as bells, birds and rain do, and nothing is wrong with them."""

from __future__ import annotations

import io
import wave
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE = 8000
KINDS = ("bell", "bird", "rain")


def made(kind: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """One recording, about a second long, with some noise and a level of its own."""
    frames = int(RATE * rng.uniform(0.6, 1.4))
    t = np.arange(frames) / RATE
    if kind == "bell":
        pitch = rng.uniform(300, 900)
        partials = [1, rng.uniform(2.0, 2.1), rng.uniform(2.9, 3.1), rng.uniform(4.1, 4.4)]
        start = rng.uniform(0, 0.15)
        tone = sum(np.sin(2 * np.pi * pitch * p * t + rng.uniform(0, 6)) / p for p in partials)
        sound = np.where(t > start, tone * np.exp(-(t - start) * rng.uniform(3, 8)), 0)
    elif kind == "bird":
        sound = np.zeros(frames)
        for _ in range(int(rng.integers(2, 7))):
            at, long = rng.uniform(0, t[-1]), rng.uniform(0.05, 0.2)
            sweep = rng.uniform(1500, 3000) * (t - at) + rng.uniform(-6000, 6000) * (t - at) ** 2
            sound += np.sin(2 * np.pi * sweep) * np.exp(-(((t - at) / long) ** 2) * 4)
    else:
        noise = rng.normal(size=frames)
        drops = (rng.random(frames) < rng.uniform(0.002, 0.01)) * rng.exponential(3, frames)
        sound = np.convolve(noise * 0.3 + drops, np.exp(-np.arange(40) / rng.uniform(2, 8)), "same")
        sound *= 1 + 0.5 * np.sin(2 * np.pi * rng.uniform(0.5, 2) * t + rng.uniform(0, 6))
    level = rng.uniform(0.3, 0.9) / np.abs(sound).max()
    clean: NDArray[np.float64] = np.clip(sound * level + rng.normal(0, 0.002, frames), -1, 1)
    return clean


def packed(sound: NDArray[np.float64], rate: int = RATE) -> bytes:
    """A WAV file of 16 bits; [frames] or [frames, channels]."""
    wide = sound[:, None] if sound.ndim == 1 else sound
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(wide.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(wide * 32767).astype("<i2").tobytes())
    return out.getvalue()
