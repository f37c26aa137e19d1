"""The Python API; the command line and every integration go through it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import datalint
from datalint.config.discovery import changes, expired, rule_options, settle
from datalint.core.errors import DatalintError
from datalint.engine import known_reports as results
from datalint.engine.cache import open_cache, sources_stamp
from datalint.engine.processes import start_workers
from datalint.measures.base import Settings
from datalint.rules.packs import pack_folders
from datalint.sources.files import spoken, walk_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from datalint.config.discovery import Effective
    from datalint.core.dataset import Dataset
    from datalint.core.severity import Severity
    from datalint.engine.cache import Cache
    from datalint.engine.engine import Engine, EngineName
    from datalint.engine.processes import Starting
    from datalint.judge.judge import Scanned
    from datalint.profile.splits import Given
    from datalint.report.models import Report, Run
    from datalint.rules.base import Rule
    from datalint.sources.files import Listing
    from datalint.sources.recognise import Recognised
    from datalint.suppress.baseline import Baseline

MIN_MEMORY = 1 << 20
"""Bytes below which nothing is left to compare."""


def scan(
    source: Any = None,
    *,
    label: str | None = None,
    splits: Mapping[str, Any] | None = None,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    preset: str | None = None,
    batch_size: int | None = None,
    pred_probs: str | Path | ArrayLike | Mapping[str, Any] | None = None,
    embeddings: str | Path | ArrayLike | Mapping[str, Any] | None = None,
    changed_only: bool = False,
    jobs: int | None = None,
    engine: EngineName = "local",
    scheduler: str | None = None,
    cache: bool = True,
    cache_dir: str | Path | None = None,
    paranoid: bool = False,
    memory: int | None = None,
    progress: Callable[[int, float], None] | None = None,
    config: str | Path | Mapping[str, Any] | Effective | bool | None = None,
    baseline: str | Path | Literal[False] | None = None,
    samples: bool = True,
    redact: bool = False,
) -> Report:
    """Scan a data set and report what will make training fail, stall or lie.

    What is not given here is what the configuration says, and otherwise the default.

    Args:
        source: a path (or several), a DataFrame, ``(X, y)``, an array, a data set or loader of PyTorch or Hugging Face, or
            a mapping of splits to any of these. A loader is drawn once, as training would.
        label: the label column; recognised if not given.
        splits: for a path, glob patterns by split; otherwise more splits, by name.
        select: codes, names or beginnings of codes of the rules to run; all if empty.
        ignore: the same, of rules to leave out.
        preset: ``fast`` leaves out the rules that train a model or compare samples with each other.
        batch_size: samples per training batch; a loader's own, or 32 if nothing else is said.
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
        memory: bytes that comparing samples may take, about; beyond it duplicates are counted on a sample. 1 GB if
            nothing else is said.
        progress: told how many more samples were read, and the share of the data that is done, 0 to 1. If it has a method
            ``stage(name, share)``, that is told which rule judges, and the share of the judging that is done.
        config: a configuration file, or a mapping with the same keys; for paths, the closest ``datalint.toml`` if not
            given, and none at all if False.
        baseline: file of known findings, which are left out; False for none, whatever the configuration says.
        samples: whether the report may name samples and their values; without them it keeps counts and statistics.
        redact: whether samples, files, data sets and classes get hashed names, and values are left out. Names and
            fingerprints depend on the secret in the environment variable ``DATALINT_REDACT_KEY`` if there is one, else on
            one that is drawn for this scan.

    Raises:
        DatalintError: the job cannot be done; the message says why and what to do.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    _check(batch_size, jobs, memory)
    paths = _paths(source)
    given = {
        "label": label,
        "preset": preset,
        "batch-size": batch_size,
        "memory": memory,
        "jobs": jobs,
        "select": list(select) or None,
        "ignore": list(ignore) or None,
        "cache-dir": cache_dir and str(cache_dir),
        "baseline": "" if baseline is False else baseline and str(baseline),
    }
    effective = settle(paths, config).given(given)
    chosen = effective.config
    if paths is not None and splits is None and chosen.splits:
        splits = chosen.splits
    settings = Settings(batch_size=chosen.batch_size, memory=chosen.memory)
    folders = walk_all(paths or [])
    store = open_cache(chosen.cache_dir, paranoid, tuple(folders.values()), paths is None) if cache else None
    packs = [f"{folder} {sources_stamp(folder)}" for folder in pack_folders()] if store else []
    today = started.astimezone().date()  # a suppression expires by the user's own calendar
    baseline_read = _baseline(effective)
    over = [expired(item.entry, today) for item in effective.suppressions]
    wishes = [
        _listed(splits),
        changed_only,
        packs,
        effective.dependence(),
        over,
        baseline_read,
        *_hiding(samples, redact),
    ]
    key = results.key(store, paths, folders, [pred_probs, embeddings], wishes) if store else None
    known = results.load(store, key) if store and key else None
    if known is not None:
        known.run = _run(started, clock, "cache", 1)
        return _named(known, effective, redact)
    # Before all that is imported only now: a scan of unchanged data is over by here.
    starting = start_workers(chosen.jobs, _weight(paths or [], folders)) if engine == "local" else None
    from datalint.engine.engine import Serial, Tally, choose
    from datalint.judge.judge import broken_down
    from datalint.judge.scanning import scan_dataset
    from datalint.suppress.ignores import Silencer

    rules, severities = _rules(effective)
    judging = [rule for rule in rules if not rule.audits]
    found = locate(source, chosen.label, splits, folders, changed_only)
    datasets = found.datasets
    vectors = _vectors(pred_probs, embeddings, datasets)
    silencer = Silencer(effective, baseline_read, datasets, {rule.code for rule in judging}, today)
    tally = Tally([p for dataset in datasets for p in dataset.partitions], progress) if progress else None
    runners: list[Engine] = []

    def one(dataset: Dataset) -> Scanned:
        runner = choose(list(enumerate(dataset.partitions)), chosen.jobs, engine, scheduler, starting)
        runners.append(runner)
        measuring = _measuring(
            runner, store, starting if dataset is datasets[-1] else None, dataset, keeps=samples and not redact
        )
        suited, own = _suited(judging, dataset, chosen.preset), _own(settings, dataset, batch_size)
        return scan_dataset(dataset, suited, own, measuring, vectors, tally, severities, chosen.preset != "fast")

    # An object in memory runs its owner's code, who wants to see where that broke down.
    done = (
        [one(dataset) for dataset in datasets]
        if paths is None
        else _each(datasets, one, partial(broken_down, rules=judging, settings=settings, severities=severities))
    )
    audits = [rule for rule in rules if rule.audits]
    kept = silencer.apply(done)
    if audits and kept:
        from datalint.judge.judge import audit  # after the workers were started

        # Of changed files alone nothing can be said of what the whole needs.
        silences = () if changed_only else silencer.silences(done)
        kept[0] = audit(kept[0], datasets[0], audits, settings, silences, severities)
    widest = max(runners, key=lambda runner: runner.jobs, default=Serial())  # changed files need not be data
    report = _named(
        _concealed(
            _report(kept, found, _run(started, clock, widest.name, widest.jobs)), rules, datasets, samples, redact
        ),
        effective,
        redact,
    )
    if store and key and all(scanned.lasting for scanned in done):
        results.save(store, key, report)
    return report


