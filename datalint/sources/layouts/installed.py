"""Where layouts come from: the modules next to this one, and the entry points of other distributions."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.sources.layouts import __name__ as package
from datalint.sources.layouts import __path__ as places
from datalint.sources.layouts.base import Claim, Layout
from datalint.sources.plugins import LAYOUTS, loaded, not_used

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from datalint.core.dataset import Dataset
    from datalint.sources.folder import Folder


class PluginFailed(Exception):
    """The message names the plug-in, its distribution and what it did."""

    def __init__(self, plugin: str, error: Exception, layout: Installed | None = None) -> None:
        super().__init__(not_used(plugin, error))
        self.layout = layout


@dataclass(frozen=True)
class Installed:
    """A layout and who brought it."""

    layout: Layout
    plugin: str = ""
    """How messages name it; empty for a layout of datalint's own."""

    def claims(self, folder: Folder) -> Sequence[Claim]:
        """What it claims of the files that are left.

        Raises:
            PluginFailed: it broke down, or claims what it may not.
        """
        return folder.once((self, len(folder.claimed)), lambda: self._claims(folder))

    def _claims(self, folder: Folder) -> Sequence[Claim]:
        try:
            claims = [*self.layout.claim(folder)]
            free = {entry.parts for entry in folder.left}
            for claim in claims:
                places = {entry.parts for entry in claim.files}
                if not places:
                    raise ValueError("a claim without files")
                if taken := places - free:
                    raise ValueError(f"claims {'/'.join(min(taken))} twice, or it is not there to be claimed")
                free -= places
        except Exception as error:
            if not self.plugin:
                raise
            raise PluginFailed(self.plugin, error, self) from error
        return claims

    def datasets(self, claim: Claim) -> list[Dataset]:
        """The data sets of a claim; none if nothing of it can be read.

        Raises:
            PluginFailed: it broke down.
        """
        try:
            return [*self.layout.datasets(claim)]
        except Exception as error:
            if not self.plugin:
                raise
            raise PluginFailed(self.plugin, error, self) from error


def installed_layouts() -> tuple[list[Installed], list[str]]:
    """All layouts, datalint's own first, and what is wrong with those that cannot be used."""
    found, wrong = loaded(LAYOUTS, Layout)
    return [*(Installed(layout()) for layout in _own()), *(Installed(*item) for item in found)], wrong


def _own() -> Iterator[type[Layout]]:
    for module_info in sorted(pkgutil.iter_modules(places), key=lambda info: info.name):
        module = importlib.import_module(f"{package}.{module_info.name}")
        for value in vars(module).values():
            mine = isinstance(value, type) and value.__module__ == module.__name__
            if mine and issubclass(value, Layout) and not inspect.isabstract(value):
                yield value
