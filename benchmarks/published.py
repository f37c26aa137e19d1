"""Training bugs of published studies, rebuilt in PyTorch from their descriptions; none of them is a rule's own plant.

DeepLocalize (Wardat et al. 2021), AutoTrainer (Zhang et al. 2021), UMLAUT (Schoop et al. 2021), NeuraLint (Nikanjam et al. 2021),
TheDeepChecker (Ben Braiek and Khomh 2022), and the studies of programs from Stack Overflow by Zhang et al. (2018) and Islam et
al. (2019, 2020).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.loops import batches, digits, mlp, table

if TYPE_CHECKING:
    from collections.abc import Callable

Parts = tuple[Any, Any, Any, Any]
FAULTS: dict[str, tuple[Callable[[], Parts], frozenset[str]]] = {}
"""By name what makes the loop, and the codes any of which names the cause."""


def fault(name: str, *codes: str) -> Callable[[Callable[[], Parts]], Callable[[], Parts]]:
    """Enter a loop."""

    def enter(make: Callable[[], Parts]) -> Callable[[], Parts]:
        FAULTS[name] = make, frozenset(codes)
        return make

    return enter


def cancer() -> tuple[torch.Tensor, torch.Tensor]:
    X, y = table("breast_cancer")
    return X, y.float().unsqueeze(1)


def diabetes() -> tuple[torch.Tensor, torch.Tensor]:
    X, y = table("diabetes")
    return X, y.float().unsqueeze(1)


def parts(
    model: nn.Module, loss: Any, data: tuple[torch.Tensor, ...], *, kind: Any = torch.optim.Adam, **options: Any
) -> Parts:
    """A loop of a model with an optimizer of all its parameters."""
    return model, loss, batches(*data), kind(model.parameters(), **({"lr": 1e-3} | options))


def changed(model: nn.Module, change: Callable[[str, torch.Tensor], None]) -> nn.Module:
    """The model with other initial weights."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            change(name, parameter)
    return model


@fault("DeepLocalize, UMLAUT: softmax before a loss that makes one", "PRE102")
def softmax_twice() -> Parts:
    return parts(nn.Sequential(mlp(64, 10), nn.Softmax(1)), nn.CrossEntropyLoss(), digits())


@fault("NeuraLint: softmax on a single output", "PRE108", "PRE102")
def softmax_of_one() -> Parts:
    return parts(nn.Sequential(mlp(30, 1), nn.Softmax(1)), nn.BCELoss(), cancer())


@fault("NeuraLint: cross-entropy of a single output", "PRE102")
def one_output() -> Parts:
    X, y = table("breast_cancer")
    return parts(mlp(30, 1), nn.CrossEntropyLoss(), (X, torch.zeros_like(y)))


@fault("UMLAUT: no softmax before the negative log-likelihood", "PRE102")
def no_softmax() -> Parts:
    return parts(mlp(64, 10), nn.NLLLoss(), digits())


@fault("NeuraLint: sigmoid twice", "PRE102")
def sigmoid_twice() -> Parts:
    return parts(nn.Sequential(mlp(30, 1), nn.Sigmoid()), nn.BCEWithLogitsLoss(), cancer())


@fault("Islam: softmax over the batch", "PRE110", "PRE102")
def softmax_of_batch() -> Parts:
    X, y = digits()
    model = nn.Sequential(mlp(64, 10), nn.Softmax(0))
    return parts(model, lambda output, target: nn.functional.nll_loss((output + 1e-9).log(), target), (X, y))


@fault("UMLAUT, DeepLocalize: pixels from 0 to 255", "PRE131")
def raw_pixels() -> Parts:
    X, y = digits()
    X = (X - X.min()) / (X.max() - X.min()) * 255
    return parts(mlp(64, 10), nn.CrossEntropyLoss(), (X.round(), y), kind=torch.optim.SGD, lr=0.01)


@fault("DeepLocalize: features in thousands", "PRE131")
def raw_features() -> Parts:
    X, y = digits()
    return parts(mlp(64, 10, act=nn.Tanh), nn.CrossEntropyLoss(), (3000 * X, y))


@fault("AutoTrainer: oscillating loss, learning rate far too high", "PRE121", "PRE125")
def high_rate() -> Parts:
    return parts(mlp(64, 10), nn.CrossEntropyLoss(), digits(), lr=3.0)


@fault("AutoTrainer: slow convergence, learning rate far too low", "PRE121", "PRE125")
def low_rate() -> Parts:
    return parts(mlp(64, 10), nn.CrossEntropyLoss(), digits(), kind=torch.optim.SGD, lr=1e-7)


@fault("AutoTrainer: vanishing gradient, fourteen sigmoids", "PRE114", "PRE113")
def vanishing() -> Parts:
    layers: list[nn.Module] = []
    for k in range(14):
        layers += [nn.Linear(64 if k == 0 else 32, 32), nn.Sigmoid()]
    return parts(nn.Sequential(*layers, nn.Linear(32, 10)), nn.CrossEntropyLoss(), digits())


