"""What a concealed report may not hold, whatever is written and whatever was kept before."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import datalint
from datalint.core import vocabulary
from datalint.report.formats import text
from datalint.report.formats.formats import FORMATS, render
from datalint.report.models import Affected, AffectedSample, DatasetReport, Finding, Held, Report, Run, Summary, Tool
from datalint.report.privacy import KEY, conceal, own_words
from datalint.rules.base import Rule
from datalint.rules.registry import all_rules
from datalint.testing import plant
from tests.command import call
from tests.reference import clean_sets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.core.clean import Clean

VALUE, FILE, CLASS, NUMBER = "Quetzalcoatl", "zyxwvut", "Xylophagus", 918273645
EXTREME = 987654.321
EXTREMES = ("987654", "987,654", "9.877e+05", "9.87654e")
WORDS = "Vexillology"
"""In what a picture's tags and the configuration say."""
NAMED = {
    "--no-samples": (VALUE, FILE, str(NUMBER), *EXTREMES, WORDS),
    "--redact": (VALUE, FILE, CLASS, str(NUMBER), *EXTREMES, WORDS),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables and pictures with faults that name a value, a file and a class."""
    place = tmp_path_factory.mktemp("secret")
    rng = np.random.default_rng(0)
    rows = ["age,city,salary,glucose,constant,note,label"]
    for k in range(300):
        city = ("Lima", "Oslo", "Rome")[k % 3] if k % 50 else ("lima", " Oslo", VALUE)[k // 50 % 3]
        salary = NUMBER if k % 60 == 7 else round(float(rng.normal(3000, 400)), 2)
        glucose = EXTREME if k == 7 else round(float(rng.normal(120, 20)), 1)
        note = f"caf\u00c3\u00a9 {VALUE} {k}" if k % 20 == 3 else f"nothing to say about number {k} of them"
        rows.append(
            f"{rng.integers(20, 60)},{city},{salary},{glucose},{VALUE},{note},{CLASS if k < 120 else 'other kind'}"
        )
    rows += rows[5:25]
    table = place / "table"
    table.mkdir()
    (table / "people.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for kind in (CLASS, "plain"):
        (place / "pictures" / kind).mkdir(parents=True)
        for k in range(12):
            pixels = rng.integers(0, 255, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(place / "pictures" / kind / f"{FILE}_{k}.png")
    exif = Image.Exif()
    exif[270], exif[274] = WORDS, 6
    Image.fromarray(pixels).save(place / "pictures" / CLASS / f"{FILE}_turned.jpg", exif=exif)
    (place / "datalint.toml").write_text(
        f'[[suppressions]]\nfingerprint = "{"0" * 20}"\nreason = "{WORDS}"\nexpires = 2001-01-01\n'
    )
    whole = (place / "pictures" / CLASS / f"{FILE}_0.png").read_bytes()
    (place / "pictures" / "plain" / f"{FILE}_copy.png").write_bytes(whole)
    (place / "pictures" / "plain" / f"{FILE}_broken.png").write_bytes(whole[:200])
    return place


def everything(folder: Path, name: str, *options: str) -> bytes:
    """All that a scan prints and writes, in every format, twice: as found and as kept."""
    told = b""
    out = folder / name
    written = [part for style in FORMATS for part in ("--format", f"{style}:{out / style}")]
    paths = ("--output-dir", str(out), "--report-dir", str(out / "pages"), "--cache-dir", str(out / "kept"))
    for _ in range(2):
        done = call(folder, "scan", "table", "pictures", "--exit-zero", "-v", *written, *paths, *options)
        assert done.status == 0, done.err
        told += (done.out + done.err).encode()
    files = [path for path in out.rglob("*") if path.is_file()]
    assert len(files) > len(FORMATS) + 3
    return told + b"".join(path.read_bytes() + path.name.encode() for path in files)


def test_without_the_options_all_of_it_is_told(folder: Path) -> None:
    # Also what leaves the pages in the cache that a concealed scan must not read.
    told = everything(folder, "open")
    for secret in (VALUE, FILE, CLASS, str(NUMBER), EXTREMES[1], WORDS):
        assert secret.encode() in told
    assert b"data:image/webp" in told


@pytest.mark.parametrize("options", [("--no-samples",), ("--redact",), ("--redact", "--no-samples")], ids=" ".join)
def test_nothing_that_is_written_names_them(folder: Path, options: tuple[str, ...]) -> None:
    told = everything(folder, "-".join(options).strip("-"), *options)
    for secret in {secret for option in options for secret in NAMED[option]}:
        assert secret.encode() not in told, told[max(told.find(secret.encode()) - 300, 0) :][:400]
    assert b"data:image/webp" not in told
    for code in (b"CFG101", b"DUP101", b"IMG103", b"IMG107", b"VAL110", b"VAL111"):
        assert code in told


def test_counts_columns_and_classes_stay(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    known = datalint.scan("table", cache=False)
    without = datalint.scan("table", cache=False, samples=False)
    assert without.summary == known.summary
    assert without.datasets[0].splits[0].classes == known.datasets[0].splits[0].classes
    for a, b in zip(known.findings, without.findings, strict=True):
        assert (a.code, a.column, a.affected.count, a.fingerprint) == (
            b.code,
            b.column,
            b.affected.count,
            b.fingerprint,
        )
        assert b.affected.samples == ()
    assert without.affected("DUP101").empty
    hidden = datalint.scan("table", cache=False, redact=True)
    assert len(hidden.affected("DUP101")) == len(known.affected("DUP101"))
    assert [f.column for f in hidden.findings] == [f.column for f in known.findings]
    assert "people" not in hidden.to_json()


def test_a_secret_makes_the_names_stable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    def classes(**options: Any) -> set[str]:
        report = datalint.scan("table", redact=True, cache_dir=str(folder / "kept"), **options)
        return set(report.datasets[0].splits[0].classes or ())

    first = classes()
    assert classes() == first
    assert classes(ignore=["DUP"]).isdisjoint(first)  # so that nobody can try names without the data
    monkeypatch.setenv(KEY, "one")
    named = classes()
    assert named.isdisjoint(first)
    assert classes(ignore=["DUP"]) == named
    monkeypatch.setenv(KEY, "another")
    assert classes().isdisjoint(named)


def test_a_dictionary_of_names_gives_no_fingerprint_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    opened = datalint.scan("table", cache=False, preset="fast")
    known = {part for f in opened.findings for part in (f.fingerprint[:12], f.fingerprint[12:20])}
    hidden = [datalint.scan("table", cache=False, preset="fast", redact=True).to_json() for _ in range(2)]
    monkeypatch.setenv(KEY, "one")
    hidden += [datalint.scan("table", cache=False, preset="fast", redact=True).to_json() for _ in range(2)]
    assert known
    assert not [part for part in known for shown in hidden if part in shown]
    seen = [{f["fingerprint"] for f in json.loads(shown)["datasets"][0]["findings"]} for shown in hidden]
    assert seen[0].isdisjoint(seen[1])
    assert seen[0].isdisjoint(seen[2])
    assert seen[2] == seen[3]
    # Of a data set under another name the same findings are known again, as open ones are.
    (folder / "moved").mkdir()
    (folder / "moved" / "folk.csv").write_bytes((folder / "table" / "people.csv").read_bytes())
    moved = datalint.scan("moved", cache=False, preset="fast", redact=True)
    assert {name[:12] for name in seen[2]} == {f.fingerprint[:12] for f in moved.findings}
    assert {name[12:20] for name in seen[2]}.isdisjoint({f.fingerprint[12:20] for f in moved.findings})


# --- records of any rule --------------------------------------------------------------------------------------------

# Put together here, or this file, in which the rule below is written, would hold the word as one of its own.
SECRET = "".join(("Quet", "zal"))
SECRET_NUMBER, PUBLIC = 86868686, frozenset({"samples", "share", "kind"})
FIELDS = ("samples", "share", "kind", "column", "columns", "classes", "value", "low", "high", "evidence", "with")


class _Rule(Rule):
    """Things that are found.

    ## Why it hurts

    It hurts.

    ## How to fix it

    Mend it.
    """

    code, name, severity = "XMP101", "things", "warning"
    public = PUBLIC

    @classmethod
    def needs(cls, dataset: Any) -> tuple[()]:
        return ()

    def check(self, profile: Any) -> tuple[()]:
        return ()

    @classmethod
    def plant(cls, clean: Any, strength: float, rng: Any) -> None:
        return None


def records(depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Evidence with a secret wherever one may stand: any text, any key that is no field, any number that is not public."""
    texts = st.text(max_size=5).map(lambda text: SECRET + text)
    secret = st.one_of(texts, st.integers(0, 9).map(lambda n: SECRET_NUMBER * 10 + n), st.just(SECRET_NUMBER / 1000))
    shown = st.one_of(st.integers(0, 99), st.booleans(), st.floats(0, 1), texts)
    inner = st.just(dict[str, Any]()) if depth == 0 else records(depth - 1)

    def item(key: str) -> st.SearchStrategy[tuple[str, Any]]:
        leaf = shown if key in PUBLIC else secret
        whole = st.dictionaries(texts, secret, max_size=2) if key in PUBLIC else st.nothing()
        return st.tuples(
            st.just(key), st.one_of(leaf, st.lists(leaf, max_size=3), whole, inner, st.lists(inner, max_size=2))
        )

    keys = st.one_of(st.sampled_from(FIELDS), texts)
    return st.lists(keys.flatmap(item), max_size=4).map(dict)


@settings(deadline=None, max_examples=60)
@given(evidence=records(), detail=records(), redact=st.booleans(), samples=st.booleans())
def test_what_is_not_declared_public_is_not_shown(
    evidence: dict[str, Any], detail: dict[str, Any], redact: bool, samples: bool
) -> None:
    sample = AffectedSample(id=SECRET, index=3, split="train", fingerprint=SECRET, detail=detail)
    finding = Finding(
        code="XMP101",
        rule="things",
        severity="warning",
        confidence=0.5,
        message=f"{SECRET} reaches {SECRET_NUMBER:,}",
        consequence=f"{SECRET_NUMBER:.4g} is lost",
        remedy=f"Drop {SECRET!r}.",
        column="age",
        evidence={"samples": 7} | evidence if "samples" not in evidence else evidence,
        affected=Affected(count=1, samples=(sample,)),
        fingerprint="0123456789abcdefabcd",
    )
    dataset = DatasetReport(
        name="people", path="people.csv", layout=SECRET, modality="table", evidence=SECRET, label=None, splits=(),
        facts={"input_range": {"train": {"high": SECRET_NUMBER}}, "label_strip": {"train": {"means": [SECRET_NUMBER]}}},
        findings=(finding,),
    )  # fmt: skip
    run = Run(started="", seconds=0, engine="", jobs=1)
    report = Report(tool=Tool(version="1"), summary=Summary(warning=1, datasets=1), datasets=(dataset,), run=run)
    hidden = conceal(report, [_Rule()], ["age"], samples=samples, redact=redact)
    told = hidden.to_json() + str(hidden.affected("XMP101").to_dict())
    assert SECRET not in told
    assert "86868" not in told.replace(",", "")
    assert "8.687e" not in told
    (found,) = hidden.findings
    assert (found.consequence, found.remedy) == ("It hurts.", "Mend it.")
    assert found.message.startswith("things that are found")
    if "samples" not in evidence:
        assert found.evidence["samples"] == 7
        assert "(samples 7" in found.message


def test_own_words_come_from_the_code_alone() -> None:
    words = own_words(("datalint.report.privacy", "datalint.no_such_module"))
    assert "DATALINT_REDACT_KEY" in words
    assert VALUE not in words
    assert own_words(()) == frozenset()


# --- the fault of every rule ----------------------------------------------------------------------------------------


PAGES = "\n".join(rule.page() for rule in all_rules())


class Fault(NamedTuple):
    """A rule's own fault, scanned and concealed."""

    code: str
    redacted: Report
    unnamed: Report | None
    """Without samples; not made anew where that would train a model again."""
    cells: frozenset[str]
    names: frozenset[str]
    extremes: frozenset[str]


def secretive(data: Clean) -> Clean:
    """The same data with names of classes, categories and files that nothing else has, and an extreme value."""
    tables = {}
    for split, table in data.tables.items():
        fresh = table.copy()
        for name in fresh.columns:
            column = fresh[name]
            texts = column.dtype == object and column.map(lambda v: isinstance(v, str)).any()
            turns = column.dtype == object and column.map(lambda v: isinstance(v, list)).any()
            if turns:
                fresh[name] = column.map(lambda v: [*map(marked, v)] if isinstance(v, list) else v)
                continue
            if name == data.label and (texts or (column.dtype.kind in "iu" and column.nunique() < 60)):
                fresh[name] = column.map(lambda v: v if pd.isna(v) else f"{CLASS}{v}")
            elif texts and column.nunique() < 40:
                fresh[name] = column.map(lambda v: f"{VALUE}{v}" if isinstance(v, str) else v)
        floats = [name for name in fresh.columns if fresh[name].dtype.kind == "f" and name != data.label]
        if floats:
            fresh.loc[fresh.index[len(fresh) // 2], floats[-1]] = EXTREME
        tables[split] = fresh
    files = {}
    for path, content in data.files.items():
        *folders, name = PurePosixPath(path).parts
        named = [part if vocabulary.split_of(part) else CLASS + part for part in folders]
        files["/".join([*named, FILE + name if named else name])] = content
    annotations = {
        path: content.replace(b'"file_name": "', b'"file_name": "' + FILE.encode()).replace(
            b'"name": "', b'"name": "' + CLASS.encode()
        )
        for path, content in data.annotations.items()
    }
    return replace(data, tables=tables, files=files, annotations=annotations)


def marked(turn: Any) -> Any:
    """A turn of a conversation with a value in it that nothing else has."""
    if isinstance(turn, dict) and isinstance(turn.get("content"), str):
        return turn | {"content": f"{VALUE} {turn['content']}"}
    return f"{VALUE} {turn}" if isinstance(turn, str) else turn


def said(column: pd.Series) -> Iterator[str]:
    """The texts of cells, and of the turns in them."""
    for cell in column:
        for part in cell if isinstance(cell, list) else [cell]:
            yield str(part.get("content") if isinstance(part, dict) else part)


def renderings(number: float) -> set[str]:
    """A number as it may be written; only such as nothing else would be."""
    written = {repr(number), f"{number:,.0f}", f"{number:.0f}", f"{number:.6g}", f"{number:.4f}", f"{number:,.2f}"}
    return {text for text in written if len(re.sub(r"[^1-9]", "", text)) >= 6}


def secrets_of(data: Clean, changed: Clean) -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Texts in cells, names of classes and files, and extremes of numbers."""
    cells, names, extremes = {VALUE}, {CLASS, FILE, "Zyxwv"}, {*EXTREMES[:2]}
    schema = {*data.tables, *(name for table in data.tables.values() for name in table.columns)}
    for split, table in data.tables.items():
        for name in table.columns:
            column = table[name].dropna()
            if column.dtype.kind in "iuf" and np.isfinite(column).any():
                finite = column[np.isfinite(column)]
                extremes |= renderings(float(finite.min())) | renderings(float(finite.max()))
            before = {*said(changed.tables[split][name])} if name in changed.tables.get(split, ()) else set()
            held = [*dict.fromkeys(said(column))]
            for cell in [*held[:10], *[new for new in held if new not in before][:10]]:
                if len(cell) >= 7 and not re.fullmatch(r"[\d.+-]*", cell) and cell not in schema and cell not in PAGES:
                    (names if name == data.label else cells).add(cell)
    return frozenset(cells), frozenset(names), frozenset(extremes)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache of the scans of all faults."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Iterator[list[Fault]]:
    """Every rule's own fault in a small clean set, with secret names where the rule still finds it then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(KEY, "so that no hash happens to hold a number")
        patch.chdir(tmp_path_factory.mktemp("Zyxwv clinic"))
        by_size = sorted(
            clean_sets(), key=lambda d: sum(map(len, d.files.values())) + 8 * sum(t.size for t in d.tables.values())
        )
        yield [found for rule in all_rules() if (found := _fault(rule, by_size, kept))]


def _fault(rule: type[Rule], by_size: list[Clean], kept: Path) -> Fault | None:
    from pathlib import Path

    for k, clean in enumerate(by_size):
        planted = plant(rule, clean, 1.0, 0)
        if planted is None:
            continue
        for turn, data in enumerate((secretive(planted.data), planted.data)):
            place = data.write(Path(f"{rule.code}-{k}-{turn}"))
            config = dict(data.config)
            if "suppressions" in config:
                config["suppressions"] = [{**entry, "reason": VALUE} for entry in config["suppressions"]]
            options: dict[str, Any] = {"select": [rule.code], "label": data.label, "cache_dir": kept}
            options["config"] = config or False
            redacted = datalint.scan(place, redact=True, **options)
            if any(finding.code == rule.code for finding in redacted.findings):
                unnamed = None if rule.trains else datalint.scan(place, samples=False, **options)
                return Fault(rule.code, redacted, unnamed, *secrets_of(data, clean))
    return None


def written(reports: list[Report]) -> bytes:
    """The reports as one, as every writer of one file has it; the pages of a folder are made of the same cards."""
    whole = reports[0].model_copy(update={"datasets": tuple(d for r in reports for d in r.datasets)})
    held = {(n, name): rows for n, report in enumerate(reports) for name, rows in report.all_samples(0).items()}
    whole = whole.holding(Held(held, {name: data for report in reports for name, data in report.thumbnails.items()}))
    told = [str(render(style, whole)) for style in FORMATS]
    told += [text.render(whole, color=False, verbose=True), whole.to_html()]
    told += [str(whole.affected(rule.code).to_dict()) for rule in all_rules()]
    return "\n".join(told).encode()


def leaks(told: bytes, secrets: frozenset[str], extremes: frozenset[str]) -> list[tuple[str, bytes]]:
    """Which of them are there, and where."""
    numbers = {n.decode().rstrip(".,") for n in re.findall(rb"(?<![\w.])\d[\d,]*\.?\d*(?:e[+-]?\d+)?", told)}
    there = [*(s for s in secrets if s.encode() in told), *(extremes & numbers)]
    return [(s, told[max(told.find(s.encode()) - 200, 0) :][:300]) for s in sorted(there)]


def test_the_fault_of_every_rule_is_told_without_what_is_secret(faults: list[Fault], kept: Path) -> None:
    assert [fault.code for fault in faults] == [rule.code for rule in all_rules()]
    told = written([fault.redacted for fault in faults])
    cells = frozenset[str]().union(*(fault.cells for fault in faults))
    names = frozenset[str]().union(*(fault.names for fault in faults))
    extremes = frozenset[str]().union(*(fault.extremes for fault in faults))
    assert not leaks(told, cells | names, extremes)
    assert b"data:image/webp" not in told
    unnamed = [fault for fault in faults if fault.unnamed is not None]
    told = written([fault.unnamed for fault in unnamed if fault.unnamed])
    assert not leaks(told, cells | {FILE}, extremes)
    assert b"data:image/webp" not in told
    files = [path for path in kept.rglob("*") if path.is_file()]
    assert len(files) > len(faults)
    told = b"\n".join(path.read_bytes() for path in files)
    # The paths that were named are part of reports without samples, as classes are.
    assert not leaks(told, cells | {FILE}, extremes)
