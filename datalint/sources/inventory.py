"""What lies in a scanned folder: what was read, what was not, and what could read it."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from datalint.core.project import install

if TYPE_CHECKING:
    from collections.abc import Iterable

    from datalint.sources.files import Entry

_READERS = f"""
.xlsx .xlsm .xls .xlsb .ods = Excel: {install("excel")}
.h5 .hdf5 = HDF5
.nc = NetCDF
.mat = MATLAB
.rds .rdata .rda = R: pyreadr reads it
.sav .dta .sas7bdat = SPSS, Stata or SAS: pandas reads it
.avro = Avro: {install("avro")}
.db .db3 .sqlite .sqlite3 = SQLite or another database
.duckdb .ddb = DuckDB: {install("duckdb")}
.mdb .lmdb = another database than LMDB
.rec = a database
.wav .flac .mp3 .ogg .oga .opus .aif .aiff .au = sound: {install("audio")}
.m4a .aac .wma .amr = sound: ffmpeg converts it
.mp4 .avi .mov .mkv .webm .m4v = video
.zip .tar .tgz = an archive
.7z .rar = an archive: unpack it
.pt .pth = PyTorch: tensors alone are read, nothing is run
.pkl .pickle .joblib .ckpt = may run code, so it is never opened
.safetensors = tensors
.dcm .dicom = DICOM: pydicom reads it
.nii = NIfTI: {install("nifti")}
.nrrd .mha .mhd .mgz = medical volumes: convert them to NIfTI
.jp2 .heic .heif .avif .dng .cr2 .nef .psd .exr .hdr .svg .svs .ndpi = pictures: convert them to PNG or TIFF
.ply .pcd .las .laz .off .obj .stl = point clouds or meshes
.geojson .shp .gpkg = maps: geopandas reads them
.json .xml .txt = annotations, metadata or texts
"""
WHAT = {
    suffix: what
    for suffixes, _, what in (line.partition(" = ") for line in _READERS.strip().splitlines())
    for suffix in suffixes.split()
}
"""What files of each suffix hold, and what reads them."""

_NO_DATA = re.compile(
    r"(readme|licen[sc]e|copying|notice|changelog|authors|contributors|citation|makefile|dockerfile|requirements)\b.*"
    r"|thumbs\.db|desktop\.ini|_success|(md5|sha\d+|check)sums?(\.txt)?"
    r"|.*\.(md|rst|pdf|docx?|odt|pptx?|rtf|tex|bib|html?|css|js|ts|py|ipynb|r|rmd|jl|m|c|cc|cpp|h|java|sh|bat|sql|toml"
    r"|ya?ml|ini|cfg|conf|lock|log|dvc|names|crc|md5|sha\d+|sig|asc|url|bak|tmp|swp)",
    re.IGNORECASE,
)
"""Names of documents, code, settings and the like."""

NOTES = frozenset({".json", ".xml", ".txt", ""})
"""Suffixes of files that go with many data sets."""

_FEW, _SMALL = 5, 16 << 10
"""Files of text of which a few small ones go with a data set and hold none of its samples."""


@dataclass(frozen=True)
class FileKind:
    """The files of one suffix."""

    suffix: str
    files: int
    read: int
    """How many of them were read."""
    unread_bytes: int
    """Size of the others."""
    what: str
    """What they hold and what reads them, where that is known."""
    data: bool
    """Whether those that were not read may hold samples or labels."""


def file_kinds(read: Iterable[Entry], unread: Iterable[Entry]) -> tuple[FileKind, ...]:
    """The files by suffix, first those with most files that were not read."""
    counts = Counter(entry.suffix for entry in read)
    idle: defaultdict[str, list[Entry]] = defaultdict(list, {suffix: [] for suffix in counts})
    for entry in unread:
        idle[entry.suffix].append(entry)
    kinds = []
    for suffix, files in idle.items():
        unknown = [entry for entry in files if not _NO_DATA.fullmatch(entry.name)]
        few = suffix in NOTES and len(unknown) <= _FEW and sum(entry.size for entry in unknown) <= _SMALL
        size = sum(entry.size for entry in files)
        total = counts[suffix] + len(files)
        what = WHAT.get(suffix, "")
        kinds.append(FileKind(suffix, total, counts[suffix], size, what, bool(unknown) and not few))
    return tuple(sorted(kinds, key=lambda kind: (kind.read - kind.files, kind.suffix)))