def _each(
    datasets: Sequence[Dataset], one: Callable[[Dataset], Scanned], broken: Callable[[Dataset, str], Scanned]
) -> list[Scanned]:
    """All data sets, of which none takes the others with it; the first failure where there is nothing else to tell."""
    done: list[Scanned] = []
    failures: list[DatalintError] = []
    for dataset in datasets:
        try:
            done.append(one(dataset))
        except DatalintError:
            raise
        except Exception as error:
            failure = DatalintError(f"{dataset.path} could not be scanned: {spoken(error)}")
            failure.__cause__ = error
            failures.append(failure)
            done.append(broken(dataset, f"its scan broke down: {spoken(error)}"))
    if failures and len(failures) == len(datasets):
        raise failures[0]
    return done


def _measuring(
    runner: Engine, store: Cache | None, starting: Starting | None, dataset: Dataset, *, keeps: bool
) -> Engine:
    """The engine for a data set; the processes that were ``starting`` have it for their last."""
    from datalint.engine.cache import Cached
    from datalint.engine.engine import Last

    measuring = Cached(runner, store, keeps=keeps) if store else runner
    return Last(measuring, starting, partial(_load, dataset)) if starting else measuring


def _load(dataset: Dataset) -> None:
    """Import what comes after reading."""
    import datalint.judge.judge
    import datalint.report.formats.text
    import datalint.report.html.html

    if dataset.modality == "images":
        from PIL import Image, WebPImagePlugin  # noqa: F401

        import datalint.profile.learn.near_crops  # noqa: F401

        Image.preinit()


