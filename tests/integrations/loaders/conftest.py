"""torchvision next to any build of PyTorch."""

from __future__ import annotations

import importlib
import re
import sys

import torch


def import_torchvision() -> list[object]:
    """Import torchvision, even where its compiled operators do not fit the build of PyTorch, such as a CPU build.

    Its data sets and transforms are Python; only their neighbours in the package name the missing operators. These are
    declared, and not one of them is called. Returns what must be kept for the declarations to stay.
    """
    declared: list[object] = []
    while len(declared) < 50:
        try:
            importlib.import_module("torchvision")
        except RuntimeError as error:
            missing = re.match(r"operator torchvision::(\w+) does not exist", str(error))
            if missing is None:
                raise
            library = torch.library.Library("torchvision", "FRAGMENT")
            library.define(f"{missing[1]}(Tensor x) -> Tensor")
            declared.append(library)
            for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
                del sys.modules[name]
        else:
            return declared
    raise RuntimeError("torchvision does not import")


DECLARED = import_torchvision()
