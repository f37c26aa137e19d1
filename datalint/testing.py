"""What every rule must hold to, as functions for the tests of rule packs.

A pack that is installed (its package named by an entry point of the group ``datalint.rules``) is tested with::

    from datalint.core.clean import Clean
    from datalint.testing import check_rule

    def test_my_rule():
        check_rule(MyRule, [Clean("fruit", {"all": frame}, label="kind"), ...])

Each function raises AssertionError with the reason.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from datalint.core.severity import SEVERITIES
from datalint.core.temporary import temporary_folder
from datalint.rules.base import Rule, Wants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from datalint.core.clean import Clean, Planted
    from datalint.report.models import DatasetReport, Finding, Report, RuleStatus
    from datalint.rules.base import RuleBase

HEADINGS = ("Why it hurts", "How to fix it", "When it is wrong", "Reference")

SHARDS = 3


def check_rule(
    rule: type[Rule], clean: Sequence[Clean], strengths: Sequence[float] = (0.0, 1.0), seeds: Sequence[int] = (0,)
) -> None:
    """All the checks of one rule.

    Args:
        rule: a rule of an installed pack.
        clean: data sets in which the rule must find nothing, and into at least one of which it can plant its fault.
        strengths: of the planted faults.
        seeds: of the planted faults.
    """
    check_page(rule)
    check_params(rule)
    for data in awkward():
        check_status(rule, data)
    planted = 0
    for data in clean:
        report = scan(data, rule)
        check_status(rule, data, report)
        if not applies(rule, data, report):
            continue
        check_silent(rule, data, report)
        faults = [plant(rule, data, strength, seed) for strength in strengths for seed in seeds]
        for fault in faults:
            if fault is not None:
                check_found(rule, fault)
                planted += 1
        if faults[0] is not None:
            check_partitions(rule, faults[0].data)
    assert planted, f"{rule.code} could plant its fault into none of {', '.join(data.name for data in clean)}"


# --- the page and the parameters ------------------------------------------------------------------------------------


def check_page(rule: type[RuleBase]) -> None:
    """Its code, name, file, severity and documentation are as users meet them."""
    assert re.fullmatch(r"[A-Z]{3}\d{3}", rule.code), f"the code {rule.code!r} is not three letters and three digits"
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.name), f"the name {rule.name!r} is not in kebab-case"
    module = rule.__module__.rpartition(".")[2]
    assert module == rule.name.replace("-", "_"), f"{rule.name} lies in the file {module}.py"
    assert rule.severity in SEVERITIES, f"{rule.code} has the unknown severity {rule.severity!r}"
    if issubclass(rule, Rule):
        assert rule.wants in get_args(Wants), f"{rule.code} wants {rule.wants!r}"
        assert rule.modalities <= {"table", "images", "audio"}, f"{rule.code} names an unknown modality"
        assert rule.modalities, f"{rule.code} applies to nothing"
    assert rule.item.strip(), f"{rule.code} answers no item"
    assert getattr(rule, "plant").__doc__, f"{rule.code} does not say what it plants"  # noqa: B009 - of either kind
    first, *sections = re.split(r"^## (.+)$", rule.page(), flags=re.MULTILINE)
    assert first.strip(), f"the page of {rule.code} does not begin with what it finds"
    assert tuple(sections[::2]) == HEADINGS, f"the page of {rule.code} has the headings {sections[::2]}"
    for heading, text in zip(sections[::2], sections[1::2], strict=True):
        assert text.strip(), f"the page of {rule.code} says nothing under {heading!r}"


def check_params(rule: type[RuleBase]) -> None:
    """Every parameter has a default and a description, and refuses what makes no sense."""
    from pydantic import ValidationError

    model = rule.Params
    for name, field in model.model_fields.items():
        assert not field.is_required(), f"the parameter {name} of {rule.code} has no default"
        assert field.description, f"the parameter {name} of {rule.code} is not described"
        default = field.get_default(call_default_factory=True)
        model.model_validate({name: default})
        refused: list[Any] = [object()]
        if isinstance(default, (int, float)) and not isinstance(default, bool):
            refused += ["many", float("nan"), -1e9]
        for value in refused:
            try:
                model.model_validate({name: value})
            except ValidationError:
                continue
            raise AssertionError(f"the parameter {name} of {rule.code} takes {value!r}")
    try:
        model.model_validate({"no_such_parameter": 1})
    except ValidationError:
        return
    raise AssertionError(f"{rule.code} takes unknown parameters")


# --- scans ----------------------------------------------------------------------------------------------------------


def scan(data: Clean, *rules: type[Rule], **options: Any) -> Report:
    """Scan a data set through the public API: tables in memory, files on disk; all rules unless some are named."""
    import datalint

    options |= {"select": [rule.code for rule in rules], "label": data.label, "config": data.config or False}
    if not data.files:
        return datalint.scan(data.tables["all"] if [*data.tables] == ["all"] else dict(data.tables), **options)
    with temporary_folder() as folder:
        return datalint.scan(data.write(folder / "data"), **options)


def plant(rule: type[Rule], data: Clean, strength: float, seed: int) -> Planted | None:
    """The rule's own fault in a data set; None where it cannot exist."""
    return rule.plant(data, strength, np.random.default_rng(seed))


