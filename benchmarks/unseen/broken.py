"""Broken loops: for each what makes it, and the codes any of which names the cause."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import BatchSampler, DataLoader, TensorDataset

from benchmarks.unseen.parts import (
    Causal,
    Layer,
    Pairs,
    Parts,
    Reader,
    Residual,
    Small,
    Speller,
    UNet,
    ViT,
    batches,
    blobs,
    friedman,
    loop,
    next_words,
    sentences,
    shapes,
    signals,
    word_loss,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BROKEN: dict[str, tuple[Callable[[], Parts], frozenset[str]]] = {}


def broken(*codes: str) -> Callable[[Callable[[], Parts]], Callable[[], Parts]]:
    """Enter a loop under the name of its function."""

    def enter(make: Callable[[], Parts]) -> Callable[[], Parts]:
        BROKEN[make.__name__] = make, frozenset(codes)
        return make

    return enter


class After(nn.Module):
    """A model and a function of what it returns."""

    def __init__(self, inner: nn.Module, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        self.inner, self.change = inner, change

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        return self.change(self.inner(*inputs))


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    """Standardised, with their classes."""
    X, y, _ = shapes()
    return (X - 0.3) / 0.25, y


# --- the loss ---------------------------------------------------------------------------------------------------------


@broken("PRE102")
def softmax_by_hand() -> Parts:
    model = After(ViT(), lambda out: out.exp() / out.exp().sum(1, keepdim=True))
    return loop(model, nn.CrossEntropyLoss(), batches(*pictures()))


@broken("PRE102")
def sigmoid_twice_at_pixels() -> Parts:
    X, _, masks = shapes()
    model = After(UNet(), lambda out: out.sigmoid())
    return loop(model, nn.BCEWithLogitsLoss(), batches(X, masks.float()[:, None], size=16))


@broken("PRE102", "PRE117")
def rectified_number() -> Parts:
    X, y = friedman()
    model = After(Residual(10, 1), lambda out: functional.relu(out).flatten())
    return loop(model, nn.SmoothL1Loss(), batches(X, y))


@broken("PRE104")
def numbers_against_a_column() -> Parts:
    X, _, level = signals()
    return loop(Causal(2, 1), lambda out, level: (out - level).pow(2).mean(), batches(X, level))


@broken("PRE107")
def loss_as_a_new_tensor() -> Parts:
    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return torch.tensor(functional.cross_entropy(out, target).item(), requires_grad=True)

    return loop(Small(), loss, batches(*pictures()))


@broken("PRE107")
def accuracy_as_the_loss() -> Parts:
    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return 1 - (out.argmax(1) == target).float().mean().requires_grad_()

    return loop(Residual(16, 5), loss, batches(*blobs()))


@broken("PRE107")
def compared_with_itself() -> Parts:
    X, y = friedman()
    return loop(Residual(10, 1), lambda out, _target: functional.mse_loss(out, out.detach()), batches(X, y))


@broken("PRE103")
def one_class_too_few() -> Parts:
    X, y = blobs(5)
    return loop(Residual(16, 4), nn.CrossEntropyLoss(), batches(X, y))


@broken("PRE103")
def minus_one_and_one() -> Parts:
    X, y = blobs(2)
    model = After(Residual(16, 1), lambda out: out[:, 0])
    return loop(model, nn.BCEWithLogitsLoss(), batches(X, 2.0 * y - 1))


@broken("PRE103", "PRE107", "PRE123")
def weights_of_whole_division() -> Parts:
    X, y = blobs(5)
    y = torch.where(torch.arange(len(y)) % 3 > 0, torch.zeros_like(y), y)
    counts = torch.bincount(y)
    return loop(Residual(16, 5), nn.CrossEntropyLoss(weight=(counts.min() // counts).float()), batches(X, y))


@broken("PRE106")
def divergence_that_drowns() -> Parts:
    X, _, masks = shapes()

    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        smooth = (out[..., 1:] - out[..., :-1]).square().sum() * 1e3
        return functional.binary_cross_entropy_with_logits(out, target) + smooth

    return loop(UNet(), loss, batches(X, masks.float()[:, None], size=16))


@broken("PRE123")
def root_of_nothing() -> Parts:
    X, y = blobs(2)

    class Siamese(nn.Module):
        """The distance of two inputs, which may be the same."""

        def __init__(self) -> None:
            super().__init__()
            self.body = Residual(16, 8)

        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return (self.body(a) - self.body(b)).square().sum(1).sqrt()

    other = torch.where(torch.arange(len(X)) % 4 == 0, 0, 1).bool()
    partner = torch.where(other[:, None], X.roll(1, 0), X)
    same = (y == torch.where(other, y.roll(1), y)).float()

    def loss(distance: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
        return (same * distance**2 + (1 - same) * functional.relu(1 - distance) ** 2).mean()

    return loop(Siamese(), loss, batches(X, partner, same))


# --- the model --------------------------------------------------------------------------------------------------------


@broken("PRE110")
def attention_over_the_batch() -> Parts:
    return loop(ViT(axis=0), nn.CrossEntropyLoss(), batches(*pictures()))


@broken("PRE110")
def batch_taken_for_time() -> Parts:
    class Net(nn.Module):
        """A recurrent layer that was not told where the batch is."""

        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.LSTM(2, 32, bidirectional=True), nn.Linear(64, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(x.transpose(1, 2))[0][:, -1])

    X, y, _ = signals()
    return loop(Net(), nn.CrossEntropyLoss(), batches(X, y))


@broken("PRE110")
def scaled_by_the_batch() -> Parts:
    class Net(nn.Module):
        """Centres its features over the batch by itself."""

        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = Residual(16, 32), nn.Linear(32, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = self.a(x)
            return self.b((h - h.mean(0)) / (h.std(0) + 1e-5))

    return loop(Net(), nn.CrossEntropyLoss(), batches(*blobs()))


@broken("PRE137")
def channels_last_viewed() -> Parts:
    X, y = pictures()

    class Net(nn.Module):
        """Gets channels last, and gives them another shape instead of another order."""

        def __init__(self) -> None:
            super().__init__()
            self.body = Small()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x.view(-1, 3, 20, 20))

    return loop(Net(), nn.CrossEntropyLoss(), batches(X.permute(0, 2, 3, 1).contiguous(), y))


@broken("PRE111")
def body_without_gradient() -> Parts:
    class Net(nn.Module):
        """Switches gradients off to save memory."""

        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = Residual(10, 24), nn.Linear(24, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            with torch.no_grad():
                h = self.body(x)
            return self.head(h)[:, 0]

    return loop(Net(), nn.MSELoss(), batches(*friedman()))


@broken("PRE111")
def data_in_the_middle() -> Parts:
    class Net(nn.Module):
        """Takes the data of one of its two halves."""

        def __init__(self) -> None:
            super().__init__()
            self.table, self.one, self.two = nn.Embedding(41, 24, 0), nn.GRU(24, 24, batch_first=True), nn.Linear(24, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out = self.one(self.table(x))[0].max(1)[0]
            return self.two(out.data)

    tokens = sentences()
    return loop(Net(), nn.CrossEntropyLoss(), batches(tokens, tokens[:, 0] % 3))


@broken("PRE111", "PRE112")
def everything_frozen() -> Parts:
    model = Small()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model, nn.CrossEntropyLoss(), batches(*pictures()), optimizer


@broken("PRE111")
def layer_made_anew() -> Parts:
    class Net(nn.Module):
        """Makes its last layer at each call."""

        def __init__(self) -> None:
            super().__init__()
            self.body = Residual(16, 24)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.Linear(24, 5)(self.body(x))

    return loop(Net(), nn.CrossEntropyLoss(), batches(*blobs()))


@broken("PRE111")
def plain_tensor_as_weight() -> Parts:
    class Net(nn.Module):
        """Has a weight that is no parameter."""

        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(16, 32)
            self.mix = torch.randn(32, 32, requires_grad=True)
            self.last = nn.Linear(32, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(functional.gelu(functional.gelu(self.first(x)) @ self.mix / 32**0.5))

    return loop(Net(), nn.CrossEntropyLoss(), batches(*blobs()))


@broken("PRE117", "PRE108", "PRE131")
def drowned_in_noise() -> Parts:
    class Net(nn.Module):
        """Adds noise to its features that hides them."""

        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = Residual(16, 24), nn.Linear(24, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            h = self.body(x)
            h += 200 * torch.randn_like(h)
            return self.head(h)

    return loop(Net(), nn.CrossEntropyLoss(), batches(*blobs()))


@broken("PRE120", "PRE119")
def dropout_that_never_sleeps() -> Parts:
    X, y = blobs()
    return loop(After(Residual(16, 5), lambda out: functional.dropout(out, 0.5)), nn.CrossEntropyLoss(), batches(X, y))


@broken("PRE119")
def dropout_of_what_is_kept() -> Parts:
    return loop(ViT(drop=0.95), nn.CrossEntropyLoss(), batches(*pictures()))


@broken("PRE120")
def momentum_of_another_framework() -> Parts:
    model = nn.Sequential(nn.Linear(16, 48), nn.BatchNorm1d(48, momentum=0.99), nn.CELU(), nn.Linear(48, 5))
    return loop(model, nn.CrossEntropyLoss(), batches(*blobs(), size=8))


@broken("PRE118", "PRE111")
def hidden_layers_of_zeros() -> Parts:
    model = Causal(2, 3)
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    X, y, _ = signals()
    return loop(model, nn.CrossEntropyLoss(), batches(X, y))


@broken("PRE118", "PRE113")
def weights_of_deviation_one() -> Parts:
    model = nn.Sequential(
        nn.Linear(16, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 200), nn.Tanh(), nn.Linear(200, 5)
    )
    for parameter in model.parameters():
        nn.init.normal_(parameter)
    return loop(model, nn.CrossEntropyLoss(), batches(*blobs()))


@broken("PRE114", "PRE101", "PRE118")
def branches_that_add_up() -> Parts:
    class Net(nn.Module):
        """Forty branches of weight 3 without any normalisation."""

        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Linear(16, 32), nn.Linear(32, 5)
            self.layers = nn.ModuleList(nn.Linear(32, 32) for _ in range(40))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.first(x)
            for layer in self.layers:
                x = x + 3 * functional.relu(layer(x))
            return self.head(x)

    return loop(Net(), nn.CrossEntropyLoss(), batches(*blobs()))


# --- the optimizer ------------------------------------------------------------------------------------------------------


@broken("PRE112")
def head_after_the_optimizer() -> Parts:
    model = Small(classes=100)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    model.fc = nn.Linear(48, 4)
    return model, nn.CrossEntropyLoss(), batches(*pictures()), optimizer


@broken("PRE121", "PRE125")
def rate_of_ten() -> Parts:
    return loop(ViT(), nn.CrossEntropyLoss(), batches(*pictures()), lr=10.0)


@broken("PRE121", "PRE125")
def rate_of_a_billionth() -> Parts:
    X, _, level = signals()
    model = After(Causal(2, 1), lambda out: out[:, 0])
    return loop(model, nn.L1Loss(), batches(X, level), lr=1e-9)


@broken("PRE121", "PRE125", "PRE122")
def scheduler_that_ends_at_once() -> Parts:
    model, loss, loader, optimizer = loop(Residual(16, 5), nn.CrossEntropyLoss(), batches(*blobs()), torch.optim.Adam)
    torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 1e-9 / (1 + epoch))
    return model, loss, loader, optimizer


@broken("PRE121", "PRE125")
def clipped_to_nothing() -> Parts:
    class Clipped(torch.optim.SGD):
        """Clips the norm of the gradient to a millionth."""

        def step(self, closure: Any = None) -> Any:
            nn.utils.clip_grad_norm_([p for group in self.param_groups for p in group["params"]], 1e-6)
            return super().step(closure)

    return loop(Small(), nn.CrossEntropyLoss(), batches(*pictures()), Clipped, lr=0.05)


# --- the data ----------------------------------------------------------------------------------------------------------


@broken("PRE131")
def bytes_as_they_are() -> Parts:
    X, y, _ = shapes()
    return loop(Small(norm=False), nn.CrossEntropyLoss(), batches((X * 255).round(), y))


@broken("PRE131")
def divided_twice() -> Parts:
    X, y, _ = shapes()
    return loop(ViT(), nn.CrossEntropyLoss(), batches(X / 255, y))


@broken("PRE127")
def targets_shuffled_alone() -> Parts:
    X, y = blobs()

    def collate(items: Any) -> Any:
        inputs, targets = torch.utils.data.default_collate(items)
        return inputs, targets[torch.randperm(len(targets))]

    loader = DataLoader(TensorDataset(X, y), batch_size=24, shuffle=True, collate_fn=collate)
    return loop(Residual(16, 5), nn.CrossEntropyLoss(), loader)


@broken("PRE126")
def sampler_by_class() -> Parts:
    X, y = pictures()
    order = torch.argsort(y, stable=True).tolist()
    loader: Any = DataLoader(TensorDataset(X, y), batch_sampler=BatchSampler(order, 16, drop_last=True))
    return loop(Small(), nn.CrossEntropyLoss(), loader)


@broken("PRE126")
def batch_that_never_changes() -> Parts:
    class Stuck:
        """Begins anew at each step."""

        def __init__(self, loader: Any) -> None:
            self.loader = loader

        def __iter__(self) -> Iterator[Any]:
            for _ in range(20):
                yield next(iter(self.loader))

    X, _, level = signals()
    model = After(Causal(2, 1), lambda out: out[:, 0])
    return loop(model, nn.MSELoss(), Stuck(DataLoader(TensorDataset(X, level), batch_size=24)))


@broken("PRE129")
def workers_of_one_seed() -> Parts:
    X, y = pictures()

    def noise(picture: torch.Tensor) -> torch.Tensor:
        return picture + torch.from_numpy(np.random.normal(0, 0.1, picture.shape).astype("float32"))

    loader: Any = DataLoader(
        Pairs(X, y, noise), batch_size=24, shuffle=True, num_workers=2, worker_init_fn=lambda _worker: np.random.seed(0)
    )
    return loop(Small(), nn.CrossEntropyLoss(), loader)


@broken("PRE130")
def features_in_any_order() -> Parts:
    X, y = blobs(2)
    X = X + 2 * (2.0 * y[:, None] - 1) * torch.linspace(-1, 1, 16)
    loader: Any = DataLoader(Pairs(X, y, lambda row: row[torch.randperm(16)]), batch_size=24, shuffle=True)
    return loop(Residual(16, 2), nn.CrossEntropyLoss(), loader)


@broken("PRE132")
def table_without_the_last_words() -> Parts:
    tokens = sentences()
    return loop(Reader(words=40), nn.CrossEntropyLoss(), batches(tokens, tokens[:, 0] % 3))


@broken("PRE133")
def words_hidden_in_place_of_padding() -> Parts:
    tokens = sentences()
    return loop(Reader(inverted=True), nn.CrossEntropyLoss(), batches(tokens, tokens[:, 0] % 3))


@broken("PRE134")
def reads_both_ways() -> Parts:
    return loop(Speller(both=True), word_loss, batches(*next_words()))


@broken("PRE134")
def mask_of_the_past() -> Parts:
    class Net(nn.Module):
        """Hides what came before in place of what comes."""

        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(41, 32, 0), nn.Linear(32, 41)
            self.layers = nn.ModuleList(Layer(32) for _ in range(2))

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            x = self.table(tokens)
            mask = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril(-1)
            for layer in self.layers:
                x = layer(x, mask)
            return self.head(x)

    return loop(Net(), word_loss, batches(*next_words()))


@broken("PRE135")
def padding_is_learnt() -> Parts:
    return loop(Speller(), word_loss, batches(*next_words(ignored=None)), lr=5e-3)
