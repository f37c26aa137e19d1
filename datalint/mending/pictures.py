"""Mending images in class folders: files left out, turned, or moved to another class."""

from __future__ import annotations

import io
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from datalint.mending.rows import note
from datalint.mending.stored import places

if TYPE_CHECKING:
    import numpy as np

    from datalint.core.dataset import Dataset
    from datalint.mending.plan import Plan


class Pictures:
    """The files of an image data set."""

    def __init__(self, dataset: Dataset, root: Path) -> None:
        self.where = self.source = places(dataset, root)
        self.root = root
        self.ids = dict(zip(self.where.files, self.where.ids, strict=True))
        """What the report calls each file of the source."""
        self.origin = {name: name for name in self.where.files}
        """The file of the source by the name of the copy."""

    def again(self, dataset: Dataset, root: Path) -> None:
        """Take note of where the samples lie after a round."""
        self.where = places(dataset, root)

    def copy(self, stage: Path) -> None:
        """The files as they are."""
        for name in self.where.files:
            goal = stage / name
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(self.root / name, goal)

    def apply(self, plan: Plan, stage: Path, rng: np.random.Generator) -> set[str]:  # noqa: ARG002 - as the tables' does
        """Do what the plan says and return the names of the files that differ."""
        touched: set[str] = set()
        gone = set()
        for split, picked in plan.drop.items():
            for index, change in picked.items():
                name = self._name(split, index)
                if name not in gone:
                    note(change, {"id": self.ids[self.origin[name]], "split": split})
                    (stage / name).unlink()
                    gone.add(name)
        for (split, index), change in plan.turn.items():
            name = self._name(split, index)
            if name not in gone:
                turned = _turned((stage / name).read_bytes())
                if turned is None:
                    continue
                note(change, {"id": self.ids[self.origin[name]]})
                (stage / name).write_bytes(turned)
                touched.add(name)
        for (split, index), (label, change) in plan.relabel.items():
            name = self._name(split, index)
            given = self.where.splits[split].label[index]
            if name not in gone and given is not None and (goal := _moved(name, given, label, stage)) is not None:
                note(change, {"id": self.ids[self.origin[name]], "from": given, "to": label})
                (stage / goal).parent.mkdir(parents=True, exist_ok=True)
                (stage / name).rename(stage / goal)
                self.origin[goal] = self.origin.pop(name)
                touched.add(goal)
        _remove_empty(stage)
        return touched | gone

    def _name(self, split: str, index: int) -> str:
        return self.where.files[int(self.where.splits[split].file[index])]

    def kept(self) -> list[tuple[str, int, str]]:
        """Split, position and name in the source of every sample that is left."""
        at = {
            self.source.files[int(k)]: (split, index)
            for split, stored in self.source.splits.items()
            for index, k in enumerate(stored.file)
        }
        names = [self.origin[self.where.files[int(k)]] for s in self.where.splits.values() for k in s.file]
        return [(*at[name], self.ids[name]) for name in names]


def _remove_empty(stage: Path) -> None:
    """Remove empty folders: a class folder without files stops torchvision's loader."""
    for folder in sorted((path for path in stage.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()


def _moved(name: str, given: str, label: str, stage: Path) -> str | None:
    """Where the file of one class would lie in another one; None where the folder of its class is not known."""
    parts = list(PurePosixPath(name).parts)
    if given not in parts[:-1] or "/" in label or label in {"", ".", ".."}:
        return None
    parts[parts.index(given)] = label
    goal = PurePosixPath(*parts)
    number = 1
    while (stage / goal).exists():
        goal = PurePosixPath(*parts[:-1], f"{PurePosixPath(parts[-1]).stem}_{number}{goal.suffix}")
        number += 1
    return goal.as_posix()


def _turned(data: bytes) -> bytes | None:
    """The picture with its pixels turned as the tag says, and without the tag; None where it cannot be written again."""
    from PIL import Image, ImageOps, JpegImagePlugin

    from datalint.sources.images.decode import FORMATS, strict

    stream = io.BytesIO()
    try:
        with strict(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if getattr(image, "n_frames", 1) > 1:
                return None
            turned = ImageOps.exif_transpose(image)
            options = {key: turned.info[key] for key in ("exif", "icc_profile", "compression") if turned.info.get(key)}
            if isinstance(image, JpegImagePlugin.JpegImageFile):
                # As good as it was: the same tables, so that turning costs next to nothing.
                sampling = JpegImagePlugin.get_sampling(image)
                options |= {"qtables": image.quantization, "subsampling": sampling if sampling >= 0 else 0}
            elif image.format == "WEBP":
                options |= {"quality": 95}
            turned.save(stream, image.format, **options)
    except (OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, Warning):
        return None
    return stream.getvalue()
