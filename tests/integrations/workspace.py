"""What the tests of all integrations need: the examples of the documentation, and data to run them on."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[2]
BLOCKS = re.compile(r"^```(?:py|yml)\n(# .*?)^```", re.DOTALL | re.MULTILINE)


def example(name: str) -> str:
    """The block of the documentation whose first line names this file."""
    (block,) = [block for block in examples() if block.split()[1].rstrip(",;:") == name]
    return block


def examples() -> list[str]:
    """All blocks that are a file of the user's."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    return [block for page in pages for block in BLOCKS.findall(page.read_text(encoding="utf-8"))]


def good(folder: Path) -> Path:
    """A folder ``data`` with a table that has no fault worth a warning."""
    return _written(folder, _iris().sample(frac=1, random_state=0))


def bad(folder: Path) -> Path:
    """The same, sorted by label: ORD101 is a warning."""
    return _written(folder, _iris())


def _iris() -> pd.DataFrame:
    return pd.read_csv(ROOT / "sample_data" / "iris_sorted" / "iris.csv")


def _written(folder: Path, table: pd.DataFrame) -> Path:
    file = folder / "data" / "iris.csv"
    file.parent.mkdir(exist_ok=True)
    table.to_csv(file, index=False)
    return file
