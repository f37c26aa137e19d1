"""What the fault of each rule looks like: planted into a clean data set and found there. ``python -m docs._site.faults [CODE...]``.

The examples are kept in ``faults.json`` and in ``docs/assets/faults``, as to make them all takes minutes; those of rules that
did not change are left as they are. A test says which are out of date.
"""

from __future__ import annotations

import io
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from datalint.core.hashing import bytes_hash
from datalint.report import wording
from datalint.rules.catalogue import built_in
from datalint.rules.registry import all_rules
from docs._site.markdown import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from datalint.core.clean import Clean, Planted
    from datalint.report.models import AffectedSample, Finding, Report
    from datalint.rules.base import Rule

ROOT: Final = Path(__file__).parents[2]
FILE: Final = Path(__file__).with_name("faults.json")
PICTURES: Final = ROOT / "docs" / "assets" / "faults"

SEED: Final = 0
STRENGTH: Final = 0.5
SAMPLES: Final = 4
COLUMNS: Final = 5
LONGEST: Final = 70
"""Characters of a cell."""
DETAIL: Final = 120
"""Characters of what is told of a sample."""
TEMPORARY: Final = re.compile(r"/\S*/datalint-\w+/data/")
"""Where data lay for the scan."""
HEIGHT: Final = 110
"""Pixels of a picture."""


@cache
def examples() -> dict[str, dict[str, Any]]:
    """What is kept, by code."""
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_text()) if FILE.exists() else {}
    return found


def stale() -> list[str]:
    """Codes of the rules whose example is missing, or older than the rule."""
    return [rule.code for rule in _rules() if examples().get(rule.code, {}).get("rule") != digest(rule.code)]


def _rules() -> list[type[Rule]]:
    own = {rule.code for rule in built_in()}
    return [rule for rule in all_rules() if rule.code in own]


def digest(code: str) -> str:
    """What changes with the file of a rule."""
    rule = next(rule for rule in built_in() if rule.code == code)
    return f"{int(bytes_hash(Path(str(sys.modules[rule.__module__].__file__)).read_bytes())):016x}"


def section(code: str, way: str) -> list[str]:
    """The part of a rule's page; nothing for rules whose fault lies in no data set.

    Args:
        code: of the rule.
        way: from the page to the assets.
    """
    item = examples().get(code)
    if item is None:
        return []
    parts = [
        "## What it looks like",
        f"Planted into a clean data set ({item['set']}), the fault is told as:",
        f"> **{item['severity']}** {item['message']}",
    ]
    if item["table"]:
        head, *rows = item["table"]
        parts.append(table([f"`{name}`" if name else "" for name in head], rows).rstrip())
    if item["picture"]:
        parts.append(f"![The samples below, side by side]({way}faults/{code}.webp)")
    told = [sample for sample in item["samples"] if ": " in sample or not item["table"]]
    if told:
        parts.append("\n".join(f"* {sample}" for sample in told))
    return parts


# --- made -----------------------------------------------------------------------------------------------------------


def make(rule: type[Rule]) -> dict[str, Any] | None:
    """The example of one rule; None where no clean set can hold its fault."""
    for clean, planted, report, finding in _found(rule):
        samples = list(finding.affected.samples[:SAMPLES])
        picture = _strip([report.thumbnails[sample.id] for sample in samples if sample.id in report.thumbnails])
        PICTURES.mkdir(parents=True, exist_ok=True)
        place = PICTURES / f"{rule.code}.webp"
        place.unlink(missing_ok=True)
        if picture is not None:
            place.write_bytes(picture)
        return {
            "rule": digest(rule.code),
            "set": clean.name,
            "severity": finding.severity,
            "message": _cell(TEMPORARY.sub("", finding.message), 400),
            "samples": [_said(sample) for sample in samples],
            "table": _rows(clean, planted, finding, samples),
            "picture": picture is not None,
        }
    return None


