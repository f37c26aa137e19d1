"""What cannot be undercut, one probe per process: ``python benchmarks/limits.py parse|groups|draft|help [PATH]``.

parse: read a CSV file with pyarrow in one thread, block by block, and throw it away. groups: the same of a Parquet file.
draft: decode every JPEG below a folder at a quarter of its size with Pillow. help: start the interpreter, import click
and print a help page.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path


def parse(path: Path) -> int:
    """Rows of a CSV file."""
    import pyarrow as pa
    import pyarrow.csv as pacsv

    pa.set_cpu_count(1)
    with pacsv.open_csv(path, pacsv.ReadOptions(block_size=4 << 20, use_threads=False)) as reader:
        return sum(batch.num_rows for batch in reader)


def groups(path: Path) -> int:
    """Rows of a Parquet file."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        return sum(batch.num_rows for batch in file.iter_batches(65_536, use_threads=False))


def draft(path: Path) -> int:
    """Pictures that could be decoded."""
    from PIL import Image

    count = 0
    for file in sorted(path.glob("*/*")):
        with contextlib.suppress(OSError), Image.open(file) as image:
            image.draft("L", (max(1, image.width // 4), max(1, image.height // 4)))
            image.load()
            count += 1
    return count


def help_page() -> None:
    """A command line with nothing behind it."""
    import click

    @click.group()
    def cli() -> None:
        """Do nothing."""

    cli.main(["--help"])


if __name__ == "__main__":
    if sys.argv[1] == "help":
        help_page()
    else:
        probe = {"parse": parse, "groups": groups, "draft": draft}[sys.argv[1]]
        print(probe(Path(sys.argv[2])))
