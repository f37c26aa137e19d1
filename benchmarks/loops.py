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


class Convolutional(nn.Module):
    """An encoder and decoder of pictures, for a class at each pixel."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.ReLU()
        )
        self.up = nn.Sequential(nn.ConvTranspose2d(32, 16, 2, stride=2), nn.ReLU())
        self.head = nn.Conv2d(16, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.up(self.down(x)))


class Recurrent(nn.Module):
    """A recurrent network that reads a sequence of numbers, or of tokens."""

    def __init__(self, inputs: int, outputs: int, kind: Any = nn.LSTM, *, words: int = 0, every: bool = False) -> None:
        super().__init__()
        self.table = nn.Embedding(words, inputs) if words else None
        self.rnn = kind(inputs, 48, batch_first=True)
        self.head = nn.Linear(48, outputs)
        self.every = every

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out, _ = self.rnn(x if self.table is None else self.table(x))
        return self.head(out if self.every else out[:, -1])


class TimeFirst(nn.Module):
    """A recurrent network as PyTorch has it: time first, the batch second."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(inputs, 32)
        self.head = nn.Linear(32, outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.rnn(x)[0][-1])


class Encoder(nn.Module):
    """A transformer that reads a sequence and says a class."""

    def __init__(self, words: int, classes: int, length: int = 24, padding: int | None = None) -> None:
        super().__init__()
        self.table = nn.Embedding(words, 32, padding_idx=padding)
        self.places = nn.Parameter(torch.randn(1, length, 32) * 0.02)
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, classes)
        self.padding = padding

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = None if self.padding is None else x == self.padding
        out = self.layers(self.table(x) + self.places[:, : x.shape[1]], src_key_padding_mask=hidden)
        if hidden is None:
            return self.head(out.mean(1))
        kept = (~hidden).unsqueeze(-1).float()
        return self.head((out * kept).sum(1) / kept.sum(1))


class Decoder(nn.Module):
    """A small GPT, with weights that the table of vectors and the last layer share."""

    def __init__(self, words: int, length: int = 24, *, tied: bool = True, width: int = 32) -> None:
        super().__init__()
        self.table = nn.Embedding(words, width)
        self.places = nn.Embedding(length, width)
        layer = nn.TransformerEncoderLayer(width, 4, 2 * width, dropout=0.0, batch_first=True, norm_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, words, bias=False)
        for table in (self.table, self.places):
            nn.init.normal_(table.weight, std=0.02)
        if tied:
            self.head.weight = self.table.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        length = x.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=x.device)
        places = self.places(torch.arange(length, device=x.device))
        return self.head(self.norm(self.layers(self.table(x) + places, mask=mask, is_causal=True)))


class Output(dict[str, Any]):
    """A mapping that also has its members as attributes, as models of ``transformers`` return it."""

    __getattr__ = dict.__getitem__


class Hugging(nn.Module):
    """A classifier that makes its own loss of a mapping, with an attention mask."""

    def __init__(self, words: int, classes: int) -> None:
        super().__init__()
        self.inner = Encoder(words, classes)
        self.classifier = nn.Linear(32, classes)

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor | None = None
    ) -> Output:
        hidden = attention_mask == 0
        out = self.inner.layers(self.inner.table(input_ids) + self.inner.places, src_key_padding_mask=hidden)
        kept = attention_mask.unsqueeze(-1).float()
        logits = self.classifier((out * kept).sum(1) / kept.sum(1))
        loss = None if labels is None else nn.functional.cross_entropy(logits, labels)
        return Output(loss=loss, logits=logits)


class HuggingDecoder(nn.Module):
    """A language model that moves its labels itself."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.inner = Decoder(words)

    def forward(self, input_ids: torch.Tensor, labels: torch.Tensor | None = None) -> Output:
        logits = self.inner(input_ids)
        loss = None
        if labels is not None:
            loss = nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return Output(loss=loss, logits=logits)


class TwoInputs(nn.Module):
    """A model of two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Linear(6, 32), nn.Linear(7, 32), nn.Linear(64, 3)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return self.head(torch.cat([self.a(a), self.b(b)], 1).relu())


