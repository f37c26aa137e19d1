"""What was found of what is planted, kind by kind.

Kinds of tables: ``constant`` and ``missing`` (columns), ``correlated`` (columns), ``repeated``, ``extreme`` and ``labels``
(row numbers). Kinds of photos: ``black``, ``white``, ``blurred``, ``transposed``, ``broken``, ``exif`` (files) and ``exact``,
``near`` (sets of files that are the same picture).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datalint.report.models import AffectedSample, Finding

Found = Mapping[str, list[Any]]
"""By kind; a kind that is not there was not looked for."""


@dataclass(frozen=True)
class Score:
    """One kind of fault."""

    found: frozenset[Any]
    """The planted ones that were found."""
    planted: int
    extra: int
    """What was named and is not planted."""

    def __str__(self) -> str:
        return f"{len(self.found)}/{self.planted}" + (f" (+{self.extra})" if self.extra else "")


def score(work: str, truth: Mapping[str, Any], found: Found) -> dict[str, Score]:
    """Compare what was found with what is planted."""
    return (_photos if work.startswith("I") else _table)(truth, found)


def _table(truth: Mapping[str, Any], found: Found) -> dict[str, Score]:
    planted = {
        "constant": truth["constant"],
        "missing": truth["null_columns"],
        "extreme": truth["outlier_rows"],
        "labels": truth["flipped_labels"],
    }
    scores = {kind: _items(found[kind], planted[kind]) for kind in planted if kind in found}
    if "repeated" in found:
        pairs = truth["duplicate_pairs"]
        scores["repeated"] = _touched(found["repeated"], pairs)
    if "correlated" in found:
        named = set(found["correlated"])
        pairs = [pair for pair in truth["correlated"] if named >= set(pair)]
        known = {column for pair in truth["correlated"] for column in pair}
        scores["correlated"] = Score(frozenset(map(tuple, pairs)), len(truth["correlated"]), len(named - known))
    return scores


def _photos(truth: Mapping[str, Any], found: Found) -> dict[str, Score]:
    broken = [name for name, _ in truth["corrupt"]]
    blank = set(truth["black"]) | set(truth["white"])
    planted = {"black": truth["black"], "white": truth["white"], "blurred": truth["blurry"]}
    planted |= {"transposed": truth["transposed"], "broken": broken, "exif": truth["exif"]}
    # A picture of one colour is blank, and blurred, and dark or bright; an orientation tag transposes: none is wrong.
    allowed = dict.fromkeys(["black", "white", "blurred"], blank) | {"transposed": set(truth["exif"])}
    scores = {kind: _items(found[kind], planted[kind], allowed.get(kind, ())) for kind in planted if kind in found}
    exact, near = _pairs(truth["exact_dup"]), _pairs(truth["near_dup"])
    if "exact" in found:
        named = {pair for pair in _pairs(found["exact"]) if not set(pair) & set(broken)}
        scores["exact"] = Score(frozenset(named & exact), len(exact), len(named - exact))
    if "near" in found:
        named = {pair for pair in _pairs(found["near"]) if not set(pair) <= blank}
        scores["near"] = Score(frozenset(named & near), len(near), len(named - near - exact))
    return scores


def _items(named: Iterable[Any], planted: Iterable[Any], allowed: Iterable[Any] = ()) -> Score:
    named, planted = set(named), set(planted)
    return Score(frozenset(named & planted), len(planted), len(named - planted - set(allowed)))


def _touched(named: Iterable[int], pairs: Iterable[Iterable[int]]) -> Score:
    """A repeated row is found when either copy is named."""
    named, pairs = set(named), [tuple(pair) for pair in pairs]
    hits = frozenset(pair for pair in pairs if named & set(pair))
    return Score(hits, len(pairs), len(named - {row for pair in pairs for row in pair}))


def _pairs(groups: Iterable[Iterable[str]]) -> set[tuple[str, str]]:
    """All pairs within each set; of a huge set only those with its first."""
    pairs: set[tuple[str, str]] = set()
    for group in groups:
        members = sorted(set(group))
        pairs |= set(combinations(members, 2)) if len(members) <= 60 else {(members[0], m) for m in members[1:]}
    return pairs


# ---------------------------------------------------------------- what datalint's report says

Findings = list[tuple["Finding", list["AffectedSample"]]]
"""All findings of one data set with all samples behind each."""

_WORDS = {
    "black": re.compile(r"dark|black|under-?expos", re.IGNORECASE),
    "white": re.compile(r"bright|light|white|over-?expos", re.IGNORECASE),
    "blurred": re.compile(r"blur|sharp|focus", re.IGNORECASE),
}


CODES: dict[str, dict[str, tuple[str, ...]]] = {
    "T": {
        "constant": ("VAL105",),
        "missing": ("VAL103",),
        "correlated": ("VAL108",),
        "repeated": ("DUP101",),
        "extreme": ("VAL111",),
        "labels": ("LBL102",),
    },
    "I": {
        "black": ("VAL101", "IMG106", "IMG108"),
        "white": ("IMG106", "IMG108"),
        "blurred": ("IMG108",),
        "transposed": ("IMG101",),
        "broken": ("IMG103", "FIL101"),
        "exif": ("IMG107",),
        "exact": ("DUP101",),
        "near": ("DUP102",),
    },
}
"""The rules that look for each kind."""


def of_datalint(work: str, findings: Findings, judged: Iterable[str]) -> dict[str, list[Any]]:
    """What datalint found, by kind; every finding counts, whatever its severity.

    Args:
        work: the data set.
        findings: all findings of the report.
        judged: codes of the rules that came to a verdict; what none of them looks for is left out.
    """
    codes, judged = CODES[work[0]], set(judged)
    named = {kind: _named(kind, codes[kind], findings) for kind in codes if judged & set(codes[kind])}
    return {kind: sorted(items) for kind, items in named.items()}


def _named(kind: str, codes: tuple[str, ...], findings: Findings) -> Iterable[Any]:
    findings = [(finding, samples) for finding, samples in findings if finding.code in codes]
    if kind in {"constant", "missing", "correlated"}:
        return {name for finding, _ in findings for name in _columns(finding)}
    if kind in {"repeated", "extreme", "labels"}:
        return {sample.index for _, samples in findings for sample in samples}
    if kind in {"exact", "near"}:
        return [group for _, samples in findings for group in _sets(samples)]
    return {
        _file(sample.id)
        for finding, samples in findings
        for sample in samples
        if finding.code != "IMG108" or _poor(finding, sample, kind)
    }


def _columns(finding: Finding) -> set[str]:
    """Column names of the table that a finding tells: its own, and those in its evidence."""
    found = {finding.column} if finding.column else set()
    return {text for text in [*found, *_texts(finding.evidence)] if re.fullmatch(r"[fic]\d{1,2}|label", text)}


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, str):
        yield from re.split(r"[\s,;=~:/]+", value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(key)
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)


def _poor(finding: Finding, sample: AffectedSample, kind: str) -> bool:
    """Whether low quality is of this kind: as the sample's details say in words, or else the finding."""
    own = " ".join(text for value in sample.detail.values() for text in _texts(value))
    told = own if any(word.search(own) for word in _WORDS.values()) else finding.message
    return bool(_WORDS[kind].search(told))


def _sets(samples: list[AffectedSample]) -> list[list[str]]:
    """Pictures said to be the same.

    They belong together if one names the other in its details, if they share a group, or if their content is the same.
    """
    sets: list[list[str]] = []
    groups: dict[tuple[str, str], list[str]] = {}
    for sample in samples:
        own = _file(sample.id)
        told = [item for value in sample.detail.values() for item in (value if isinstance(value, list) else [value])]
        others = [_file(item) for item in told if isinstance(item, str) and re.search(r"\.jpe?g$", item)]
        sets += [sorted([own, other]) for other in others if other != own]
        if "group" in sample.detail:
            groups.setdefault(("group", str(sample.detail["group"])), []).append(own)
        groups.setdefault(("content", sample.fingerprint), []).append(own)
    return sets + [sorted(members) for members in groups.values() if len(members) > 1]


def _file(path: str) -> str:
    """A file as the truth names it: class folder and file."""
    return "/".join(Path(path).parts[-2:])
