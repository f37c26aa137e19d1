"""Sound training loops of PyTorch: small real models on data of scikit-learn and on generated data.

None of them may raise a warning or an error, and faults are planted into each that can hold them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn import datasets
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from datalint.loops.torch.planting import TorchLoop

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.core.loops import Target


def adam(lr: float = 1e-3) -> Callable[..., Any]:
    """Adam, whose options may be changed."""
    return lambda parameters, **options: torch.optim.Adam(parameters, **({"lr": lr} | options))


def adamw(lr: float = 1e-3) -> Callable[..., Any]:
    return lambda parameters, **options: torch.optim.AdamW(parameters, **({"lr": lr} | options))


def sgd(lr: float = 0.05, momentum: float = 0.9) -> Callable[..., Any]:
    return lambda parameters, **options: torch.optim.SGD(parameters, **({"lr": lr, "momentum": momentum} | options))


def batches(*tensors: torch.Tensor, size: int = 32) -> DataLoader:
    return DataLoader(TensorDataset(*tensors), batch_size=size, shuffle=True)


# --- data -----------------------------------------------------------------------------------------------------------


@cache
def digits() -> tuple[torch.Tensor, torch.Tensor]:
    X, y = datasets.load_digits(return_X_y=True)
    return torch.tensor((X - X.mean()) / X.std(), dtype=torch.float32), torch.tensor(y)


@cache
def table(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    return torch.tensor(X, dtype=torch.float32), torch.tensor(y)


@cache
def text(words: int = 29, length: int = 24, rows: int = 512) -> torch.Tensor:
    """Sequences of a language in which each word leaves few to follow."""
    rng = np.random.default_rng(0)
    follow = rng.integers(1, words, (words, 3))
    found = np.zeros((rows, length), np.int64)
    found[:, 0] = rng.integers(1, words, rows)
    for k in range(1, length):
        found[:, k] = follow[found[:, k - 1], rng.choice(3, rows, p=[0.8, 0.15, 0.05])]
    return torch.tensor(found)


# --- models ---------------------------------------------------------------------------------------------------------


def mlp(
    inputs: int, outputs: int, hidden: int = 64, *, act: Any = nn.ReLU, norm: bool = False, drop: float = 0.0
) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(inputs, hidden)]
    layers += [nn.BatchNorm1d(hidden)] if norm else []
    layers += [act()]
    layers += [nn.Dropout(drop)] if drop else []
    layers += [nn.Linear(hidden, hidden), act(), nn.Linear(hidden, outputs)]
    return nn.Sequential(*layers)


class Squeezed(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.inner(x).squeeze(-1)


class Block(nn.Module):
    """A residual block."""

    def __init__(self, channels: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.a, self.b = (nn.Conv2d(channels, channels, 3, padding=1, bias=False) for _ in range(2))
        self.m, self.n = norm(channels), norm(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.relu(x + self.n(self.b(nn.functional.relu(self.m(self.a(x))))))


class Grouped(nn.GroupNorm):
    def __init__(self, channels: int) -> None:
        super().__init__(4, channels)


def resnet(classes: int = 10, norm: Callable[[int], nn.Module] = nn.BatchNorm2d, width: int = 16) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1),
        norm(width),
        nn.ReLU(),
        Block(width, norm),
        nn.MaxPool2d(2),
        Block(width, norm),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(width, classes),
    )


# --- the loops ------------------------------------------------------------------------------------------------------


def mlp_digits() -> TorchLoop:
    X, y = digits()
    return _loop("MLP", mlp(64, 10), nn.CrossEntropyLoss(), batches(X, y), adam(), "classes", "cross_entropy")


def mlp_iris_sgd() -> TorchLoop:
    X, y = table("iris")
    model = mlp(4, 3, 32, act=nn.Tanh)
    return _loop("MLP, tanh", model, nn.CrossEntropyLoss(), batches(X, y, size=16), sgd(), "classes", "cross_entropy")


def mlp_binary() -> TorchLoop:
    X, y = table("breast_cancer")
    model = Squeezed(mlp(30, 1, norm=True))
    return _loop(
        "binary",
        model,
        nn.BCEWithLogitsLoss(),
        batches(X, y.float()),
        adam(),
        "labels",
        "binary_cross_entropy_with_logits",
        scalar=True,
    )


def mlp_regression() -> TorchLoop:
    X, y = table("diabetes")
    y = (y - y.mean()) / y.std()
    model = Squeezed(mlp(10, 1))
    return _loop("regression", model, nn.MSELoss(), batches(X, y.float()), adam(), "numbers", "mse_loss", scalar=True)


def cnn_digits() -> TorchLoop:
    X, y = digits()
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.3),
        nn.Linear(32 * 16, 10),
    )
    return _loop(
        "CNN", model, nn.CrossEntropyLoss(), batches(X.view(-1, 1, 8, 8), y), adam(), "classes", "cross_entropy"
    )


def resnet_digits() -> TorchLoop:
    X, y = digits()
    data = batches(X.view(-1, 1, 8, 8), y)
    return _loop("ResNet", resnet(), nn.CrossEntropyLoss(), data, sgd(0.1), "classes", "cross_entropy")


def _loop(
    name: str,
    model: nn.Module,
    loss: Any,
    loader: Any,
    optimizer: Callable[..., Any],
    target: Target,
    criterion: str,
    *,
    scalar: bool = False,
) -> TorchLoop:
    return TorchLoop(name, model, loss, loader, optimizer, target, criterion, scalar)


LOOPS: tuple[Callable[[], TorchLoop], ...] = (
    mlp_digits,
    mlp_iris_sgd,
    mlp_binary,
    mlp_regression,
    cnn_digits,
    resnet_digits,
)


def made(make: Callable[[], TorchLoop], seed: int) -> TorchLoop:
    """A loop with the weights of a seed."""
    torch.manual_seed(seed)
    return make()
