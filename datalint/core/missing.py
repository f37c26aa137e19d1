r"""Words for missing values: who takes them for a gap, and where they may be meant.

``NA`` is Namibia among countries, ``none`` and ``-`` are values of categories, ``.`` is no column's name: each reader of the
list takes what is a gap where it looks.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class _Words(NamedTuple):
    words: str
    """Set apart by bars, spelt as they are written."""
    scope: Literal["anywhere", "names", "values", "labels"]
    """Where they are gaps: in any column; where a column is compared with its name; among other values; as a class only."""
    label: Literal["never", "perhaps", "class"] = "class"
    """Whether a class may be called so."""
    taken_by: str = ""
    """Readers that turn them into gaps by themselves."""
    category: bool = False
    """Whether they may be a value of their own among categories."""


_LIST = (
    _Words("", "anywhere", taken_by="pandas R SQL spreadsheets"),
    _Words("NaN|nan|-NaN|-nan|N/A|n/a|null|<NA>", "anywhere", "never", "pandas"),
    _Words("NULL", "anywhere", "never", "pandas SQL"),
    _Words("#N/A", "anywhere", "never", "pandas spreadsheets"),
    _Words("NA", "anywhere", "perhaps", "pandas R"),
    _Words(r"\N", "anywhere", "never", "SQL"),
    _Words("?", "anywhere", "never"),
    _Words("None", "names", "perhaps", "pandas", category=True),
    _Words("-|.", "names", "perhaps"),
    _Words("nil|missing", "names", "never", category=True),
    _Words("#NA|#N/A N/A|1.#IND|-1.#IND|1.#QNAN|-1.#QNAN", "values", taken_by="pandas"),
    _Words("#REF!|#VALUE!", "values", "never", "spreadsheets"),
    _Words("#NULL!|#DIV/0!|#NUM!|#NAME?", "values", taken_by="spreadsheets"),
    _Words("??|???|n.a.", "values", "never"),
    _Words("undefined", "values", "never", category=True),
    _Words("--|*|not available|not specified", "values", "perhaps"),
    _Words("unknown|unk|unspecified", "values", "perhaps", category=True),
    _Words("not applicable|not known", "values", category=True),
    _Words("---|..|#|n.a|undef|nodata|no_data|no data|not_available|not recorded", "values"),
    _Words("<null>|<none>|<missing>|<unknown>|[null]|(null)|(none)|(missing)|(unknown)", "values"),
    _Words("unlabeled|unlabelled|not labeled|not labelled|no label|tbd|todo|to do|<unk>", "labels", "never"),
)


def _spelt(*rows: _Words) -> frozenset[str]:
    return frozenset(word for row in rows for word in row.words.split("|"))


def _folded(*rows: _Words) -> frozenset[str]:
    return frozenset(word.casefold() for word in _spelt(*rows))


READ_AS_GAPS = sorted(_spelt(*(row for row in _LIST if "pandas" in row.taken_by)))
"""What datalint reads as a gap in delimited text, spelt exactly so: as pandas does."""
NEVER_A_VALUE = _spelt(*(row for row in _LIST if row.scope == "anywhere"))
"""The words that are a gap in any column, spelt as programs write them."""

# The others are compared with stripped and case-folded text.
ANYWHERE = _folded(*(row for row in _LIST if row.scope == "anywhere"))
AMONG_NAMES = ANYWHERE | _folded(*(row for row in _LIST if row.scope == "names"))
AMONG_VALUES = AMONG_NAMES.union(_folded(*(row for row in _LIST if row.scope == "values"))) - {""}
CATEGORIES = _folded(*(row for row in _LIST if row.category))
"""Those among values that may be a category of their own."""
NEVER_A_CLASS = _folded(*(row for row in _LIST if row.label == "never"))
PERHAPS_A_CLASS = _folded(*(row for row in _LIST if row.label == "perhaps"))
"""Missing labels, and classes too: "none" next to kinds of damage, "-" next to "+"."""


def is_missing_word(text: str) -> bool:
    """Whether a text stands for a missing value among the values of a column."""
    return text.strip().casefold() in AMONG_VALUES
