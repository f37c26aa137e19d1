"""SPL107: which keys are sources, and which are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import datalint
from tests.recordings import made, packed
from tests.reference import crop, named, photos, picture

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.report.models import Finding


def table(rows: int, seed: int, **columns: Any) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    numbers = pd.DataFrame(rng.normal(50, 10, (rows, 4))).add_prefix("f")
    return numbers.assign(**columns, y=rng.choice(["a", "b"], rows))


def found(source: Any, **options: Any) -> list[Finding]:
    return datalint.scan(source, select=["SPL107"], **options).findings


@pytest.mark.parametrize("name", ["patient_id", "user", "videoId", "speaker_id"])
def test_rows_split_at_random(name: str) -> None:
    who = np.random.default_rng(0).permutation(np.repeat(np.arange(200), 6)) + 1_000
    whole = table(1_200, 0, **{name: who})
    (finding,) = found({"train": whole[:900], "test": whole[900:]}, label="y")
    assert finding.severity == "error"
    assert finding.column == name
    shared = len(set(who[:900]) & set(who[900:]))
    assert finding.evidence["shared_sources"] == shared
    assert f"{shared} of 200 sources lie in both train and test" in finding.message
    assert abs(float(finding.evidence["expected_of_split_by_rows"]) - shared) < 10  # type: ignore[arg-type]
    assert finding.affected.count == int(np.isin(who[900:], who[:900]).sum())


def test_split_by_source_is_silent() -> None:
    assert not found(dict(named("visits, 2 splits").tables), label="readmitted")


def test_one_shared_source_is_a_warning() -> None:
    tables = dict(named("visits, 2 splits").tables)
    train, test = tables["train"], tables["test"].copy()
    test.loc[:1, "patient_id"] = train["patient_id"].iloc[0]
    (finding,) = found({"train": train, "test": test}, label="readmitted")
    assert finding.severity == "warning"
    assert finding.evidence["shared_sources"] == 1
    assert finding.affected.count == 2


def test_categories_labels_and_row_numbers_are_no_sources() -> None:
    rng = np.random.default_rng(0)
    columns = {
        "sex": rng.choice(["f", "m"], 1_000),
        "region": rng.choice([f"region {k}" for k in range(40)], 1_000),
        "class_id": rng.integers(0, 30, 1_000),
    }
    whole = table(1_000, 0, **columns)
    numbered = {"train": whole[:700].assign(user_id=np.arange(700)), "test": whole[700:].assign(user_id=np.arange(300))}
    assert not found(numbered, label="y")


def test_shops_are_only_info() -> None:
    rng = np.random.default_rng(0)
    whole = table(2_000, 0, store=rng.integers(0, 60, 2_000))
    (finding,) = found({"train": whole[:1_500], "test": whole[1_500:]}, label="y")
    assert finding.severity == "info"


@pytest.mark.parametrize(
    ("pattern", "severity"),
    [("patient{p:02d}_slice{s}.png", "error"), ("A{p:02d}_{s}.png", "info"), ("img_{n:05d}.png", None)],
)
def test_file_names(tmp_path: Path, pattern: str, severity: str | None) -> None:
    rng = np.random.default_rng(0)
    (china, flower) = photos().values()
    for n in range(120):
        p, s = divmod(n, 6)
        path = tmp_path / ("train" if s < 4 else "test") / ("ab"[p % 2]) / pattern.format(p=p, s=s, n=n)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(crop(china if p % 2 else flower, 24, 24, rng)))
    findings = found(tmp_path)
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    if severity:
        assert findings[0].evidence["shared_sources"] == 20
        assert findings[0].evidence["share"] == 1.0


def people(count: int, seed: int, **attributes: Any) -> pd.DataFrame:
    """Two to eight rows each, in random order, under a name that says nothing."""
    rng = np.random.default_rng(seed)
    who = rng.permutation(np.repeat(np.arange(count), rng.integers(2, 9, count)))
    own = {name: np.asarray(values)[who] for name, values in attributes.items()}
    return table(len(who), seed, code=(rng.permutation(90_000)[:count])[who], **own)


@pytest.mark.parametrize("text", [False, True])
def test_a_source_is_known_by_what_its_rows_share(text: bool) -> None:
    rng = np.random.default_rng(1)
    whole = people(200, 0, age=rng.integers(20, 90, 200), sex=rng.choice(["f", "m"], 200))
    if text:
        whole["code"] = "x" + whole["code"].astype(str)
    (finding,) = found({"train": whole[:700], "test": whole[700:]}, label="y")
    assert (finding.severity, finding.column) == ("info", "code")
    assert "share 'age' and 'sex', as those of one source do" in finding.message


def test_what_only_looks_like_a_source() -> None:
    rng = np.random.default_rng(2)
    country = rng.integers(0, 40, 200)
    sets = {
        # A city has a country and a continent, which hang together.
        "hierarchy": people(200, 0, country=country, continent=country // 8),
        # A product has a name of its own.
        "twins": people(200, 0, product=[f"product {k}" for k in range(200)], price=rng.normal(0, 1, 200)),
        # A rare flag is constant within a few rows by chance.
        "flags": people(200, 0, rare=rng.random(200) < 0.01, seldom=rng.random(200) < 0.01),
        "nothing": people(200, 0),
    }
    # In an ordinary quantity neighbours are alike.
    ages = people(200, 0)
    ages["code"] = rng.integers(20, 90, len(ages))
    sets["quantity"] = ages.assign(pension=ages["code"] > 65, decade=ages["code"] // 10)
    for name, whole in sets.items():
        assert not found({"train": whole[:700], "test": whole[700:]}, label="y"), name


def test_names_of_speech_commands_say_the_speaker(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for k, sound in enumerate(_spoken(rng, 160)):
        for scheme, split in (
            ("random", ("train", "test")[k % 3 == 0]),
            ("by source", ("train", "test")[k // 8 % 4 == 0]),
        ):
            path = tmp_path / scheme / split / ("yes", "no")[k % 2] / f"{k // 8 * 0x1F351:08x}_nohash_{k % 8}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sound)
    (finding,) = found(tmp_path / "random")
    assert (finding.severity, finding.evidence["shared_sources"]) == ("error", 20)
    assert not found(tmp_path / "by source")


def _spoken(rng: np.random.Generator, count: int) -> list[bytes]:
    return [packed(made("bird", rng)) for _ in range(count)]
