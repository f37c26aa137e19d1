"""The configuration file: its keys, and what is said where it is wrong."""

from __future__ import annotations

import datetime  # noqa: TC003 - pydantic needs it at run time
import os
import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from datalint.core.errors import DatalintError, SeveralErrors
from datalint.core.regular import read_regular
from datalint.core.severity import FailOn  # noqa: TC001
from datalint.core.wording import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

MAX_BYTES = 1 << 18
"""A configuration may come with data of unknown origin: a larger one was not written by hand."""

MAX_PARTS = 32
"""Parts of a dotted key: the time to parse one grows with the square of their number, and ours have five at most."""

PYPROJECT = "pyproject.toml"


def _several(value: Any) -> Any:
    """One text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def _codes(value: Any) -> Any:
    """Each text may be several codes, set apart by commas."""
    texts = _several(value)
    if not isinstance(texts, (list, tuple)) or not all(isinstance(text, str) for text in texts):
        return value
    return tuple(code for text in texts for part in text.split(",") if (code := part.strip()))


def _place(value: str) -> str:
    if "\0" in value:
        raise ValueError("a path cannot hold a zero character")
    return value


Patterns = Annotated[tuple[str, ...], BeforeValidator(_several, json_schema_input_type=str | list[str])]
Codes = Annotated[tuple[str, ...], BeforeValidator(_codes, json_schema_input_type=str | list[str])]
Whole = Annotated[int, Field(strict=True)]
Place = Annotated[str, AfterValidator(_place)]
Places = Annotated[tuple[Place, ...], BeforeValidator(_several, json_schema_input_type=str | list[str])]


class Table(BaseModel):
    """Base of the tables of the file: keys with hyphens, unknown ones refused."""

    model_config = ConfigDict(
        defer_build=True,
        frozen=True,
        extra="forbid",
        populate_by_name=True,
        alias_generator=lambda name: name.rstrip("_").replace("_", "-"),
    )


class Ignore(Table):
    """Findings to leave out: those to which everything that is named here applies."""

    rules: Codes = Field((), description="Codes, names or beginnings of codes; all rules if not given.")
    file: Patterns = Field((), description="Globs of files, as in .gitignore, from the folder of this file.")
    column: Patterns = Field((), description="Globs of column names.")
    class_: Patterns = Field((), description="Globs of class names.")
    split: Patterns = Field((), description="Globs of split names.")
    reason: str = Field("", description="Why, for the next reader.")

    @model_validator(mode="after")
    def _names_something(self) -> Ignore:
        if not (self.rules or self.file or self.column or self.class_ or self.split):
            raise ValueError("names nothing to ignore: give rules, file, column, class or split")
        return self

    def __str__(self) -> str:
        """As in the file, on one line."""
        named = self.model_dump(by_alias=True, exclude={"reason"}, exclude_defaults=True)
        return ", ".join(f"{key} {' '.join(values)}" for key, values in named.items())


class Suppression(Table):
    """One finding to leave out, until a day."""

    fingerprint: str = Field(description="Of the finding, as in the JSON report.", pattern=r"^[0-9a-f]{20}(:\d+)?$")
    reason: str = Field(description="Why it is no fault, or may stay.", min_length=1)
    expires: datetime.date | None = Field(None, description="The last day that it counts.")


class RuleTable(Table):
    """What is set for one rule: its parameters, and how severe its findings are."""

    model_config = ConfigDict(defer_build=True, extra="allow")

    severity: Literal["error", "warning", "info", "off"] | None = Field(
        None, description="Of all its findings; off leaves it out."
    )

    @property
    def parameters(self) -> dict[str, Any]:
        """Values by name of the parameter."""
        return {name.replace("-", "_"): value for name, value in (self.model_extra or {}).items()}


class Config(Table):
    """datalint.toml, .datalint.toml, or the table [tool.datalint] of pyproject.toml."""

    extend: Places = Field((), description="Files to begin with, from the folder of this one; its own keys win.")
    select: Codes = Field((), description="Rules to run: codes, names or beginnings of codes; all if not given.")
    ignore: Codes = Field((), description="Rules to leave out, in the same way.")
    label: str | None = Field(None, description="The label column; recognised if not given.")
    roles: dict[Literal["id", "group", "time", "feature", "text", "ignore"], Patterns] = Field(
        {}, description="Globs of columns by what they are; of the others it is recognised. ignore leaves them out."
    )
    task: Literal["classification", "regression"] | None = Field(
        None, description="What is to be predicted; the values of the label decide if not given."
    )
    splits: dict[str, Patterns] = Field({}, description="Globs of the files of each split, below the scanned folder.")
    batch_size: Annotated[Whole, Field(ge=1)] = Field(32, description="Samples per training batch.")
    fail_on: FailOn = Field("error", description="The command fails if there is a finding at least this severe.")
    preset: Literal["fast", "default"] = Field(
        "default", description="fast leaves out the rules that train a model or compare samples with each other."
    )
    memory: Annotated[ByteSize, Field(ge=1 << 20)] = Field(
        ByteSize(10**9), description="Bytes (or 512MB, 2GB) that comparing samples may take."
    )
    cache_dir: Place | None = Field(None, description="Where to keep what was measured, from the folder of this file.")
    jobs: Annotated[Whole, Field(ge=1)] | None = Field(None, description="Processes; as many as pay if not given.")
    baseline: Place | None = Field(None, description="Known findings to leave out, from the folder of this file.")
    rules: dict[str, RuleTable] = Field({}, description="Parameters and severity by code or name of the rule.")
    ignores: tuple[Ignore, ...] = Field((), description="Findings to leave out by place.")
    suppressions: tuple[Suppression, ...] = Field((), description="Findings to leave out one by one.")


TABLES: dict[str, type[Table]] = {"ignores": Ignore, "suppressions": Suppression}


def read_config(path: Path, shown: str) -> tuple[dict[str, Any], str] | None:
    """What a file sets, as it stands there, with its text; None for a ``pyproject.toml`` that says nothing of datalint.

    Raises:
        DatalintError: it cannot be read, or is not TOML.
    """
    try:
        # As Python reads text files: without a byte-order mark, every line ending in "\n".
        text = read_regular(path, MAX_BYTES).decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        if _is_deep(text):
            raise DatalintError(f"{shown} is no configuration: a key has more than {MAX_PARTS} parts")
        data = tomllib.loads(text)
    except OSError as error:
        raise DatalintError(f"cannot read the configuration {shown}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatalintError(f"{shown} is not TOML: it is not written in UTF-8") from error
    except RecursionError as error:
        raise DatalintError(f"{shown} is not TOML: nested too deep") from error
    except tomllib.TOMLDecodeError as error:
        raise DatalintError(_malformed(str(error), shown, text)) from error
    if path.name != PYPROJECT:
        return data, text
    tool = data.get("tool", {})
    table = tool.get("datalint") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise DatalintError(f"{shown}: tool.datalint is not a table")
    return None if table is None else (table, text)


_TOKEN = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*+(?:""")?|'{3}(?:[^']|'(?!''))*+(?:'{3})?'''
    r"""|(?P<part>"(?:[^"\\\n]|\\.)*+"?|'[^'\n]*+'?|[\w-]++|[ \t]++)|(?P<dot>\.)|\#[^\n]*+|.""",
    re.DOTALL,
)
"""Strings of many lines, parts of keys, dots, comments, and the rest: no text takes more than one look."""


def _is_deep(text: str) -> bool:
    """Whether a dotted key has too many parts, looked for without parsing it."""
    if text.count(".") < MAX_PARTS:
        return False
    dots = 0
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "dot":
            dots += 1
            if dots >= MAX_PARTS:
                return True
        elif token.lastgroup is None:
            dots = 0
    return False


def _malformed(said: str, shown: str, text: str) -> str:
    place = re.search(r" \((?:at line (\d+), column (\d+)|at end of document)\)$", said)
    what = said[: place.start()] if place else said
    lines = text.split("\n")
    line, column = (place[1], place[2]) if place and place[1] else (len(lines), len(lines[-1]) + 1)
    return f"{shown}:{line}:{column}: not TOML: {what[:1].lower()}{what[1:]}"


def parse_config(data: Mapping[str, Any], shown: str, text: str = "") -> Config:
    """The configuration that a file or mapping holds; rules and their parameters are not looked up yet.

    Raises:
        DatalintError: an unknown key or a value that makes no sense; the message names the nearest key.
    """
    try:
        return Config.model_validate(dict(data))
    except ValidationError as error:
        said = list(dict.fromkeys(_where(item, shown, text) for item in error.errors()))
        raise (SeveralErrors(said) if len(said) > 1 else DatalintError(said[0])) from error


def _where(error: Any, shown: str, text: str) -> str:
    # A union adds its branches, a validator its name: they are no keys of the file.
    loc = error["loc"]
    # An unknown key is one, whatever it is called.
    keys = loc[-1:] if error["type"] == "extra_forbidden" else ()
    between = loc[: len(loc) - len(keys)]
    place = (*(part for part in between if isinstance(part, int) or _is_key(part)), *keys)
    return f"{shown}{_line(text, place)}: {_said(error, place)}"


def _is_key(part: str) -> bool:
    return not re.search(r"[\[(]", part) and part not in {"str", "int", "tuple"}


def _said(error: Any, place: tuple[str | int, ...]) -> str:
    name = ".".join(f"{part}" if isinstance(part, str) else f"[{part + 1}]" for part in place).replace(".[", "[")
    kind = error["type"]
    if kind == "extra_forbidden":
        key = str(place[-1])
        known = keys_of(TABLES.get(str(place[0]), Config) if len(place) > 1 else Config)
        return f"unknown key {name!r}{nearest(key, known)}"
    if kind == "missing":
        return f"{name} is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    given = "" if isinstance(error["input"], (dict, list, tuple)) else f", not {error['input']!r}"
    wanted = {
        "string_pattern_mismatch": "a fingerprint is 20 digits and letters a to f",
        "byte_size": "a size is wanted, such as 512MB or 2GB",
        "byte_size_unit": "a size is wanted, such as 512MB or 2GB",
        "tuple_type": "a list is wanted",
        "dict_type": "a table is wanted",
        "model_type": "a table is wanted",
        "model_attributes_type": "a table is wanted",
    }
    message = wanted.get(kind, message)
    return f"{name}: {message[:1].lower()}{message[1:]}{given if kind != 'value_error' else ''}"


def _line(text: str, place: tuple[str | int, ...]) -> str:
    """``:LINE`` of a key, where the file has it on one line alone."""
    key = next((part for part in reversed(place) if isinstance(part, str)), None)
    if key is None:
        return ""
    quoted = re.escape(key)
    pattern = re.compile(rf"^\s*(?:\[+.*\b{quoted}\b.*\]+|[\"']?{quoted}[\"']?\s*[.=])")
    lines = [k for k, line in enumerate(text.splitlines(), 1) if pattern.match(line)]
    return f":{lines[0]}" if len(lines) == 1 else ""


def keys_of(table: type[BaseModel]) -> list[str]:
    """The keys of a table as they are written."""
    return [field.alias or name for name, field in table.model_fields.items()]


def nearest(key: str, known: Iterable[str]) -> str:
    """``; did you mean 'select'?``, or all that is known where nothing is near."""
    names = sorted(known)
    return did_you_mean(key, names) or (f"; known are {', '.join(names)}" if names else "")


def shown_path(path: Path) -> str:
    """A path as short as it can be opened from here."""
    here = os.path.relpath(path)
    return str(path) if here.startswith("..") else here.replace(os.sep, "/")


def config_schema() -> dict[str, Any]:
    """The JSON Schema of the file, with the parameters of every installed rule."""
    from datalint.rules.registry import every_rule

    schema = Config.model_json_schema(by_alias=True, mode="validation")
    tables: dict[str, Any] = {}
    for rule in every_rule():
        own = rule.Params.model_json_schema()
        properties = own.get("properties", {}) | {"severity": {"enum": ["error", "warning", "info", "off"]}}
        table: dict[str, Any] = {"title": f"{rule.code} {rule.name}", "description": rule.finds(), "type": "object"}
        table |= {"properties": properties, "additionalProperties": False}
        tables |= {rule.code: table, rule.name: {"$ref": f"#/properties/rules/properties/{rule.code}"}}
        schema.setdefault("$defs", {}).update(own.get("$defs", {}))
    schema["properties"]["rules"] = {
        "description": "Parameters and severity by code or name of the rule.",
        "type": "object",
        "properties": tables,
        "additionalProperties": False,
    }
    schema.get("$defs", {}).pop("RuleTable", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "datalint.toml"} | schema
