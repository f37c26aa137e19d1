"""Times of sampled rows, however they are written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from datalint.author import Column as Field
    from datalint.author import SampledRows

_DAY = re.compile(r"\s*(\d{1,2})[/.-]\d{1,2}[/.-]\d{2,4}")


def times_of(rows: SampledRows, field: Field) -> NDArray[np.float64]:
    """Times of the sampled rows of a split: seconds since 1970, or the numbers themselves; NaN where there is none."""
    if field.kind == "number":
        if field.name not in rows.at:
            return np.full(len(rows), np.nan)
        return np.asarray(rows.column(field.name))
    texts = rows.texts.get(field.name)
    if texts is None:
        return np.full(len(rows), np.nan)
    import pandas as pd

    distinct = sorted({str(text) for text in texts if text is not None})
    try:
        parsed = pd.to_datetime(pd.Series(distinct, dtype=object), errors="coerce", utc=True, format="ISO8601")
        if parsed.isna().mean() > 0.1:
            days = any(int(match[1]) > 12 for text in distinct if (match := _DAY.match(text)))
            parsed = pd.to_datetime(
                pd.Series(distinct, dtype=object), errors="coerce", utc=True, format="mixed", dayfirst=days
            )
        moments = parsed.dt.tz_localize(None).to_numpy("datetime64[s]")
    except (ValueError, OverflowError, TypeError):
        return np.full(len(rows), np.nan)
    values = np.where(np.isnat(moments), np.nan, moments.astype(np.int64).astype(np.float64))
    at = dict(zip(distinct, values, strict=True))
    return np.array([np.nan if text is None else at[str(text)] for text in texts])


def text_of(time: float) -> str:
    """A time for people: a date where the number is one, else the number."""
    if abs(time) < 1e7 or abs(time) > 2e11:  # a year, a step, milliseconds
        return f"{time:,.10g}".replace(",", "") if abs(time) < 1e4 else f"{time:.10g}"
    moment = np.datetime64(0, "s") + np.timedelta64(round(time), "s")
    text = str(moment).replace("T", " ")
    return text.removesuffix(" 00:00:00")