class Variational(nn.Module):
    """An autoencoder that draws its code, even in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16))
        self.decode = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, log = self.encode(x).chunk(2, 1)
        return self.decode(mean + torch.randn_like(mean) * (0.5 * log).exp()), mean, log


def elbo(output: tuple[torch.Tensor, torch.Tensor, torch.Tensor], target: torch.Tensor) -> torch.Tensor:
    made, mean, log = output
    divergence = -0.5 * (1 + log - mean.square() - log.exp()).sum(1).mean()
    return nn.functional.mse_loss(made, target) + 0.01 * divergence


class Keyed(torch.utils.data.Dataset):
    """Items that are mappings."""

    def __init__(self, **columns: torch.Tensor) -> None:
        self.columns = columns

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {key: column[index] for key, column in self.columns.items()}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))


# --- the loops ------------------------------------------------------------------------------------------------------


def _loop(
    name: str,
    model: nn.Module,
    loss: Any,
    loader: Any,
    optimizer: Callable[..., Any],
    target: Target,
    criterion: str,
    **more: Any,
) -> TorchLoop:
    return TorchLoop(name, model, loss, loader, optimizer, target, criterion, **more)


def _classes(name: str, model: nn.Module, loader: Any, optimizer: Callable[..., Any], outputs: int = 10) -> TorchLoop:
    return _loop(name, model, nn.CrossEntropyLoss(), loader, optimizer, "classes", "cross_entropy", outputs=outputs)


def _pictures(size: int = 32) -> DataLoader:
    X, y = digits()
    return batches(X.view(-1, 1, 8, 8), y, size=size)


def mlp_digits() -> TorchLoop:
    return _classes("MLP", mlp(64, 10), batches(*digits()), adam())


def mlp_iris_sgd() -> TorchLoop:
    return _classes("MLP, tanh", mlp(4, 3, 32, act=nn.Tanh), batches(*table("iris"), size=16), sgd(), 3)


def mlp_wine_norm() -> TorchLoop:
    return _classes(
        "MLP, batch norm", mlp(13, 3, norm=True, drop=0.3), batches(*table("wine"), size=24), adamw(3e-3), 3
    )


def mlp_functional() -> TorchLoop:
    X, y = digits()
    model = mlp(64, 10, 128, act=nn.GELU)
    return _loop(
        "MLP, functional loss",
        model,
        nn.functional.cross_entropy,
        batches(X, y, size=64),
        adam(),
        "classes",
        "cross_entropy",
        outputs=10,
    )


def mlp_log_softmax() -> TorchLoop:
    model = nn.Sequential(mlp(64, 10), nn.LogSoftmax(1))
    return _loop("MLP, NLL", model, nn.NLLLoss(), batches(*digits()), adam(), "classes", "nll_loss", outputs=10)


def mlp_smoothed() -> TorchLoop:
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    return _loop(
        "MLP, smoothed labels", mlp(64, 10), loss, batches(*digits()), adam(), "classes", "cross_entropy", outputs=10
    )


def mlp_unbalanced() -> TorchLoop:
    X, y = digits()
    rare = (y == 8).long()
    model = mlp(64, 2)
    with torch.no_grad():
        model[-1].bias.copy_(torch.tensor([0.9, 0.1]).log())
    loss = nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))
    return _loop("MLP, unbalanced", model, loss, batches(X, rare), adam(), "classes", "cross_entropy", outputs=2)


def deep_selu() -> TorchLoop:
    layers: list[nn.Module] = []
    for _ in range(12):
        linear = nn.Linear(64, 64)
        nn.init.normal_(linear.weight, std=(1 / 64) ** 0.5)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.SELU()]
    return _classes("deep MLP", nn.Sequential(*layers, nn.Linear(64, 10)), batches(*digits()), adam(3e-4))


def mlp_binary() -> TorchLoop:
    X, y = table("breast_cancer")
    return _loop(
        "binary",
        Squeezed(mlp(30, 1, norm=True)),
        nn.BCEWithLogitsLoss(),
        batches(X, y.float()),
        adam(),
        "labels",
        "binary_cross_entropy_with_logits",
        scalar=True,
    )


def mlp_sigmoid() -> TorchLoop:
    X, y = table("breast_cancer")
    model = nn.Sequential(mlp(30, 1), nn.Sigmoid())
    return _loop(
        "binary, BCE",
        model,
        nn.BCELoss(),
        batches(X, y.float().unsqueeze(1)),
        adam(),
        "labels",
        "binary_cross_entropy",
        scalar=True,
    )


def multi_label() -> TorchLoop:
    X, y = datasets.make_multilabel_classification(600, 20, n_classes=6, random_state=0)
    X = torch.tensor((X - X.mean(0)) / X.std(0), dtype=torch.float32)
    return _loop(
        "multi-label",
        mlp(20, 6),
        nn.BCEWithLogitsLoss(),
        batches(X, torch.tensor(y, dtype=torch.float32)),
        adam(),
        "labels",
        "binary_cross_entropy_with_logits",
        outputs=6,
    )


def _numbers() -> tuple[torch.Tensor, torch.Tensor]:
    X, y = table("diabetes")
    return X, ((y - y.mean()) / y.std()).float()


def mlp_regression() -> TorchLoop:
    return _loop(
        "regression",
        Squeezed(mlp(10, 1)),
        nn.MSELoss(),
        batches(*_numbers()),
        adam(),
        "numbers",
        "mse_loss",
        scalar=True,
    )


def mlp_huber() -> TorchLoop:
    X, y = _numbers()
    return _loop(
        "regression, Huber",
        mlp(10, 1, act=nn.SiLU),
        nn.HuberLoss(),
        batches(X, y.unsqueeze(1)),
        adamw(),
        "numbers",
        "huber_loss",
        scalar=True,
    )


def raw_target() -> TorchLoop:
    X, y = table("diabetes")
    model = mlp(10, 1)
    with torch.no_grad():
        model[-1].bias.fill_(float(y.mean()))
    return _loop(
        "regression, raw target",
        model,
        nn.MSELoss(),
        batches(X, y.float().unsqueeze(1)),
        adam(1e-2),
        "numbers",
        "mse_loss",
        scalar=True,
    )


def several_numbers() -> TorchLoop:
    X, y = datasets.load_linnerud(return_X_y=True)
    rng = np.random.default_rng(0)
    X = np.repeat(X, 12, 0) + rng.normal(0, 1, (240, 3))
    y = np.repeat(y, 12, 0)
    X, y = ((part - part.mean(0)) / part.std(0) for part in (X, y))
    data = batches(torch.tensor(X, dtype=torch.float32), torch.tensor(y, dtype=torch.float32))
    return _loop("several numbers", mlp(3, 3), nn.SmoothL1Loss(), data, adam(), "numbers", "smooth_l1_loss", outputs=3)


def cnn_digits() -> TorchLoop:
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
    return _classes("CNN", model, _pictures(), adam())


def cnn_plain() -> TorchLoop:
    X, y = digits()
    scaled = (X - X.min()) / (X.max() - X.min())
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3),
        nn.ReLU(),
        nn.Conv2d(12, 24, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24 * 16, 64),
        nn.ReLU(),
        nn.Linear(64, 10),
    )
    return _classes("CNN, 0 to 1", model, batches(scaled.view(-1, 1, 8, 8), y, size=48), sgd(0.05))


def resnet_digits() -> TorchLoop:
    return _classes("ResNet", resnet(), _pictures(), sgd(0.1))


def resnet_groups() -> TorchLoop:
    return _classes("ResNet, group norm", resnet(norm=Grouped), _pictures(), adamw())


def resnet_zero() -> TorchLoop:
    model = resnet()
    for part in model.modules():
        if isinstance(part, Block):
            nn.init.zeros_(part.n.weight)
    nn.init.zeros_(model[-1].weight)
    return _classes("ResNet, zeros at the ends", model, _pictures(), sgd(0.1))


def frozen_backbone() -> TorchLoop:
    model = resnet()
    for part in model[:-1].parameters():
        part.requires_grad = False

    def optimizer(parameters: Any, **options: Any) -> Any:
        return torch.optim.Adam([p for p in parameters if p.requires_grad], **({"lr": 1e-2} | options))

    return _classes("frozen backbone", model, _pictures(), optimizer)


def segmentation() -> TorchLoop:
    X, _ = digits()
    pictures = X.view(-1, 1, 8, 8)
    masks = (pictures[:, 0] > 0).long() + (pictures[:, 0] > 1).long()
    return _loop(
        "segmentation",
        Convolutional(3),
        nn.CrossEntropyLoss(),
        batches(pictures, masks),
        adam(3e-3),
        "tokens",
        "cross_entropy",
        outputs=3,
    )


def segmentation_binary() -> TorchLoop:
    X, _ = digits()
    pictures = X.view(-1, 1, 8, 8)
    data = batches(pictures, (pictures > 0.5).float())
    return _loop(
        "segmentation, binary",
        Convolutional(1),
        nn.BCEWithLogitsLoss(),
        data,
        adam(3e-3),
        "labels",
        "binary_cross_entropy_with_logits",
    )


def autoencoder() -> TorchLoop:
    X, _ = digits()
    X = (X - X.min()) / (X.max() - X.min())
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())
    return _loop("autoencoder", model, nn.MSELoss(), batches(X), adam(1e-2), "numbers", "mse_loss", outputs=64)


def variational() -> TorchLoop:
    X, _ = digits()
    return _loop("variational autoencoder", Variational(), elbo, batches(X, X), adam(3e-3), "numbers", "", outputs=64)


def lstm_waves() -> TorchLoop:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 480)
    time = np.arange(20)
    X = np.sin(time * (0.3 + 0.4 * y[:, None]) + rng.uniform(0, 6, (480, 1))) + rng.normal(0, 0.1, (480, 20))
    data = batches(torch.tensor(X[..., None], dtype=torch.float32), torch.tensor(y))
    return _classes("LSTM", Recurrent(1, 3), data, adam(1e-2), 3)


def gru_forecast() -> TorchLoop:
    rng = np.random.default_rng(0)
    X = np.sin(np.arange(21) * 0.5 + rng.uniform(0, 6, (480, 1))) + rng.normal(0, 0.05, (480, 21))
    data = batches(torch.tensor(X[:, :-1, None], dtype=torch.float32), torch.tensor(X[:, -1:], dtype=torch.float32))
    return _loop(
        "GRU, forecast", Recurrent(1, 1, nn.GRU), nn.MSELoss(), data, adam(1e-2), "numbers", "mse_loss", scalar=True
    )


def time_first() -> TorchLoop:
    X, y = digits()

    def collate(items: Any) -> Any:
        inputs, targets = torch.utils.data.default_collate(items)
        return inputs.transpose(0, 1).contiguous(), targets

    data = DataLoader(TensorDataset(X.view(-1, 8, 8), y), batch_size=32, shuffle=True, collate_fn=collate)
    return _classes("GRU, time first", TimeFirst(8, 10), data, adam(1e-2))


def tagging() -> TorchLoop:
    tokens = text()
    data = batches(tokens, tokens % 5)

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(output.flatten(0, 1), target.flatten())

    model = Recurrent(16, 5, words=29, every=True)
    return _loop("tagging", model, loss, data, adam(1e-2), "tokens", "cross_entropy", outputs=5)


def encoder_text() -> TorchLoop:
    tokens = text()
    return _classes("transformer encoder", Encoder(29, 4), batches(tokens, tokens[:, 3] % 4), adam(1e-3), 4)


def encoder_padded() -> TorchLoop:
    tokens = text().clone()
    lengths = torch.randint(6, 24, (len(tokens),), generator=torch.Generator().manual_seed(0))
    tokens[torch.arange(24) >= lengths[:, None]] = 0
    return _classes(
        "transformer encoder, padded", Encoder(29, 4, padding=0), batches(tokens, tokens[:, 2] % 4), adamw(1e-3), 4
    )


def language_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return nn.functional.cross_entropy(output.reshape(-1, output.shape[-1]), target.reshape(-1), ignore_index=-100)


def decoder_text() -> TorchLoop:
    tokens = text()
    data = batches(tokens[:, :-1], tokens[:, 1:])
    return _loop(
        "transformer decoder",
        Decoder(29),
        language_loss,
        data,
        adamw(3e-3),
        "tokens",
        "cross_entropy",
        outputs=29,
        causal=True,
    )


def decoder_padded() -> TorchLoop:
    tokens = text().clone()
    lengths = torch.randint(6, 24, (len(tokens),), generator=torch.Generator().manual_seed(0))
    tokens[torch.arange(24) >= lengths[:, None]] = 0
    targets = tokens[:, 1:].clone()
    targets[targets == 0] = -100
    data = batches(tokens[:, :-1], targets)
    return _loop(
        "transformer decoder, padded",
        Decoder(29, tied=False),
        language_loss,
        data,
        adamw(3e-3),
        "tokens",
        "cross_entropy",
        outputs=29,
        causal=True,
        padded=True,
    )


def rnn_text() -> TorchLoop:
    tokens = text()
    data = batches(tokens[:, :-1], tokens[:, 1:])

    def loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(output.transpose(1, 2), target)

    model = Recurrent(24, 29, nn.GRU, words=29, every=True)
    return _loop("GRU, language", model, loss, data, adam(1e-2), "tokens", "cross_entropy", outputs=29, causal=True)


def hugging_text() -> TorchLoop:
    tokens = text().clone()
    lengths = torch.randint(6, 24, (len(tokens),), generator=torch.Generator().manual_seed(0))
    mask = (torch.arange(24) < lengths[:, None]).long()
    tokens[mask == 0] = 0
    data = DataLoader(
        Keyed(input_ids=tokens, attention_mask=mask, labels=tokens[:, 2] % 4), batch_size=32, shuffle=True
    )
    return _loop("own loss, mapping", Hugging(29, 4), None, data, adamw(1e-3), "classes", "cross_entropy", outputs=4)


def hugging_language() -> TorchLoop:
    tokens = text()
    data = DataLoader(Keyed(input_ids=tokens, labels=tokens), batch_size=32, shuffle=True)
    return _loop(
        "own loss, language",
        HuggingDecoder(29),
        None,
        data,
        adamw(3e-3),
        "tokens",
        "cross_entropy",
        outputs=29,
        causal=True,
    )


def two_inputs() -> TorchLoop:
    X, y = table("wine")
    return _classes("two inputs", TwoInputs(), batches(X[:, :6], X[:, 6:], y, size=16), adam(), 3)


def model_and_batch() -> TorchLoop:
    def loss(model: Any, batch: Any) -> torch.Tensor:
        return nn.functional.cross_entropy(model(batch[0]), batch[1])

    return _loop("loss of model and batch", mlp(64, 10), loss, batches(*digits()), adam(), "classes", "", outputs=10)


def penalised() -> TorchLoop:
    model = mlp(64, 10)

    class Loss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = [model]

        def forward(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            penalty = sum(p.square().sum() for p in self.model[0].parameters())
            return nn.functional.cross_entropy(output, target) + 1e-4 * penalty

    return _loop("penalised", model, Loss(), batches(*digits()), adam(), "classes", "", outputs=10)


LOOPS: tuple[Callable[[], TorchLoop], ...] = (
    mlp_digits,
    mlp_iris_sgd,
    mlp_wine_norm,
    mlp_functional,
    mlp_log_softmax,
    mlp_smoothed,
    mlp_unbalanced,
    deep_selu,
    mlp_binary,
    mlp_sigmoid,
    multi_label,
    mlp_regression,
    mlp_huber,
    raw_target,
    several_numbers,
    cnn_digits,
    cnn_plain,
    resnet_digits,
    resnet_groups,
    resnet_zero,
    frozen_backbone,
    segmentation,
    segmentation_binary,
    autoencoder,
    variational,
    lstm_waves,
    gru_forecast,
    time_first,
    tagging,
    encoder_text,
    encoder_padded,
    decoder_text,
    decoder_padded,
    rnn_text,
    hugging_text,
    hugging_language,
    two_inputs,
    model_and_batch,
    penalised,
)


def made(make: Callable[[], TorchLoop], seed: int) -> TorchLoop:
    """A loop with the weights of a seed."""
    torch.manual_seed(seed)
    return make()
