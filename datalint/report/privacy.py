"""Reports that may leave the place where the data lies: without samples, or with every name in them hashed."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from datalint.report.models import Affected, AffectedSample, DatasetReport, Finding, LabelInfo, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from pydantic import JsonValue

KEY: Final = "DATALINT_REDACT_KEY"
"""Environment variable with the secret that hashed names depend on; without it the findings themselves are that."""

HIDDEN: Final = "…"

_QUOTED = re.compile(r"""(?<!\w)(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`[^`]*`)(?!\w)""")
_TOKEN = re.compile(r"[+-]?\d[\d,]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?![^\W_])|\w+")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?")
_LONG_NUMBER = re.compile(r"[+-]?\d{5,}|[+-]?\d+\.\d{5,}")
"""Counts are written with separators and statistics with few digits: more of them in a row are a value."""

_FIRST: Final = 0xF0000
_PLACES: Final = re.compile("[\U000f0000-\U000ffffd]")
"""Private characters stand for the public names while the rest of a sentence is looked at."""

_SINGLE: Final = frozenset({"value", "values", "numbers", "constant", "fill"})
"""What evidence and details call numbers that are values of samples rather than numbers about them."""

_EXTREMES: Final = frozenset({"low", "high", "lowest", "highest", "min", "max", "minimum", "maximum", "first", "last"})
"""Numbers about the data that are the value of one sample all the same: left out of a redacted report."""


def conceal(report: Report, columns: Collection[str], *, redact: bool, words: Collection[str]) -> Report:
    """
    The report without what it says of single samples.

    Samples, pictures and values are left out. With ``redact`` samples stay under hashed names, and classes, files and data
    sets get such names too, since a class is a value of the label and often a folder's name. Columns and splits keep
    their names: they are the schema, and no advice can be followed without them. Sentences keep only words that are the
    program's own or such a name.

    Args:
        report: what was found.
        columns: names of columns.
        redact: whether names are hashed as well.
        words: all words that the rules themselves may say, in small letters.
    """
    secret = os.environ.get(KEY) or report.model_dump_json(exclude={"run"})
    key = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
    fresh = Report(
        tool=report.tool,
        summary=report.summary,
        datasets=tuple(_Concealer(d, frozenset(columns), redact, words, key).dataset() for d in report.datasets),
        run=report.run,
    )
    if redact:
        for number, dataset in enumerate(report.datasets):
            concealer = _Concealer(dataset, frozenset(columns), redact, words, key)
            kept = {f.fingerprint: [concealer.sample(s) for s in report.samples(f)] for f in dataset.findings}
            fresh._keep(number, kept, {})
    return fresh


@lru_cache(maxsize=4)
def vocabulary(folders: tuple[Path, ...]) -> frozenset[str]:
    """Every word in the source code of the program and its rules, in small letters: what they say is made of these."""
    words: set[str] = set()
    for folder in folders:
        for file in folder.rglob("*.py"):
            words.update(re.findall(r"[a-z]+", file.read_text(encoding="utf-8", errors="replace").lower()))
    return frozenset(words)


class _Concealer:
    """Conceals one data set."""

    def __init__(
        self, dataset: DatasetReport, columns: frozenset[str], redact: bool, words: Collection[str], key: bytes
    ) -> None:
        self._dataset, self._redact, self._words, self._key = dataset, redact, words, key
        classes = {name for split in dataset.splits for name in split.classes or {}}
        self._classes = classes | {f.class_ for f in dataset.findings if f.class_ is not None}
        schema = columns | {split.name for split in dataset.splits} | ({dataset.label.name} if dataset.label else set())
        self._public = frozenset(schema) if redact else frozenset(schema | self._classes | {dataset.name, dataset.path})

    def dataset(self) -> DatasetReport:
        """All that is said of the data set."""
        known = self._dataset
        splits = [
            split.model_copy(
                update={
                    "evidence": self.text(split.evidence),
                    "classes": None if split.classes is None else self._named(split.classes),
                }
            )
            for split in known.splits
        ]
        label: LabelInfo | None = known.label
        if label is not None:
            label = label.model_copy(update={"evidence": self.text(label.evidence)})
        rules = [
            rule.model_copy(
                update={"reason": rule.reason and self.text(rule.reason), "coverage": self.text(rule.coverage)}
            )
            for rule in known.rules
        ]
        update = {
            "evidence": self.text(known.evidence),
            "label": label,
            "splits": tuple(splits),
            "facts": self._named(known.facts),
            "findings": tuple(self.finding(finding) for finding in known.findings),
            "rules": tuple(rules),
            "views": known.views.without_samples(self._named),
        }
        if self._redact:
            update |= {"name": self._hashed("data", known.path), "path": self._hashed("data", known.path)}
        return known.model_copy(update=update)

    def finding(self, finding: Finding) -> Finding:
        """One finding; its fingerprint stays, so that reports can be compared."""
        hidden = {*_strings(finding.evidence), *(s.id for s in finding.affected.samples)}
        for sample in finding.affected.samples:
            hidden.update(_strings(sample.detail))
        values = {
            v
            for record in (finding.evidence, *(s.detail for s in finding.affected.samples))
            for v in self._values(record)
        }

        def said(text: str) -> str:
            return self.text(text, hidden - self._public, values)

        affected = finding.affected
        samples = tuple(self.sample(sample) for sample in affected.samples) if self._redact else ()
        return finding.model_copy(
            update={
                "message": said(finding.message),
                "consequence": said(finding.consequence),
                "remedy": said(finding.remedy),
                "class_": finding.class_ and self._leaf(finding.class_),
                "evidence": self._named(finding.evidence),
                "affected": Affected(
                    count=affected.count,
                    exact=affected.exact,
                    samples=samples,
                    truncated=affected.count > len(samples),
                ),
            }
        )

    def sample(self, sample: AffectedSample) -> AffectedSample:
        """One sample under a hashed name; its position stays, by which its owner finds it."""
        return AffectedSample(
            id=self._hashed("sample", sample.id),
            index=sample.index,
            split=sample.split,
            fingerprint=self._hashed("content", sample.fingerprint),
            detail=self._named(sample.detail),
        )

    def text(self, text: str, hidden: Collection[str] = (), values: Collection[float] = ()) -> str:
        """
        A sentence with nothing in it but our own words, public names and numbers about the data.

        Args:
            text: the sentence.
            hidden: what else is known to come from the data, although it may look like one of our words.
            values: numbers that are values of samples.
        """
        kept: list[str] = []

        def keep(found: re.Match[str]) -> str:
            kept.append(found[0])
            return chr(_FIRST + len(kept) - 1)

        text = _PLACES.sub("", text)
        names = sorted((name for name in self._public if name), key=len, reverse=True)
        for part in range(0, len(names), 500):
            text = re.sub(_any(names[part : part + 500]), keep, text)
        # A class called "1" would take every such number out of the sentence; named as a class, it is quoted.
        secrets = [name for name in {*hidden, *self._secrets()} if not re.fullmatch(r"\W*[\d.]{0,4}", name)]
        secrets.sort(key=len, reverse=True)
        for part in range(0, len(secrets), 500):
            text = re.sub(_any(secrets[part : part + 500]), HIDDEN, text)

        def quoted(found: re.Match[str]) -> str:
            whole = found[0][0] + HIDDEN + found[0][-1]
            return found[0] if re.fullmatch(r"\W*", found[0][1:-1]) else whole

        text = _DATE.sub(HIDDEN, _QUOTED.sub(quoted, text)) if self._redact else _QUOTED.sub(quoted, text)
        text = _TOKEN.sub(lambda found: self._token(found[0], values), text)
        text = re.sub(f"{HIDDEN}(?:[\\s/.:_-]*{HIDDEN})+", HIDDEN, text)
        return _PLACES.sub(lambda found: kept[ord(found[0]) - _FIRST], text)

    def _token(self, token: str, values: Collection[float]) -> str:
        if token[0].isdigit() or token[0] in "+-":
            try:
                number = float(token.replace(",", ""))
            except ValueError:
                return token if all(part in self._words for part in re.findall(r"[a-z]+", token.lower())) else HIDDEN
            same = any(abs(number - value) <= 1e-2 * abs(value) for value in values)
            return HIDDEN if same or _LONG_NUMBER.fullmatch(token) else token
        parts = re.findall(r"[^\W\d_]+", token.lower())
        return token if all(part in self._words for part in parts) and not re.search(r"\d{4}", token) else HIDDEN

    def _secrets(self) -> set[str]:
        if not self._redact:
            return set()
        return {*self._classes, self._dataset.name, self._dataset.path, *Path(self._dataset.path).parts} - self._public

    def _leaf(self, text: str) -> str:
        if text in self._public:
            return text
        return self._hashed("class", text) if text in self._classes else self.text(text)

    def _name(self, text: str) -> str:
        """A key of a record: our own, a public name, or a value that the data holds."""
        ours = re.fullmatch(r"[a-z0-9_ ]+|[A-Z0-9;]{1,5}", text) and all(self._token(w, ()) == w for w in text.split())
        if text in self._public or (ours and text not in self._classes):
            return text
        return self._hashed("class" if text in self._classes else "value", text)

    def _named(self, record: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for name, item in record.items():
            if not self._is_value(name) or isinstance(item, dict):
                found[self._name(name)] = self._item(item)
        return found

    def _item(self, item: JsonValue) -> JsonValue:
        if isinstance(item, dict):
            return self._named(item)
        if isinstance(item, list):
            return [self._item(part) for part in item]
        return self._leaf(item) if isinstance(item, str) else item

    def _is_value(self, name: str) -> bool:
        parts = set(name.lower().split("_"))
        return bool(parts & _SINGLE) or (self._redact and bool(parts & _EXTREMES))

    def _values(self, record: Mapping[str, JsonValue]) -> set[float]:
        """The numbers of a record that are values, where they say something: not a count's small number."""
        found: set[float] = set()
        for name, item in record.items():
            of: Callable[[JsonValue], set[float]] = _numbers if self._is_value(name) else self._deeper
            found |= of(item)
        return {value for value in found if abs(value) >= 1_000 or value != int(value)}

    def _deeper(self, item: JsonValue) -> set[float]:
        if isinstance(item, dict):
            return self._values(item)
        return set().union(*map(self._deeper, item)) if isinstance(item, list) else set()

    def _hashed(self, kind: str, text: str) -> str:
        digest = hmac.new(self._key, f"{kind}\x1f{text}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        return f"{kind}-{digest[:10]}"


def _any(names: list[str]) -> str:
    return rf"(?<!\w)(?:{'|'.join(map(re.escape, names))})(?!\w)"


def _strings(item: JsonValue) -> set[str]:
    """All texts in a record that stand for something in the data."""
    if isinstance(item, dict):
        return set().union(*map(_strings, item.values()))
    if isinstance(item, list):
        return set().union(*map(_strings, item))
    return {item} if isinstance(item, str) else set()


def _numbers(item: JsonValue) -> set[float]:
    if isinstance(item, dict):
        return set().union(*map(_numbers, item.values()))
    if isinstance(item, list):
        return set().union(*map(_numbers, item))
    fits = isinstance(item, int | float) and not isinstance(item, bool) and abs(item) < 1e300
    return {float(item)} if fits and isinstance(item, int | float) else set()
