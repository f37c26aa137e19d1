"""The callback of Transformers in real runs of its Trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from datalint.core.errors import FindingsError
from datalint.integrations.transformers import Preflight

if TYPE_CHECKING:
    from pathlib import Path

WORDS, LENGTH = 100, 12


class Rows(torch.utils.data.Dataset[Any]):
    """Sequences whose third word says the class."""

    def __init__(self, *, first: int = 0, mask: int = 1) -> None:
        self.first, self.mask = first, mask
        generator = torch.Generator().manual_seed(1)
        self.tokens = torch.randint(5, WORDS, (128, LENGTH), generator=generator)
        self.labels = torch.randint(0, 2, (128,), generator=generator)
        self.tokens[:, 2] = self.labels + 5

    def __len__(self) -> int:
        return len(self.tokens)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {
            "input_ids": self.tokens[index],
            "attention_mask": torch.full((LENGTH,), self.mask),
            "labels": int(self.labels[index]) + self.first,
        }


def train(rows: Rows, callback: Preflight, folder: Path, rate: float = 1e-3) -> Trainer:
    torch.manual_seed(0)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    trainer = Trainer(
        BertForSequenceClassification(BertConfig(vocab_size=WORDS, max_position_embeddings=32, num_labels=2, **size)),
        TrainingArguments(
            output_dir=str(folder / "out"),
            max_steps=2,
            per_device_train_batch_size=16,
            learning_rate=rate,
            report_to=[],
            save_strategy="no",
            use_cpu=True,
            disable_tqdm=True,
        ),
        train_dataset=rows,
        callbacks=[callback],
    )
    trainer.train()
    return trainer


def test_a_sound_loop_trains(tmp_path: Path) -> None:
    callback = Preflight(fail_on="warning")
    assert train(Rows(), callback, tmp_path).state.global_step == 2
    assert callback.report is not None and callback.report.datasets[0].leading == ()


@pytest.mark.parametrize(
    ("rows", "rate", "codes"),
    [
        ({"first": 1}, 1e-3, {"PRE103"}),  # labels 1 and 2 for two outputs: the model itself fails
        ({"mask": 0}, 1e-3, {"PRE133"}),
        ({}, 100.0, {"PRE121", "PRE125"}),  # far too large by either measure, and only one of them leads
    ],
)
def test_a_broken_loop_ends_before_its_first_step(
    rows: dict[str, int], rate: float, codes: set[str], tmp_path: Path
) -> None:
    callback = Preflight(fail_on="warning")
    with pytest.raises(FindingsError):
        train(Rows(**rows), callback, tmp_path, rate)
    assert callback.report is not None
    (leading,) = callback.report.datasets[0].leading
    assert leading.code in codes
