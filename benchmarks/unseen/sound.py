"""Sound loops that look unusual: nothing is wrong with them, and nothing may be said."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.unseen.parts import (
    Causal,
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
    from collections.abc import Callable

SOUND: list[Callable[[], Parts]] = []


def sound(make: Callable[[], Parts]) -> Callable[[], Parts]:
    """Enter a loop."""
    SOUND.append(make)
    return make


def pictures() -> tuple[torch.Tensor, torch.Tensor]:
    X, y, _ = shapes()
    return (X - 0.3) / 0.25, y


@sound
def vit_smoothed_with_a_warm_up() -> Parts:
    made = loop(ViT(drop=0.1), nn.CrossEntropyLoss(label_smoothing=0.1), batches(*pictures()), weight_decay=0.05)
    torch.optim.lr_scheduler.LinearLR(made[3], start_factor=1e-3, total_iters=500)
    return made


@sound
def focal_loss() -> Parts:
    X, y = blobs()

    def focal(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        told = functional.log_softmax(out, 1).gather(1, target[:, None])[:, 0]
        return (-((1 - told.exp()) ** 2) * told).mean()

    return loop(Residual(16, 5), focal, batches(X, y))


@sound
def vae_of_sums() -> Parts:
    X, _, _ = shapes()

    class Net(nn.Module):
        """Convolutions to a code with noise, and back."""

        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Sequential(nn.Conv2d(3, 16, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(1600, 32))
            self.up = nn.Sequential(nn.Linear(16, 1600), nn.ReLU(), nn.Unflatten(1, (16, 10, 10)))
            self.out = nn.ConvTranspose2d(16, 3, 4, 2, 1)

        def forward(self, x: torch.Tensor) -> Any:
            mean, log = self.down(x).chunk(2, 1)
            return self.out(self.up(mean + torch.randn_like(mean) * (log / 2).exp())).sigmoid(), mean, log

    def loss(made: Any, x: torch.Tensor) -> torch.Tensor:
        again = functional.binary_cross_entropy(made[0], x, reduction="sum")
        return (again - 0.5 * (1 + made[2] - made[1] ** 2 - made[2].exp()).sum()) / len(x)

    return loop(Net(), loss, batches(X, X))


@sound
def contrast_of_two_views() -> Parts:
    X, _ = pictures()

    def info_nce(out: torch.Tensor, _target: torch.Tensor) -> torch.Tensor:
        whole = functional.normalize(out, dim=1)
        near = (whole @ whole.T / 0.5).masked_fill(torch.eye(len(whole), dtype=torch.bool), -1e9)
        half = len(whole) // 2
        return functional.cross_entropy(near, torch.arange(len(whole)).roll(half))

    def collate(items: Any) -> Any:
        one = torch.stack([item[0] for item in items])
        two = one.flip(3) + 0.1 * torch.randn_like(one)
        return torch.cat([one, two]), torch.arange(2 * len(one))

    return loop(Small(32), info_nce, DataLoader(TensorDataset(X), batch_size=24, shuffle=True, collate_fn=collate))


@sound
def ctc() -> Parts:
    X, y, _ = signals()

    class Net(nn.Module):
        """Letters at each time."""

        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.GRU(2, 32, batch_first=True, bidirectional=True), nn.Linear(64, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.rnn(x.transpose(1, 2))[0]).log_softmax(2)

    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        lengths = torch.full((len(out),), out.shape[1])
        return functional.ctc_loss(out.transpose(0, 1), target, lengths, torch.full((len(out),), 3))

    return loop(Net(), loss, batches(X, torch.stack([y + 1, (y + 1) % 3 + 1, y + 1], 1)), lr=3e-3)


@sound
def triplets() -> Parts:
    X, y = blobs()
    order = torch.argsort(y, stable=True)
    X, y = X[order], y[order]
    positive = torch.arange(len(X)).roll(-1)
    negative = torch.arange(len(X)).roll(len(X) // 2)

    class Net(nn.Module):
        """One body for three inputs."""

        def __init__(self) -> None:
            super().__init__()
            self.body = Residual(16, 12)

        def forward(self, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> Any:
            return self.body(a), self.body(b), self.body(c)

    def loss(made: Any, _target: torch.Tensor) -> torch.Tensor:
        return functional.triplet_margin_loss(*made, margin=1.0)

    return loop(Net(), loss, batches(X, X[positive], X[negative], y))


@sound
def dice() -> Parts:
    X, _, masks = shapes()

    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        share = out.sigmoid()
        dice = 1 - (2 * (share * target).sum((1, 2, 3)) + 1) / (share.sum((1, 2, 3)) + target.sum((1, 2, 3)) + 1)
        return dice.mean() + functional.binary_cross_entropy_with_logits(out, target)

    return loop(UNet(), loss, batches(X, masks.float()[:, None], size=16), lr=3e-3)


@sound
def noise_taken_away() -> Parts:
    X, _ = pictures()

    class Net(nn.Module):
        """Says the noise that is in a picture."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = UNet(3, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x - self.inner(x)

    generator = torch.Generator().manual_seed(1)
    noisy = X + 0.5 * torch.randn(X.shape, generator=generator)
    return loop(Net(), nn.L1Loss(), batches(noisy, X, size=16))