@fault("AutoTrainer: exploding gradient, large initial weights in depth", "PRE114", "PRE118")
def exploding() -> Parts:
    layers: list[nn.Module] = []
    for _ in range(10):
        layers += [nn.Linear(64, 64), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    return parts(changed(model, lambda _, p: p.mul_(12) if p.ndim > 1 else None), nn.CrossEntropyLoss(), digits())


@fault("AutoTrainer: dying ReLU", "PRE113", "PRE118")
def dying() -> Parts:
    model = changed(mlp(64, 10), lambda name, p: p.fill_(-20) if name == "0.bias" else None)
    return parts(model, nn.CrossEntropyLoss(), digits())


@fault("TheDeepChecker: weights that begin as zeros", "PRE118")
def zero_weights() -> Parts:
    return parts(changed(mlp(64, 10), lambda _, p: p.zero_()), nn.CrossEntropyLoss(), digits())


@fault("TheDeepChecker: weights that begin the same", "PRE118")
def equal_weights() -> Parts:
    return parts(changed(mlp(64, 10), lambda _, p: p.fill_(0.05)), nn.CrossEntropyLoss(), digits())


@fault("Islam: ReLU behind the last layer of a regression to both signs", "PRE102", "PRE117")
def relu_regression() -> Parts:
    X, y = diabetes()
    return parts(nn.Sequential(mlp(10, 1), nn.ReLU()), nn.MSELoss(), (X, (y - y.mean()) / y.std()))


@fault("DeepLocalize: sigmoid behind a regression to hundreds", "PRE102", "PRE117")
def sigmoid_regression() -> Parts:
    return parts(nn.Sequential(mlp(10, 1), nn.Sigmoid()), nn.MSELoss(), diabetes())


@fault("Stack Overflow: labels that begin at 1", "PRE103")
def labels_from_one() -> Parts:
    X, y = digits()
    return parts(mlp(64, 10), nn.CrossEntropyLoss(), (X, y + 1))


@fault("Stack Overflow: (N, 1) against (N)", "PRE104")
def stretched() -> Parts:
    X, y = table("diabetes")
    return parts(mlp(10, 1), nn.MSELoss(), (X, ((y - y.mean()) / y.std()).float()))


@fault("TheDeepChecker: parameters of another model in the optimizer", "PRE112")
def other_parameters() -> Parts:
    model, other = mlp(64, 10), mlp(64, 10)
    return model, nn.CrossEntropyLoss(), batches(*digits()), torch.optim.Adam(other.parameters())


class Listed(nn.Module):
    """Keeps its hidden layers in a plain list."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden = [nn.Linear(64, 64) for _ in range(3)]
        self.head = nn.Linear(64, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.hidden:
            x = layer(x).relu()
        return self.head(x)


@fault("Stack Overflow: layers in a plain list", "PRE111", "PRE112")
def plain_list() -> Parts:
    return parts(Listed(), nn.CrossEntropyLoss(), digits())


class Detached(nn.Module):
    """Goes through NumPy halfway."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head = mlp(64, 32), nn.Linear(32, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(torch.tensor(self.body(x).detach().numpy()))


@fault("Stack Overflow: through NumPy and back", "PRE111")
def through_numpy() -> Parts:
    return parts(Detached(), nn.CrossEntropyLoss(), digits())


@fault("UMLAUT: dropout of 0.95", "PRE119", "PRE120")
def dropped() -> Parts:
    return parts(mlp(64, 10, drop=0.95), nn.CrossEntropyLoss(), digits())


@fault("TheDeepChecker: weight decay that outweighs the data", "PRE119")
def decayed() -> Parts:
    return parts(mlp(64, 10), nn.CrossEntropyLoss(), digits(), kind=torch.optim.SGD, lr=0.05, weight_decay=5.0)


@fault("Islam: the loss with the wrong sign", "PRE107")
def wrong_sign() -> Parts:
    return parts(mlp(64, 10), lambda output, target: -nn.functional.cross_entropy(output, target), digits())


@fault("Zhang: batches in the order of the labels", "PRE126")
def sorted_batches() -> Parts:
    X, y = digits()
    order = y.argsort(stable=True)
    model = mlp(64, 10)
    loader = DataLoader(TensorDataset(X[order], y[order]), batch_size=32)
    return model, nn.CrossEntropyLoss(), loader, torch.optim.Adam(model.parameters())


@fault("Islam: no activation between layers, on XOR", "PRE117")
def linear_only() -> Parts:
    torch.manual_seed(3)
    X = torch.randn(512, 2)
    y = ((X[:, 0] > 0) ^ (X[:, 1] > 0)).long()
    return parts(mlp(2, 2, act=nn.Identity), nn.CrossEntropyLoss(), (X, y))


@fault("Stack Overflow: view where permute is meant", "PRE137", "PRE110", "PRE127", "PRE117")
def viewed() -> Parts:
    class Viewed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.GRU(8, 48), nn.Linear(48, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out, _ = self.rnn(x.reshape(8, len(x), 8))  # time first, as the layer wants it, but the batch is cut up
            return self.head(out[-1])

    X, y = digits()
    return parts(Viewed(), nn.CrossEntropyLoss(), (X, y))


@fault("TheDeepChecker: statistics of batch normalisation that never arrive", "PRE120")
def stale_statistics() -> Parts:
    X, y = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64, momentum=1e-6), nn.ReLU(), nn.Linear(64, 10))
    return parts(model, nn.CrossEntropyLoss(), (5 * X + 20, y))


@fault("Islam: a sum over the batch as the loss", "PRE105")
def summed() -> Parts:
    return parts(mlp(64, 10), nn.CrossEntropyLoss(reduction="sum"), digits(), kind=torch.optim.SGD, lr=0.05)
