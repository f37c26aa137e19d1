"""The callback of Lightning in real runs of its Trainer."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING, Any

import lightning.pytorch as pl
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from datalint.core.errors import FindingsError
from datalint.integrations.lightning import Preflight
from tests.integrations.workspace import example

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings("ignore:.*:Warning:lightning")  # of its own


class Net(pl.LightningModule):
    """Two classes, told by the sum of two numbers."""

    def __init__(self, *, twice: bool = False, rate: float = 1e-3) -> None:
        super().__init__()
        self.twice, self.rate, self.steps = twice, rate, 0
        self.net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 2))

    def training_step(self, batch: Any, index: int) -> dict[str, torch.Tensor]:
        inputs, targets = batch
        self.steps += 1
        scores = self.net(inputs)
        loss = nn.functional.cross_entropy(scores.softmax(1) if self.twice else scores, targets)
        self.log("loss", loss, on_epoch=True)
        return {"loss": loss}

    def configure_optimizers(self) -> dict[str, Any]:
        optimizer = torch.optim.Adam(self.parameters(), lr=self.rate)
        return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.StepLR(optimizer, 1)}


def fit(net: Net, callback: Preflight | None, folder: Path) -> Any:
    torch.manual_seed(0)
    inputs = torch.randn(256, 20)
    loader = DataLoader(TensorDataset(inputs, (inputs[:, 0] + inputs[:, 1] > 0).long()), batch_size=32, shuffle=True)
    trainer = pl.Trainer(
        max_epochs=1,
        callbacks=[] if callback is None else [callback],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
        default_root_dir=folder,
    )
    trainer.fit(net, loader)
    return trainer


def test_a_sound_loop_trains_as_without(tmp_path: Path) -> None:
    weights = []
    for callback in (None, Preflight(fail_on="warning")):
        torch.manual_seed(1)
        net = Net()
        fit(net, callback, tmp_path)
        assert net.steps == 8
        weights.append([parameter.detach().clone() for parameter in net.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))
    assert callback is not None and callback.report is not None
    assert callback.report.datasets[0].name == "Net"


def test_a_broken_loop_ends_before_its_first_step(tmp_path: Path) -> None:
    net = Net(twice=True)
    with pytest.raises(FindingsError, match="PRE102") as caught:
        fit(net, Preflight(), tmp_path)
    assert net.steps == 0
    assert caught.value.report is not None and caught.value.report.summary.error == 1


def test_what_need_not_end_the_run_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = Net(twice=True)
    fit(net, Preflight(fail_on="never", select="PRE102"), tmp_path)
    assert net.steps == 8
    assert "PRE102" in capsys.readouterr().err


def test_the_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fit.py").write_text(example("fit.py"), encoding="utf-8")
    runpy.run_path("fit.py")
