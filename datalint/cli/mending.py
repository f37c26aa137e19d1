"""``datalint fix`` and ``subset``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from datalint.cli.options import FORCE, LABEL, OUT, SEED, SPLITS, by_name, codes, complete_codes
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.argument("path")
@OUT
@click.option("--keep-list", metavar="FILE", help="Write a CSV file of the samples to keep: split, index and id.")
@click.option(
    "--select",
    multiple=True,
    metavar="CODES",
    shell_complete=complete_codes,
    help="Findings to mend; all that can be if none.",
)
@click.option("--unsafe", is_flag=True, help="Also drop samples whose label is probably wrong.")
@click.option("--relabel", is_flag=True, help="With --unsafe: give them the suggested label instead.")
@LABEL
@SPLITS
@SEED
@FORCE
def fix(path: str, out: str | None, splits: Sequence[tuple[str, str]], select: Sequence[str], **options: Any) -> None:
    """Write a cleaned copy of the data set at PATH, with a log of every change; PATH itself is never changed.

    Drops all-zero and unreadable samples and exact duplicates, takes samples that other splits hold out of train, writes
    variants of a category in one way, turns pictures by their EXIF orientation and shuffles sorted tables. CSV, Parquet
    and class folders of images.

    Exit status: 0 the copy is written, 2 it could not be.
    """
    from datalint.cli.progress import Progress
    from datalint.mending.fix import fix as mend

    with Progress(not os.environ.get("CI")) as progress:
        done = mend(path, out, splits=by_name(splits) or None, select=",".join(select), progress=progress, **options)
    click.echo(str(done), nl=False)


@click.command()
@click.argument("path")
@OUT
@click.option("--per-class", type=click.IntRange(min=1), metavar="N", help="Samples of each class.")
@click.option("--classes", multiple=True, type=codes, metavar="A,B", help="The classes to take; all if not given.")
@LABEL
@SPLITS
@SEED
@FORCE
def subset(
    path: str, out: str | None, splits: Sequence[tuple[str, str]], classes: Sequence[list[str]], **options: Any
) -> None:
    """Write a small, balanced set of samples that no finding names: one that a model must be able to learn by heart.

    A CSV file, or class folders of images, from the training split of PATH.

    Exit status: 0 it is written, 2 it could not be.
    """
    from datalint.cli.progress import Progress
    from datalint.mending.subset import subset as take

    if out is None:
        raise DatalintError("nothing to write: give --out DIR")
    names = [name for several in classes for name in several]
    with Progress(not os.environ.get("CI")) as progress:
        done = take(path, out, splits=by_name(splits) or None, classes=names, progress=progress, **options)
    click.echo(str(done), nl=False)
