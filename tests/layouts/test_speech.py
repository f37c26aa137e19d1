"""Recordings with transcripts in files of their own: what is read, what is blamed, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

import datalint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WORDS = ["TIME", "PEOPLE", "WAY", "DAY", "MAN", "THING", "WOMAN", "LIFE", "CHILD", "WORLD", "SCHOOL", "STATE"]
RNG = np.random.default_rng(8)


def put(path: Path, lines: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def said(path: Path) -> str:
    text = " ".join(RNG.choice(WORDS, 6))
    path.parent.mkdir(parents=True, exist_ok=True)
    at = np.arange(int(len(text) / 30 * 8_000)) / 8_000
    wave = 0.4 * np.abs(np.sin(3 * at + RNG.random() * 6)) * np.sin(2 * np.pi * RNG.integers(200, 900) * at)
    soundfile.write(path, wave + RNG.normal(0, 0.005, len(at)), 8_000)
    return text


def librispeech(root: Path, splits: dict[str, range]) -> None:
    for split, speakers in splits.items():
        for speaker in speakers:
            for chapter in (100 + speaker, 200 + speaker):
                keys = [f"{speaker}-{chapter}-{k:04d}" for k in range(2)]
                home = root / "LibriSpeech" / split / str(speaker) / str(chapter)
                lines = [f"{key} {said(home / f'{key}.flac')}" for key in keys]
                put(home / f"{speaker}-{chapter}.trans.txt", lines)
    about = [f"{k:<5}| F | train-clean-100   | 25.03 | Name of {k}" for k in range(1, 40)]
    put(root / "LibriSpeech" / "SPEAKERS.TXT", [";ID  |SEX| SUBSET           |MINUTES| NAME", *about])


def kaldi(root: Path, recording: str) -> None:
    for split, count in {"train": 12, "test": 8}.items():
        speakers = [f"{split}spk{k}" for k in range(count)]
        keys = {f"{speaker}-utt{k}": speaker for speaker in speakers for k in range(3)}
        texts = {key: said(root / "wavs" / f"{key}.wav") for key in keys}
        home = root / "data" / split
        put(home / "wav.scp", [f"{key} {recording.format(f'wavs/{key}.wav')}" for key in keys])
        put(home / "text", [f"{key} {text}" for key, text in texts.items()])
        put(home / "utt2spk", [f"{key} {speaker}" for key, speaker in keys.items()])


def test_librispeech(tmp_path: Path) -> None:
    librispeech(tmp_path, {"train-clean-100": range(1, 13), "dev-clean": range(20, 25), "test-clean": range(30, 35)})
    report = datalint.scan(tmp_path, cache=False, jobs=1)
    (info,) = report.datasets
    assert (info.layout, info.label) == ("recordings with transcripts", None)
    assert {s.name: s.samples for s in info.splits} == {"train": 48, "validation": 20, "test": 20}
    (found,) = datalint.detect(tmp_path)
    assert {f.name: f.role for f in found.fields} == {"speaker": "group", "id": "id", "text": "text"}
    assert not [f.message for f in report.findings if f.severity != "info"]


def test_speakers_of_both_splits(tmp_path: Path) -> None:
    librispeech(tmp_path, {"train-clean-100": range(1, 13), "test-clean": range(9, 21)})
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["SPL107"])
    assert any("'speaker'" in found.message for found in report.findings)


@pytest.mark.parametrize("recording", ["{}", "flac -c -d -s {} |"])
def test_kaldi(tmp_path: Path, recording: str) -> None:
    kaldi(tmp_path, recording)
    report = datalint.scan(tmp_path, cache=False, jobs=1)
    (info,) = report.datasets
    assert info.layout == "recordings with transcripts"
    assert {s.name: s.samples for s in info.splits} == {"train": 36, "test": 24}
    assert not [f.message for f in report.findings if f.severity != "info"]


def test_a_recording_that_is_not_there(tmp_path: Path) -> None:
    kaldi(tmp_path, "{}")
    (tmp_path / "wavs" / "trainspk3-utt1.wav").unlink()
    report = datalint.scan(tmp_path, cache=False, jobs=1, select=["FIL101", "AUD101"])
    (found,) = report.findings
    assert (found.code, found.severity) == ("AUD101", "error")


def test_recordings_elsewhere(tmp_path: Path) -> None:
    kaldi(tmp_path, "/corpora/{}")
    report = datalint.scan(tmp_path / "data", cache=False, jobs=1)
    (info,) = report.datasets
    assert info.layout == "transcripts"
    assert "none of its recordings lies in the scanned folder" in " ".join(f.message for f in report.findings)
    assert not [f.message for f in report.findings if f.severity != "info"]
