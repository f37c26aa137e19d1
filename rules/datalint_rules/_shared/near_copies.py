"""Near-identical copies as they happen: pictures saved again, rows rounded or measured twice."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from datalint.author import Clean, Planted, rows_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def copies_in_table(
    table: pd.DataFrame, label: str | None, source: pd.DataFrame, rows: Sequence[int], into: Sequence[int], seed: int
) -> pd.DataFrame | None:
    """A table in which some rows are near copies of rows of ``source``; None where its values are too coarse.

    One number of each copy is another one, the others are rounded to a five-hundredth of the range of their middle half.
    """
    features = [c for c in table.columns if c != label]
    numeric = [c for c in features if source[c].dtype.kind == "f" and source[c].nunique() > 0.3 * len(source)]
    if len(numeric) < 8 or len(numeric) < 0.6 * len(features):
        return None
    rng = np.random.default_rng(seed)
    out = table.copy()
    for column in table.columns:
        values = source[column].to_numpy()[list(rows)]
        if column in numeric:
            low, high = np.nanquantile(source[column].to_numpy(), [0.25, 0.75])
            step = 0.002 * float(high - low)
            values = np.round(values / step) * step if step > 0 else values
        cells = out[column].to_numpy(copy=True)
        cells[list(into)] = values
        out[column] = cells
    for row in into:
        column = numeric[int(rng.integers(len(numeric)))]
        values = source[column].to_numpy()
        out.loc[out.index[row], column] = values[int(rng.integers(len(values)))]
    return out


def resaved(data: bytes, strength: float) -> bytes:
    """A picture a little brighter and, where it is a JPEG, compressed again."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        out = io.BytesIO()
        darker = image.point(lambda value: round(value * (0.97 - 0.05 * strength)))
        darker.save(out, image.format or "PNG", **({"quality": 80} if image.format == "JPEG" else {}))
    return out.getvalue()


def detailed(clean: Clean, paths: Sequence[str]) -> list[str]:
    """Those pictures that show enough to distinguish a duplicate from a similar picture."""
    from PIL import Image

    out = []
    for path in paths:
        with Image.open(io.BytesIO(clean.files[path])) as image:
            small = np.asarray(image.convert("L").resize((16, 16)))
        if small.std() >= 12:
            out.append(path)
    return out


def replace_files(clean: Clean, pairs: Sequence[tuple[str, str]], strength: float) -> Planted:
    """Put near copies of some files in the place of others."""
    files = dict(clean.files)
    for original, replaced in pairs:
        files[replaced] = resaved(clean.files[original], strength)
    chosen = {path for pair in pairs for path in pair}
    return Planted(Clean(clean.name, files=files), rows=rows_of(clean, chosen))
