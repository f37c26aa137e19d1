"""What a text is: a number, a number in dress, a date, or a word."""

from __future__ import annotations

import math
import re
from typing import Literal

from datalint.author import CURRENCIES

Kind = Literal[
    "number",
    "dressed",
    "date",
    "date, year first",
    "date, slashes",
    "date, dots",
    "date, words",
    "date, no year",
    "text",
]

_CORE = (
    r"[-+]?(?:\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}"  # 1.234,5 and 1.234.567
    r"|(?:\d{1,3}(?:[,' \u00a0\u202f]\d{3})+|\d+)(?:[.,]\d+)?)"
)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
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
            rf"(?:\d{{1,2}}[ -])?(?:{_MONTHS})[a-z]*[ .,-]+\d{{1,4}}(?:,? \d{{4}})?(?:[ -]\d{{4}})?",
            re.IGNORECASE,
        ),
    ),
    ("date, no year", re.compile(rf"\d{{1,2}}-(?:{_MONTHS})", re.IGNORECASE)),
)


_CONVERTED = re.compile(rf"\d{{1,2}}-(?:{_MONTHS.title()})|(?:{_MONTHS.title()})-\d\d|\d(?:\.\d\d?)?E\+\d\d")
_SYMBOL = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*|\d{1,3}-\d{1,3}")


def is_converted(text: str) -> bool:
    """Whether spreadsheets show a date or a power of ten like this where nobody wrote one, as for MARCH7 and 2310009E13."""
    return _CONVERTED.fullmatch(text) is not None


def is_symbol(text: str) -> bool:
    """Whether it is one word that may hold digits, as names of genes and parts are, or a range such as 5-9."""
    return _SYMBOL.fullmatch(text) is not None


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
