"""The Python API; the command line and every integration go through it."""

from __future__ import annotations

import os
import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import datalint
from datalint.config.discovery import GIVEN, changes, rules_of, settle
from datalint.config.options import ScanOptions
from datalint.core.errors import DatalintError
from datalint.engine.cache import open_cache
from datalint.engine.known_reports import KnownReport
from datalint.engine.processes import start_workers
from datalint.measures.base import Settings
from datalint.sources.files import spoken
from datalint.sources.locate import locate, paths_of
from datalint.sources.remote.path import local

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike

    from datalint.config.discovery import Effective
    from datalint.core.dataset import Dataset
    from datalint.engine.cache import Cache
    from datalint.engine.engine import Engine, EngineName, Tally
    from datalint.engine.processes import Starting
    from datalint.judge.judge import Scanned
    from datalint.profile.splits import Given
    from datalint.report.models import Report, Run
    from datalint.sources.locate import Located
    from datalint.sources.recognise import Recognised
    from datalint.suppress.baseline import Baseline


def scan(
    source: Any = None,
    *,
    label: str | None = None,
    splits: Mapping[str, Any] | None = None,
    select: str | Sequence[str] = (),
    ignore: str | Sequence[str] = (),
    preset: str | None = None,
    batch_size: int | None = None,
    pred_probs: str | Path | ArrayLike | Mapping[str, Any] | None = None,
    embeddings: str | Path | ArrayLike | Mapping[str, Any] | None = None,
    against: str | Path | Sequence[str | Path] = (),
    changed_only: bool = False,
    jobs: int | None = None,
    engine: EngineName = "local",
    scheduler: str | None = None,
    cache: bool = True,
    cache_dir: str | Path | None = None,
    paranoid: bool = False,
    memory: int | str | None = None,
    progress: Callable[[int, float], None] | None = None,
    config: str | Path | Mapping[str, Any] | Effective | bool | None = None,
    baseline: str | Path | Literal[False] | None = None,
    samples: bool = True,
    redact: bool = False,
    title: str = "",
    description: str = "",
) -> Report:
    """Scan a data set and report what will make training fail, stall or lie.

    What is not given here is what the configuration says, and otherwise the default.

    Args:
        source: a path or pattern (or several, which are one data set where a folder that holds nothing else would be), a
            mapping of splits to paths, a DataFrame, ``(X, y)``, an array, a data set or loader of PyTorch or Hugging Face, or
            a mapping of splits to any of these. A loader is drawn once, as training would.
        label: the label column; recognised if not given.
        splits: for a path, glob patterns by split; otherwise more splits, by name.
        select: codes, names or beginnings of codes of the rules to run, also as one text such as ``"LBL,ORD101"``; all if
            empty.
        ignore: the same, of rules to leave out.
        preset: ``fast`` leaves out the rules that train a model or compare samples with each other.
        batch_size: samples per training batch; a loader's own, or 32 if nothing else is said.
        pred_probs: out-of-sample class probabilities the user already has, [samples, classes] in stored order with the
            classes sorted: an array, a ``.npy``, ``.npz`` or CSV file, or a mapping of splits to these.
        embeddings: vectors to use as features instead of datalint's own, [samples, dimensions], in the same forms.
        against: paths of evaluation texts, such as benchmarks, that the training data must not hold (SPL112).
        changed_only: the paths are single changed files, each to be looked at by itself; files that are no data pass, and
            rules that speak of order, size or scale of the whole are left out.
        jobs: processes to read with; None for as many as pay.
        engine: ``local`` processes, or a ``dask`` cluster whose workers see the same paths.
        scheduler: address of the Dask scheduler.
        cache: whether to keep what was measured, so that unchanged files are not read again. Objects in memory never are.
        cache_dir: where; the user's cache folder if not given.
        paranoid: identify files by their bytes instead of size, times and inode.
        memory: bytes, or a text such as ``"512MB"``, that comparing samples may take, about; beyond it duplicates are
            counted on a sample. 1 GB if nothing else is said.
        progress: told how many more samples were read, and the share of the data that is done, 0 to 1. If it has a method
            ``stage(name, share)``, that is told which rule judges, and the share of the judging that is done.
        config: a configuration file, or a mapping with the same keys; for paths, the closest ``datalint.toml`` if not
            given, and none at all if False.
        baseline: file of known findings, which are left out; False for none, whatever the configuration says.
        samples: whether the report may name samples and their values; without them it keeps counts and statistics.
        redact: whether samples, files, data sets and classes get hashed names, and values are left out. Names and
            fingerprints depend on the secret in the environment variable ``DATALINT_REDACT_KEY`` if there is one, else on
            one that is drawn for this scan.
        title: what the report is called.
        description: what is said of it below the title.

    Raises:
        DatalintError: the job cannot be done; the message says why and what to do.
    """
    given = {
        "label": label,
        "preset": preset,
        "batch-size": batch_size,
        "memory": memory,
        "jobs": jobs,
        "select": select or None,
        "ignore": ignore or None,
        "cache-dir": cache_dir and str(cache_dir),
        "baseline": "" if baseline is False else baseline and str(baseline),
    }
    options = ScanOptions(
        settings=settle(paths_of(source), config).given(given),
        splits=splits,
        pred_probs=pred_probs,
        embeddings=embeddings,
        against=[against] if isinstance(against, (str, Path)) else list(against),
        changed_only=changed_only,
        engine=engine,
        scheduler=scheduler,
        cache=cache,
        paranoid=paranoid,
        progress=progress,
        samples=samples,
        redact=redact,
        title=title,
        description=description,
    )
    return run(source, options)


