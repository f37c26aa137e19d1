"""Finding the rules: the built-in pack and those of other distributions come through the same door."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from datalint.core.errors import DatalintError
from datalint.core.wording import did_you_mean
from datalint.rules.base import LoopRule, Rule, RuleBase
from datalint.rules.packs import rule_packages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Kind = TypeVar("Kind", bound=RuleBase)


def all_rules() -> list[type[Rule]]:
    """Every rule about data of every pack, by code."""
    return [rule for rule in every_rule() if issubclass(rule, Rule)]


def loop_rules() -> list[type[LoopRule]]:
    """Every rule about training loops of every pack, by code."""
    return [rule for rule in every_rule() if issubclass(rule, LoopRule)]


def every_rule() -> list[type[RuleBase]]:
    """Every rule of every pack, whatever it judges, by code.

    Raises:
        DatalintError: no rule at all (a broken installation), or two rules with one code or name.
    """
    found: dict[str, type[RuleBase]] = {}
    for package in rule_packages():
        for rule in rules_in(package):
            for key in (rule.code, rule.name):
                if found.setdefault(key, rule) is not rule:
                    raise DatalintError(f"two rules are called {key}: {_place(found[key])} and {_place(rule)}")
    if not found:
        raise DatalintError("no rules are installed: install datalint again")
    return sorted(set(found.values()), key=lambda rule: rule.code)


@cache
def rules_in(package: str) -> tuple[type[RuleBase], ...]:
    """The rules of one pack."""
    return tuple(_found(package))


def _found(package: str) -> Iterator[type[RuleBase]]:
    root = importlib.import_module(package)
    for module_info in pkgutil.walk_packages(root.__path__, prefix=f"{package}."):
        if "._" in module_info.name:
            continue
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, RuleBase) and value.__module__ == module.__name__:
                yield value


def _place(rule: type[RuleBase]) -> str:
    return f"{rule.__module__}.{rule.__qualname__}"


def find_rule(key: str) -> type[Rule]:
    """The rule about data with this code or name.

    Raises:
        DatalintError: there is none; the message names the nearest.
    """
    rule = find_any(key)
    if not issubclass(rule, Rule):
        raise DatalintError(f"{rule.code} {rule.name} judges training loops, not data: datalint preflight runs it")
    return rule


def find_any(key: str) -> type[RuleBase]:
    """The rule with this code or name, whatever it judges.

    Raises:
        DatalintError: there is none; the message names the nearest.
    """
    rules = every_rule()
    for rule in rules:
        if key.casefold() in {rule.code.casefold(), rule.name}:
            return rule
    raise unknown_rule(key, ((rule.code, rule.name) for rule in rules))


def select_rules(select: str | Sequence[str] = (), ignore: str | Sequence[str] = ()) -> list[type[Rule]]:
    """The rules about data to run: those that match ``select`` (all stable ones if empty) and do not match ``ignore``.

    A pattern is a code (``ORD101``), a name (``sorted-by-label``) or the beginning of a code (``ORD``); one text may hold
    several, set apart by commas.

    Raises:
        DatalintError: a pattern matches no rule, or nothing is left.
    """
    return select_kind(Rule, select, ignore)


def select_kind(
    kind: type[Kind], select: str | Sequence[str] = (), ignore: str | Sequence[str] = ()
) -> list[type[Kind]]:
    """The rules of one kind to run; patterns may mean rules of other kinds as well.

    Raises:
        DatalintError: a pattern matches no rule, or nothing is left.
    """
    rules = every_rule()
    chosen = matching(select, rules) if select else [rule for rule in rules if rule.stage == "stable"]
    dropped = matching(ignore, rules)
    left = [rule for rule in chosen if rule not in dropped and issubclass(rule, kind)]
    if not left and select and not any(issubclass(rule, kind) for rule in chosen):
        others = (
            "training loops: datalint preflight runs them"
            if issubclass(kind, Rule)
            else "data: datalint scan runs them"
        )
        raise DatalintError(f"no rule is left to run: what is selected judges {others}")
    if not left:
        raise DatalintError("no rule is left to run: what is ignored takes away all that is selected")
    return left


def matching(patterns: str | Iterable[str], rules: Sequence[type[Kind]]) -> list[type[Kind]]:
    """The rules that any of the patterns means.

    Raises:
        DatalintError: a pattern means none; the message names the nearest.
    """
    found: list[type[Kind]] = []
    for pattern in patterns.split(",") if isinstance(patterns, str) else patterns:
        wanted = pattern.strip()
        hits = [r for r in rules if wanted and (r.code.startswith(wanted.upper()) or r.name == wanted.lower())]
        if not hits:
            raise unknown_rule(wanted, ((rule.code, rule.name) for rule in rules), "matches")
        found += hits
    return sorted(set(found), key=lambda rule: rule.code)


def unknown_rule(key: str, names: Iterable[tuple[str, str]], said: str = "is called") -> DatalintError:
    """The error that no rule has a code or a name, with the nearest one there is."""
    hint = did_you_mean(key, [name for pair in names for name in pair]) or "; `datalint rules` lists them"
    return DatalintError(f"no rule {said} {key!r}{hint}")
