"""What holds for every rule, whichever there are."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import zlib
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import datalint
from datalint.core.severity import SEVERITIES
from datalint.engine.engine import Serial
from datalint.engine.measure import measure
from datalint.judge.judge import judge as verdict_of
from datalint.measures.base import Settings
from datalint.report.models import Report, Run, Summary, Tool
from datalint.rules.registry import all_rules
from datalint.testing import (
    alarms,
    applies,
    awkward,
    check_found,
    check_page,
    check_params,
    check_partitions,
    check_silent,
    check_status,
    judge,
    plant,
    scan,
)
from tests.reference import clean_sets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from datalint.core.clean import Clean, Planted
    from datalint.profile.profile import Profile
    from datalint.rules.base import Rule

ROOT = Path(__file__).parents[2]
RULES = all_rules()
CLEAN = {data.name: data for data in clean_sets()}
STRANGE = {data.name: data for data in awkward()}

FOLDER = Path(tempfile.mkdtemp(prefix="clean-sets-"))
atexit.register(shutil.rmtree, FOLDER)

SLOW = {"LBL102", "SIG101", "SIG103"}
"""These train so many models that they take 30 to 80 CPU seconds to find what they plant; others take 1 to 14."""


def _parametrize(slow: set[str]) -> pytest.MarkDecorator:
    rules = [pytest.param(r, marks=[pytest.mark.slow] * (r.code in slow), id=r.code) for r in RULES]
    return pytest.mark.parametrize("rule", rules)


every_rule = _parametrize(set())
every_rule_at_work = _parametrize(SLOW)


@cache
def measured(name: str) -> Profile:
    """A clean set, measured once for all rules; the models and searches that they share run once, too."""
    data = CLEAN[name]
    source: object = data.tables.get("all", data.tables)
    if data.files:
        folder = FOLDER / str(len(list(FOLDER.iterdir())))
        source = data.write(folder / "data")  # read again where a rule compares pictures
    (dataset,) = datalint.detect(source, label=data.label)
    assert not data.config
    return measure(dataset, [rule() for rule in RULES], Settings(), Serial())


def judged(name: str, rules: Sequence[type[Rule]]) -> Report:
    """What some rules say of a clean set."""
    found = verdict_of(measured(name), [rule() for rule in rules]).report
    run = Run(started="", seconds=0, engine="serial", jobs=1)
    return Report(tool=Tool(version=""), summary=Summary(datasets=1), datasets=(found,), run=run)


@cache
def alone(rule: type[Rule], name: str) -> Report:
    """What one rule says of a clean set when no other one judges it."""
    if rule.audits:
        return scan(CLEAN[name], rule)
    return judged(name, [rule])


def judges(rule: type[Rule], data: Clean) -> bool:
    """Whether a rule judges a clean set rather than skips it."""
    return data.modality in rule.modalities and applies(rule, data, alone(rule, data.name))


@cache
def hosts(rule: type[Rule]) -> list[str]:
    """Clean sets to plant the rule's fault into: a few of all kinds that can hold it, other ones for other rules.

    First those of which the rule has nothing mild to say as they are: of others nobody could tell which samples were
    planted. No more sets are scanned than it takes, and no model is trained on large ones.
    """
    kinds: dict[tuple[str, bool], list[Clean]] = {}
    for data in CLEAN.values():
        large = rule.trains and sum(map(len, data.tables.values())) > 1_000
        if not large and data.modality in rule.modalities and planted_in(rule, data.name, 1.0, 0) is not None:
            split = len(data.tables) > 1 or any(path.startswith("train/") for path in data.files)
            kinds.setdefault((data.modality, split), []).append(data)
    turn = zlib.crc32(rule.code.encode())
    queues = [found[turn % len(found) :] + found[: turn % len(found)] for found in kinds.values()]
    most = 4 if rule.trains else 6
    quiet: list[str] = []
    held: list[str] = []
    for data in (data for row in zip_longest(*queues) for data in row if data is not None):
        if judges(rule, data):
            (held if alone(rule, data.name).findings else quiet).append(data.name)
        if len(quiet) == most:
            break
    return quiet or held[:most]


@cache
def planted_in(rule: type[Rule], name: str, strength: float, seed: int) -> Planted | None:
    """The rule's fault in one clean set."""
    return plant(rule, CLEAN[name], strength, seed)


@cache
def found_in(rule: type[Rule], name: str, strength: float, seed: int) -> Report:
    """One scan with the rule per planted fault."""
    fault = planted_in(rule, name, strength, seed)
    assert fault is not None
    return scan(fault.data, rule)


