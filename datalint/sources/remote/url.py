"""What is a URL, and what of it may be shown."""

from __future__ import annotations

import re
from typing import Final

# A path of this system may begin so as well if it holds no second slash; pathlib makes one of two.
_URL: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://", re.ASCII)
_JOINED: Final = re.compile(r"(?P<scheme>https?|s3a?|s3n|gs|gcs|abfss?|az|hf|file|archive):/(?!/)", re.ASCII)

_SECRET: Final = re.compile(r"(?<=://)[^/\s@?#]*:[^/\s@]*@")
_QUERY: Final = re.compile(r"(?P<url>[A-Za-z][A-Za-z0-9+.-]*://[^\s?#'\"<>]*)[?#][^\s'\"<>)]*")
_SIGNED: Final = re.compile(
    r"(?i)((?:signature|sig|token|credential|secret|password|passwd|key|code)=)[^&\s'\"<>)]+", re.ASCII
)


ARCHIVE: Final = "archive"
"""Scheme of files in an archive: ``archive://data.zip!/train/a.jpg``."""


def is_url(text: str) -> bool:
    """Whether this names a place elsewhere, and no file of this system."""
    return scheme_of(text) is not None


def scheme_of(text: str) -> str | None:
    """Its scheme in lower case; None for a path."""
    match = _URL.match(text) or _JOINED.match(text)
    return match["scheme"].lower() if match else None


def whole(text: str) -> str:
    """The URL with both of its slashes, of which a Path keeps one."""
    return _JOINED.sub(lambda match: f"{match['scheme']}://", text, count=1) if _URL.match(text) is None else text


def masked(text: str) -> str:
    """The text without what gives access to the URLs in it: passwords, and all that follows a question mark."""
    return _SIGNED.sub(r"\1***", _QUERY.sub(r"\g<url>", _SECRET.sub("", text)))
