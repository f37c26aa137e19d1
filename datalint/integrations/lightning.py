"""Lightning: try the loop before its first step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lightning.pytorch import Callback

from datalint.integrations.guard import Guard

if TYPE_CHECKING:
    from lightning.pytorch import LightningModule, Trainer


class Preflight(Guard, Callback):
    """Try model, batches and optimizer once, on copies, before ``Trainer.fit`` makes its first step.

    Findings are printed; from ``fail_on`` on they end the run. Where several processes train, the first one looks.
    """

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Try the loop.

        Raises:
            FindingsError: something at or above ``fail_on`` is found.
            DatalintError: the loop cannot be tried.
        """
        if trainer.is_global_zero:
            # Several optimizers take turns, which only the module's own steps know.
            optimizer = trainer.optimizers[0] if len(trainer.optimizers) == 1 else None
            self.look(pl_module, trainer.train_dataloader, optimizer)
