"""Files of YOLO: the boxes of one picture line by line, and what declares splits and classes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from datalint.core.annotations import MALFORMED, OUTLINED, UNDECLARED
from datalint.sources import files
from datalint.sources.annotations.pictures import Note
from datalint.sources.annotations.shapes import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from datalint.core.annotations import Form
    from datalint.sources.files import Entry

_LONGEST_NAME = 100
_CARD = 1 << 20
"""Bytes of a description: thousands of classes."""

KEYS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}
"""The split that each key of a description names."""

_DEEPEST = 10
"""Lists in lists of a description."""

_CLASSES = re.compile(r"^[ \t\"'{]*(names|nc)\b", re.MULTILINE)
"""What every description says."""

_BARE = re.compile(r"[A-Za-z]:")
"""A drive at the beginning of a path."""


# --- lines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class YoloNotes:
    """``class x y width height`` on each line: centre and size as shares; or the class and the points of an outline."""

    classes: tuple[str, ...] = ()
    """Names by number; none if not known."""
    points: int = 0
    """Numbers of the keypoints that follow each box."""
    outlines: bool = False
    """Whether objects are outlined, so that a triangle is no mistake."""
    shares: ClassVar[bool] = True
    form: ClassVar[Form] = "centres"

    def read(self, data: bytes) -> Note:
        """The lines of a file."""
        note = Note()
        text = data.decode("utf-8-sig", "surrogateescape")
        for number, line in enumerate(text.splitlines(), 1):
            if words := line.split():
                name, flags = self._class(words[0])
                corners = self._corners(words)
                if corners is None:
                    note.add(NOTHING, name, number, (flags & ~UNDECLARED) | MALFORMED)
                else:
                    outlined = OUTLINED if len(words) > 5 + self.points else 0
                    note.add(corners, name, number, flags | outlined)
        return note

    def _class(self, word: str) -> tuple[str, int]:
        number = class_number(word)
        if number is not None and 0 <= number < len(self.classes):
            return self.classes[number], 0
        known = not self.classes and number is not None and number >= 0
        name = str(number) if number is not None else files.printable(word[:_LONGEST_NAME])
        return name, 0 if known else UNDECLARED

    def _corners(self, words: Sequence[str]) -> tuple[float, float, float, float] | None:
        """Left, top, right and bottom; None if the line is of another length, or no numbers."""
        try:
            values = [float(word) for word in words[1:]]
        except ValueError:
            return None
        if len(values) == 4 + self.points:
            x, y, width, height = values[:4]
            return x - width / 2, y - height / 2, x + width / 2, y + height / 2
        if self.points or len(values) % 2 or len(values) < (6 if self.outlines else 8):
            return None
        across, down = values[::2], values[1::2]
        if not all(map(math.isfinite, values)):
            return NOTHING
        return min(across), min(down), max(across), max(down)


def class_number(word: str) -> int | None:
    """The number of a class, which some write as 3.0; None if it is none."""
    try:
        value = float(word)
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) < 2**31 else None


def lengths_of(entries: Iterable[Entry]) -> list[int]:
    """How many words the lines of some files have; those that begin with no class number count 0."""
    found = []
    for entry in entries:
        try:
            head, whole = files.head_of(entry.path, 1 << 16)
        except OSError:
            continue
        lines = head.decode("utf-8-sig", "replace").splitlines()
        for line in lines if whole else lines[:-1]:
            if words := line.split():
                number = class_number(words[0])
                found.append(len(words) if number is not None and number >= 0 and _numbers(words) else 0)
    return found


def _numbers(words: Sequence[str]) -> bool:
    try:
        return bool([float(word) for word in words])
    except ValueError:
        return False


# --- descriptions ---------------------------------------------------------------------------------------------------


@dataclass
class Card:
    """What declares the splits and classes of a data set: ``data.yaml``, or ``obj.data`` of Darknet."""

    entry: Entry
    places: dict[str, list[str]] = field(default_factory=dict)
    """Folders and lists of each split, as they are written."""
    base: str = ""
    """Folder from which they are meant, as it is written."""
    classes: tuple[str, ...] = ()
    count: int | None = None
    """Of classes, where it is told by itself."""
    points: int = 0
    """Numbers of the keypoints that follow each box."""
    names_file: str = ""
    """Where the names of the classes stand, if elsewhere."""


def yaml_card(entry: Entry) -> Card | None:
    """A description in YAML; None if it is something else."""
    try:
        if entry.size > _CARD:
            return None
        text = entry.path.read_bytes().decode("utf-8-sig")
        content = plain_yaml(text) if _CLASSES.search(text) is not None else None
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or not ({"names", "nc"} & content.keys()):
        return None
    card = Card(entry, base=_text(content.get("path")), classes=_names(content.get("names")))
    for key, split in KEYS.items():
        value = content.get(key)
        places = [_text(item) for item in (value if isinstance(value, list) else [value])]
        if any(places):
            card.places.setdefault(split, []).extend(place for place in places if place)
    count, shape = _text(content.get("nc")), content.get("kpt_shape")
    card.count = int(count) if count.isdecimal() and len(count) < 9 else None
    if isinstance(shape, list) and all(isinstance(side, str) and side.isdecimal() and len(side) < 5 for side in shape):
        card.points = math.prod(map(int, shape))
    return card if card.places else None


def plain_yaml(text: str) -> Any:
    """The lists and mappings of texts in a document: all values are texts, as a class called "no" is no truth value.

    Raises:
        ValueError: it is no YAML, repeats things by name, or is nested too deeply.
    """
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        if not _is_plain(yaml.parse(text, Loader=loader)):
            raise ValueError("it repeats what stands elsewhere, or is nested too deeply")
        return yaml.load(text, Loader=loader)  # noqa: S506 - makes nothing but text, lists and mappings
    except (RecursionError, yaml.YAMLError) as error:
        raise ValueError(f"no YAML: {str(error).strip().splitlines()[0]}") from error


def _is_plain(events: Iterable[Any]) -> bool:
    """Whether a document repeats nothing by name, which makes a small one very large, and is nested no deeper than such files are."""
    import yaml

    depth = 0
    for event in events:
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST or isinstance(event, yaml.AliasEvent):
            return False
    return True


def darknet_card(entry: Entry) -> Card | None:
    """``obj.data``: lines such as ``train = data/train.txt``; None if it is something else."""
    try:
        if entry.size > _CARD:
            return None
        lines = entry.path.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return None
    pairs = dict(_pair(line) for line in lines if "=" in line)
    if "names" not in pairs or not KEYS.keys() & pairs.keys():
        return None
    places = {split: [pairs[key]] for key, split in KEYS.items() if pairs.get(key)}
    count = pairs.get("classes", "")
    number = int(count) if count.isdecimal() and len(count) < 9 else None
    return Card(entry, places, count=number, names_file=pairs["names"])


def names_in(entry: Entry) -> tuple[str, ...]:
    """The names in a file that has one on each line."""
    try:
        head, whole = files.head_of(entry.path, _CARD)
    except OSError:
        return ()
    lines = [line.strip() for line in head.decode("utf-8-sig", "surrogateescape").splitlines()] if whole else []
    while lines and not lines[-1]:
        lines.pop()
    return tuple(files.printable(line[:_LONGEST_NAME]) for line in lines)


def tail_parts(written: str) -> tuple[str, ...]:
    """The parts of a path by which it may be found on another machine."""
    plain = _BARE.sub("", written.replace("\\", "/"))
    return tuple(part for part in plain.split("/") if part not in {"", ".", ".."})


def is_foreign(written: str) -> bool:
    """Whether a path begins at the root of a machine, or above the folder where it stands."""
    plain = written.replace("\\", "/")
    return plain.startswith(("/", "../")) or _BARE.match(plain) is not None


def _pair(line: str) -> tuple[str, str]:
    key, _, value = line.partition("=")
    return key.strip().lower(), value.strip()


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _names(value: Any) -> tuple[str, ...]:
    """Names of a list, or of numbers; a number without a name is its own."""
    if isinstance(value, list):
        return tuple(_name(item) for item in value)
    if not isinstance(value, dict):
        return ()
    by_number = {int(key): _name(item) for key, item in value.items() if str(key).isdecimal() and len(str(key)) < 6}
    return tuple(by_number.get(k, str(k)) for k in range(max(by_number, default=-1) + 1))


def _name(value: Any) -> str:
    return files.printable(value[:_LONGEST_NAME]) if isinstance(value, str) else "?"