def settings_of(source: Any, config: Any = None) -> Effective:
    """The configuration that a scan of ``source`` has; may be handed to :func:`scan`.

    Raises:
        DatalintError: the file cannot be used, or the paths have different ones.
    """
    return settle(_paths(source), config)


def _vectors(pred_probs: Any, embeddings: Any, datasets: Sequence[Dataset]) -> Given:
    from datalint.profile.splits import Given
    from datalint.sources.given import read_given

    vectors = Given(read_given(pred_probs, "pred_probs"), read_given(embeddings, "embeddings"))
    if (vectors.pred_probs or vectors.embeddings) and len(datasets) > 1:
        raise DatalintError(f"predictions or embeddings fit one data set, and there are {len(datasets)}; scan it alone")
    return vectors


def _check(batch_size: int | None, jobs: int | None, memory: int | None) -> None:
    if batch_size is not None and batch_size < 1:
        raise DatalintError(f"batch size {batch_size}: it must be at least 1")
    if jobs is not None and jobs < 1:
        raise DatalintError(f"{jobs} jobs: it must be at least 1")
    if memory is not None and memory < MIN_MEMORY:
        raise DatalintError(f"{memory:,} bytes of memory: at least {MIN_MEMORY >> 20} MB are needed")


def _report(done: Sequence[Scanned], found: Recognised, run: Run) -> Report:
    from datalint.report.models import Inventory, Report, Summary, Tool
    from datalint.sources.inventory import file_kinds

    counts = {"error": 0, "warning": 0, "info": 0}
    for item in done:
        for finding in item.report.leading:
            counts[finding.severity] += 1
    report = Report(
        tool=Tool(version=datalint.__version__),
        summary=Summary(**counts, datasets=len(done)),
        datasets=tuple(item.report for item in done),
        inventory=Inventory(
            kinds=file_kinds(found.read, found.unread), layouts_failed=tuple(dict.fromkeys(found.failed))
        ),
        run=run,
    )
    for number, item in enumerate(done):
        report._keep(number, item.affected, item.thumbnails)
    return report


def _named(report: Report, effective: Effective, redact: bool) -> Report:
    """The report, which names the settings that came with the data."""
    from datalint.report.models import DataSettings

    report.data_settings = None
    if effective.from_data:
        file = effective.files[-1]
        report.data_settings = DataSettings(
            file=Path(file).name if redact else file,
            changes=tuple(changes(effective)),
            not_obeyed=effective.not_obeyed,
        )
    return report


def _concealed(
    report: Report, rules: Sequence[Rule], datasets: Sequence[Dataset], samples: bool, redact: bool
) -> Report:
    if samples and not redact:
        return report
    from datalint.report.privacy import conceal

    columns = {column.name for dataset in datasets for column in dataset.fields}
    return conceal(report, rules, columns, samples=samples, redact=redact)


def _hiding(samples: bool, redact: bool) -> list[Any]:
    """What a concealed report is kept under, and its page with it; nothing for one that conceals nothing."""
    if samples and not redact:
        return []
    from datalint.report.privacy import KEY

    return [samples, redact, hashlib.sha256(os.environ.get(KEY, "").encode("utf-8", "surrogateescape")).hexdigest()]


