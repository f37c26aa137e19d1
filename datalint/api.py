"""The Python API; the command line and every integration go through it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import datalint
from datalint import results
from datalint.cache import Cache, default_folder, sources_stamp
from datalint.errors import DatalintError
from datalint.measures.base import MEMORY, Settings
from datalint.registry import pack_folders
from datalint.report.models import Report, Run, Summary, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from datalint.dataset import Dataset
    from datalint.engine import EngineName

MIN_MEMORY = 1 << 20
"""Bytes below which nothing is left to compare."""


def scan(
    source: Any = None,
    *,
    label: str | None = None,
    splits: Mapping[str, Any] | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    preset: str = "default",
    batch_size: int = 32,
    pred_probs: str | Path | ArrayLike | Mapping[str, Any] | None = None,
    embeddings: str | Path | ArrayLike | Mapping[str, Any] | None = None,
    changed_only: bool = False,
    jobs: int | None = None,
    engine: EngineName = "local",
    scheduler: str | None = None,
    cache: bool = True,
    cache_dir: str | Path | None = None,
    paranoid: bool = False,
    memory: int = MEMORY,
    progress: Callable[[int, float], None] | None = None,
) -> Report:
    """
    Scan a data set and report what will make training fail, stall or lie.

    Args:
        source: a path (or several), a DataFrame, ``(X, y)``, an array, or a mapping of splits to any of these.
        label: the label column; recognised if not given.
        splits: for a path, glob patterns by split; otherwise more splits, by name.
        select: codes, names or beginnings of codes of the rules to run; all if empty.
        ignore: the same, of rules to leave out.
        preset: ``fast`` leaves out the rules that train a model.
        batch_size: samples per training batch.
        pred_probs: out-of-sample class probabilities the user already has, [samples, classes] in stored order with the
            classes sorted: an array, a ``.npy``, ``.npz`` or CSV file, or a mapping of splits to these.
        embeddings: vectors to use as features instead of datalint's own, [samples, dimensions], in the same forms.
        changed_only: the paths are single changed files, each to be looked at by itself; files that are no data pass.
        jobs: processes to read with; None for as many as pay.
        engine: ``local`` processes, or a ``dask`` cluster whose workers see the same paths.
        scheduler: address of the Dask scheduler.
        cache: whether to keep what was measured, so that unchanged files are not read again. Objects in memory never are.
        cache_dir: where; the user's cache folder if not given.
        paranoid: identify files by their bytes instead of size, times and inode.
        memory: bytes that comparing samples may take, about; beyond it duplicates are counted on a sample.
        progress: told how many more samples were read, and the share of the data that is done, 0 to 1.

    Raises:
        DatalintError: the job cannot be done; the message says why and what to do.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    if batch_size < 1:
        raise DatalintError(f"batch size {batch_size}: it must be at least 1")
    if jobs is not None and jobs < 1:
        raise DatalintError(f"{jobs} jobs: it must be at least 1")
    if memory < MIN_MEMORY:
        raise DatalintError(f"{memory:,} bytes of memory: at least {MIN_MEMORY >> 20} MB are needed")
    settings = Settings(batch_size=batch_size, memory=memory)
    store = Cache(Path(cache_dir) if cache_dir is not None else default_folder(), paranoid) if cache else None
    packs = [f"{folder} {sources_stamp(folder)}" for folder in pack_folders()] if store else []
    chosen = [label, _listed(splits), changed_only, settings, list(select), list(ignore), preset, packs]
    key = results.key(store, _paths(source), [pred_probs, embeddings], chosen) if store else None
    known = results.load(store, key) if store and key else None
    if known is not None:
        known.run = _run(started, clock, "cache", 1)
        return known
    # What reads data is imported only now: a scan of unchanged data is over by here.
    from datalint.cache import Cached
    from datalint.engine import Tally
    from datalint.engine import choose as choose_engine
    from datalint.registry import select_rules
    from datalint.scanning import scan_dataset
    from datalint.sources.given import read_given
    from datalint.sources.recognise import recognise_files
    from datalint.splits import Given

    rules = [rule() for rule in select_rules(select, ignore) if preset != "fast" or not rule.trains]
    datasets = recognise_files(source) if changed_only else find(source, label=label, splits=splits)
    given = Given(read_given(pred_probs, "pred_probs"), read_given(embeddings, "embeddings"))
    if (given.pred_probs or given.embeddings) and len(datasets) > 1:
        raise DatalintError(f"predictions or embeddings fit one data set, and there are {len(datasets)}; scan it alone")
    tally = Tally([p for dataset in datasets for p in dataset.partitions], progress) if progress else None
    runners, done = [], []
    for dataset in datasets:
        runner = choose_engine(list(enumerate(dataset.partitions)), jobs, engine, scheduler)
        runners.append(runner)
        measuring = Cached(runner, store) if store else runner
        done.append(scan_dataset(dataset, rules, settings, measuring, given, tally))
    widest = max(runners, key=lambda runner: runner.jobs)
    counts = {"error": 0, "warning": 0, "info": 0}
    for item in done:
        for finding in item.report.findings:
            counts[finding.severity] += 1
    report = Report(
        tool=Tool(version=datalint.__version__),
        summary=Summary(**counts, datasets=len(done)),
        datasets=tuple(item.report for item in done),
        run=_run(started, clock, widest.name, widest.jobs),
    )
    for number, item in enumerate(done):
        report._keep(number, item.affected, item.thumbnails)
    if store and key:
        results.save(store, key, report)
    return report


def _paths(source: Any) -> list[Path] | None:
    """The paths that were given; None for an object in memory."""
    if isinstance(source, (str, Path)):
        return [Path(source)]
    if isinstance(source, (list, tuple)) and source and all(isinstance(item, (str, Path)) for item in source):
        return [Path(item) for item in source]
    return None


def _listed(splits: Mapping[str, Any] | None) -> list[str] | None:
    return None if splits is None else [f"{name}={value}" for name, value in splits.items()]


def _run(started: datetime, clock: float, engine: str, jobs: int) -> Run:
    seconds = round(time.perf_counter() - clock, 3)
    return Run(started=started.isoformat(timespec="seconds"), seconds=seconds, engine=engine, jobs=jobs)


def detect(source: Any, *, label: str | None = None, splits: Mapping[str, Any] | None = None) -> list[Dataset]:
    """
    What ``scan`` would recognise: layout, label and splits of every data set, with the evidence; scans nothing.

    Raises:
        DatalintError: nothing is recognised.
    """
    return find(source, label=label, splits=splits)


def find(source: Any, *, label: str | None, splits: Mapping[str, Any] | None) -> list[Dataset]:
    """The data sets of a source."""
    from datalint.sources.memory import from_object
    from datalint.sources.recognise import Wishes, recognise

    paths = _paths(source)
    if paths is not None:
        for item in [source] if isinstance(source, (str, Path)) else source:
            if not str(item).strip() or "://" in str(item):
                raise DatalintError(f"{str(item)!r} is not a path: datalint reads files and folders of this machine")
        return [d for path in paths for d in recognise(path, Wishes(label, _patterns(splits)))]
    return from_object(source, label, splits)


def _patterns(splits: Mapping[str, Any] | None) -> dict[str, list[str]]:
    patterns: dict[str, list[str]] = {}
    for split, value in (splits or {}).items():
        patterns[split] = [value] if isinstance(value, str) else [str(item) for item in value]
    return patterns