def status(report: Report, rule: type[Rule]) -> RuleStatus:
    """What became of a rule, on the first data set where it was not skipped."""
    found = [item for part in report.datasets for item in part.rules if item.code == rule.code]
    return next((item for item in found if item.status != "skipped"), found[0])


def applies(rule: type[Rule], data: Clean, report: Report | None = None) -> bool:
    """Whether the rule judges this data set rather than skipping it; ``report`` is a scan of it, if there is one."""
    return data.modality in rule.modalities and status(report or scan(data, rule), rule).status in {"found", "passed"}


def alarms(report: Report, rule: type[Rule]) -> list[Finding]:
    """The rule's findings above ``info``; all of them where it is a rule of ``info`` only."""
    findings = [finding for finding in report.findings if finding.code == rule.code]
    return [finding for finding in findings if finding.severity != "info" or rule.severity == "info"]


def check_silent(rule: type[Rule], data: Clean, report: Report | None = None) -> None:
    """Nothing is found in clean data; ``report`` is a scan of it, if there is one."""
    found = alarms(report or scan(data, rule), rule)
    assert not found, f"{rule.code} finds in the clean set {data.name!r}: {found[0].message}"


@dataclass(frozen=True)
class Hit:
    """How a planted fault was found."""

    found: bool
    """Whether there is a finding at the place of the fault."""
    elsewhere: int
    """Findings at other places."""
    precision: float | None = None
    """Share of the named samples (or files) that are faulty; None where no single samples are."""
    recall: float | None = None
    """Share of the faulty samples (or files) that are named."""


def judge(rule: type[Rule], planted: Planted, report: Report) -> Hit:
    """Compare a scan of planted data with what was planted."""
    found = alarms(report, rule)
    here = [finding for finding in found if names_place(finding, planted)]
    if not (planted.rows or planted.files):
        return Hit(bool(here), len(found) - len(here))
    named, faulty = named_samples(rule, planted, report, here)
    right = len(named & faulty)
    return Hit(bool(here), len(found) - len(here), right / len(named) if named else 0.0, right / len(faulty))


def named_samples(
    rule: type[Rule], planted: Planted, report: Report, here: Sequence[Finding]
) -> tuple[set[tuple[str, Any]], set[tuple[str, Any]]]:
    """The samples (or files) that findings of a rule name, and the faulty ones, each with its split."""
    if planted.files:
        # Paths are shown as they can be opened, which is more than the path within the data set.
        paths = {sample.id.rpartition("/data/")[2] for finding in here for sample in finding.affected.samples}
        return {("", path) for path in paths}, {("", path) for path in planted.files}
    affected = report.affected(rule.code)
    several = len(report.datasets[0].splits) > 1
    named = {
        (split if several else "all", index) for split, index in zip(affected["split"], affected["index"], strict=True)
    }
    return named, {(split if several else "all", row) for split, rows in planted.rows.items() for row in rows}


def names_place(finding: Finding, planted: Planted) -> bool:
    """Whether a finding lies at the planted split, column and class."""
    if planted.split is not None and finding.split not in {planted.split, None}:
        return False
    said = {finding.column, finding.class_, *_texts(finding.evidence)}
    return all(place is None or place in said for place in (planted.column, planted.class_))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def check_found(
    rule: type[Rule], planted: Planted, precision: float = 0.8, recall: float = 0.5, report: Report | None = None
) -> None:
    """A planted fault is found at its place, and nowhere else.

    Args:
        rule: the rule whose fault it is.
        planted: the faulty data set.
        precision: for rules that train a model: smallest share of the named samples that are faulty; 1 for the others.
        recall: the same of the faulty samples that are named.
        report: a scan of the faulty data set, if there is one.
    """
    hit = judge(rule, planted, report or scan(planted.data, rule))
    name = f"{rule.code} planted in {planted.data.name!r}"
    assert hit.found, f"{name} is not found at its place"
    assert not hit.elsewhere, f"{name} is found at {hit.elsewhere} other places as well"
    for measured, least in ((hit.precision, precision), (hit.recall, recall)):
        assert measured is None or measured >= (least if rule.trains else 1), f"{name} names other samples: {hit}"


# --- partitions -----------------------------------------------------------------------------------------------------


def check_partitions(rule: type[Rule], data: Clean) -> None:
    """The findings do not depend on how the data is cut into partitions."""
    with temporary_folder() as root:
        if data.files:
            whole = _judged(rule, data.write(root / "data"), None, fine=False)
            parts = _judged(rule, root / "data", None, fine=True)
        else:
            whole = _judged(rule, data.write(root / "whole"), data.label, fine=False)
            parts = _judged(rule, _write_shards(data, root / "parts"), data.label, fine=False)
    assert _same(whole, parts), (
        f"{rule.code} finds in parts of {data.name!r} something else than in the whole:\n{parts}\n{whole}"
    )


