"""Transformers: try the loop before the ``Trainer`` makes its first step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback

from datalint.integrations.guard import Guard

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments


class Preflight(Guard, TrainerCallback):
    """Try model, batches and optimizer once, on copies, before ``Trainer.train`` makes its first step.

    Findings are printed; from ``fail_on`` on they end the run. Where several processes train, the first one looks.
    """

    def on_train_begin(
        self, _args: TrainingArguments, state: TrainerState, _control: TrainerControl, **objects: Any
    ) -> None:
        """Try the loop.

        Raises:
            FindingsError: something at or above ``fail_on`` is found.
            DatalintError: the loop cannot be tried.
        """
        if state.is_world_process_zero:
            optimizer = getattr(objects["optimizer"], "optimizer", objects["optimizer"])  # Accelerate wraps it
            self.look(objects["model"], objects["train_dataloader"], optimizer)
