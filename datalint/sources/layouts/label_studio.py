"""Pictures whose objects stand in an export of Label Studio: a JSON list of tasks with their annotations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from datalint.sources import files
from datalint.sources.annotations.json_items import BrokenJson, json_members
from datalint.sources.annotations.records import Records
from datalint.sources.annotations.shapes import around, side
from datalint.sources.files import IMAGES
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.layouts.object_lists import claims

if TYPE_CHECKING:
    from collections.abc import Iterator, Set

    from datalint.sources.files import Entry
    from datalint.sources.folder import Folder

_UPLOADED = re.compile(r"^[0-9a-f]{8}-")
"""What an upload puts before the name of a file."""
_LABELS = ("rectanglelabels", "polygonlabels", "ellipselabels", "labels")


class LabelStudio(Layout):
    """Pictures whose objects stand in an export of Label Studio."""

    def claim(self, folder: Folder) -> Iterator[Claim]:
        """The files of each folder that holds them, or the folders of their splits, with their pictures."""
        known = {entry.name for entry in folder.entries if entry.suffix in IMAGES}
        if not known:
            return
        found = []
        for entry in folder.left:
            if entry.suffix == ".json":
                file = folder.once(("label studio", entry.parts), lambda entry=entry: _read(entry, known))  # type: ignore[misc]
                if file is not None:
                    found.append(file)
        yield from claims(folder, found, "Label Studio")


def _read(entry: Entry, known: Set[str]) -> Records | None:
    """The file, if it is one that lists pictures."""
    try:
        head, _ = files.head_of(entry.path, 64 << 10)
    except OSError:
        return None
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") or not any(
        word in head for word in (b'"original_width"', b'"annotations"', b'"completions"')
    ):
        return None
    records = Records(entry, form="sizes")
    try:
        with entry.path.open(encoding="utf-8-sig", errors="surrogateescape") as text:
            for _, _, task in json_members(text):
                if isinstance(task, dict):
                    _task(records, task, known)
    except (OSError, BrokenJson) as error:
        records.problem = files.reason(error)
    return records if records.names else None


def _task(records: Records, task: dict[str, Any], known: Set[str]) -> None:
    data = task.get("data", task)
    given = data.get("image", data.get("img")) if isinstance(data, dict) else None
    name = _name(given, known) if isinstance(given, str) else ""
    if not name:
        return
    shapes = [shape for shape in _shapes(task) if isinstance(shape, dict)]
    sizes = [(side(shape.get("original_width")), side(shape.get("original_height"))) for shape in shapes]
    width, height = next((size for size in sizes if all(size)), (0, 0))
    at = records.picture(name, width, height)
    for shape, size in zip(shapes, sizes, strict=True):
        value = shape.get("value", shape)
        label = next((value[key] for key in _LABELS if value.get(key)), None) if isinstance(value, dict) else None
        if not label or not isinstance(value, dict):
            continue  # a choice, a rating, a relation
        corners = _corners(value)
        if corners is None and not {"x", "points"} & value.keys():
            records.boxless += 1
            continue
        scale = (size[0] / 100, size[1] / 100) * 2
        name = label[0] if isinstance(label, list) else label
        placed = tuple(a * b for a, b in zip(corners, scale, strict=True)) if corners and all(size) else None
        records.add(at, str(name), placed, len(records) + 1)


def _shapes(task: dict[str, Any]) -> list[Any]:
    """What was drawn: by the first person who did not skip it, or all of a short export."""
    if isinstance(task.get("label"), list):
        found: list[Any] = task["label"]
        return found
    for one in task.get("annotations") or task.get("completions") or ():
        if isinstance(one, dict) and not one.get("was_cancelled") and isinstance(one.get("result"), list):
            result: list[Any] = one["result"]
            return result
    return []


def _corners(value: dict[str, Any]) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom in hundredths of the picture; None if there are no numbers."""
    try:
        if "points" in value:
            return around(value["points"])
        left, top = float(value["x"]), float(value["y"])
        if "radiusX" in value:
            across, down = float(value["radiusX"]), float(value["radiusY"])
            return left - across, top - down, left + across, top + down
        return left, top, left + float(value["width"]), top + float(value["height"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _name(given: str, known: Set[str]) -> str:
    """The file that an address in the export means."""
    try:
        parts = urlsplit(given)
    except ValueError:
        return given
    path = parse_qs(parts.query).get("d", [unquote(parts.path)])[0]
    last = path.rpartition("/")[2]
    plain = _UPLOADED.sub("", last)
    if last not in known and plain in known:
        return f"../{plain}"
    return f"../{path.lstrip('/')}" if parts.scheme or path.startswith("/") else path
