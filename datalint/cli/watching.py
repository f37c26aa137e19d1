"""``datalint scan --watch``: scans again when a file changes, and says what that changed."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from datalint.cli.options import EXIT_CANNOT, say
from datalint.cli.showing import show, status, terminal, write
from datalint.core.errors import DatalintError
from datalint.core.project import install
from datalint.core.writing import TEMPORARY
from datalint.report.privacy import KEY

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from datalint.cli.showing import Output
    from datalint.config.options import ScanOptions
    from datalint.report.models import Report

DEBOUNCE: Final = 1_600
"""Milliseconds for which changes are gathered: one copy or save makes several."""

STEP: Final = 300
"""Milliseconds without a change after which what was gathered counts as whole."""

WAIT: Final = 500
"""Milliseconds after which it is looked whether to stop."""

PASSED_OVER: Final = frozenset({".git", ".hg", ".svn", "__pycache__", ".ipynb_checkpoints"})


def watch(paths: Sequence[str], output: Output, options: ScanOptions, scan: Callable[[], Report]) -> int:
    """Scan now, and again after every change below the paths, until interrupted.

    Returns:
        The exit status of the last scan.

    Raises:
        DatalintError: the package that watches is not installed, or the first scan cannot be done.
    """
    try:
        import watchfiles
    except ImportError as error:
        raise DatalintError(f"--watch needs the package watchfiles: {install('watch')}") from error
    if options.redact:
        os.environ.setdefault(KEY, secrets.token_hex())  # or no finding would be known again
    ours = _Ours(output, options.settings.config.cache_dir)
    changes = watchfiles.watch(
        *_watched(paths),
        watch_filter=lambda _, name: ours.leaves(Path(name)),
        debounce=DEBOUNCE,
        step=STEP,
        rust_timeout=WAIT,
        yield_on_timeout=True,
        raise_interrupt=True,
    )
    code = 0
    try:
        next(changes)  # from here on no change is missed, not even one during the first scan
        last = scan()
        _tell(last, None, output)
        code = status(last, output)
        _say_waiting(output)
        for changed in changes:
            if not changed:
                continue
            try:
                report = scan()
                _tell(report, last, output)
                last, code = report, status(report, output)
            except DatalintError as error:
                # Half a copy is no reason to stop: the next change may complete it.
                say(str(error))
                code = EXIT_CANNOT
            _say_waiting(output)
    except KeyboardInterrupt:
        pass
    return code


def _watched(paths: Sequence[str]) -> list[str]:
    """The folders themselves, and of files their folders: a file that is replaced is another one to the system."""
    return list(dict.fromkeys(path if os.path.isdir(path) else str(Path(path).parent) for path in paths))  # noqa: PTH112


class _Ours:
    """Tells the files that matter from those that a scan writes."""

    def __init__(self, output: Output, cache_dir: str | None) -> None:
        self._files = {_real(file) for _, file in output.formats}
        self._folders = {
            _real(folder) for folder in (output.report_dir, cache_dir, output.folder) if folder is not None
        }

    def leaves(self, path: Path) -> bool:
        """Whether a change of that file is a reason to scan."""
        real = _real(path)
        if PASSED_OVER.intersection(real.parts) or self._folders.intersection((real, *real.parents)):
            return False
        # A report is written under a temporary name next to its own.
        return not any(
            real == file or (real.parent == file.parent and real.name.startswith(TEMPORARY)) for file in self._files
        )


def _real(path: str | Path) -> Path:
    return Path(os.path.realpath(path))


def _tell(report: Report, last: Report | None, output: Output) -> None:
    if last is not None and terminal():
        click.clear()
    elif last is not None:
        click.echo("\n---\n")
    show(report, output, write(report, output))
    if last is not None:
        from datalint.report import diff as diffing

        changes = diffing.diff(last, report)
        for word, found in (("new", changes.new), ("fixed", changes.fixed)):
            for change in found:
                click.echo(diffing.short(word, change))
        if not changes.new and not changes.fixed:
            click.echo("nothing new, nothing fixed since the last scan")


def _say_waiting(output: Output) -> None:
    if not output.quiet:
        click.echo("watching for changes; Ctrl-C to leave", err=True)
