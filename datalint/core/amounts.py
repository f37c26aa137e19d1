"""Texts that say a number, an amount or a day; the last two differ in nearly every row without being keys."""

from __future__ import annotations

import re

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DAY = re.compile(
    rf"\d{{1,2}}([-/. ])(?:\d{{1,2}}|{_MONTH})\1(?:\d{{4}}|\d{{2}})(?:[T ,].*)?"
    rf"|\d{{4}}([-/.])(?:\d{{1,2}}|{_MONTH})\2\d{{1,2}}(?:[T ,].*)?"
    rf"|{_MONTH}[ -]\d{{1,2}},? \d{{4}}.*"
    r"|\d{1,2}:\d{2}(?::\d{2})?.*",
    re.IGNORECASE,
)
CURRENCIES = r"(?:[$€£¥₹₽₩₺₫₪₦฿]|(?:US|A|C|R|HK|NZ|S)\$|Rs\.?|INR|USD|EUR|GBP|JPY|CNY|RMB|CHF|kr\.?|Kč|zł)"
"""Signs and words for money, before a number or behind it."""
_AMOUNT = re.compile(
    rf"[-+~<>]?{CURRENCIES}?\s?"
    r"[-+]?(?:\d{1,3}(?:[ ,.']\d{3})+|\d+)?(?:[.,]\d+)?(?<=\d)(?:e[-+]?\d+)?\s?(?:%|[$€£¥₹])?",
    re.IGNORECASE,
)


def is_number(text: str) -> bool:
    """Whether ``float`` reads it."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def is_amount(text: str) -> bool:
    """Whether a text is a number, maybe with a currency, a percent sign or separators of thousands."""
    return _AMOUNT.fullmatch(text.strip()) is not None


def is_day(text: str) -> bool:
    """Whether a text is a date or a time."""
    return _DAY.fullmatch(text.strip()) is not None
