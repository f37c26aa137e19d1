"""A preflight in a process of its own, for the command line: what a factory does there cannot hurt its caller."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datalint.core.errors import DatalintError
from datalint.core.temporary import temporary_folder

if TYPE_CHECKING:
    from datalint.config.discovery import Effective
    from datalint.report.models import Report

PATIENCE = 600
"""Seconds that the factory may take to make its objects, and ten times the budget next to them."""


def run_factory(factory: str, *, budget: float, device: str | None, settings: Effective) -> Report:
    """The report of the loop that a function makes, tried in a process of its own.

    Raises:
        DatalintError: there is no such function, or what it makes cannot be tried.
    """
    from datalint.report.models import Report

    module, sign, name = factory.partition(":")
    if not (module and sign and name):
        raise DatalintError(f"{factory!r} is not of the form MODULE:FACTORY, such as train:make_loop")
    config = settings.config.model_dump(mode="json", by_alias=True, exclude_unset=True, include=_COUNTS)
    with temporary_folder() as folder:
        answer = folder / "answer.json"
        told = json.dumps(
            {
                "module": module,
                "name": name,
                "budget": budget,
                "device": device,
                "config": config,
                "answer": str(answer),
            }
        )
        paths = [os.getcwd(), *sys.path]  # noqa: PTH109 - as python -m has it
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, paths)))}
        child = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-m", "datalint.loops.running", told],
            stdout=sys.stderr.fileno() if _has_number(sys.stderr) else subprocess.DEVNULL,
            env=environment,
        )
        try:
            child.wait(PATIENCE + 10 * budget)
        except subprocess.TimeoutExpired as error:
            raise DatalintError(
                f"{factory}: no answer after {PATIENCE + 10 * budget:,.0f} s; it was stopped"
            ) from error
        finally:
            if child.poll() is None:
                child.kill()
                child.wait()
        if not answer.exists():
            why = f"signal {-child.returncode}" if child.returncode < 0 else f"exit status {child.returncode}"
            raise DatalintError(f"{factory}: its process ended without an answer ({why}), perhaps for want of memory")
        said = json.loads(answer.read_text(encoding="utf-8"))
        if "error" in said:
            raise DatalintError(said["error"])
        return Report.model_validate(said["report"])


_COUNTS = {"select", "ignore", "rules"}


def _has_number(stream: Any) -> bool:
    try:
        stream.fileno()
    except (OSError, ValueError, AttributeError):
        return False
    return True


def loop_of(module: str, name: str) -> dict[str, Any]:
    """What a factory makes, by name.

    Raises:
        DatalintError: there is no such function, it fails, or returns something else.
    """
    from importlib import import_module

    from datalint.sources.objects.draw import said

    shown = f"{module}:{name}"
    try:
        made: Any = import_module(module)
    except Exception as error:  # importing runs its owner's code
        raise DatalintError(f"{shown}: the module cannot be imported: {said(error)}") from error
    for part in name.split("."):
        if not hasattr(made, part):
            raise DatalintError(f"{shown}: the module has no {name}")
        made = getattr(made, part)
    if not callable(made):
        raise DatalintError(f"{shown}: a function without arguments is expected, not {type(made).__name__}")
    try:
        parts = made()
    except Exception as error:  # so does calling
        raise DatalintError(f"{shown} fails: {said(error)}") from error
    names = ("model", "loss", "loader", "optimizer")
    if isinstance(parts, dict) and {"model", "loader"} <= set(parts) <= set(names):
        return parts
    if isinstance(parts, (tuple, list)) and len(parts) in {3, 4}:
        return dict(zip(names, parts, strict=False))
    what = f"{len(parts)} values" if isinstance(parts, (tuple, list, dict)) else type(parts).__name__
    raise DatalintError(f"{shown} returns {what}; (model, loss, loader, optimizer) is expected")


def main(told: str) -> None:
    """Try a loop, and write the report or what is wrong into a file."""
    from datalint.loops.preflight import preflight

    asked = json.loads(told)
    try:
        parts = loop_of(asked["module"], asked["name"])
        report = preflight(**parts, budget=asked["budget"], device=asked["device"], config=asked["config"])
        answer: dict[str, Any] = {"report": report.model_dump(mode="json", by_alias=True)}
    except DatalintError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "not enough memory for the loop"}
    Path(asked["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
