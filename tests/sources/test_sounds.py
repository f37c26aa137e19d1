"""Recordings: formats, damage, layouts."""

from __future__ import annotations

import json
import shutil
import struct
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

import datalint
from datalint.sources.sounds.decode import read
from tests.recordings import KINDS, RATE, made, packed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from datalint.report.models import Report

RNG = np.random.default_rng(0)
SOUND = np.round(made("bird", RNG) * 32767).astype(np.int16)
WRITTEN = {
    "wav": "PCM_16",
    "flac": "PCM_16",
    "ogg": "VORBIS",
    "mp3": "MPEG_LAYER_III",
    "opus": "OPUS",
    "aiff": "PCM_16",
}


def write(path: Path, sound: NDArray[Any] = SOUND, rate: int = RATE, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {".opus": "OGG"}.get(path.suffix)
    soundfile.write(path, sound, rate, format=kind, subtype=options.pop("subtype", WRITTEN[path.suffix[1:]]), **options)
    return path


def kinds(path: Path) -> list[str]:
    return [problem.kind for problem in read(str(path), path.name, path.suffix)[1]]


@pytest.mark.parametrize("suffix", WRITTEN)
def test_formats(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.{suffix}")
    sound, problems = read(str(path), path.name, path.suffix)
    assert not problems
    assert (sound.rate, sound.channels, sound.depth) == (RATE, 1, WRITTEN[suffix])
    assert abs(sound.seconds - len(SOUND) / RATE) < 0.1
    original = read(str(write(tmp_path / "b.wav")), "b.wav", ".wav")[0]
    assert np.abs(original.picture.astype(float) - sound.picture).mean() < 40
    assert (sound.hash == original.hash) == (suffix in {"wav", "flac", "aiff"})


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
@pytest.mark.parametrize("channels", [1, 2])
def test_plain_wav_needs_no_other_library(
    tmp_path: Path, subtype: str, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.wav", np.stack([SOUND] * channels, axis=1), subtype=subtype)
    with_it, _ = read(str(path), "a.wav", ".wav")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    without, problems = read(str(path), "a.wav", ".wav")
    assert not problems
    assert (without.hash, without.depth, without.seconds) == (with_it.hash, with_it.depth, with_it.seconds)
    assert without.loudest == pytest.approx(with_it.loudest, rel=1e-6)


def test_what_needs_a_library_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k in range(8):
        write(tmp_path / f"{k}.flac")
    monkeypatch.setitem(sys.modules, "soundfile", None)
    report = datalint.scan(tmp_path, cache=False, jobs=1)
    (finding,) = [finding for finding in report.findings if finding.code == "AUD101"]
    assert (finding.severity, finding.affected.count) == ("info", 8)
    assert "FLAC is read with soundfile: pip install 'datalint-ml[audio]'" in finding.message


def test_damage(tmp_path: Path) -> None:
    wav = write(tmp_path / "a.wav").read_bytes()
    flac = write(tmp_path / "a.flac").read_bytes()
    mp3 = write(tmp_path / "a.mp3", np.tile(SOUND, 20)).read_bytes()
    for name, data, expected in [
        ("empty.wav", b"", ["empty"]),
        ("cut.wav", wav[: len(wav) // 2], ["truncated"]),
        ("header.wav", wav[:44], ["empty"]),
        ("half.wav", wav[:20], ["unreadable"]),
        ("lies.wav", wav[:40] + struct.pack("<I", 1 << 30) + wav[44:], ["truncated"]),
        ("piped.wav", wav[:40] + struct.pack("<I", 0xFFFF_FFFF) + wav[44:], []),
        ("cut.flac", flac[: len(flac) // 2], ["unreadable"]),
        ("start.flac", flac[:100], ["unreadable"]),
        ("mp3.wav", mp3, ["suffix"]),
        ("cut.mp3", mp3[: len(mp3) // 2], ["truncated"]),
        ("zeros.wav", bytes(4_000), ["unreadable"]),
        ("text.mp3", b"<html>not found</html>" * 50, ["unreadable"]),
        ("pointer.wav", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", ["pointer"]),
    ]:
        (tmp_path / name).write_bytes(data)
        found = kinds(tmp_path / name)
        assert found == expected or (expected == ["unreadable"] and found == ["empty"]), (name, found)
    for name, sound in [("none.wav", SOUND[:0]), ("one.wav", SOUND[:1]), ("eight.wav", np.stack([SOUND] * 8, axis=1))]:
        assert kinds(write(tmp_path / name, sound)) == (["empty"] if name == "none.wav" else []), name


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg"])
def test_bytes_at_random_are_problems_and_nothing_worse(tmp_path: Path, suffix: str) -> None:
    data = bytearray(write(tmp_path / f"a.{suffix}").read_bytes())
    rng = np.random.default_rng(1)
    for k in range(60):
        spoilt = data.copy()
        for at in rng.integers(0, len(data) if k % 2 else 200, 1 + k // 10):
            spoilt[at] = int(rng.integers(256))
        (tmp_path / f"b.{suffix}").write_bytes(spoilt)
        read(str(tmp_path / f"b.{suffix}"), "b", f".{suffix}")


def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    import tracemalloc

    path = write(tmp_path / "a.flac", np.tile(SOUND, 600))  # ten minutes
    tracemalloc.start()
    sound, _ = read(str(path), "a.flac", ".flac")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sound.seconds > 300
    assert peak < 60e6


def test_flat_tops(tmp_path: Path) -> None:
    """Clipped waves run into their top; loud music, deep tones and coarse steps come to it by themselves."""
    t = np.arange(4 * RATE) / RATE
    loud = np.concatenate([made("bell", RNG) for _ in range(3)])
    tones = {f"tone{f}": 0.999 * np.sin(2 * np.pi * f * t) for f in (20, 50, 110, 440, 1999)}
    quiet = {"normalised": loud / np.abs(loud).max(), "rounded": np.round(loud * 127) / 127, **tones}
    for name, sound in quiet.items():
        for subtype in ("PCM_16", "PCM_U8", "PCM_24"):
            path = write(tmp_path / f"{name}.wav", sound, subtype=subtype)
            assert read(str(path), name, ".wav")[0].clipped < 0.0005, (name, subtype)
    for gain in (2, 4, 8):
        for level in (1, 0.5):
            for suffix in ("wav", "flac"):
                path = write(tmp_path / f"a.{suffix}", np.clip(loud / np.abs(loud).max() * gain, -1, 1) * level)
                assert read(str(path), "a", path.suffix)[0].clipped > 0.001, (gain, level, suffix)


# --- layouts --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty recordings, a.wav and so on, in a folder."""
    folder = tmp_path_factory.mktemp("recordings") / "wavs"
    for k in range(60):
        sound = np.concatenate([made(KINDS[k % 3], RNG) for _ in range(1 + k % 4)])
        write(folder / f"r{k:03d}.wav", sound)
    return folder


def seconds(path: Path) -> float:
    return float(soundfile.info(path).duration)


def scan(folder: Path, *codes: str) -> Report:
    return datalint.scan(folder, select=codes, cache=False)


def said(k: int) -> str:
    return "the bird sings " * (1 + k % 4) + f"{k}"


def test_class_folders(tmp_path: Path, recordings: Path) -> None:
    for k, path in enumerate(sorted(recordings.iterdir())):
        target = tmp_path / ("val" if k % 4 == 0 else "train") / KINDS[k % 3] / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.modality, dataset.layout) == ("audio", "recordings in class folders in split folders")
    assert [split.name for split in dataset.splits] == ["train", "validation"]
    assert dataset.label is not None
    (report,) = scan(tmp_path).datasets
    assert {status.code for status in report.rules if status.status == "failed"} == set()


def test_a_folder_of_recordings(recordings: Path) -> None:
    (dataset,) = datalint.detect(recordings)
    assert (dataset.layout, dataset.label) == ("a folder of recordings", None)


def test_nemo(tmp_path: Path, recordings: Path) -> None:
    """Paths of another machine are found by their end."""
    shutil.copytree(recordings, tmp_path / "wavs")
    for split, start, stop in (("train", 0, 45), ("dev", 45, 60)):
        rows = [
            {
                "audio_filepath": f"/home/me/corpus/wavs/r{k:03d}.wav",
                "duration": round(seconds(recordings / f"r{k:03d}.wav"), 2),
                "text": said(k),
            }
            for k in range(start, stop)
        ]
        (tmp_path / f"{split}_manifest.json").write_text("\n".join(map(json.dumps, rows)))
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.modality, dataset.recordings is not None) == ("audio", True)
    assert dataset.recordings is not None
    assert (dataset.recordings.transcript, dataset.recordings.duration) == ("text", "duration")
    assert sum(len(part.files) for part in dataset.partitions if hasattr(part, "files")) == 60
    report = scan(tmp_path)
    assert not [finding for finding in report.findings if finding.severity != "info"]
    shutil.copy(recordings / "r010.wav", tmp_path / "wavs" / "r050.wav")
    (finding,) = scan(tmp_path, "SPL101").findings
    assert finding.affected.count == 1
    assert finding.affected.samples[0].id.endswith("wavs/r050.wav")
    (tmp_path / "wavs" / "r003.wav").unlink()
    (finding,) = scan(tmp_path, "AUD101").findings
    assert (finding.severity, finding.affected.count) == ("error", 1)
    assert "1 recording is not there" in finding.message


def test_ljspeech(tmp_path: Path, recordings: Path) -> None:
    """No header, bars between the columns, names without a suffix."""
    shutil.copytree(recordings, tmp_path / "wavs")
    lines = [f"r{k:03d}|{said(k)}, {k}|{said(k)}" for k in range(60)]
    (tmp_path / "metadata.csv").write_text("\n".join(lines) + "\n")
    (dataset,) = datalint.detect(tmp_path)
    assert dataset.modality == "audio"
    assert sum(len(part.files) for part in dataset.partitions if hasattr(part, "files")) == 60
    assert not scan(tmp_path, "AUD101", "AUD102", "AUD103", "AUD104").findings


def test_a_path_from_here(tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a table lists is found where the data set was named from the working directory."""
    shutil.copytree(recordings, tmp_path / "set" / "audio")
    lines = [f"r{k:03d}.wav,{'ab'[k % 2]}" for k in range(60)]
    (tmp_path / "set" / "meta").mkdir()
    (tmp_path / "set" / "meta" / "list.csv").write_text("\n".join(["filename,category", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    report = scan((tmp_path / "set").relative_to(tmp_path), "AUD101", "AUD102", "AUD103", "AUD104")
    assert [split.samples for split in report.datasets[0].splits] == [60]
    assert not report.findings


def test_common_voice(tmp_path: Path, recordings: Path) -> None:
    """A table for each split, speakers in a column; one on both sides."""
    shutil.copytree(recordings, tmp_path / "clips")
    names = ["client_id", "path", "sentence", "up_votes", "gender", "locale"]
    for split, start, stop in (("train", 0, 40), ("test", 40, 60)):
        rows = [["%064x" % (k // 3), f"r{k:03d}.wav", said(k), "2", "", "en"] for k in range(start, stop)]
        (tmp_path / f"{split}.tsv").write_text("\n".join("\t".join(row) for row in [names, *rows]) + "\n")
    report = scan(tmp_path)
    (dataset,) = report.datasets
    assert (dataset.modality, [split.name for split in dataset.splits]) == ("audio", ["train", "test"])
    (finding,) = [finding for finding in report.findings if finding.code == "SPL107"]
    assert finding.column == "client_id"


def test_recordings_that_no_table_lists(tmp_path: Path, recordings: Path) -> None:
    shutil.copytree(recordings, tmp_path / "train")
    rows = [f"r{k:03d}.wav,{said(k)}" for k in range(55)]
    (tmp_path / "train" / "metadata.csv").write_text("\n".join(["file_name,transcription", *rows]) + "\n")
    (finding,) = scan(tmp_path, "FIL101").findings
    assert "5 recordings that no table lists are left out" in finding.message


def stored(path: Path, sounds: list[bytes | None], seed: int = 0) -> None:
    """Recordings in a column of Parquet, with the features that Hugging Face's library writes next to them."""
    rng = np.random.default_rng(seed)
    held = [{"bytes": data, "path": f"{k}.wav"} for k, data in enumerate(sounds)]
    table = pa.table(
        {
            "audio": pa.array(held, pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            "transcription": [" ".join(rng.choice(["one", "two", "three", "four"], 5)) for _ in held],
            "label": [k % 3 for k in range(len(held))],
        }
    )
    features = {"audio": {"_type": "Audio"}, "label": {"_type": "ClassLabel", "names": list(KINDS)}}
    about = {"huggingface": json.dumps({"info": {"features": features}})}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(about), path)


def test_recordings_in_a_column(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    train: list[bytes | None] = [packed(made(KINDS[k % 3], rng)) for k in range(60)]
    test = [*train[:6], *(packed(made(KINDS[k % 3], rng)) for k in range(24))]
    train[7], train[9] = b"RIFF" + bytes(60), None
    stored(tmp_path / "data" / "train-00000-of-00001.parquet", train)
    stored(tmp_path / "data" / "test-00000-of-00001.parquet", test, 1)
    (dataset,) = datalint.detect(tmp_path)
    assert (dataset.layout, dataset.modality) == ("Parquet of recordings, one file per split", "audio")
    assert dataset.label is not None and dataset.label.name == "label"
    assert dataset.recordings is not None and dataset.recordings.transcript == "transcription"
    report = datalint.scan(tmp_path, cache=False, jobs=1)
    found = {f.code: f for f in report.findings}
    assert {s.name: s.samples for s in report.datasets[0].splits} == {"train": 60, "test": 30}
    broken = {sample.id for f in report.findings if f.code == "AUD101" for sample in f.affected.samples}
    assert {name.rpartition("/")[2] for name in broken} == {f"train-00000-of-00001.parquet[{k}]" for k in (7, 9)}
    assert found["SPL101"].affected.count == 6
    assert dataset.partitions[0].picture(0) is not None


@pytest.mark.parametrize("pack", ["zip", "tar", "gztar"])
def test_recordings_in_an_archive(tmp_path: Path, pack: str) -> None:
    rng = np.random.default_rng(4)
    for k in range(30):
        write(tmp_path / "all" / KINDS[k % 3] / f"{k}.wav", np.round(made(KINDS[k % 3], rng) * 32767).astype(np.int16))
    shutil.make_archive(str(tmp_path / "packed" / "sounds"), pack, tmp_path / "all")
    report = datalint.scan(tmp_path / "packed", cache=False, jobs=1)
    assert report.datasets[0].splits[0].classes == dict.fromkeys(KINDS, 10)
    assert not [f.code for f in report.findings if f.code in {"AUD101", "FIL101"}]


@pytest.mark.parametrize("inside", ["", "wavs/"])
@pytest.mark.parametrize("listed", ["metadata.csv", "../{split}.csv"])
def test_each_split_numbers_its_recordings_anew(tmp_path: Path, inside: str, listed: str) -> None:
    for split, count in (("train", 40), ("test", 15)):
        home = tmp_path / "data" / split
        for k in range(count):
            write(home / f"{inside}{k:03d}.wav", SOUND[: len(SOUND) // (2 if split == "test" else 1) - 40 * k])
        rows = [f"{k:03d}.wav,the word {k} is spoken by {split}" for k in range(count)]
        (home / listed.format(split=split)).write_text("\n".join(["file_name,transcription", *rows]))
    report = datalint.scan(tmp_path, select=["AUD101", "SPL101", "FIL101"], cache=False)
    (dataset,) = report.datasets
    assert {split.name: split.samples for split in dataset.splits} == {"train": 40, "test": 15}
    assert not dataset.findings
