"""Making names that come from the data harmless where a terminal or a log reads them."""

from __future__ import annotations

import re

# Controls that separate words become a space, so that "a\nb" does not turn into "ab".
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
# C0, DEL, C1 (which holds the one-byte CSI and OSC) and the bidirectional overrides and isolates, which can show a
# name in another order than it has.
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARK = re.compile(r"##(?=\w*\[)")
_COMMAND = re.compile(r"^(\s*)::")


def clean(text: str, limit: int | None = None) -> str:
    """``text`` on one line and without control characters, bidirectional overrides and lone surrogates.

    Line breaks and tabs become spaces, lone surrogates (which no file can hold as UTF-8) U+FFFD. With ``limit``, at
    most that many characters, an ellipsis marking the cut.
    """
    if limit is not None and len(text) > 2 * limit:
        text = text[: 2 * limit]  # a name of megabytes need not be searched to its end
    if not (text.isascii() and text.isprintable()):  # most is, and is left as it is
        text = _SURROGATES.sub("\ufffd", _CONTROLS.sub("", _BREAKS.sub(" ", text)))
    if limit is not None and len(text) > limit:
        text = text[: max(limit - 1, 0)] + "…"
    return text


def guard(line: str) -> str:
    """``line`` so that a build server does not take it for one of its commands.

    GitHub obeys lines that begin with ``::`` (white space before it is allowed) and ``##[`` anywhere, Azure ``##vso[`` and
    TeamCity ``##teamcity[``.
    """
    return _MARK.sub("# #", _COMMAND.sub(r"\1\\::", line))


def guard_json(text: str) -> str:
    """JSON that says the same, in which a build server that logs it finds no command."""
    return _MARK.sub(r"#\\u0023", text)


def guard_xml(text: str) -> str:
    """The same of XML."""
    return _MARK.sub("#&#35;", text)
