"""``datalint fix`` and ``subset``."""

from __future__ import annotations

import os
from typing import Any

import click

from datalint.cli.options import (
    FORCE,
    LABEL,
    OUT,
    SEED,
    SPLITS,
    by_name,
    codes,
)
from datalint.core.errors import DatalintError


@click.command()
@click.argument("path")
@OUT
@click.option("--keep-list", metavar="FILE", help="Write a CSV file of the samples to keep: split, index and id.")
@click.option("--select", multiple=True, type=codes, metavar="CODES", help="Findings to mend; all that can be if none.")
@click.option("--unsafe", is_flag=True, help="Also drop samples whose label is probably wrong.")
@click.option("--relabel", is_flag=True, help="With --unsafe: give them the suggested label instead.")
@LABEL
@SPLITS
@SEED
@FORCE
def fix(path: str, out: str | None, **options: Any) -> None:
    """Write a cleaned copy of the data set at PATH, with a log of every change; PATH itself is never changed.

    Drops all-zero and unreadable samples and exact duplicates, takes samples that other splits hold out of train, writes
    variants of a category in one way, turns pictures by their EXIF orientation and shuffles sorted tables. CSV, Parquet
    and class folders of images.

    Exit status: 0 the copy is written, 2 it could not be.
    """
    from datalint.cli.progress import Progress
    from datalint.mending.fix import fix as mend

    progress = Progress(not os.environ.get("CI"))
    try:
        done = mend(
            path,
            out,
            keep_list=options["keep_list"],
            label=options["label"],
            splits=by_name(options["splits"]) or None,
            select=[code for codes in options["select"] for code in codes],
            unsafe=options["unsafe"],
            relabel=options["relabel"],
            seed=options["seed"],
            force=options["force"],
            progress=progress,
        )
    finally:
        progress.close()
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
def subset(path: str, out: str | None, **options: Any) -> None:
    """Write a small, balanced set of samples that no finding names: one that a model must be able to learn by heart.

    A CSV file, or class folders of images, from the training split of PATH.

    Exit status: 0 it is written, 2 it could not be.
    """
    from datalint.cli.progress import Progress
    from datalint.mending.subset import subset as take

    if out is None:
        raise DatalintError("nothing to write: give --out DIR")
    progress = Progress(not os.environ.get("CI"))
    try:
        done = take(
            path,
            out,
            per_class=options["per_class"],
            classes=[name for names in options["classes"] for name in names],
            label=options["label"],
            splits=by_name(options["splits"]) or None,
            seed=options["seed"],
            force=options["force"],
            progress=progress,
        )
    finally:
        progress.close()
    click.echo(str(done), nl=False)