def faults(rule: type[Rule], strength: float) -> list[tuple[Planted, Report]]:
    """The rule's fault in several clean sets, each with a scan; one seed for every set, another one for its neighbours."""
    made = [(name, strength, k % 2) for k, name in enumerate(hosts(rule))]
    return [(fault, found_in(rule, *key)) for key in made if (fault := planted_in(rule, *key)) is not None]


# --- the page -------------------------------------------------------------------------------------------------------


@every_rule
def test_page_and_parameters(rule: type[Rule]) -> None:
    check_page(rule)
    check_params(rule)


def test_one_family_one_folder_one_prefix() -> None:
    folders = {(rule.__module__.split(".")[-2], rule.code[:3]) for rule in RULES}
    assert len(folders) == len({folder for folder, _ in folders}) == len({prefix for _, prefix in folders})


# --- clean data -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CLEAN)
def test_silent_on_clean_data(name: str) -> None:
    report = judged(name, [rule for rule in RULES if not rule.audits])
    for rule in RULES:
        found = alone(rule, name) if rule.audits else report
        check_silent(rule, CLEAN[name], found)
        check_status(rule, CLEAN[name], found)


@pytest.mark.parametrize("name", STRANGE)
def test_judges_strange_data_or_says_why_not(name: str) -> None:
    report = scan(STRANGE[name])
    for rule in RULES:
        check_status(rule, STRANGE[name], report)


@every_rule
def test_judges_some_clean_set(rule: type[Rule]) -> None:
    assert any(judges(rule, data) for data in CLEAN.values())


@every_rule_at_work
def test_silent_alone_where_nothing_is_planted_yet(rule: type[Rule]) -> None:
    # Together with other rules a false alarm may be folded into the finding of another one.
    for name in hosts(rule):
        check_silent(rule, CLEAN[name], alone(rule, name))


# --- planted faults -------------------------------------------------------------------------------------------------


@every_rule_at_work
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_finds_what_it_plants_there_and_only_there(rule: type[Rule], strength: float) -> None:
    planted = faults(rule, strength)
    assert planted, f"{rule.code} can plant its fault into no clean set"
    if not rule.trains:
        for fault, found in planted:
            check_found(rule, fault, report=found)
        return
    # What a model can find depends on the problem: on small or hard ones silence is right. Where there is a finding,
    # what it names must be faulty.
    hits = [hit for fault, found in planted if (hit := judge(rule, fault, found)).found]
    assert len(hits) >= (0.5 + 0.2 * strength) * len(planted)
    precisions = [hit.precision for hit in hits if hit.precision is not None]
    recalls = [hit.recall for hit in hits if hit.recall is not None]
    assert sum(precisions) >= 0.85 * len(precisions)
    assert sum(recalls) >= 0.75 * len(recalls)


@every_rule_at_work
def test_more_of_a_fault_is_never_a_milder_finding(rule: type[Rule]) -> None:
    if rule.trains:
        return  # what a model finds grows with the strength on average, not in every case
    k, name = min(enumerate(hosts(rule)), key=lambda host: size(CLEAN[host[1]]))
    severities = []
    for strength in (0.0, 0.25, 0.5, 0.75, 1.0):
        report = found_in(rule, name, strength, k % 2)
        found = [finding.severity for finding in report.findings if finding.code == rule.code]
        severities.append(min(map(SEVERITIES.index, found), default=len(SEVERITIES)))
    assert severities == sorted(severities, reverse=True)


@every_rule_at_work
def test_planting_is_repeatable_and_leaves_the_clean_set_alone(rule: type[Rule]) -> None:
    data = CLEAN[hosts(rule)[0]]
    before = {split: table.copy() for split, table in data.tables.items()}
    first, second = planted_in(rule, data.name, 1.0, 0), plant(rule, data, 1.0, 0)
    assert first is not None
    assert second is not None
    for split, table in before.items():
        assert table.equals(data.tables[split])
    assert first.rows == second.rows
    assert first.data.files == second.data.files
    assert all(table.equals(second.data.tables[split]) for split, table in first.data.tables.items())


def size(data: Clean) -> int:
    """Cells or bytes, roughly."""
    return sum(map(len, data.files.values())) + sum(table.size for table in data.tables.values())


