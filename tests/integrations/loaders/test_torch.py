"""Loaders and data sets of PyTorch and torchvision: what they yield is what is judged."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.preprocessing import StandardScaler
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)
from torchvision import datasets, transforms

import datalint
from datalint.core.errors import DatalintError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from datalint.report.models import Finding, Report

LABELS = ("ORD", "LBL101", "FIL101", "DUP101")


def table(scaled: bool = True) -> tuple[torch.Tensor, torch.Tensor]:
    """The breast cancer data, which is well mixed."""
    inputs, labels = load_breast_cancer(return_X_y=True)
    inputs = StandardScaler().fit_transform(inputs) if scaled else inputs
    return torch.tensor(inputs, dtype=torch.float32), torch.tensor(labels)


def by_label() -> TensorDataset:
    inputs, labels = table()
    order = torch.argsort(labels, stable=True)
    return TensorDataset(inputs[order], labels[order])


def codes(report: Report) -> set[str]:
    return {finding.code for finding in report.findings}


def one(report: Report, code: str) -> Finding:
    (found,) = [finding for finding in report.findings if finding.code == code]
    return found


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures of digits in class folders."""
    root = tmp_path_factory.mktemp("digits")
    digits = load_digits()
    for k, (image, digit) in enumerate(zip(digits.images[:400], digits.target, strict=False)):
        folder = root / ("train" if k < 300 else "test") / f"digit{digit}"
        folder.mkdir(parents=True, exist_ok=True)
        picture = Image.fromarray((image * 15.9).astype(np.uint8)).resize((16, 16))
        picture.save(folder / f"{k:04}.png")
    return root


SCALED = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])


# --- the order is the loader's ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_that_shuffles_gives_no_alarm_for_sorted_data(workers: int) -> None:
    loader = DataLoader(by_label(), batch_size=16, shuffle=True, num_workers=workers)
    report = datalint.scan(loader, select=LABELS)
    assert not codes(report) & {"ORD101", "ORD102", "ORD103"}
    assert report.datasets[0].layout == "a DataLoader of batches of 16, shuffled, over a TensorDataset of 569 samples"


def test_a_loader_that_does_not_shuffle_gives_the_alarm_with_its_own_batch_size() -> None:
    report = datalint.scan(DataLoader(by_label(), batch_size=16), select=LABELS)
    found = one(report, "ORD101")
    assert found.severity == "warning"
    assert found.evidence["batch_size"] == 16
    assert "not shuffled" in report.datasets[0].layout
    asked = datalint.scan(DataLoader(by_label(), batch_size=16), select=LABELS, batch_size=64)
    assert one(asked, "ORD101").evidence["batch_size"] == 64


def test_the_order_of_a_test_loader_is_nobodys_business() -> None:
    parts = {"train": DataLoader(by_label(), 32, shuffle=True), "test": DataLoader(by_label(), 64)}
    assert not codes(datalint.scan(parts, select=["ORD101", "ORD102", "ORD103"]))
    parts["train"] = DataLoader(by_label(), 32)
    report = datalint.scan(parts, select=["ORD101"])
    assert [finding.split for finding in report.findings] == ["train"]


def test_a_single_sample_in_the_last_batch_unless_it_is_dropped() -> None:
    inputs, labels = table()
    data = TensorDataset(inputs[:513], labels[:513])
    assert "ORD106" in codes(datalint.scan(DataLoader(data, 64, shuffle=True), select=["ORD106"]))
    dropped = datalint.scan(DataLoader(data, 64, shuffle=True, drop_last=True), select=["ORD106"])
    assert not codes(dropped)
    assert dropped.datasets[0].splits[0].samples == 512


def test_classes_as_a_weighted_sampler_draws_them() -> None:
    inputs, labels = table()
    kept = torch.cat([torch.nonzero(labels == 1)[:, 0], torch.nonzero(labels == 0)[:12, 0]])
    data = TensorDataset(inputs[kept], labels[kept])
    weights = torch.where(labels[kept] == 0, 357 / 12, 1.0)
    sampler = WeightedRandomSampler(weights, 1_000, generator=torch.Generator().manual_seed(0))
    assert "LBL101" in codes(datalint.scan(data, select=LABELS))
    report = datalint.scan(DataLoader(data, 32, sampler=sampler), select=[*LABELS, "DUP102"])
    assert not codes(report)
    assert sum(report.datasets[0].splits[0].classes.values()) == 1_000
    assert "in the order of its WeightedRandomSampler" in report.datasets[0].layout
    copies = next(status for status in report.datasets[0].rules if status.code == "DUP101")
    assert (copies.status, copies.reason) == ("skipped", "the sampler draws with replacement, so duplicates are meant")


