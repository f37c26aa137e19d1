"""Every report says what was not read, and is quiet about what is no data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image
from sklearn.datasets import load_digits, load_iris

import datalint
from datalint.report import wording
from datalint.report.formats import markdown, text
from datalint.report.models import Report
from datalint.sources.inventory import FileKind

if TYPE_CHECKING:
    from pathlib import Path

DIGITS = load_digits()
IRIS = load_iris(as_frame=True).frame


def scan(path: Path, **options: object) -> Report:
    return datalint.scan(path, cache=False, preset="fast", jobs=1, **options)  # type: ignore[arg-type]


def kinds(report: Report) -> dict[str, FileKind]:
    return {kind.suffix: kind for kind in report.inventory.kinds}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    IRIS.sample(frac=1, random_state=0).to_csv(tmp_path / "iris.csv", index=False)
    return tmp_path


def test_what_may_be_data_and_was_not_read_is_named_in_every_report(data: Path) -> None:
    for k in range(3):
        (data / f"{k}.nc").write_bytes(b"CDF\x01")
    (data / "extra").mkdir()
    (data / "extra" / "more.zip").write_bytes(b"PK")
    (data / "odd.qqq").write_bytes(b"?")
    report = scan(data)
    said = "not read: 3 .nc (NetCDF), 1 .qqq and 1 .zip (an archive)"
    assert wording.inventory(report) == said
    assert said in " ".join(text.render(report, color=False).split())
    assert "not read: 3 .nc" in markdown.render(report)
    assert "Not read: 3 .nc (NetCDF)" in report.to_html()
    assert kinds(Report.model_validate_json(report.to_json()))[".nc"] == kinds(report)[".nc"]
    assert kinds(report)[".nc"] == FileKind(".nc", 3, 0, 12, "NetCDF", True)
    assert kinds(report)[".csv"] == FileKind(".csv", 1, 1, 0, "", False)


@pytest.mark.parametrize(
    "name",
    ["README", "README.md", "LICENSE", "train.py", "Makefile", "data.yaml", "paper.pdf", "names.json", "notes.txt"],
)
def test_documents_code_and_small_notes_are_no_news(data: Path, name: str) -> None:
    (data / name).write_text('{"a": 1}\n')
    report = scan(data)
    assert wording.inventory(report) == ""
    assert sum(kind.files - kind.read for kind in report.inventory.kinds) == 1


def test_annotations_next_to_pictures_are_not_passed_over(tmp_path: Path) -> None:
    for k in range(40):
        Image.fromarray((DIGITS.images[k] * 15).astype("uint8")).save(tmp_path / f"{k}.png")
        (tmp_path / f"{k}.xml").write_text("<scene/>")
    assert wording.inventory(scan(tmp_path)).startswith("not read: 40 .xml")


def test_a_file_that_is_left_out_of_its_data_set_was_not_read(tmp_path: Path) -> None:
    for k in range(60):
        place = tmp_path / str(DIGITS.target[k])
        place.mkdir(exist_ok=True)
        Image.fromarray((DIGITS.images[k] * 15).astype("uint8")).save(place / f"{k}.png")
    Image.fromarray((DIGITS.images[99] * 15).astype("uint8")).save(tmp_path / "stray.png")
    report = scan(tmp_path)
    assert (kinds(report)[".png"].files, kinds(report)[".png"].read) == (61, 60)


def test_a_broken_table_was_not_read(data: Path) -> None:
    (data / "broken.csv").write_bytes(bytes(range(256)) * 20)
    report = scan(data)
    assert kinds(report)[".csv"].read == 1
    assert wording.inventory(report) == "not read: 1 .csv"


def test_several_paths_are_counted_together(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("other")
    IRIS.to_csv(other / "iris.csv", index=False)
    for place in (data, other):
        (place / "a.mat").touch()
    report = datalint.scan([data, other], cache=False, preset="fast")
    assert (kinds(report)[".csv"].read, kinds(report)[".mat"].files) == (2, 2)


def test_objects_and_changed_files_have_none(data: Path) -> None:
    assert scan(IRIS).inventory.kinds == ()
    assert datalint.scan([data / "iris.csv"], cache=False, changed_only=True).inventory.kinds == ()


def test_a_redacted_report_names_known_suffixes_alone(data: Path) -> None:
    (data / "visit.of-jane-doe").touch()
    (data / "a.h5").touch()
    report = scan(data, redact=True)
    assert ".h5" in kinds(report)
    assert "jane" not in report.to_json()
    assert kinds(report).keys() == {".h5", ".csv"}