def run(source: Any, options: ScanOptions) -> Report:
    """Scan with options that are in one record already: those of :func:`scan`, or of the command line.

    Raises:
        DatalintError: the job cannot be done; the message says why and what to do.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    today = started.astimezone().date()  # a suppression expires by the user's own calendar
    config = options.settings.config

    located = locate(source)

    # Known already?
    cache, baseline = _cache(options, located), _baseline(options)
    depends = [options.dependence(today), config.baseline, baseline]
    known = KnownReport.of(cache, located, [options.pred_probs, options.embeddings, *options.against], depends)
    if (report := known.load()) is not None:
        return _finished(report, options, _run(started, clock, "cache", 1))

    # Measure and judge. What does so is imported only now: a scan of unchanged data is over by here.
    starting = start_workers(config.jobs, located.weight) if options.engine == "local" else None
    from datalint.engine.engine import Serial, Tally
    from datalint.engine.measure import measure
    from datalint.judge.judge import audit, broken_down, judge
    from datalint.sources.tables.given_roles import with_roles
    from datalint.suppress.ignores import Silencer

    chosen, severities = rules_of(options.settings)
    spoken = [rule for rule in chosen if not (options.changed_only and rule.of_whole)]
    rules, audits = ([rule for rule in spoken if rule.audits is audits] for audits in (False, True))
    splits = config.splits if located.paths and options.splits is None else options.splits
    found = located.recognise(config.label, splits, options.changed_only)
    datasets = with_roles(found.datasets, config.roles, config.task)
    settings = Settings(config.batch_size, memory=config.memory)
    given = _given(options, datasets, settings)
    silencer = Silencer(options.settings, baseline, datasets, {rule.code for rule in rules}, today)
    engines = _engines(options, datasets, cache, starting)
    tally = Tally([partition for dataset in datasets for partition in dataset.partitions], options.progress)
    fast, asked = config.preset == "fast", options.settings.origins.get("batch-size") == GIVEN

    def scanned(dataset: Dataset, engine: Engine) -> Scanned:
        own = [rule for rule in rules if not (fast and dataset.modality in rule.searches)]
        batch = config.batch_size if asked else dataset.batch_size or config.batch_size  # a loader has its own
        here = replace(settings, batch_size=batch)
        profile = measure(dataset, own, here, engine, tally, given=given, thorough=not fast)
        return judge(profile, own, severities, _telling(tally, dataset, datasets), silencer.unwanted)

    if located.paths is None:  # an object runs its owner's code, who wants to see where that broke down
        done = list(map(scanned, datasets, engines))
    else:
        broken = partial(broken_down, rules=rules, settings=settings, severities=severities)
        done = _each(datasets, engines, scanned, broken)

    # Silence and conceal.
    kept = silencer.apply(done)
    if audits and kept:
        # Of changed files alone nothing can be said of what the whole needs.
        silences = () if options.changed_only else silencer.silences(done)
        kept[0] = audit(kept[0], datasets[0], audits, settings, silences, severities)
    widest = max(engines, key=lambda engine: engine.jobs, default=Serial())  # changed files need not be data
    report = _report(kept, found, _run(started, clock, widest.name, widest.jobs))
    if options.conceals:
        from datalint.report.privacy import conceal

        columns = {column.name for dataset in datasets for column in dataset.fields}
        report = conceal(report, chosen, columns, samples=options.samples, redact=options.redact)
    report = _finished(report, options, report.run)
    return known.save(report) if all(item.lasting for item in done) else report


def _telling(tally: Tally, dataset: Dataset, datasets: Sequence[Dataset]) -> Callable[[str, float], None]:
    """Says which of several data sets is judged."""
    if len(datasets) == 1:
        return tally.stage
    number = next(k for k, other in enumerate(datasets, 1) if other is dataset)
    return lambda what, share: tally.stage(f"{what} ({number} of {len(datasets)} data sets)", share)


def _cache(options: ScanOptions, located: Located) -> Cache | None:
    if not options.cache or located.names:  # what came in through a pipe does not lie anywhere
        return None
    folders = tuple(located.folders.values())
    return open_cache(options.settings.config.cache_dir, options.paranoid, folders, located.paths is None)


def _baseline(options: ScanOptions) -> Baseline | None:
    if not options.settings.config.baseline:
        return None
    from datalint.suppress.baseline import read_baseline

    return read_baseline(Path(options.settings.config.baseline))


def _given(options: ScanOptions, datasets: Sequence[Dataset], settings: Settings) -> Given:
    from datalint.profile.splits import Given
    from datalint.sources.given import read_given

    given = Given(read_given(options.pred_probs, "pred_probs"), read_given(options.embeddings, "embeddings"))
    if (given.pred_probs or given.embeddings) and len(datasets) > 1:
        raise DatalintError(f"predictions or embeddings fit one data set, and there are {len(datasets)}; scan it alone")
    if options.against:
        from datalint.engine.against import read_against

        given = replace(given, against=read_against(options.against, settings))
        for dataset in datasets:
            dataset.against = True
    return given


def _engines(
    options: ScanOptions, datasets: Sequence[Dataset], cache: Cache | None, starting: Starting | None
) -> list[Engine]:
    """Where each data set is measured; processes that are ``starting`` are let go after the last."""
    from datalint.engine.cache import Cached
    from datalint.engine.choose import choose
    from datalint.engine.engine import Last

    jobs = options.settings.config.jobs
    engines: list[Engine] = [
        choose(list(enumerate(dataset.partitions)), jobs, options.engine, options.scheduler, starting)
        for dataset in datasets
    ]
    if cache:
        engines = [Cached(engine, cache, keeps=not options.conceals) for engine in engines]
    if starting and engines:
        engines[-1] = Last(engines[-1], starting, partial(_load, datasets[-1]))
    return engines


def _load(dataset: Dataset) -> None:
    """Import what comes after reading."""
    import datalint.report.formats.text
    import datalint.report.html.html

    if dataset.modality != "table":
        from PIL import Image, WebPImagePlugin  # noqa: F401

        import datalint.profile.learn.near_crops  # noqa: F401

        Image.preinit()


def _each(
    datasets: Sequence[Dataset],
    engines: Sequence[Engine],
    scanned: Callable[[Dataset, Engine], Scanned],
    broken: Callable[[Dataset, str], Scanned],
) -> list[Scanned]:
    """All data sets, of which none takes the others with it; the first failure if nothing else can be reported."""
    done: list[Scanned] = []
    failures: list[DatalintError] = []
    for dataset, engine in zip(datasets, engines, strict=True):
        try:
            done.append(scanned(dataset, engine))
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


def _run(started: datetime, clock: float, engine: str, jobs: int) -> Run:
    from datalint.report.models import Run

    seconds = round(time.perf_counter() - clock, 3)
    return Run(started=started.isoformat(timespec="seconds"), seconds=seconds, engine=engine, jobs=jobs)


def _report(done: Sequence[Scanned], found: Recognised, run: Run) -> Report:
    from datalint.report.models import Held, Inventory, Report, Summary, Tool
    from datalint.sources.inventory import file_kinds

    counts = Counter[str](finding.severity for item in done for finding in item.report.leading)
    affected = {(number, name): rows for number, item in enumerate(done) for name, rows in item.affected.items()}
    thumbnails = {name: data for item in done for name, data in item.thumbnails.items()}
    return Report(
        tool=Tool(version=datalint.__version__),
        summary=Summary(**counts, datasets=len(done)),
        datasets=tuple(item.report for item in done),
        inventory=Inventory(
            kinds=file_kinds(found.read, found.unread), layouts_failed=tuple(dict.fromkeys(found.failed))
        ),
        run=run,
    ).holding(Held(affected, thumbnails))


def _finished(report: Report, options: ScanOptions, run: Run) -> Report:
    """The report of this run, which names the settings that came with the data."""
    from datalint.report.models import DataSettings

    own, settings = None, options.settings
    if settings.from_data:
        file = settings.files[-1]
        own = DataSettings(
            file=Path(file).name if options.redact else file,
            changes=tuple(changes(settings)),
            not_obeyed=settings.not_obeyed,
        )
    update = {"run": run, "data_settings": own, "title": options.title, "description": options.description}
    return report.model_copy(update=update)


def settings_of(source: Any, config: Any = None) -> Effective:
    """The configuration that a scan of ``source`` has; may be handed to :func:`scan`.

    Raises:
        DatalintError: the file cannot be used, or the paths have different ones.
    """
    return settle(paths_of(source), config)


def detect(source: Any, *, label: str | None = None, splits: Mapping[str, Any] | None = None) -> list[Dataset]:
    """What ``scan`` would recognise: layout, label and splits of every data set, with the evidence; scans nothing.

    Raises:
        DatalintError: nothing is recognised.
    """
    return locate(source).recognise(label, splits).datasets


def baseline(
    source: Any,
    output: str | Path | None = None,
    *,
    prune: bool = False,
    force: bool = False,
    config: str | Path | Mapping[str, Any] | Effective | bool | None = None,
) -> Baseline:
    """Record what is found today, so that later scans report only what is new or became worse; returns the record.

    Args:
        source: as for :func:`scan`.
        output: the file; what the configuration names if not given, and otherwise ``datalint-baseline.json``.
        prune: only remove from the file what is no longer found.
        force: replace a baseline that is there already.
        config: as for :func:`scan`.

    Raises:
        DatalintError: the scan cannot be done, or the file may not be written.
    """
    from datalint.core.writing import check
    from datalint.rules.registry import all_rules
    from datalint.suppress.baseline import FILE, is_baseline, of_report, read_baseline, stale

    settings = settle(paths_of(source), config)
    file = Path(output or settings.config.baseline or FILE)
    known = read_baseline(file) if prune else None
    if known is None and os.path.lexists(file) and not force:
        raise DatalintError(f"{file.as_posix()} exists; --prune removes what is mended, --force records all anew")
    if os.path.isfile(file) and not is_baseline(file):  # noqa: PTH113 - never raises
        raise DatalintError(f"{file.as_posix()} is no baseline and is not replaced: choose another place with --output")
    check(file)
    report = scan(source, config=settings, baseline=False)
    if known is None:
        recorded = of_report(report, {rule.code for rule in all_rules() if rule.audits})
    else:
        recorded = known.without(stale(known, report.datasets))
    if recorded != known:
        recorded.write(file)
    return recorded


def init(path: str | Path = ".", *, force: bool = False) -> Path:
    """Write ``datalint.toml`` into the folder of a data set, with what was recognised and what may be set.

    Raises:
        DatalintError: nothing is recognised, or the file may not be written.
    """
    from datalint.config.starter import starter
    from datalint.core.writing import check, write_text

    path = local(path, "init")
    folder = path if os.path.isdir(path) else path.parent  # noqa: PTH112 - never raises
    file = folder / "datalint.toml"
    if os.path.lexists(file) and not force:
        raise DatalintError(f"{file.as_posix()} exists; --force replaces it")
    check(file, folder)
    write_text(file, starter(detect(path)), folder)
    return file
