"""Sound loops are silent, broken ones are named, and nothing is left behind."""

from __future__ import annotations

import hashlib
import pickle
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from torch import nn

import datalint
from benchmarks.loops import (
    LOOPS,
    autoencoder,
    batches,
    cnn_plain,
    decoder_padded,
    gru_forecast,
    hugging_text,
    made,
    mlp,
    mlp_binary,
    mlp_iris_sgd,
    mlp_regression,
    mlp_wine_norm,
    segmentation,
    table,
)
from datalint.rules.registry import loop_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from datalint.core.loops import Loop
    from datalint.report.models import Report

RULES = loop_rules()


def tried(loop: Loop, **options: Any) -> Report:
    return datalint.preflight(loop.model, loop.loss, loop.loader, loop.optimizer, config=False, **options)


def alarms(report: Report) -> list[str]:
    return [f"{f.code} {f.message}" for f in report.datasets[0].leading if f.severity != "info"]


# The benchmark tries all of them with several seeds; here some of each kind must do.
SOME = (mlp_iris_sgd, mlp_wine_norm, mlp_binary, mlp_regression, cnn_plain, segmentation, autoencoder, gru_forecast)
TEXTS = (decoder_padded, hugging_text)
HOSTS = (mlp_binary, mlp_regression, mlp_wine_norm, cnn_plain, decoder_padded, hugging_text)


@pytest.mark.parametrize("make", (*SOME, *TEXTS), ids=lambda make: make.__name__)
def test_a_sound_loop_raises_no_alarm(make: Callable[[], Any]) -> None:
    report = tried(made(make, 0))
    assert alarms(report) == []
    assert [f"{rule.code} {rule.reason}" for rule in report.datasets[0].rules if rule.status == "failed"] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_what_a_rule_plants_is_found_and_leads(rule: Any) -> None:
    broken = next((loop for make in HOSTS if (loop := rule.plant(made(make, 1), np.random.default_rng(0)))), None)
    assert broken is not None, f"{rule.code} can be planted into no loop"
    leading = [f.code for f in tried(broken).datasets[0].leading if f.severity != "info" or rule.severity == "info"]
    assert rule.code in leading, f"{rule.code} is not found in {broken.name}: {leading}"


# --- mixed precision, conventions ----------------------------------------------------------------------------------------


class Mixed(nn.Module):
    """A model whose layers run in half precision, with a factor between the first two."""

    def __init__(self, kind: torch.dtype, factor: float) -> None:
        super().__init__()
        self.first, self.second, self.last = nn.Linear(13, 32), nn.Linear(32, 32), nn.Linear(32, 3)
        self.kind, self.factor = kind, factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=self.kind):
            hidden = self.second(torch.relu(self.first(x)) * self.factor)
            return self.last(torch.relu(hidden / self.factor)).float()