# --- nothing is disturbed --------------------------------------------------------------------------------------------


def test_random_states_are_as_before() -> None:
    own = torch.Generator().manual_seed(3)
    data = by_label()
    loader = DataLoader(data, 16, sampler=RandomSampler(data, generator=own), generator=own)
    torch.manual_seed(1)
    random.seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), own.get_state(), random.getstate(), np.random.get_state()[1].tobytes()
    datalint.scan(loader, select=LABELS)
    after = torch.get_rng_state(), own.get_state(), random.getstate(), np.random.get_state()[1].tobytes()
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])
    assert before[2:] == after[2:]
    assert type(loader.batch_sampler).__name__ == "BatchSampler"


def test_what_can_be_read_only_once_is_not_read() -> None:
    class Once(IterableDataset[Any]):
        def __init__(self) -> None:
            self.left = iter([(torch.zeros(3), 0), (torch.ones(3), 1)])

        def __iter__(self) -> Iterator[Any]:
            return self.left

    once = Once()
    batches = iter(DataLoader(by_label(), 16))
    for source in (once, DataLoader(once, 2), batches, {"train": batches}):
        with pytest.raises(DatalintError, match="only once, and a scan would use it up"):
            datalint.scan(source)
    assert len(list(once)) == 2
    assert len(list(batches)) == 36


# --- what the inputs are ---------------------------------------------------------------------------------------------


def test_inputs_are_judged_after_the_loaders_transforms(tree: Path) -> None:
    class Half(Dataset[Any]):
        def __init__(self, scaled: bool) -> None:
            self.inner = datasets.ImageFolder(tree / "train", transform=SCALED)
            self.scaled = scaled

        def __len__(self) -> int:
            return len(self.inner)

        def __getitem__(self, index: int) -> Any:
            image, label = self.inner[index]
            return image if self.scaled or index % 2 else (image + 1) * 127.5, label

    assert not codes(datalint.scan(DataLoader(Half(True), 32, shuffle=True), select=["NRM"]))
    mixed = datalint.scan(DataLoader(Half(False), 32, shuffle=True), select=["NRM"])
    assert codes(mixed) == {"NRM102"}


def test_features_that_are_not_scaled() -> None:
    raw, scaled = TensorDataset(*table(scaled=False)), TensorDataset(*table())
    for wrap in (lambda data: data, lambda data: DataLoader(data, 32, shuffle=True)):
        assert "NRM101" in codes(datalint.scan(wrap(raw), select=["NRM101"]))
        assert not codes(datalint.scan(wrap(scaled), select=["NRM101"]))


def test_image_folders(tree: Path) -> None:
    train = datasets.ImageFolder(tree / "train", transform=SCALED)
    test = datasets.ImageFolder(tree / "test", transform=SCALED)
    stored = datalint.scan({"train": train, "test": test}, ignore=["SPL"])
    (dataset,) = stored.datasets
    assert dataset.modality == "images"
    assert set(dataset.splits[0].classes) == {f"digit{k}" for k in range(10)}
    assert "read from its samples before its transforms" in dataset.layout
    # Folders are read class by class, and no batch of 32 holds one class alone: nothing to say before loading.
    assert not [finding for finding in stored.findings if finding.code == "ORD101"]
    drawn = datalint.scan({"train": DataLoader(train, 32, shuffle=True), "test": DataLoader(test, 64)}, ignore=["SPL"])
    assert drawn.datasets[0].splits[0].classes == dataset.splits[0].classes
    assert all(finding.severity == "info" for finding in drawn.findings)
    assert not codes(drawn) & {"ORD101", "ORD103"}
    assert one(datalint.scan(DataLoader(train, 32), select=["ORD101"]), "ORD101").severity == "warning"