@sound
def quantiles() -> Parts:
    X, y = friedman()

    def pinball(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        at = torch.tensor([0.1, 0.5, 0.9])
        miss = target[:, None] - out
        return torch.maximum(at * miss, (at - 1) * miss).mean()

    return loop(Residual(10, 3), pinball, batches(X, y))


@sound
def counts() -> Parts:
    X, y = friedman()
    many = torch.poisson(torch.exp(1 + y / 2), generator=torch.Generator().manual_seed(0))
    return loop(Residual(10, 1), nn.PoissonNLLLoss(), batches(X, many[:, None]))


@sound
def number_with_its_variance() -> Parts:
    X, y = friedman()

    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.gaussian_nll_loss(out[:, 0], target, functional.softplus(out[:, 1]) + 1e-4)

    return loop(Residual(10, 2), loss, batches(X, y))


@sound
def mixture_of_densities() -> Parts:
    X, y = friedman()

    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        share, mean, log = out.chunk(3, 1)
        told = -0.5 * ((target[:, None] - mean) / log.exp()) ** 2 - log - 0.92
        return -torch.logsumexp(share.log_softmax(1) + told, 1).mean()

    return loop(Residual(10, 9), loss, batches(X, y))


@sound
def two_tasks() -> Parts:
    X, kind, level = signals()

    class Net(nn.Module):
        """One body, a class and a number."""

        def __init__(self) -> None:
            super().__init__()
            self.body, self.kind, self.level = Causal(2, 24), nn.Linear(24, 3), nn.Linear(24, 1)

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            h = self.body(x).relu()
            return {"kind": self.kind(h), "level": self.level(h)[:, 0]}

    def loss(made: dict[str, torch.Tensor], target: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
        return functional.cross_entropy(made["kind"], target[0]) + 0.5 * functional.mse_loss(made["level"], target[1])

    return loop(Net(), loss, batches(X, kind, level))


@sound
def tied_speller() -> Parts:
    return loop(Speller(), word_loss, batches(*next_words()), lr=5e-3)


@sound
def masked_words() -> Parts:
    tokens = sentences()

    class Net(nn.Module):
        """Says the words that are hidden."""

        def __init__(self) -> None:
            super().__init__()
            self.table, self.places = nn.Embedding(42, 32, 0), nn.Parameter(torch.randn(18, 32) * 0.02)
            self.layer = nn.TransformerEncoderLayer(32, 4, 64, 0.1, batch_first=True, norm_first=True)
            self.head = nn.Linear(32, 42)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.layer(self.table(x) + self.places, src_key_padding_mask=x == 0))

    generator = torch.Generator().manual_seed(0)
    hidden = (torch.rand(tokens.shape, generator=generator) < 0.15) & (tokens > 1)
    return loop(Net(), word_loss, batches(tokens.masked_fill(hidden, 41), tokens.masked_fill(~hidden, -100)))


@sound
def translation() -> Parts:
    tokens = sentences()

    class Net(nn.Module):
        """An encoder and a decoder that gets what came before."""

        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Embedding(41, 32, 0)
            self.net = nn.Transformer(32, 4, 1, 1, 64, 0.0, batch_first=True)
            self.head = nn.Linear(32, 41)

        def forward(self, source: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
            mask = nn.Transformer.generate_square_subsequent_mask(before.shape[1])
            out = self.net(
                self.table(source),
                self.table(before),
                tgt_mask=mask,
                src_key_padding_mask=(source == 0).float().masked_fill(source == 0, float("-inf")),
            )
            return self.head(out)

    other = torch.where(tokens > 1, (tokens * 3) % 39 + 2, tokens)
    before = torch.cat([torch.full((len(other), 1), 1), other[:, :-1]], 1)
    return loop(Net(), word_loss, batches(tokens, before, other.masked_fill(other == 0, -100)))


@sound
def head_on_a_frozen_body() -> Parts:
    model = Small()
    for parameter in model.body.parameters():
        parameter.requires_grad_(False)
    model.body.eval()
    return loop(model, nn.CrossEntropyLoss(), batches(*pictures()), torch.optim.SGD, lr=0.1, momentum=0.9)


@sound
def adapters_of_low_rank() -> Parts:
    class Adapter(nn.Module):
        """A frozen layer, and two thin ones of which the second begins at zero."""

        def __init__(self, inner: nn.Linear) -> None:
            super().__init__()
            self.inner = inner.requires_grad_(False)
            self.a = nn.Parameter(torch.randn(4, inner.in_features) / inner.in_features**0.5)
            self.b = nn.Parameter(torch.zeros(inner.out_features, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x) + x @ self.a.T @ self.b.T * 2

    model = ViT().requires_grad_(False)
    for layer in model.layers:
        layer.attention.whole = Adapter(layer.attention.whole)
        layer.attention.out = Adapter(layer.attention.out)
    model.head.requires_grad_(True)
    return loop(model, nn.CrossEntropyLoss(), batches(*pictures()), lr=3e-3)


@sound
def checkpoints() -> Parts:
    class Net(nn.Module):
        """Computes its blocks twice to save memory."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = Residual(16, 5, depth=6)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.inner.first(x)
            for block in self.inner.blocks:
                x = x + checkpoint(block, x, use_reentrant=False)
            return self.inner.head(self.inner.norm(x))

    return loop(Net(), nn.CrossEntropyLoss(), batches(*blobs()))


@sound
def angles_with_a_margin() -> Parts:
    class Net(nn.Module):
        """Says the cosine to each class."""

        def __init__(self) -> None:
            super().__init__()
            self.body, self.classes = Residual(16, 24), nn.Parameter(torch.randn(5, 24))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return functional.normalize(self.body(x), dim=1) @ functional.normalize(self.classes, dim=1).T

    def loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        margin = 0.35 * functional.one_hot(target, 5)
        return functional.cross_entropy(16 * (out - margin), target)

    return loop(Net(), loss, batches(*blobs()))


@sound
def codes_of_a_book() -> Parts:
    X, _ = friedman()

    class Net(nn.Module):
        """Replaces each code by the nearest of a book, and hands the gradient on."""

        def __init__(self) -> None:
            super().__init__()
            self.down, self.up = Residual(10, 8, depth=1), Residual(8, 10, depth=1)
            self.book = nn.Embedding(16, 8)

        def forward(self, x: torch.Tensor) -> Any:
            code = self.down(x)
            near = self.book(torch.cdist(code, self.book.weight).argmin(1))
            return self.up(code + (near - code).detach()), code, near

    def loss(made: Any, x: torch.Tensor) -> torch.Tensor:
        again, code, near = made
        own = functional.mse_loss(near, code.detach()) + 0.25 * functional.mse_loss(code, near.detach())
        return functional.mse_loss(again, x) + own

    return loop(Net(), loss, batches(X, X), lr=3e-3)


@sound
def taught_by_another() -> Parts:
    teacher = Residual(16, 5)
    for parameter in teacher.parameters():
        parameter.requires_grad_(False)

    def loss(model: nn.Module, batch: Any) -> torch.Tensor:
        out = model(batch[0])
        with torch.no_grad():
            wanted = teacher(batch[0])
        soft = functional.kl_div((out / 2).log_softmax(1), (wanted / 2).softmax(1), reduction="batchmean")
        return functional.cross_entropy(out, batch[1]) + 4 * soft

    return loop(Residual(16, 5, depth=1), loss, batches(*blobs()))


@sound
def slope_of_the_solution() -> Parts:
    points = torch.linspace(0, 1, 480)[:, None]

    def loss(model: nn.Module, batch: Any) -> torch.Tensor:
        x = batch[0].clone().requires_grad_()
        u = model(x)
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return (slope + 2 * u).square().mean() + (model(torch.zeros(1, 1)) - 1).square().mean()

    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))
    return loop(model, loss, batches(points, torch.exp(-2 * points)))


@sound
def mixed_up() -> Parts:
    X, y = pictures()

    def collate(items: Any) -> Any:
        inputs, targets = torch.utils.data.default_collate(items)
        share, order = float(np.random.beta(0.4, 0.4)), torch.randperm(len(inputs))
        soft = functional.one_hot(targets, 4).float()
        return share * inputs + (1 - share) * inputs[order], share * soft + (1 - share) * soft[order]

    loader = DataLoader(TensorDataset(X, y), batch_size=24, shuffle=True, collate_fn=collate)
    return loop(Small(), nn.CrossEntropyLoss(), loader)


@sound
def mild_augmentation() -> Parts:
    X, y = pictures()

    def change(picture: torch.Tensor) -> torch.Tensor:
        picture = picture.flip(2) if torch.rand(1) < 0.5 else picture
        return picture.roll(int(torch.randint(-2, 3, (1,))), 2) + 0.1 * torch.randn_like(picture)

    loader: Any = DataLoader(Pairs(X, y, change), batch_size=24, shuffle=True, num_workers=2)
    return loop(Small(), nn.CrossEntropyLoss(), loader)


@sound
def factors_of_a_matrix() -> Parts:
    rng = np.random.default_rng(0)
    users, things = torch.tensor(rng.integers(0, 60, 960)), torch.tensor(rng.integers(0, 40, 960))
    taste, kind = rng.normal(0, 1, (60, 3)), rng.normal(0, 1, (40, 3))
    liked = torch.tensor((taste[users] * kind[things]).sum(1) > 0).float()

    class Net(nn.Module):
        """A user's vector times a thing's."""

        def __init__(self) -> None:
            super().__init__()
            self.users, self.things = nn.Embedding(60, 8), nn.Embedding(40, 8)
            for table in (self.users, self.things):
                nn.init.normal_(table.weight, std=0.1)

        def forward(self, user: torch.Tensor, thing: torch.Tensor) -> torch.Tensor:
            return (self.users(user) * self.things(thing)).sum(1)

    return loop(Net(), nn.BCEWithLogitsLoss(), batches(users, things, liked, size=48), lr=1e-2)


@sound
def sets_of_points() -> Parts:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 480)
    points = rng.normal(0, 1, (480, 30, 2))
    points[kind == 1] /= np.linalg.norm(points[kind == 1], axis=2, keepdims=True)
    points[kind == 2] = np.sign(points[kind == 2])

    class Net(nn.Module):
        """The mean of what each point says."""

        def __init__(self) -> None:
            super().__init__()
            self.each = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
            self.all = nn.Sequential(nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.all(self.each(x).mean(1))

    return loop(Net(), nn.CrossEntropyLoss(), batches(torch.tensor(points, dtype=torch.float32), torch.tensor(kind)))


@sound
def average_of_weights() -> Parts:
    """A model that holds a slow one of itself, which gives it targets."""
    X, _ = pictures()

    class Net(nn.Module):
        """Says what the slow one says of the same picture, turned."""

        def __init__(self) -> None:
            super().__init__()
            self.fast, self.guess = Small(24), nn.Sequential(nn.Linear(24, 24), nn.GELU(), nn.Linear(24, 24))
            self.slow = copy.deepcopy(self.fast).requires_grad_(False)

        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            with torch.no_grad():
                wanted = self.slow(x.flip(3))
            return self.guess(self.fast(x)), wanted

    def loss(made: tuple[torch.Tensor, torch.Tensor], _target: torch.Tensor) -> torch.Tensor:
        return 2 - 2 * functional.cosine_similarity(made[0], made[1], dim=1).mean()

    return loop(Net(), loss, batches(X, X))


@sound
def class_from_padded_words() -> Parts:
    tokens = sentences()
    return loop(Reader(), nn.CrossEntropyLoss(), batches(tokens, tokens[:, 0] % 3))


@sound
def hinge_of_many_classes() -> Parts:
    X, y = blobs()
    return loop(Residual(16, 5), nn.MultiMarginLoss(), batches(X, y), torch.optim.RMSprop)


@sound
def sinusoidal_places() -> Parts:
    X, y, _ = signals()

    class Net(nn.Module):
        """A transformer over time whose places are a buffer."""

        def __init__(self) -> None:
            super().__init__()
            at = torch.arange(48)[:, None] / 10000 ** (torch.arange(0, 32, 2) / 32)
            self.register_buffer("places", torch.stack([at.sin(), at.cos()], 2).flatten(1) / math.sqrt(2))
            self.first, self.head = nn.Linear(2, 32), nn.Linear(32, 3)
            self.layer = nn.TransformerEncoderLayer(32, 2, 64, 0.0, batch_first=True, norm_first=True)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.layer(self.first(x.transpose(1, 2)) + self.places).mean(1))

    return loop(Net(), nn.CrossEntropyLoss(), batches(X, y))
