"""Some of the loops of the benchmark that no rule was written on: those that rules once missed, or cried wolf at."""

from __future__ import annotations

import pytest
import torch

import datalint
from benchmarks.unseen.broken import BROKEN
from benchmarks.unseen.sound import SOUND

MISSED = (
    "channels_last_viewed",
    "compared_with_itself",
    "divided_twice",
    "everything_frozen",
    "hidden_layers_of_zeros",
    "layer_made_anew",
    "momentum_of_another_framework",
    "plain_tensor_as_weight",
    "rate_of_a_billionth",
    "words_hidden_in_place_of_padding",
)
UNUSUAL = ("vit_smoothed_with_a_warm_up", "slope_of_the_solution", "adapters_of_low_rank", "class_from_padded_words")


@pytest.mark.parametrize("name", MISSED)
def test_a_fault_that_nobody_planted_leads(name: str) -> None:
    make, accepted = BROKEN[name]
    torch.manual_seed(0)
    report = datalint.preflight(*make(), config=False)
    codes = list(dict.fromkeys(f.code for f in report.datasets[0].leading if f.severity != "info"))
    assert codes[0] in accepted
    assert len(codes) <= 2


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_loop_raises_no_alarm(name: str) -> None:
    make = next(make for make in SOUND if make.__name__ == name)
    torch.manual_seed(0)
    report = datalint.preflight(*make(), config=False)
    assert [f.code for f in report.datasets[0].leading if f.severity != "info"] == []
    assert [rule.code for rule in report.datasets[0].rules if rule.status == "failed"] == []
