"""The more samples a fault has, the louder it is told: some rules here, all of them in ``python -m benchmarks.monotone``."""

from __future__ import annotations

import pytest

from benchmarks.monotone import breaks, hosts, loudness
from datalint.rules.registry import find_rule


@pytest.mark.parametrize("code", ["VAL101", "LBL104", "CHT102"])
def test_a_larger_share_is_told_no_more_mildly(code: str) -> None:
    rule = find_rule(code)
    for planted in hosts(rule, 1):
        said = loudness(rule, planted, (0.01, 0.1, 0.6, 1.0))
        assert said[-1] == "error"
        assert not breaks(said)


def test_a_milder_verdict_breaks_the_law() -> None:
    assert not breaks(["none", "info", "warning", "error", "error"])
    assert breaks(["warning", "info"])
    assert breaks(["info", "none"])
