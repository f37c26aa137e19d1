"""Which files hold arrays, and what reads each kind."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING

from datalint.sources.arrays.bundles import WORDS
from datalint.sources.arrays.files import MAX_ITEM, ArrayFile, NotAnArray, NotLookedInto, array_files
from datalint.sources.files import is_pointer

if TYPE_CHECKING:
    from pathlib import Path

    from datalint.core.dataset import Dataset

NUMPY = frozenset({".npy", ".npz"})

READERS = {
    ".mat": ("matlab", "variables", "MATLAB arrays"),
    ".h5": ("hdf5", "datasets", "HDF5 arrays"),
    ".hdf5": ("hdf5", "datasets", "HDF5 arrays"),
    ".nc": ("netcdf", "variables", "NetCDF variables"),
    ".safetensors": ("safetensors", "tensors", "safetensors"),
    ".pt": ("torch_files", "saved_tensors", "PyTorch tensors"),
    ".pth": ("torch_files", "saved_tensors", "PyTorch tensors"),
}
"""Module, function, and what a report calls it, by suffix."""


_WEIGHTS = re.compile(r"(^|[./_])(weights?|bias|kernel|gamma|beta|running_(mean|var)|moving_(mean|variance))(:\d+)?$")
"""Names of the arrays of models."""


def arrays_in(path: Path) -> list[ArrayFile]:
    """The arrays in a file; nothing is unpickled.

    Raises:
        NotAnArray: the file is damaged, or holds something else.
    """
    suffix = path.suffix.lower()
    if suffix not in READERS:
        return array_files(path)
    module, function, _ = READERS[suffix]
    try:
        with path.open("rb") as file:
            if is_pointer(file.read(1024)):
                raise NotAnArray("a Git LFS pointer instead of data (git lfs pull)")
        found: list[ArrayFile] = getattr(import_module(f"{__package__}.{module}"), function)(path)
    except OSError as error:
        raise NotAnArray(str(error)) from error
    if 2 * sum(_WEIGHTS.search(array.name) is not None for array in found) > len(found):
        raise NotLookedInto("the weights of a model, not data")
    kept = [array for array in found if math.prod(array.shape[1:]) <= MAX_ITEM]
    if not kept:
        raise NotLookedInto(
            "holds no arrays of numbers or texts" if not found else "its arrays are too large a sample each"
        )
    return kept


def titled(dataset: Dataset, name: str) -> Dataset:
    """The data set of the arrays in a file of this name, called by what the file is."""
    _, _, title = READERS.get(PurePath(name).suffix.lower(), ("", "", ""))
    plain = WORDS[dataset.storage]
    return replace(dataset, layout=dataset.layout.replace(plain, title)) if title else dataset
