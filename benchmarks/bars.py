"""What rules are to reach, and what of it they do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.rates import WANTED, interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MOST_ALARMS = 5.0
"""False alarms per 1,000 clean scans of a rule of warning or error."""

RIGHT, RIGHT_TRAINED = 0.99, 0.8
"""Share of the named samples that are faulty: of rules that count and compare, and of those that train a model."""

SLACK = 0.01
"""Of a comparison with another tool: figures that read the same are the same."""


@dataclass(frozen=True)
class Bar:
    """One bar."""

    text: str
    fails: tuple[str, ...]
    open: tuple[str, ...] = ()
    """What too few trials leave undecided."""
    none: bool = False
    """Nothing was measured for it."""

    @property
    def word(self) -> str:
        """The verdict."""
        return "fails" if self.fails else "not measured" if self.none else "not shown" if self.open else "kept"

    def plain(self) -> dict[str, Any]:
        """As it is written down."""
        return {"bar": self.text, "verdict": self.word, "fails": list(self.fails), "undecided": list(self.open)}


def bars(
    rules: Mapping[str, Mapping[str, Any]], clean: Mapping[str, Any] | None, peers: Mapping[str, Any]
) -> list[Bar]:
    """Every bar with what fails it.

    Args:
        rules: the figures of each, by code.
        clean: clean scans with all rules, and how many were free of warnings and errors.
        peers: what other tools found, by name.
    """
    return [alarms(rules), quiet(clean), detection(rules), naming(rules), beside(peers), sound(rules)]


def alarms(rules: Mapping[str, Mapping[str, Any]]) -> Bar:
    """False alarms of each rule.

    A rule fails if it had more than the bar allows. It keeps the bar if the whole interval lies below it; with fewer scans
    or with alarms that could be chance, nothing is shown.
    """
    fails, undecided = [], []
    for code, item in rules.items():
        if item["severity"] == "info":
            continue
        scans, count, rate = item["clean_scans"], item["false_alarms"], item["false_alarms_per_1000"]
        if rate is not None and rate > MOST_ALARMS:
            fails.append(f"{code}: {count} in {scans:,} ({rate:.1f} per 1,000), e.g. {item['alarms'][0]}")
        elif (most := 1000 * interval(count, scans)[1]) > MOST_ALARMS:
            undecided.append(f"{code}: {count} in {scans:,} (at most {most:.1f} per 1,000)")
    text = f"at most {MOST_ALARMS:g} false alarms per 1,000 clean scans, of every rule of warning or error"
    return Bar(text, tuple(fails), tuple(undecided), not rules)


def quiet(clean: Mapping[str, Any] | None) -> Bar:
    """Whole clean scans."""
    text = f"at least {WANTED:.0%} of the clean scans with all rules are free of warnings and errors"
    if not clean or not clean["scans"]:
        return Bar(text, (), none=True)
    share = clean["free_of_warnings_and_errors"] / clean["scans"]
    fails = [] if share >= WANTED else [f"{share:.1%} of {clean['scans']:,}"]
    return Bar(text, tuple(fails))


def detection(rules: Mapping[str, Mapping[str, Any]]) -> Bar:
    """Planted faults of the documented strength."""
    fails, undecided = [], []
    for code, item in rules.items():
        at = item["detection"].get(f"{item['promise']:g}")
        if at is None or not at["planted"]:
            undecided.append(f"{code}: its fault could be planted nowhere")
        elif at["rate"] < WANTED:
            missed = ", ".join(f"{name} ({n})" for name, n in item["missed"].items())
            fails.append(
                f"{code}: {at['found']} of {at['planted']} at strength {item['promise']:g}; missed in {missed}"
            )
    return Bar(
        f"at least {WANTED:.0%} of the faults of documented strength are found, by every rule",
        tuple(fails),
        tuple(undecided),
        not rules,
    )


def naming(rules: Mapping[str, Mapping[str, Any]]) -> Bar:
    """Whether the named samples are faulty."""
    fails = [
        f"{code}: {item['precision']:.0%}"
        for code, item in rules.items()
        if item["precision"] is not None and item["precision"] < (RIGHT_TRAINED if item["trains"] else RIGHT)
    ]
    text = f"at least {RIGHT:.0%} of the samples that a rule names are faulty ({RIGHT_TRAINED:.0%} where it trains a model)"
    return Bar(text, tuple(fails), none=not rules)


def sound(rules: Mapping[str, Mapping[str, Any]]) -> Bar:
    """Rules that raised an error."""
    fails = tuple(f"{code}: {item['failed']}" for code, item in rules.items() if item["failed"])
    return Bar("no rule breaks down", fails, none=not rules)


def beside(peers: Mapping[str, Any]) -> Bar:
    """Shared checks, each against the tool that does it best."""
    fails, compared = [], 0
    codes = sorted({code for item in peers.values() for code in item.get("rules", ())})
    for code in codes:
        pairs = {name: item["rules"][code] for name, item in peers.items() if code in item.get("rules", {})}
        pairs = {name: pair for name, pair in pairs.items() if pair["peer"]["planted"]}
        if not pairs:
            continue
        compared += 1
        name = max(pairs, key=lambda name: f1(*recall_precision(pairs[name], "peer")))
        ours, theirs = (recall_precision(pairs[name], who) for who in ("datalint", "peer"))
        behind = [
            f"{what} {mine:.2f} against {other:.2f}"
            for what, mine, other in zip(("recall", "precision"), ours, theirs, strict=True)
            if mine < other - SLACK
        ]
        if behind:
            fails.append(f"{code} beside {name}: {' and '.join(behind)}")
    text = "recall and precision at least those of the best other tool, on every check that one shares"
    return Bar(text, tuple(fails), none=not compared)


def recall_precision(pair: Mapping[str, Any], who: str) -> tuple[float, float]:
    """Of the faulty samples, where both sides name samples; else of whole data sets.

    Then recall is the share of faulty data sets in which the fault is found, and precision the share of those told of that
    are faulty, were there as many clean ones as faulty ones.
    """
    item = pair[who]
    if all(pair[side]["precision"] is not None for side in ("peer", "datalint")):
        return item["recall"], item["precision"]
    hits = item["rate"] or 0.0
    false = item["false_alarms"] / item["clean_scans"] if item["clean_scans"] else 0.0
    return hits, hits / (hits + false) if hits + false else 0.0


def f1(recall: float, precision: float) -> float:
    """Harmonic mean of the two."""
    return 2 * recall * precision / (recall + precision) if recall + precision else 0.0


def told(verdicts: Sequence[Bar]) -> str:
    """The verdicts as text, each with what fails."""
    lines = []
    for bar in verdicts:
        lines.append(f"{bar.word.upper()}: {bar.text}")
        lines += [f"    {line}" for line in bar.fails]
        lines += [f"    undecided: {line}" for line in bar.open]
    return "\n".join(lines)