def _found(rule: type[Rule]) -> Iterator[tuple[Clean, Planted, Report, Finding]]:
    """The rule's fault in clean sets that can hold it, where it is found; those that show samples first."""
    from datalint.testing import plant, scan
    from tests.reference import clean_sets

    late = []
    for clean in clean_sets():
        if clean.modality not in rule.modalities:
            continue
        planted = plant(rule, clean, STRENGTH, SEED)
        report = None if planted is None else scan(planted.data, rule)
        findings = [] if report is None else [finding for finding in report.findings if finding.code == rule.code]
        if planted is None or report is None or not findings:
            continue
        finding = findings[0]
        if finding.affected.samples:
            yield clean, planted, report, finding
        else:
            late.append((clean, planted, report, finding))
    yield from late


def _said(sample: AffectedSample) -> str:
    details = [
        f"{wording.label(name)} {_cell(wording.value(name, value, 6), DETAIL)}"
        for name, value in list(wording.told(sample.detail).items())[:3]
    ]
    name = TEMPORARY.sub("", sample.id)
    return f"`{name}`" + (f": {', '.join(details)}" if details else "")


def _rows(clean: Clean, planted: Planted, finding: Finding, samples: list[AffectedSample]) -> list[list[str]]:
    """The rows that are named, the columns that differ from the clean set first, with what stood there."""
    if not samples or samples[0].split not in planted.data.tables:
        return []
    split = samples[0].split
    now, before = planted.data.tables[split], clean.tables.get(split)
    at = [sample.index for sample in samples if sample.split == split and 0 <= sample.index < len(now)]
    aligned = before is not None and len(before) == len(now) and list(before.columns) == list(now.columns)
    wanted = [
        finding.column,
        *(_changed(before, now, at) if aligned and before is not None else []),
        planted.data.label,
    ]
    names = list(dict.fromkeys(str(name) for name in [*wanted, *now.columns] if name in now.columns))[:COLUMNS]
    rows = []
    for row in at:
        cells = [str(row)]
        for name in names:
            cell = _cell(str(now[name].iloc[row]))
            was = _cell(str(before[name].iloc[row])) if aligned and before is not None else cell
            cells.append(cell if cell == was else f"**{cell or '(empty)'}** (was {was})")
        rows.append(cells)
    return [["row", *names], *rows] if rows else []


def _changed(before: pd.DataFrame, now: pd.DataFrame, at: list[int]) -> list[str]:
    return [name for name in now.columns if any(str(before[name].iloc[row]) != str(now[name].iloc[row]) for row in at)]


def _cell(text: str, most: int = LONGEST) -> str:
    """A text in one line that Markdown leaves as it is."""
    text = " ".join(text.split())
    text = text if len(text) <= most else text[: most - 3] + "..."
    for character in "\\`*_<>[]#":
        text = text.replace(character, f"\\{character}")
    return text.replace("{", "&#123;")


def _strip(pictures: list[bytes]) -> bytes | None:
    """Pictures side by side."""
    from PIL import Image

    if not pictures:
        return None
    shown = []
    for data in pictures:
        with Image.open(io.BytesIO(data)) as stored:
            width = max(1, min(3 * HEIGHT, round(stored.width * HEIGHT / stored.height)))
            how = Image.Resampling.NEAREST if stored.height < HEIGHT // 3 else Image.Resampling.BICUBIC
            shown.append(stored.convert("RGB").resize((width, HEIGHT), how))
    strip = Image.new("RGB", (sum(image.width for image in shown) + 6 * (len(shown) - 1), HEIGHT), "white")
    left = 0
    for image in shown:
        strip.paste(image, (left, 0))
        left += image.width + 6
    out = io.BytesIO()
    strip.save(out, "WEBP", quality=80)
    return out.getvalue()


def main(codes: list[str]) -> None:
    """Make what is out of date, or the examples of some rules."""
    known = dict(examples())
    wanted = codes or stale()
    for rule in _rules():
        if rule.code in wanted and (made := make(rule)) is not None:
            known[rule.code] = made
    kept = {rule.code: known[rule.code] for rule in _rules() if rule.code in known}
    FILE.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    for place in PICTURES.glob("*.webp"):
        if not kept.get(place.stem, {}).get("picture"):
            place.unlink()


if __name__ == "__main__":
    main(sys.argv[1:])
