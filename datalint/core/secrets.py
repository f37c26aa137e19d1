"""Keys, addresses and numbers of persons in texts: where they are, and texts without them."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PREFIXES = {
    "AWS key": r"(?:AKIA|ASIA)[0-9A-Z]{16}",
    "GitHub token": r"gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}",
    "GitLab token": r"glpat-[A-Za-z0-9_-]{20}",
    "Google key": r"AIza[A-Za-z0-9_-]{35}",
    "Hugging Face token": r"hf_[A-Za-z]{34}",
    "key of a language model": r"sk-(?:ant-|proj-|or-v1-)?[A-Za-z0-9_-]{32,160}",
    "npm token": r"npm_[A-Za-z0-9]{36}",
    "PyPI token": r"pypi-AgEI[A-Za-z0-9_-]{50,200}",
    "SendGrid key": r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}",
    "Slack token": r"xox[abeoprs]-[A-Za-z0-9-]{10,200}",
    "Stripe key": r"[rs]k_live_[A-Za-z0-9]{24,99}",
    "web token": r"eyJ[A-Za-z0-9_-]{10,1000}\.eyJ[A-Za-z0-9_-]{10,2000}\.[A-Za-z0-9_-]{20,1000}",
}
"""How keys begin, and how long they are."""

_KEY = "|".join(f"(?P<k{number}>{pattern})" for number, pattern in enumerate(_PREFIXES.values()))
_MAIL = r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}"
_PHONE = r"\+[1-9]\d{0,2}[ .\-(]{0,2}\d{1,4}(?:[ .\-)]{1,2}\d{2,4}){2,4}|\(\d{3}\) ?\d{3}[-. ]\d{4}"
_LONG = r"\d(?:[ -]?\d){12,18}"
_IBAN = r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?"
_PERSON = r"\d{3}-\d{2}-\d{4}"
_BLOCK = r"-----BEGIN (?:[A-Z]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"

_EXAMPLES = re.compile(
    r"@(?:[a-z0-9-]+\.)*(?:example|test|invalid|localhost|domain|company|email|yourdomain|mydomain|users\.noreply)\b"
    r"|^(?:no-?reply|user(?:name)?|name|you(?:r[a-z.]*)?|someone|somebody|foo|bar|test|admin|info|git|john\.?doe|jane\.?doe)@",
    re.IGNORECASE,
)
"""Addresses that belong to nobody."""

_TRIED = frozenset({"4111111111111111", "4242424242424242", "5555555555554444", "378282246310005", "4012888888881881"})
"""Numbers of cards with which shops are tried out."""

_ISSUERS = re.compile(r"4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}")

LONGEST = 4_000
"""Signs of the longest secret, about: a text that is cut there is masked as the whole would be."""

MARK = "\u2026"
"""Stands for what is not shown."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Something in a text that should not be passed on."""

    kind: str
    """``key``, ``mail address``, ``phone number``, ``card number``, ``bank account`` or ``person's number``."""
    start: int
    end: int
    masked: str
    """What may be shown of it."""


@cache
def pattern() -> re.Pattern[str]:
    """What may be a secret."""
    inner = (
        f"(?P<block>{_BLOCK})|(?P<key>{_KEY})|(?P<mail>{_MAIL})|(?P<iban>{_IBAN})|(?P<phone>{_PHONE})"
        f"|(?P<person>{_PERSON})|(?P<long>{_LONG})"
    )
    return re.compile(rf"(?<![A-Za-z0-9_+./@-])(?:{inner})(?![A-Za-z0-9_@])")


def secrets_in(text: str) -> Iterator[Secret]:
    """All of them, in order."""
    if not any(sign in text for sign in "0123456789@-"):
        return
    for match in pattern().finditer(text):
        told = _KINDS[match.lastgroup or ""](match[0]) if match.lastgroup in _KINDS else _key(match)
        if told is not None:
            yield Secret(told[0], match.start(), match.end(), told[1])


def masked(text: str) -> str:
    """The text with what is secret in it left out."""
    found = list(secrets_in(text))
    for secret in reversed(found):
        text = text[: secret.start] + secret.masked + text[secret.end :]
    return text


def _key(match: re.Match[str]) -> tuple[str, str] | None:
    text = match[0]
    name = next(name for number, name in enumerate(_PREFIXES) if match[f"k{number}"] is not None)
    body = re.sub(r"^[a-z]{2,6}[-_]", "", text)
    # Keys are drawn at random; what stands in manuals seldom is.
    if len(set(body)) < min(12, len(body) // 2) or re.search(r"x{6}|0{8}|1234567|abcdefg|your|example", text, re.I):
        return None
    if name == "GitHub token" and text[3] == "_" and not _github(text):
        return None
    return "key", f"{text[:4]}{MARK} ({name})"


def _github(text: str) -> bool:
    """Whether the last six signs are the check sum of those before."""
    signs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    value, check = zlib.crc32(text[4:-6].encode()), ""
    for _ in range(6):
        value, digit = divmod(value, 62)
        check = signs[digit] + check
    return text.endswith(check)


def _block(text: str) -> tuple[str, str] | None:
    return "key", f"{text[:10]}{MARK} (private key)"


def _mail(text: str) -> tuple[str, str] | None:
    end = text.rpartition(".")[2]
    if _EXAMPLES.search(text) or end.lower() in {"png", "jpg", "py", "js", "html", "local"}:
        return None
    return "mail address", f"{text[0]}{MARK}@{MARK}.{end}"


def _phone(text: str) -> tuple[str, str] | None:
    digits = re.sub(r"\D", "", text)
    if not 8 <= len(digits) <= 15 or re.search(r"5550?1\d\d$|(\d)\1{6}|1234567", digits):
        return None
    return "phone number", f"{text[:3]}{MARK}"


def _long(text: str) -> tuple[str, str] | None:
    digits = re.sub(r"\D", "", text)
    if not _ISSUERS.fullmatch(digits) or digits in _TRIED or len(set(digits)) < 4 or not _luhn(digits):
        return None
    # Cards are written in one piece or in groups of four; other numbers of this length are many.
    groups = [len(part) for part in re.split(r"[ -]", text)]
    if len(groups) > 1 and groups not in ([4, 4, 4, 4], [4, 6, 5], [4, 4, 4, 1], [4, 4, 4, 4, 3]):
        return None
    return "card number", f"{digits[0]}{MARK} ({len(digits)} digits)"


def _luhn(digits: str) -> bool:
    doubled = [int(d) * (1 + k % 2) for k, d in enumerate(reversed(digits))]
    return sum(d - 9 * (d > 9) for d in doubled) % 10 == 0


def _iban(text: str) -> tuple[str, str] | None:
    bare = text.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return None
    number = "".join(str(int(sign, 36)) for sign in bare[4:] + bare[:4])
    return ("bank account", f"{bare[:2]}{MARK}") if int(number) % 97 == 1 else None


def _person(text: str) -> tuple[str, str] | None:
    area, group, serial = text.split("-")
    known = area not in {"000", "666"} and area < "900" and group != "00" and serial != "0000"
    tried = text in {"123-45-6789", "078-05-1120", "219-09-9999"}
    return ("person's number", f"{MARK}-{MARK}") if known and not tried else None


_KINDS: dict[str, Callable[[str], tuple[str, str] | None]] = {
    "block": _block,
    "mail": _mail,
    "phone": _phone,
    "long": _long,
    "iban": _iban,
    "person": _person,
}