def _same(a: Any, b: Any) -> bool:
    """Equal up to the rounding of sums that were taken in another order."""
    if isinstance(a, float) and isinstance(b, float):
        return bool(np.isclose(a, b, rtol=1e-3, atol=1e-12, equal_nan=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)


def _write_shards(data: Clean, folder: Path) -> Path:
    from datalint.core.clean import write_table

    folder.mkdir()
    for split, table in data.tables.items():
        for k in range(SHARDS):
            rows = table.iloc[len(table) * k // SHARDS : len(table) * (k + 1) // SHARDS]
            write_table(rows, folder / f"{split}-{k:05d}-of-{SHARDS:05d}")
    return folder


def _judged(rule: type[Rule], path: Path, label: str | None, *, fine: bool) -> list[Any]:
    """Findings without what depends on paths: the same for the same data."""
    import datalint
    from datalint.engine.engine import Serial
    from datalint.engine.measure import measure
    from datalint.judge.judge import judge as verdict_of
    from datalint.measures.base import Settings

    (dataset,) = datalint.detect(path, label=label)
    if fine:
        dataset.partitions = [small for part in dataset.partitions for small in _cut(part)]
    done = verdict_of(measure(dataset, [rule()], Settings(), Serial()), [rule()])
    return _comparable(done.report, {key: [s.index for s in samples] for key, samples in done.affected.items()})


def _cut(partition: Any, files: int = 7) -> Iterable[Any]:
    """Image files in far smaller partitions; other partitions as they are."""
    if not hasattr(partition, "cut"):
        return [partition]
    return [partition.cut(k, k + files) for k in range(0, len(partition.files), files)]


def _comparable(report: DatasetReport, rows: dict[str, list[int]]) -> list[Any]:
    left_out = {"fingerprint", "affected"}  # the fingerprint begins with the data set's name
    return [
        (finding.model_dump(exclude=left_out), finding.affected.count, rows.get(finding.fingerprint))
        for finding in report.findings
    ]


# --- data in which rules do not apply --------------------------------------------------------------------------------


def awkward() -> tuple[Clean, ...]:
    """Small tables in which much is missing: labels, features, classes, rows, values."""
    import pandas as pd

    from datalint.core.clean import Clean

    rng = np.random.default_rng(0)
    n = 60
    x = np.round(rng.normal(5, 2, n), 3)
    frames: dict[str, tuple[pd.DataFrame, str | None]] = {
        "no label": (pd.DataFrame({"width": x, "height": x[::-1]}), None),
        "numbers to predict": (pd.DataFrame({"x": x, "y": np.round(rng.normal(100, 9, n), 3)}), "y"),
        "one class": (pd.DataFrame({"x": x, "y": ["a"] * n}), "y"),
        "a class per row": (pd.DataFrame({"x": x, "y": [f"name {k}" for k in range(n)]}), "y"),
        "one row": (pd.DataFrame({"x": [1.0], "y": ["a"]}), "y"),
        "two rows": (pd.DataFrame({"x": [1.0, 2.0], "y": ["a", "b"]}), "y"),
        "labels only": (pd.DataFrame({"y": ["a", "b"] * (n // 2)}), "y"),
        "words only": (pd.DataFrame({"word": [f"w{k % 7}" for k in range(n)], "y": ["a", "b"] * (n // 2)}), "y"),
        "nothing but gaps": (pd.DataFrame({"x": np.full(n, np.nan), "y": ["a", "b"] * (n // 2)}), "y"),
        "labels missing": (pd.DataFrame({"x": x, "y": ["a", None, "b"] * (n // 3)}), "y"),
        "no label given": (pd.DataFrame({"x": x, "y": np.full(n, np.nan)}), "y"),
        "infinities": (pd.DataFrame({"x": np.where(x > 6, np.inf, -np.inf), "y": ["a", "b"] * (n // 2)}), "y"),
        "huge numbers": (pd.DataFrame({"x": x * 1e300, "y": rng.permutation(["a", "b"] * (n // 2))}), "y"),
        "constant": (pd.DataFrame({"x": np.ones(n), "y": rng.permutation(["a", "b"] * (n // 2))}), "y"),
    }
    return tuple(Clean(name, {"all": frame}, label) for name, (frame, label) in frames.items())


def check_status(rule: type[Rule], data: Clean, report: Report | None = None) -> None:
    """Whatever the data, the rule judges it or says why it does not; ``report`` is a scan of it, if there is one."""
    state = status(report or scan(data, rule), rule)
    assert state.status != "failed", f"{rule.code} fails on {data.name!r}: {state.reason}"
    if data.modality not in rule.modalities or (rule.wants != "nothing" and data.name == "no label"):
        assert state.status == "skipped", f"{rule.code} is {state.status} on {data.name!r}"
    if state.status == "skipped":
        assert state.reason, f"{rule.code} does not say why it skips {data.name!r}"
