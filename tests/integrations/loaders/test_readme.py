"""The example of the documentation runs and finds what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tests.integrations.workspace import example

if TYPE_CHECKING:
    import pytest


def test_the_example_of_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    code = example("loaders.py")
    torch.manual_seed(0)
    exec(compile(code, "example", "exec", dont_inherit=True), {"__name__": "example"})
    printed = capsys.readouterr().out
    first, rest = printed.split("a DataLoader of batches of 16, shuffled", 1)
    assert "ORD101" in first
    assert "ORD101" not in rest
    assert "SPL101" in rest  # both loaders give the same samples
    assert "a Hugging Face Dataset of 512 rows" in rest
