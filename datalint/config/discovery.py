"""Finding the configuration of a scan: files, what they extend, and what was given on top of them."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from datalint.config.schema import (
    PYPROJECT,
    Config,
    Ignore,
    RuleTable,
    Suppression,
    keys_of,
    nearest,
    parse_config,
    read_config,
    shown_path,
)
from datalint.core.errors import DatalintError
from datalint.core.wording import counted
from datalint.sources.remote.url import is_url

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Mapping, Sequence

    from datalint.core.severity import Severity
    from datalint.rules.base import Rule, RuleBase, RuleParams

    Kind = TypeVar("Kind", bound=RuleBase)

NAMES = ("datalint.toml", ".datalint.toml", PYPROJECT)
"""In the order in which one folder is asked."""

GIVEN = "given"
DEFAULT = "default"

MACHINE = ("cache-dir", "jobs", "memory")
"""Keys about the machine, not about the data: the data's own configuration does not set them."""

MAX_NESTED = 32
"""Files that may extend each other in a row."""

MAX_EXTENDED = 1 << 20
"""Characters of all files that one configuration consists of."""


_OUTSIDE = "and settings inside the data name only files there; --config FILE takes them as yours"

Entry = TypeVar("Entry", Ignore, Suppression)


@dataclass(frozen=True)
class Placed(Generic[Entry]):
    """An entry of a file, and where it stands."""

    entry: Entry
    file: str
    base: Path
    """The folder of the file: globs begin there."""


@dataclass(frozen=True)
class Effective:
    """The configuration of a scan."""

    config: Config = field(default_factory=Config)
    """Lookup, files and what was given, put together; paths lead from the working directory."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Where each key came from; ``default`` for those not in it."""
    files: tuple[str, ...] = ()
    """The files that were read, the closest last."""
    ignores: tuple[Placed[Ignore], ...] = ()
    suppressions: tuple[Placed[Suppression], ...] = ()
    own: Config = field(default_factory=Config)
    """The configuration before anything was given on top."""
    from_data: bool = False
    """Whether the files lie inside the scanned data, and so may come with it."""
    not_obeyed: tuple[str, ...] = ()
    """Keys that files inside the scanned data may not set."""

    def given(self, values: Mapping[str, Any], origin: str = GIVEN) -> Effective:
        """The same with some keys replaced."""
        told = {key: value for key, value in values.items() if value is not None}
        merged = parse_config(self.config.model_dump(by_alias=True, exclude_unset=True) | told, origin)
        return replace(self, config=merged, origins={**self.origins, **dict.fromkeys(told, origin)})

    def dependence(self, today: datetime.date) -> list[Any]:
        """What a report depends on, as plain values."""
        left_out = {"jobs", "cache_dir", "fail_on", "extend", "baseline"}
        places: list[Placed[Any]] = [*self.ignores, *self.suppressions]
        placed = [[item.file, str(item.base)] for item in places]
        own = self.own.model_dump(mode="json", include={"select", "ignore", "preset"})
        over = [expired(item.entry, today) for item in self.suppressions]
        return [self.config.model_dump(mode="json", exclude=left_out), placed, own, over]


def settle(paths: Sequence[Path] | None, config: Any = None) -> Effective:
    """The configuration for a scan.

    Args:
        paths: what is scanned; None for objects in memory, for which no file is looked for.
        config: a file, a mapping with the same keys, None to look for a file, False for none.

    Raises:
        DatalintError: the file cannot be used, or the paths have different ones.
    """
    if isinstance(config, Effective):
        return config
    if config is False:
        return Effective()
    if config is None:
        # At a URL none is looked for, but here.
        paths = paths and ([path for path in paths if not is_url(str(path))] or [Path()])
        file = _find_all(paths) if paths is not None else None
        if file is None or paths is None:
            return Effective()
        root = file.parent if any(_inside(file.parent, _folder(path)) for path in paths) else None
        return _effective(_Chain(root).of(file), root)
    if isinstance(config, (str, Path)):
        if not os.path.isfile(config):  # noqa: PTH113 - never raises
            raise DatalintError(f"no such configuration file: {config}")
        return _effective(_Chain().of(Path(config).absolute()))
    if not hasattr(config, "keys"):
        raise DatalintError(f"config: a file, a mapping, None or False is wanted, not {type(config).__name__}")
    given, here = dict(config), Path.cwd()
    parsed = parse_config(given, "config")
    chain = _Chain()
    for path in parsed.extend:
        chain.of((here / path).absolute())
    return _effective([*chain.files, _File("config", here, given, parsed)])


def find_config(start: Path) -> Path | None:
    """The configuration file closest to a path, or else to the working directory.

    Looked for in the folder and above it, up to the root of its repository.
    """
    return _above(_folder(start)) or _above(Path.cwd())


def _folder(path: Path) -> Path:
    """The scanned folder, or that of a scanned file."""
    place = Path(os.path.abspath(path))  # noqa: PTH100 - links stay what they are called
    # os.path answers False where a folder may not be looked into; Path raises.
    return place if os.path.isdir(place) else place.parent  # noqa: PTH112