def _rules(effective: Effective) -> tuple[list[Rule], dict[str, Severity]]:
    """The rules to run with their parameters, and the severities that the user set."""
    from datalint.rules.registry import select_rules

    config = effective.config
    params, severities = rule_options(effective)
    off = [code for code, severity in severities.items() if severity == "off"]
    chosen = [
        rule(params.get(rule.code))
        for rule in select_rules(config.select, [*config.ignore, *off])
        if config.preset != "fast" or not rule.trains
    ]
    return chosen, {code: severity for code, severity in severities.items() if severity != "off"}


def _suited(rules: Sequence[Rule], dataset: Dataset, preset: str) -> list[Rule]:
    return [rule for rule in rules if preset != "fast" or dataset.modality not in rule.searches]


def _own(settings: Settings, dataset: Dataset, asked: int | None) -> Settings:
    """The settings with the batch size that a loader has itself, unless the caller asked for another."""
    return settings if asked or not dataset.batch_size else replace(settings, batch_size=dataset.batch_size)


def _baseline(effective: Effective) -> tuple[str, Baseline] | None:
    from datalint.suppress.baseline import read_baseline

    file = effective.config.baseline
    return (file, read_baseline(Path(file))) if file else None


def _paths(source: Any) -> list[Path] | None:
    """The paths that were given; None for an object in memory."""
    if isinstance(source, (str, Path)):
        return [Path(source)]
    if isinstance(source, (list, tuple)) and source and all(isinstance(item, (str, Path)) for item in source):
        return [Path(item) for item in source]
    return None


def _weight(paths: Sequence[Path], folders: Mapping[Path, Listing]) -> int:
    """Bytes of all that lies at the paths."""
    weight = sum(entry.size for listing in folders.values() for entry in listing.entries)
    for path in paths:
        if path not in folders:
            with contextlib.suppress(OSError, ValueError):  # recognising it will say what is wrong
                weight += path.stat().st_size
    return weight


def _listed(splits: Mapping[str, Any] | None) -> list[str] | None:
    return None if splits is None else [f"{name}={value}" for name, value in splits.items()]


def _run(started: datetime, clock: float, engine: str, jobs: int) -> Run:
    from datalint.report.models import Run

    seconds = round(time.perf_counter() - clock, 3)
    return Run(started=started.isoformat(timespec="seconds"), seconds=seconds, engine=engine, jobs=jobs)


def detect(source: Any, *, label: str | None = None, splits: Mapping[str, Any] | None = None) -> list[Dataset]:
    """What ``scan`` would recognise: layout, label and splits of every data set, with the evidence; scans nothing.

    Raises:
        DatalintError: nothing is recognised.
    """
    return find(source, label, splits)


def find(source: Any, label: str | None, splits: Mapping[str, Any] | None) -> list[Dataset]:
    """The data sets of a source."""
    return locate(source, label, splits, {}, changed_only=False).datasets


def locate(
    source: Any,
    label: str | None,
    splits: Mapping[str, Any] | None,
    folders: Mapping[Path, Listing],
    changed_only: bool,
) -> Recognised:
    """The data sets of a source and what else lies there; ``folders`` are those that were walked already."""
    from datalint.sources.objects.memory import from_object
    from datalint.sources.recognise import Recognised, Wishes, recognise, recognise_files

    if changed_only:
        return Recognised(recognise_files(source))
    paths = _paths(source)
    if paths is None:
        return Recognised(from_object(source, label, splits))
    for item in [source] if isinstance(source, (str, Path)) else source:
        if not str(item).strip() or "://" in str(item):
            raise DatalintError(f"{str(item)!r} is not a path: datalint reads files and folders of this machine")
    found = Recognised()
    for path in paths:
        try:
            found += recognise(path, Wishes(label, _patterns(splits), folders))
        except DatalintError:
            raise
        except Exception as error:
            raise DatalintError(f"{path} could not be recognised: {spoken(error)}") from error
    return found


def _patterns(splits: Mapping[str, Any] | None) -> dict[str, list[str]]:
    patterns: dict[str, list[str]] = {}
    for split, value in (splits or {}).items():
        patterns[split] = [value] if isinstance(value, str) else [str(item) for item in value]
    return patterns