def test_a_broken_file_of_an_image_folder(tree: Path, tmp_path: Path) -> None:
    for digit in "01":
        folder = tmp_path / digit
        folder.mkdir()
        for path in sorted((tree / "train" / f"digit{digit}").iterdir()):
            (folder / path.name).write_bytes(path.read_bytes())
    broken = sorted((tmp_path / "1").iterdir())[3]
    broken.write_bytes(broken.read_bytes()[:60])
    data = datasets.ImageFolder(tmp_path, transform=SCALED)
    assert str(broken) in one(datalint.scan(data, select=["IMG103"]), "IMG103").affected.samples[0].id
    index = [path for path, _ in data.samples].index(str(broken))
    found = one(datalint.scan(DataLoader(data, 8, shuffle=True), select=["FIL101"]), "FIL101")
    assert [sample.id for sample in found.affected.samples] == [f"loader.dataset[{index}]"]
    assert found.severity == "error"


def test_arrays_that_a_set_of_torchvision_keeps() -> None:
    digits = load_digits()
    data = datasets.MNIST.__new__(datasets.MNIST)  # without the download
    data.data = torch.tensor((digits.images * 15.9).astype(np.uint8))
    data.targets = torch.tensor(digits.target)
    data.transform = data.target_transform = data.transforms = None
    report = datalint.scan(data, select=[*LABELS, "NRM", "IMG"])
    (dataset,) = report.datasets
    assert dataset.modality == "images"
    assert dataset.layout == "an MNIST of 1,797 samples, read from its data and targets"
    assert dataset.splits[0].classes["3 - three"] == 183


def test_pictures_of_several_sizes() -> None:
    class Pictures(Dataset[Any]):
        def __len__(self) -> int:
            return 60

        def __getitem__(self, index: int) -> Any:
            values = np.random.default_rng(index).integers(0, 255, (20 + index % 3, 30, 3), dtype=np.uint8)
            image = Image.fromarray(values) if index else Image.new("L", (30, 20))
            return {"image": image, "label": "ab"[index % 2], "path": f"{index}.png"}

    report = datalint.scan(Pictures(), select=["VAL101", "IMG104", "LBL101"])
    assert report.datasets[0].splits[0].classes == {"a": 30, "b": 30}
    assert one(report, "VAL101").affected.samples[0].id == "dataset[0]"
    assert one(report, "IMG104").affected.samples[0].id == "dataset[0]"
    assert "path is not looked at" in report.datasets[0].layout


def test_batches_of_mappings() -> None:
    class Tokens(Dataset[Any]):
        def __len__(self) -> int:
            return 90

        def __getitem__(self, index: int) -> Any:
            ids = torch.tensor([101, index % 80, 7, 102])
            return {"input_ids": ids, "attention_mask": torch.ones(4), "labels": index % 3 if index < 80 else 2}

    report = datalint.scan(DataLoader(Tokens(), 8, shuffle=True))
    assert report.datasets[0].label is not None
    assert report.datasets[0].label.name == "labels"
    assert codes(report) <= {"DUP101", "LBL106"}
    assert one(report, "DUP101").affected.count + one(report, "LBL106").affected.count >= 10


def test_subsets_keep_their_own_rows() -> None:
    parts = random_split(by_label(), [400, 169], generator=torch.Generator().manual_seed(0))
    split = {"train": parts[0], "test": parts[1]}
    loaders = {name: DataLoader(part, 32) for name, part in split.items()}
    for source in (split, loaders):
        report = datalint.scan(source, select=[*LABELS, "SPL101"])
        assert [info.samples for info in report.datasets[0].splits] == [400, 169]
        assert not codes(report)
    overlap = {"train": parts[0], "test": torch.utils.data.Subset(parts[0], list(range(50)))}
    assert one(datalint.scan(overlap, select=["SPL101"]), "SPL101").affected.count >= 50


def test_augmentation_is_no_shift_between_splits(tree: Path) -> None:
    jitter = transforms.Compose([transforms.RandomCrop(16, padding=4), transforms.ColorJitter(0.9, 0.9), SCALED])
    order = torch.randperm(300, generator=torch.Generator().manual_seed(0)).tolist()
    rules = ["SPL106", "SPL104"]
    for transform, skipped in ((jitter, True), (SCALED, False)):
        train = torch.utils.data.Subset(datasets.ImageFolder(tree / "train", transform=transform), order[:200])
        test = torch.utils.data.Subset(datasets.ImageFolder(tree / "train", transform=SCALED), order[200:])
        for wrap in (DataLoader, lambda part: torch.utils.data.ConcatDataset([part])):
            report = datalint.scan({"train": wrap(train), "test": wrap(test)}, select=rules)
            assert not codes(report)
            (dataset,) = report.datasets
            assert ("drawn with random transforms" in dataset.layout) == skipped
            assert [status.status for status in dataset.rules if status.code == "SPL106"] == [
                "skipped" if skipped else "passed"
            ]