def _inside(path: Path, folder: Path) -> bool:
    """Whether something really lies in a folder, or is that folder."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def _above(folder: Path) -> Path | None:
    for place in (folder, *folder.parents):
        for name in NAMES:
            file = place / name
            if os.path.isfile(file) and (  # noqa: PTH113
                name != PYPROJECT or read_config(file, shown_path(file)) is not None
            ):
                return file
        if os.path.lexists(place / ".git"):
            return None
    return None


def _find_all(paths: Sequence[Path]) -> Path | None:
    found = {find_config(path): path for path in paths}
    if len(found) > 1:
        named = " and ".join(
            f"{path} ({'none' if file is None else shown_path(file)})" for file, path in list(found.items())[:2]
        )
        raise DatalintError(f"different configurations: {named}; scan them one at a time, or name one with --config")
    return next(iter(found))


@dataclass(frozen=True)
class _File:
    shown: str
    base: Path
    data: Mapping[str, Any]
    parsed: Config


class _Chain:
    """A file and the files that it extends, each once, what is extended first."""

    def __init__(self, root: Path | None = None) -> None:
        """Read no file outside `root`, where one is given."""
        self.files: list[_File] = []
        self._root = root
        self._open: dict[Path, str] = {}
        """How those are shown that wait for what they extend, by their real paths."""
        self._done: set[Path] = set()
        self._characters = 0

    def of(self, file: Path, by: str = "") -> list[_File]:
        """All files down to this one, which is extended ``by`` another."""
        shown, real = shown_path(file), Path(os.path.realpath(file))
        if real in self._open:
            names = [*self._open.values(), self._open[real]]
            raise DatalintError(f"{shown} extends itself: {' extends '.join(names[names.index(names[-1]) :])}")
        if real in self._done:
            return self.files
        if self._root is not None and not _inside(real, self._root):
            link = f"{by}: extend: {shown}" if by else f"{shown}"
            raise DatalintError(f"{link} lies outside {shown_path(self._root)}, {_OUTSIDE}")
        if not os.path.isfile(file):  # noqa: PTH113
            raise DatalintError(f"no such configuration file: {shown}")
        read = read_config(file, shown)
        if read is None:
            raise DatalintError(f"{shown} has no table [tool.datalint]")
        data, text = read
        self._characters += len(text)
        if self._characters > MAX_EXTENDED:
            raise DatalintError(f"{shown}: this and the files that extend it are larger than {MAX_EXTENDED >> 20} MB")
        parsed = parse_config(data, shown, text)
        self._open[real] = shown
        if len(self._open) > MAX_NESTED:
            raise DatalintError(f"{shown}: more than {MAX_NESTED} files extend each other")
        for path in parsed.extend:
            self.of(Path(os.path.abspath(file.parent / path)), shown)  # noqa: PTH100
        del self._open[real]
        self._done.add(real)
        self.files.append(_File(shown, file.parent, data, parsed))
        return self.files


def _effective(chain: Sequence[_File], root: Path | None = None) -> Effective:
    """What the files say together; those of ``root`` came with the data."""
    values: dict[str, Any] = {}
    rules: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    not_obeyed: dict[str, None] = {}
    ignores: list[Placed[Ignore]] = []
    suppressions: list[Placed[Suppression]] = []
    for file in chain:
        told = file.parsed.model_dump(by_alias=True, exclude_unset=True, exclude={"extend", "rules"})
        if root is not None:
            not_obeyed |= dict.fromkeys(key for key in MACHINE if told.pop(key, None) is not None)
            if told.get("baseline") and not _inside(file.base / told["baseline"], root):
                raise DatalintError(
                    f"{file.shown}: baseline: {told['baseline']} lies outside {shown_path(root)}, {_OUTSIDE}"
                )
        for key in ("cache-dir", "baseline"):
            if told.get(key):
                told[key] = os.path.relpath(file.base / told[key])
        for key in ("ignores", "suppressions"):
            if key in told:
                told[key] = (*values.get(key, ()), *told[key])
        values |= told
        origins |= dict.fromkeys(told, file.shown)
        for name, table in file.parsed.rules.items():
            own = table.model_dump(exclude_unset=True)
            rules.setdefault(name, {}).update(own)
            origins |= {f"rules.{name}.{key}": file.shown for key in own}
        ignores += [Placed(entry, file.shown, file.base) for entry in file.parsed.ignores]
        suppressions += [Placed(entry, file.shown, file.base) for entry in file.parsed.suppressions]
    if rules:
        values["rules"] = rules
    config = Config.model_validate(values)
    shown = tuple(file.shown for file in chain)
    placed = (tuple(ignores), tuple(suppressions))
    return Effective(config, origins, shown, *placed, config, root is not None, tuple(not_obeyed))


def changes(effective: Effective) -> list[str]:
    """What files inside the scanned data change about a scan, in a few words each that name nothing of the data."""
    if not effective.from_data:
        return []
    config = effective.config
    theirs = {key for key, origin in effective.origins.items() if origin in effective.files}
    found = [
        f"{key} {value}"
        for key, name in (("fail-on", "fail_on"), ("preset", "preset"), ("batch-size", "batch_size"))
        if key in theirs and (value := getattr(config, name)) != Config.model_fields[name].default
    ]
    amounts = ((len(effective.ignores), "ignore"), (len(effective.suppressions), "suppression"))
    found += [counted(amount, noun) for amount, noun in amounts if amount]
    found += ["a baseline"] if "baseline" in theirs and config.baseline else []
    codes = (("select", config.select), ("ignore", config.ignore))
    found += [f"{key} {' '.join(values)}" for key, values in codes if key in theirs and values]
    found += [key for key in ("label", "roles", "task", "splits") if key in theirs]
    for name, table in config.rules.items():
        found += [f"{name} {table.severity}"] if table.severity is not None else []
        found += [f"parameters of {name}"] if table.parameters else []
    return found


def expired(entry: Suppression, today: datetime.date) -> bool:
    """Whether a suppression no longer counts."""
    return entry.expires is not None and entry.expires < today


def rule_options(effective: Effective) -> tuple[dict[str, RuleParams], dict[str, Severity | Literal["off"]]]:
    """Parameters and severities by code of the rule.

    Raises:
        DatalintError: an unknown rule or parameter, or a value that it refuses.
    """
    from datalint.rules.registry import find_any

    params: dict[str, RuleParams] = {}
    severities: dict[str, Severity | Literal["off"]] = {}
    for name, table in effective.config.rules.items():
        where = next((o for key, o in effective.origins.items() if key.startswith(f"rules.{name}.")), "config")
        try:
            rule = find_any(name)
        except DatalintError as error:
            raise DatalintError(f"{where}: rules.{name}: {error}") from error
        if rule.code in severities or rule.code in params:
            raise DatalintError(f"{where}: {rule.code} {rule.name} is set twice, by its code and by its name")
        if table.severity is not None:
            severities[rule.code] = table.severity
        if table.parameters:
            params[rule.code] = _params(rule, table, f"{where}: rules.{name}")
    return params, severities


def rules_of(effective: Effective) -> tuple[list[Rule], dict[str, Severity]]:
    """The rules about data to run with their parameters, and the severities that the user set by code.

    Raises:
        DatalintError: an unknown rule or parameter, or no rule is left.
    """
    from datalint.rules.base import Rule

    return kind_of(Rule, effective)


def kind_of(kind: type[Kind], effective: Effective) -> tuple[list[Kind], dict[str, Severity]]:
    """The rules of one kind to run with their parameters, and the severities that the user set by code.

    Raises:
        DatalintError: an unknown rule or parameter, or no rule is left.
    """
    from datalint.rules.registry import select_kind

    config = effective.config
    params, severities = rule_options(effective)
    off = [code for code, severity in severities.items() if severity == "off"]
    chosen = [
        rule(params.get(rule.code))
        for rule in select_kind(kind, config.select, [*config.ignore, *off])
        if config.preset != "fast" or not rule.trains
    ]
    return chosen, {code: severity for code, severity in severities.items() if severity != "off"}


def _params(rule: type[RuleBase], table: RuleTable, where: str) -> RuleParams:
    from pydantic import ValidationError

    try:
        return rule.Params.model_validate(table.parameters)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = [*rule.Params.model_fields, "severity"]
            raise DatalintError(f"{where}: unknown key {key!r}{nearest(key, known)}") from error
        message = first["msg"]
        raise DatalintError(f"{where}.{key}: {message[:1].lower()}{message[1:]}, not {first['input']!r}") from error


def as_toml(effective: Effective) -> Iterator[str]:
    """The configuration as lines of TOML, each with where it came from as a comment."""
    config = effective.config
    tables: list[str] = []
    yield f"# settings from {', '.join(effective.files) or 'no file'}"
    for key in effective.not_obeyed:
        yield f"# {key} there is not obeyed: the file lies inside the data; --config FILE takes it as yours"
    for key, name in zip(keys_of(Config), Config.model_fields, strict=True):
        if key in {"extend", "rules", "ignores", "suppressions"}:
            continue
        value = getattr(config, name)
        if value is None or value == {}:
            yield f"# {key} is not set"
            continue
        yield f"{key} = {toml_value(value)}  # {effective.origins.get(key, DEFAULT)}"
    for rule, table in config.rules.items():
        tables += ["", f"[rules.{toml_key(rule)}]"]
        for option, value in table.model_dump(exclude_unset=True).items():
            origin = effective.origins.get(f"rules.{rule}.{option}", GIVEN)
            tables.append(f"{toml_key(option)} = {toml_value(value)}  # {origin}")
    placed: list[tuple[str, Placed[Any]]] = [("ignores", item) for item in effective.ignores]
    placed += [("suppressions", item) for item in effective.suppressions]
    for kind, item in placed:
        tables += ["", f"[[{kind}]]  # {item.file}"]
        told = item.entry.model_dump(by_alias=True, exclude_unset=True)
        tables += [f"{toml_key(key)} = {toml_value(value)}" for key, value in told.items()]
    yield from tables


def toml_key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def toml_value(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{toml_key(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inner} }}"
    if isinstance(value, (str, bool)):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return str(value)
