"""Data and models of these loops."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn import datasets
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset

Parts = tuple[Any, Any, Any, Any]
"""Model, loss, loader and optimizer."""


def loop(model: nn.Module, loss: Any, loader: Any, kind: Any = torch.optim.AdamW, **options: Any) -> Parts:
    """A loop whose optimizer has all that is trainable."""
    own = [p for p in model.parameters() if p.requires_grad]
    return model, loss, loader, kind(own, **({"lr": 1e-3} | options))


def batches(*tensors: torch.Tensor, size: int = 24) -> DataLoader[Any]:
    return DataLoader(TensorDataset(*tensors), batch_size=size, shuffle=True)


# --- data -----------------------------------------------------------------------------------------------------------


@cache
def shapes(count: int = 480, side: int = 20) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Coloured pictures from 0 to 1 with a disc, a square, a cross or a ring; their classes and masks."""
    rng = np.random.default_rng(7)
    kinds = rng.integers(0, 4, count)
    down, across = np.mgrid[:side, :side]
    pictures = rng.uniform(0, 0.35, (count, 3, side, side))
    masks = np.zeros((count, side, side), bool)
    for k, kind in enumerate(kinds):
        y, x = rng.integers(6, side - 6, 2)
        size = rng.integers(4, 6)
        far = np.hypot(down - y, across - x)
        box = np.maximum(abs(down - y), abs(across - x))
        arms = (np.minimum(abs(down - y), abs(across - x)) < 2) & (box <= size)
        masks[k] = (far <= size, box <= size, arms, abs(far - size) < 1.2)[kind]
        pictures[k][:, masks[k]] = rng.uniform(0.6, 1, 3)[:, None]
    return torch.tensor(pictures, dtype=torch.float32), torch.tensor(kinds), torch.tensor(masks)


@cache
def signals(count: int = 480, length: int = 48) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Two channels of waves over time, time last; the class of the wave and its frequency, standardised."""
    rng = np.random.default_rng(8)
    kinds = rng.integers(0, 3, count)
    frequency = rng.uniform(0.15, 0.6, count)
    phase = np.arange(length) * frequency[:, None] + rng.uniform(0, 6, (count, 1))
    waves = np.stack([np.sin(phase), np.sign(np.sin(phase)), (phase / np.pi) % 2 - 1])[kinds, np.arange(count)]
    both = np.stack([waves, np.cos(phase)], 1) + rng.normal(0, 0.1, (count, 2, length))
    level = (frequency - frequency.mean()) / frequency.std()
    return (
        torch.tensor(both, dtype=torch.float32),
        torch.tensor(kinds),
        torch.tensor(level, dtype=torch.float32),
    )


@cache
def friedman() -> tuple[torch.Tensor, torch.Tensor]:
    """Ten features and a number of which five say much."""
    X, y = datasets.make_friedman1(640, random_state=9)
    X, y = (X - X.mean(0)) / X.std(0), (y - y.mean()) / y.std()
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


@cache
def blobs(classes: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Sixteen features of classes that lie in several clusters."""
    X, y = datasets.make_classification(
        640, 16, n_informative=10, n_classes=classes, n_clusters_per_class=2, class_sep=1.5, random_state=10
    )
    return torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32), torch.tensor(y)


@cache
def sentences(count: int = 480, length: int = 18, words: int = 41) -> torch.Tensor:
    """Rows of words from 2 on, ended by word 1 and filled with 0."""
    rng = np.random.default_rng(11)
    follow = rng.integers(2, words, (words, 2))
    found = np.zeros((count, length), np.int64)
    for row in found:
        last = rng.integers(2, words)
        end = rng.integers(length // 2, length)
        for k in range(end):
            row[k] = last
            last = follow[last, int(rng.random() < 0.2)]
        row[end] = 1
    return torch.tensor(found)


def next_words(ignored: int | None = -100) -> tuple[torch.Tensor, torch.Tensor]:
    """Sentences and the words that follow; places of padding hold what is ignored."""
    tokens = sentences()
    targets = tokens[:, 1:].clone()
    if ignored is not None:
        targets[targets == 0] = ignored
    return tokens[:, :-1], targets


class Pairs(Dataset[Any]):
    """Inputs with a transform, and targets."""

    def __init__(self, inputs: torch.Tensor, targets: torch.Tensor, transform: Any = None) -> None:
        self.inputs, self.targets, self.transform = inputs, targets, transform

    def __getitem__(self, index: int) -> Any:
        item = self.inputs[index]
        return (item if self.transform is None else self.transform(item)), self.targets[index]

    def __len__(self) -> int:
        return len(self.inputs)


# --- models ---------------------------------------------------------------------------------------------------------


class Attention(nn.Module):
    """Attention written out."""

    def __init__(self, width: int, heads: int = 4, axis: int = -1) -> None:
        super().__init__()
        self.heads, self.axis = heads, axis
        self.whole, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        count, places, width = x.shape
        parts = self.whole(x).view(count, places, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = parts[0] @ parts[1].transpose(-2, -1) / math.sqrt(width // self.heads)
        if mask is not None:
            scores = scores.masked_fill(mask, float("-inf"))
        found = scores.softmax(self.axis) @ parts[2]
        return self.out(found.transpose(1, 2).reshape(count, places, width))


class Layer(nn.Module):
    """A layer of a transformer that normalises first."""

    def __init__(self, width: int, axis: int = -1, drop: float = 0.0) -> None:
        super().__init__()
        self.one, self.two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, axis=axis)
        self.mix = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width), nn.Dropout(drop))

    def forward(self, x: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        x = x + self.attention(self.one(x), mask)
        return x + self.mix(self.two(x))


class ViT(nn.Module):
    """A transformer that reads a picture in patches."""

    def __init__(self, classes: int = 4, width: int = 32, axis: int = -1, drop: float = 0.0) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, width, 5, stride=5)
        self.start = nn.Parameter(torch.zeros(1, 1, width))
        self.places = nn.Parameter(torch.randn(1, 17, width) * 0.02)
        self.layers = nn.ModuleList(Layer(width, axis, drop) for _ in range(3))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.start.expand(len(x), -1, -1), x], 1) + self.places
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x)[:, 0])