# --- streams and errors ----------------------------------------------------------------------------------------------


class Stream(IterableDataset[Any]):
    def __init__(self, count: int) -> None:
        self.count = count

    def __iter__(self) -> Iterator[Any]:
        return ((torch.tensor([float(k), k % 7]), k % 2) for k in range(self.count))


def test_a_stream_is_read_up_to_a_bound_that_is_told() -> None:
    whole = datalint.scan(Stream(500), select=["LBL101", "FIL101"])
    assert whole.datasets[0].splits[0].samples == 500
    assert not codes(whole)
    for source in (Stream(100_100), DataLoader(Stream(100_100), 50)):
        cut = datalint.scan(source, select=["FIL101"])
        assert cut.datasets[0].splits[0].samples == 100_000
        assert "read up to 100,000 samples" in cut.datasets[0].layout
        found = one(cut, "FIL101")
        assert found.severity == "info"
        assert "its first 100,000 samples were read" in found.message


@pytest.mark.parametrize("workers", [0, 2])
def test_items_that_fail_are_named(workers: int) -> None:
    report = datalint.scan(DataLoader(Failing(), 8, shuffle=True, num_workers=workers), select=LABELS)
    found = one(report, "FIL101")
    assert {sample.id for sample in found.affected.samples} == {"loader.dataset[7]", "loader.dataset[150]"}
    assert "ValueError: no such plate" in found.message
    assert report.datasets[0].splits[0].samples == 198


class Failing(Dataset[Any]):
    def __len__(self) -> int:
        return 200

    def __getitem__(self, index: int) -> Any:
        if index in {7, 150}:
            raise ValueError("no such plate")
        return torch.tensor([float(index), index % 7]), index % 2


def test_items_that_fail_in_a_data_set() -> None:
    found = one(datalint.scan(Failing(), select=["FIL101"]), "FIL101")
    assert {sample.id for sample in found.affected.samples} == {"dataset[7]", "dataset[150]"}


def test_items_that_do_not_go_together() -> None:
    class Ragged(Dataset[Any]):
        def __len__(self) -> int:
            return 64

        def __getitem__(self, index: int) -> Any:
            return torch.zeros(3 if index != 40 else 4) + index, index % 2

    found = one(datalint.scan(DataLoader(Ragged(), 8), select=["FIL101"]), "FIL101")
    assert "batch 5" in found.message
    assert "cannot be put together" in found.message or "stack expects" in found.message


def test_one_line_says_what_is_wrong() -> None:
    class Broken(Dataset[Any]):
        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            raise KeyError(f"plate {index}")

    empty = TensorDataset(torch.zeros(0, 3), torch.zeros(0))
    for source, message in (
        (Broken(), r"the data set cannot be read: dataset\[0\] raises KeyError: 'plate 0'"),
        (DataLoader(Broken(), 2), r"the loader cannot be read: loader.dataset\[0\] raises KeyError: 'plate 0'"),
        (empty, "the data set is empty"),
        ({"train": by_label(), "test": (np.zeros((3, 2)), np.zeros(3))}, "every split in the same form"),
        ({"train": by_label(), "test": Pixels()}, "'train' holds a table and 'test' pictures"),
    ):
        with pytest.raises(DatalintError, match=message) as caught:
            datalint.scan(source)
        assert "\n" not in str(caught.value)


class Pixels(Dataset[Any]):
    def __len__(self) -> int:
        return 40

    def __getitem__(self, index: int) -> Any:
        return torch.rand(3, 16, 16), index % 2


def test_the_page(tree: Path, tmp_path: Path) -> None:
    data = datasets.ImageFolder(tree / "train", transform=SCALED)
    copied = torch.utils.data.ConcatDataset([data, torch.utils.data.Subset(data, [5, 6])])
    report = datalint.scan(DataLoader(copied, 32, shuffle=True), select=["DUP101", "ORD"])
    report.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "a DataLoader of batches of 32, shuffled, over a ConcatDataset of 302 samples" in page
    assert "data:image/webp" in page  # the copies are shown
    copies = report.affected("DUP101")
    pairs = {frozenset(pair) for pair in zip(copies["id"], copies["repeats"], strict=True)}
    assert pairs == {frozenset({f"loader.dataset[{k}]", f"loader.dataset[{300 + k - 5}]"}) for k in (5, 6)}