def adam(*models: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.Adam([p for model in models for p in model.parameters()], lr=3e-3)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_mixed_precision_is_no_fault(kind: torch.dtype) -> None:
    torch.manual_seed(0)
    model = Mixed(kind, 1.0)
    report = datalint.preflight(model, nn.CrossEntropyLoss(), batches(*table("wine")), adam(model), config=False)
    assert alarms(report) == []


def test_autocast_around_all_sees_each_step() -> None:
    torch.manual_seed(0)
    model = mlp(13, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        report = datalint.preflight(model, nn.CrossEntropyLoss(), batches(*table("wine")), adam(model), config=False)
        assert torch.is_autocast_cache_enabled()
    assert alarms(report) == []


def test_the_first_module_that_half_precision_breaks_is_named() -> None:
    model = Mixed(torch.float16, 1e6)
    report = datalint.preflight(model, nn.CrossEntropyLoss(), batches(*table("wine")), adam(model), config=False)
    (finding,) = (f for f in report.findings if f.code == "PRE123")
    assert "'second'" in finding.message
    assert "float16" in finding.message
    assert "bfloat16" in finding.remedy
    model = Mixed(torch.float16, 1.0)
    with torch.no_grad():
        model.first.weight.fill_(1e6)
    report = datalint.preflight(model, nn.CrossEntropyLoss(), batches(*table("wine")), adam(model), config=False)
    (finding,) = (f for f in report.findings if f.code == "PRE123")
    assert "the output of 'first'" in finding.message


def test_a_scaler_is_as_before() -> None:
    model, scaler = mlp(13, 3), torch.amp.GradScaler("cpu")

    def loss(model: Any, batch: Any) -> Any:
        return scaler.scale(nn.functional.cross_entropy(model(batch[0]), batch[1]))

    before = repr(vars(scaler))
    report = datalint.preflight(model, loss, batches(*table("wine")), adam(model), config=False)
    assert alarms(report) == []
    assert repr(vars(scaler)) == before


class Two(nn.Module):
    """A model of two inputs, or one that gives the terms of its loss."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = mlp(13, 3), mlp(13, 3)

    def forward(self, x: torch.Tensor, again: torch.Tensor, target: torch.Tensor | None = None) -> Any:
        one, two = self.one(x), self.two(again)
        if target is None:
            return one + two
        return {"first": nn.functional.cross_entropy(one, target), "second": nn.functional.cross_entropy(two, target)}


@pytest.mark.parametrize("nested", [True, False])
@pytest.mark.parametrize("inside", [True, False])
def test_two_inputs_and_terms(nested: bool, inside: bool) -> None:
    X, y = table("wine")
    model = Two()
    loader = [((x, -x), t) if nested else (x, -x, t) for x, t in batches(X, y)]
    loss = None if inside else nn.CrossEntropyLoss()
    report = datalint.preflight(model, loss, loader, adam(model), config=False)
    assert alarms(report) == []
    assert {rule.code: rule.status for rule in report.datasets[0].rules}["PRE111"] == "passed"


def test_gradients_that_were_there_before_are_a_note() -> None:
    model, loss = mlp(13, 3), nn.CrossEntropyLoss()
    loader = batches(*table("wine"))
    batch, target = next(iter(loader))
    loss(model(batch), target).backward()
    report = datalint.preflight(model, loss, loader, adam(model), config=False, select="PRE136")
    (finding,) = report.findings
    assert finding.severity == "info"
    assert "6 parameters hold gradients of an earlier backward()" in finding.message


# --- no trace ---------------------------------------------------------------------------------------------------------


def state_of(model: nn.Module, optimizer: Any, loader: Any) -> str:
    parts = [
        {name: tensor.detach().numpy().tobytes() for name, tensor in model.state_dict().items()},
        [None if p.grad is None else p.grad.numpy().tobytes() for p in model.parameters()],
        [
            (name, part.training, len(part._forward_hooks), len(part._forward_pre_hooks))
            for name, part in model.named_modules()
        ],
        [p.requires_grad for p in model.parameters()],
        [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups],
        [{k: v.numpy().tobytes() for k, v in state.items()} for state in optimizer.state.values()],
        torch.get_rng_state().numpy().tobytes(),
        random.getstate(),
        pickle.dumps(np.random.get_state()),
        loader.generator.get_state().numpy().tobytes(),
        loader.dataset.rng.bit_generator.state,
        torch.is_grad_enabled(),
    ]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


class Noisy(torch.utils.data.Dataset):
    """Items with noise of a generator of its own."""

    def __init__(self) -> None:
        self.X, self.y = table("wine")
        self.rng = np.random.default_rng(0)

    def __getitem__(self, index: int) -> Any:
        return self.X[index] + self.rng.normal(0, 0.01), self.y[index]

    def __len__(self) -> int:
        return len(self.X)


def used(loss: Any) -> tuple[Any, ...]:
    """A loop in the middle of training: gradients, momentum and random states are there, and a mode that differs."""
    model = mlp(13, 3, norm=True, drop=0.2)
    loader = torch.utils.data.DataLoader(Noisy(), batch_size=16, shuffle=True, generator=torch.Generator())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 5)
    batch, target = next(iter(loader))
    nn.functional.cross_entropy(model(batch), target).backward()
    optimizer.step()
    scheduler.step()
    model[1].eval()
    return model, loss, loader, optimizer


class Stop(BaseException):
    """Like Ctrl-C."""


@pytest.mark.parametrize("kind", ["none", "exception", "interrupt", "closure"])
def test_nothing_is_left_behind(kind: str) -> None:
    calls = [0]
    held: list[Any] = []

    def loss(output: Any, target: Any) -> Any:
        calls[0] += 1
        if kind == "exception" and calls[0] > 3:
            raise ValueError("no more")
        if kind == "interrupt" and calls[0] > 3:
            raise Stop
        penalty = sum(p.square().sum() for p in held[0].parameters()) * 1e-6 if kind == "closure" else 0
        return nn.functional.cross_entropy(output, target) + penalty

    model, loss, loader, optimizer = used(loss)
    held.append(model)
    before = state_of(model, optimizer, loader)
    if kind == "interrupt":
        with pytest.raises(Stop):
            datalint.preflight(model, loss, loader, optimizer)
    else:
        datalint.preflight(model, loss, loader, optimizer)
    assert calls[0] > 3
    assert state_of(model, optimizer, loader) == before


class Counting:
    """A loader that counts what it gave, and changes the order of what it holds."""

    def __init__(self) -> None:
        self.given, self.order, self.rng = 0, list(range(8)), random.Random(0)
        self.seen: list[int] = []
        self.marks: dict[int, int] = {}
        self.batches = [(torch.randn(16, 13), torch.randint(0, 3, (16,))) for _ in range(8)]

    def __iter__(self) -> Any:
        self.rng.shuffle(self.order)
        for number in self.order:
            self.given += 1
            self.seen.append(number)
            self.marks[number] = self.given
            self.late = True
            yield self.batches[number]


class Stops(nn.Module):
    """A model that is interrupted once it ran some times."""

    def __init__(self) -> None:
        super().__init__()
        self.inner, self.calls = nn.Linear(13, 3), [0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls[0] += 1
        if self.calls[0] > 5:
            raise KeyboardInterrupt
        return self.inner(x)


@pytest.mark.parametrize("interrupted", [True, False])
def test_a_loader_stands_where_it_stood(interrupted: bool) -> None:
    loader, model = Counting(), Stops() if interrupted else mlp(13, 3)

    def state() -> str:
        return repr([{k: v for k, v in vars(loader).items() if k not in {"rng", "batches"}}, loader.rng.getstate()])

    before = state()
    if interrupted:
        with pytest.raises(KeyboardInterrupt):
            datalint.preflight(model, nn.CrossEntropyLoss(), loader, config=False)
    else:
        datalint.preflight(model, nn.CrossEntropyLoss(), loader, config=False)
    assert state() == before


def test_the_position_of_samplers_and_streams() -> None:
    class Sampler(torch.utils.data.Sampler[int]):
        epoch = 0

        def __iter__(self) -> Any:
            self.epoch += 1
            return iter(torch.randperm(64).tolist())

        def __len__(self) -> int:
            return 64

    class Stream(torch.utils.data.IterableDataset[Any]):
        position = 0

        def __iter__(self) -> Any:
            while True:
                self.position += 1
                yield torch.randn(13), torch.tensor(self.position % 3)

    sampler, stream = Sampler(), Stream()
    data = torch.utils.data.TensorDataset(torch.randn(64, 13), torch.arange(64) % 3)
    for loader in (
        torch.utils.data.DataLoader(data, batch_size=16, sampler=sampler),
        torch.utils.data.DataLoader(stream, batch_size=16),
    ):
        datalint.preflight(mlp(13, 3), nn.CrossEntropyLoss(), loader, config=False, select="PRE101")
    assert (sampler.epoch, stream.position) == (0, 0)


def test_the_same_loop_gives_the_same_report() -> None:
    loop = made(LOOPS[0], 0)
    first, second = (tried(loop).model_dump(exclude={"run"}) for _ in range(2))
    assert first == second


# --- bad input ----------------------------------------------------------------------------------------------------------


def test_what_is_no_loop_is_told_in_one_line() -> None:
    X, y = table("iris")
    model, loader = mlp(4, 3), batches(X, y)
    wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
        ((model, nn.CrossEntropyLoss(), None), {}, "loader: it is missing"),
        ((model, "mse", loader), {}, "loss: a function of outputs and targets is expected, not str"),
        ((model, nn.CrossEntropyLoss(), loader, 0.1), {}, "optimizer: a torch.optim.Optimizer is expected, not float"),
        ((nn.Linear, nn.CrossEntropyLoss(), loader), {}, "model: the class Linear is no model of PyTorch"),
        ((3, nn.CrossEntropyLoss(), loader), {}, "model: int is no model of PyTorch"),
        ((model, nn.CrossEntropyLoss(), []), {}, "the loader gives no batch"),
        ((model, nn.CrossEntropyLoss(), 7), {}, "int does not"),
        ((model, nn.CrossEntropyLoss(), iter(loader)), {}, "can be read only once"),
        ((model, nn.CrossEntropyLoss(), [("a", "b")]), {}, "without a tensor"),
        ((mlp(5, 3), nn.CrossEntropyLoss(), loader), {}, "model: Sequential does not take the loader's first batch"),
        ((model, nn.CrossEntropyLoss(), loader), {"device": "cuda:99"}, "device: cuda:99 cannot be used"),
        ((mlp(4, 3).to("meta"), nn.CrossEntropyLoss(), loader), {}, "device meta"),
        ((mlp(4, 3), nn.CrossEntropyLoss(), loader), {"budget": 0}, "budget: 0 seconds"),
        ((mlp(4, 3), nn.CrossEntropyLoss(), loader), {"select": "ORD"}, "datalint scan runs them"),
    ]
    for arguments, options, message in wrong:
        with pytest.raises(datalint.DatalintError) as raised:
            datalint.preflight(*arguments, **options)
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_loader_that_never_ends_is_cut() -> None:
    class Endless:
        def __iter__(self) -> Any:
            while True:
                yield torch.randn(8, 4), torch.randint(0, 3, (8,))

    assert alarms(datalint.preflight(mlp(4, 3), nn.CrossEntropyLoss(), Endless(), select="PRE101")) == []


def test_what_the_budget_does_not_reach_is_said() -> None:
    report = tried(made(LOOPS[0], 0), budget=1e-9)
    reasons = {rule.reason for rule in report.datasets[0].rules if rule.status == "skipped"}
    assert any("the budget of 1e-09 s was used up" in (reason or "") for reason in reasons)


def test_every_writer_takes_a_report_of_a_loop() -> None:
    from datalint.report.formats.formats import FORMATS, render

    broken = next(rule for rule in RULES if rule.code == "PRE101").plant(made(LOOPS[0], 0), np.random.default_rng(0))
    assert broken is not None
    report = tried(broken)
    for style in FORMATS:
        assert "PRE101" in render(style, report)
    assert "in 1 training loop" in str(report)
    assert type(report).model_validate_json(report.to_json()).findings == report.findings
