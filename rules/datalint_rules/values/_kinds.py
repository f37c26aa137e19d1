"""What a text is: a number, a number in dress, a date, or a word."""

from __future__ import annotations

import math
import re
from typing import Literal

from datalint.author import CURRENCIES

Kind = Literal["number", "dressed", "date", "date, year first", "date, slashes", "date, dots", "date, words", "text"]

_CORE = r"[-+]?(?:\d{1,3}(?:[,' \u00a0\u202f]\d{3})+|\d+)(?:[.,]\d+)?"
_UNIT = r"(?:%|‰|°[CF]?|[kmcdµμn]?[gmlswWhVAJ]|[kMG]?[HB]z?|kg|mg|mm|cm|km|lbs?|oz|ft|in|mi|mph|km/h|kWh?|hp|bhp|cc|kmpl|km/kg|ml|USD|EUR|GBP|years?|yrs?|days?|hours?|hrs?|mins?|secs?|months?|rows?|[kKM])"
_DRESSED = re.compile(rf"{CURRENCIES}\s?{_CORE}(?:\s?[kKMB])?|{_CORE}\s?(?:{_UNIT}|{CURRENCIES})|{_CORE}|\({_CORE}\)")
_DATES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "date, year first",
        re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ]\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"),
    ),
    (
        "date, slashes",
        re.compile(r"\d{1,2}[/-]\d{1,2}[/-](?:\d{4}|\d{2})(?: \d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?)?"),
    ),
    ("date, dots", re.compile(r"\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})(?: \d{1,2}:\d\d(?::\d\d)?)?")),
    (
        "date, words",
        re.compile(
            r"(?:\d{1,2}[ -])?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ .,-]+\d{1,4}(?:,? \d{4})?(?:[ -]\d{4})?",
            re.IGNORECASE,
        ),
    ),
)


def kind_of_text(text: str) -> Kind:
    """The kind of one value."""
    if not text or len(text) > 64 or not any(c.isdigit() for c in text):
        return "text"
    try:
        # "1_000" and full-width digits are numbers to Python alone.
        if text.isascii() and "_" not in text and math.isfinite(float(text)):
            return "number"
    except ValueError:
        pass
    for kind, pattern in _DATES:
        if pattern.fullmatch(text):
            return kind
    return "dressed" if _DRESSED.fullmatch(text) else "text"
