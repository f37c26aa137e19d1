"""Documents and conversations beside another linter: what each says of clean and of faulty sets, and at what cost.

`python -m benchmarks.language --dropoutt BIN/dropoutt [--families N]`: the sets of `benchmarks/written.py` as JSON lines, clean and with the
faults of the rules about texts and conversations in them at strength 0.5. Found: a warning or error (of dropoutt: anything
above a note) of which there was no word for the clean set, whatever it is called, which is in favour of a tool that names
another fault than the one that was planted.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.written import WRITTEN
from datalint.rules.registry import find_rule
from datalint.testing import plant

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

CODES = "CHT101 CHT102 CHT103 CHT105 CHT107 CHT108 DUP101 TXT104 TXT106 SPL112".split()  # noqa: SIM905
SEED = 3


def laid(tables: Mapping[str, pd.DataFrame], folder: Path) -> Path:
    """Tables as JSON lines, a file per split."""
    folder.mkdir(parents=True)
    for split, table in tables.items():
        lines = [json.dumps(row, ensure_ascii=False, default=_plain) for row in table.to_dict("records")]
        (folder / f"{'train' if split == 'all' else split}.jsonl").write_text("\n".join(lines) + "\n")
    return folder


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


def measured(command: list[str]) -> tuple[float, float]:
    """CPU seconds and peak megabytes of one command."""
    import subprocess

    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "cost.json"
        meter = [sys.executable, str(Path(__file__).with_name("meter.py")), str(out), "600", *command]
        subprocess.run(meter, check=False, capture_output=True)
        cost = json.loads(out.read_text())
    return float(cost["cpu"]), cost["memory"] / 1e6


def datalint_says(folder: Path, out: Path) -> tuple[set[str], float, float]:
    """Codes of warnings and errors, and the cost."""
    command = [
        sys.executable,
        "-m",
        "datalint",
        "scan",
        str(folder),
        "--no-cache",
        "--exit-zero",
        "--output-dir",
        str(out),
    ]
    cost = measured(command)
    report = json.loads((out / "report.json").read_text())
    found = [
        f for data in report["datasets"] for f in data["findings"] if f["severity"] != "info" and not f.get("part_of")
    ]
    return {f["code"] for f in found}, *cost


def dropoutt_says(program: str, folder: Path, out: Path) -> tuple[set[str], float, float]:
    """Checks that raise more than a note, and the cost."""
    cost = measured(
        [program, "scan", str(folder), "--offline", "--no-html", "--no-open", "--quiet", "-j", "1", "--out", str(out)]
    )
    lines = (out / "findings.jsonl").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return {f["check_id"] for f in found if f["severity"] not in {"note", "info"}}, *cost


def main() -> None:
    """Print a line for each set and fault, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dropoutt", required=True, help="the program")
    parser.add_argument("--families", type=int, default=len(WRITTEN))
    chosen = parser.parse_args()
    found: Counter[str] = Counter()
    cost: dict[str, list[tuple[float, float]]] = {"datalint": [], "dropoutt": []}
    faults = clean_alarms = theirs = 0
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        for make in WRITTEN[: chosen.families]:
            clean = make(np.random.default_rng(SEED))
            said = _both(chosen.dropoutt, clean.tables, root / make.__name__, cost)
            clean_alarms += bool(said[0])
            theirs += bool(said[1])
            print(f"{clean.name}, clean: datalint {sorted(said[0])}; dropoutt {sorted(said[1])}", flush=True)
            for code in CODES:
                fault = plant(find_rule(code), clean, 0.5, SEED)
                if fault is None:
                    continue
                faults += 1
                ours, other = _both(chosen.dropoutt, fault.data.tables, root / f"{make.__name__}-{code}", cost)
                found["datalint"] += bool(ours - said[0])
                found["right"] += code in ours
                found["dropoutt"] += bool(other - said[1])
                print(
                    f"{clean.name}, {code}: datalint {sorted(ours - said[0])}; dropoutt {sorted(other - said[1])}",
                    flush=True,
                )
    print(
        f"faults {faults}: datalint {found['datalint']} ({found['right']} by its own code), dropoutt {found['dropoutt']}"
    )
    print(f"clean sets that are spoken of: datalint {clean_alarms}, dropoutt {theirs}, of {chosen.families}")
    for name, spent in cost.items():
        cpu, memory = zip(*spent, strict=True)
        print(f"{name}: {np.median(cpu):.1f} CPU s and {np.median(memory):.0f} MB in the middle")


def _both(
    program: str, tables: Mapping[str, pd.DataFrame], place: Path, cost: dict[str, list[tuple[float, float]]]
) -> tuple[set[str], set[str]]:
    folder = laid(tables, place / "data")
    ours, *own = datalint_says(folder, place / "report")
    theirs, *other = dropoutt_says(program, folder, place / "theirs")
    cost["datalint"].append((own[0], own[1]))
    cost["dropoutt"].append((other[0], other[1]))
    return ours, theirs


if __name__ == "__main__":
    main()