def double(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.LeakyReLU(0.1),
    )


class UNet(nn.Module):
    """Down and up again, with what was seen on the way down."""

    def __init__(self, inputs: int = 3, outputs: int = 1) -> None:
        super().__init__()
        self.a, self.b, self.c = double(inputs, 12), double(12, 24), double(24, 24)
        self.d, self.e = double(48, 12), double(24, 12)
        self.head = nn.Conv2d(12, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        a = self.a(x)
        b = self.b(functional.max_pool2d(a, 2))
        c = self.c(functional.max_pool2d(b, 2))
        d = self.d(torch.cat([functional.interpolate(c, scale_factor=2), b], 1))
        return self.head(self.e(torch.cat([functional.interpolate(d, scale_factor=2), a], 1)))


class Small(nn.Module):
    """A net of separable convolutions on coloured pictures."""

    def __init__(self, classes: int = 4, norm: bool = True) -> None:
        super().__init__()

        def part(inputs: int, outputs: int) -> list[nn.Module]:
            return [
                nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs),
                nn.Conv2d(inputs, outputs, 1),
                nn.BatchNorm2d(outputs) if norm else nn.Identity(),
                nn.SiLU(),
            ]

        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3, stride=2, padding=1), nn.SiLU(), *part(16, 32), nn.AvgPool2d(2), *part(32, 48)
        )
        self.fc = nn.Linear(48, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.body(x).mean((2, 3)))


class Causal(nn.Module):
    """Convolutions over time that look back alone."""

    def __init__(self, inputs: int, outputs: int, width: int = 24, scale: float = 1.0) -> None:
        super().__init__()
        self.first = nn.Conv1d(inputs, width, 1)
        self.layers = nn.ModuleList(nn.Conv1d(width, width, 3, dilation=2**k) for k in range(4))
        self.head = nn.Linear(width, outputs)
        self.scale = scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        for k, layer in enumerate(self.layers):
            x = x + self.scale * functional.elu(layer(functional.pad(x, (2 * 2**k, 0))))
        return self.head(x.mean(2))


class Residual(nn.Module):
    """A residual net on tables, with layer normalisation."""

    def __init__(self, inputs: int, outputs: int, width: int = 48, depth: int = 4) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
            for _ in range(depth)
        )
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)
        for block in self.blocks:
            x = x + block(x)
        return self.head(self.norm(x))


class Speller(nn.Module):
    """A language model of an LSTM, whose last layer is the table of vectors."""

    def __init__(self, words: int = 41, width: int = 40, both: bool = False, tied: bool = True) -> None:
        super().__init__()
        self.table = nn.Embedding(words, width, padding_idx=0)
        nn.init.uniform_(self.table.weight, -0.1, 0.1)
        self.drop = nn.Dropout(0.2)
        self.rnn = nn.LSTM(width, width, 2, batch_first=True, bidirectional=both)
        self.squeeze = nn.Linear(2 * width if both else width, width)
        self.head = nn.Linear(width, words)
        if tied:
            self.head.weight = self.table.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, _ = self.rnn(self.drop(self.table(x)))
        return self.head(self.drop(self.squeeze(out)))


def word_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(output.transpose(1, 2), target)


class Reader(nn.Module):
    """A transformer that reads padded sentences and says a class."""

    def __init__(self, words: int = 41, classes: int = 3, width: int = 32, inverted: bool = False) -> None:
        super().__init__()
        self.table = nn.Embedding(words, width)
        self.places = nn.Parameter(torch.randn(1, 18, width) * 0.1)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(width, 4, 64, 0.1, batch_first=True) for _ in range(2))
        self.head = nn.Linear(width, classes)
        self.inverted = inverted

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        hidden = (tokens != 0) if self.inverted else (tokens == 0)
        x = self.table(tokens) + self.places
        for layer in self.layers:
            x = layer(x, src_key_padding_mask=hidden)
        kept = (~hidden).unsqueeze(2).float()
        return self.head((x * kept).sum(1) / kept.sum(1).clamp(min=1))