@every_rule_at_work
def test_partitions_make_no_difference(rule: type[Rule]) -> None:
    planted = [planted_in(rule, name, 1.0, 0) for name in hosts(rule)]
    # One table and one image tree say it for all.
    for modality in ("table", "images"):
        held = [fault.data for fault in planted if fault is not None and fault.data.modality == modality]
        if held:
            check_partitions(rule, min(held, key=size))


# --- rule packs of others -------------------------------------------------------------------------------------------

PACK = '''
from __future__ import annotations

from typing import ClassVar

from datalint.rules.base import Field, Found, Rule, RuleParams


class Loudness(Rule):
    """
    A column called loudness that goes beyond the largest value an instrument can give.

    ## Why it hurts

    Such values are clipped.

    ## How to fix it

    Record again.

    ## When it is wrong

    Never.

    ## Reference

    The instrument's manual.
    """

    code = "ACM101"
    name = "loudness"
    severity: ClassVar = "warning"
    item = "1"
    modalities = frozenset({"table"})

    class Params(RuleParams):
        """Cut."""

        limit: float = Field(100.0, gt=0, description="Largest value, in decibels.")

    @classmethod
    def needs(cls, dataset):
        """Extremes."""
        from datalint.measures.columns import NumberStats

        return (NumberStats,)

    def check(self, profile):
        """Judge every split."""
        from datalint.measures.columns import NumberStats

        for split in profile.splits:
            numbers = split[NumberStats]
            if "loudness" in numbers.names and numbers.high[numbers.names.index("loudness")] > self.params.limit:
                yield Found("too loud", "Record again.", "Clipped.", split=split.name, column="loudness")

    @classmethod
    def plant(cls, clean, strength, rng):
        """Make one value too large."""
        from datalint.core.clean import Clean, Planted

        split = next(iter(clean.tables))
        table = clean.tables[split].copy()
        if "loudness" not in table:
            return None
        table.loc[int(rng.integers(len(table))), "loudness"] = 101 + 50 * strength
        return Planted(Clean(clean.name, {split: table}, clean.label), split=split, column="loudness")
'''

USE = """
import numpy as np
import pandas as pd

from datalint.core.clean import Clean
from datalint.rules.registry import find_rule
from datalint.testing import check_rule

rng = np.random.default_rng(0)
table = pd.DataFrame({"loudness": rng.uniform(20, 80, 90), "kind": rng.permutation(["speech", "music", "noise"] * 30)})
check_rule(find_rule("loudness"), [Clean("sounds", {"train": table}, "kind")])
print("passed")
"""


def install(folder: Path, source: str) -> dict[str, str]:
    """A rule pack as pip leaves it: a package and its entry point. Returns the environment to run in."""
    (folder / "acme_rules").mkdir()
    (folder / "acme_rules" / "__init__.py").touch()
    (folder / "acme_rules" / "loudness.py").write_text(source)
    info = folder / "acme_rules-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-rules\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[datalint.rules]\nacme = acme_rules\n")
    paths = [str(folder), str(ROOT), str(ROOT / "rules")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def run(code: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_rule_pack_of_others_is_found_and_tested_alike(tmp_path: Path) -> None:
    done = run(USE, install(tmp_path, PACK))
    assert done.stdout == "passed\n", done.stderr


@pytest.mark.parametrize(
    ("right", "wrong", "complaint"),
    [
        ("## When it is wrong", "## Caveats", "has the headings"),
        ('"loudness"\n    severity', '"noise"\n    severity', "lies in the file loudness.py"),
        ("gt=0, ", "", "takes nan"),
        ("self.params.limit:", "1:", "finds in the clean set 'sounds'"),
        ("> self.params.limit", "> 130", "is not found at its place"),
        ('column="loudness")\n\n', 'column="kind")\n\n', "is not found at its place"),
        ("for split in profile.splits:", "for split in [None]:", "fails on"),
    ],
)
def test_the_harness_sees_what_is_wrong_with_a_rule(tmp_path: Path, right: str, wrong: str, complaint: str) -> None:
    assert PACK.count(right) == 1
    use = USE.replace('"loudness")', '"ACM101")') if '"noise"' in wrong else USE
    done = run(use, install(tmp_path, PACK.replace(right, wrong)))
    assert complaint in done.stderr.splitlines()[-1]


def test_info_does_not_count_as_alarm_for_a_rule_of_warnings() -> None:
    (sorted_tree,) = [rule for rule in RULES if rule.name == "sorted-by-label"]
    found = alone(sorted_tree, "photo crops")
    assert [finding.severity for finding in found.findings if finding.code == sorted_tree.code] == ["info"]
    assert not alarms(found, sorted_tree)
