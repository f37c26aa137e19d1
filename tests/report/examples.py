"""Reports as scans of real data make them, for trying the writers."""

from __future__ import annotations

import hashlib
import math
import random
from functools import cache
from io import BytesIO
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from datalint.core.terms import Storage
from datalint.report.models import (
    Affected,
    AffectedSample,
    DatasetReport,
    Finding,
    Held,
    LabelInfo,
    Report,
    RuleStatus,
    Run,
    SplitInfo,
    Summary,
    Tool,
)
from datalint.report.views import (
    Column,
    Columns,
    ColumnScale,
    ColumnValues,
    FirstBatches,
    HeadBatch,
    HeadSample,
    Overlap,
    Scales,
    Size,
    Sizes,
    Views,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydantic import JsonValue

    from datalint.core.severity import Severity

HOSTILE = (
    "<script>window.hacked=1</script>",
    '"><img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=1</script>",
    "' onmouseover='window.hacked=1",
    "javascript:window.hacked=1",
    "{{ 7 * 7 }}{% raw %}",
    "::error file=a.py::taken",
    "##[error]taken ##vso[task.complete]",
    "\x1b[31mred\x1b[0m\x07\x9b2J",
    "line\nbreak\r\x00\x7f\t|",
    "\u202egnp.exe\u2066\u2069",
    "</style><style>*{display:none}</style>",
)
"""Names that attack a page, a terminal or a build server."""


def fingerprint(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def report(datasets: Sequence[DatasetReport], *, started: str = "2025-01-01T00:00:00Z", jobs: int = 1) -> Report:
    findings = [finding for dataset in datasets for finding in dataset.findings]

    def of(severity: Severity) -> int:
        return sum(finding.severity == severity for finding in findings)

    return Report(
        tool=Tool(version="0.1.0"),
        summary=Summary(error=of("error"), warning=of("warning"), info=of("info"), datasets=len(datasets)),
        datasets=tuple(datasets),
        run=Run(started=started, seconds=1.27 * jobs, engine="local", jobs=jobs),
    )


def sample(name: str, index: int, split: str = "train", **detail: Any) -> AffectedSample:
    return AffectedSample(id=name, index=index, split=split, fingerprint=fingerprint(name, index), detail=detail)


def finding(code: str, rule: str, severity: Severity, message: str, **more: Any) -> Finding:
    more.setdefault("confidence", 0.99)
    more.setdefault("consequence", "Batches are not what the optimiser expects.")
    more.setdefault("remedy", "Mend the data before training.")
    place = (more.get("split"), more.get("column"), more.get("class_"), message[:100])
    return Finding(
        code=code, rule=rule, severity=severity, message=message, fingerprint=fingerprint(code, place), **more
    )


def rules(found: Iterable[str], skipped: dict[str, str] | None = None) -> tuple[RuleStatus, ...]:
    names = {
        "ORD101": "sorted-by-label",
        "ORD102": "position-drift",
        "ORD103": "single-label-batches",
        "LBL101": "class-imbalance",
        "LBL102": "noisy-labels",
        "SPL103": "pre-split-normalization",
        "IMG101": "transposed-dimensions",
        "IMG103": "unreadable-image",
        "VAL101": "all-zero-inputs",
        "FIL101": "unreadable-file",
    }
    skipped = skipped or {}
    found = set(found)
    return tuple(
        RuleStatus(
            code=code,
            rule=rule,
            status="skipped",
            reason=skipped[code],
            coverage="nothing",
            applies="table rows" not in skipped[code],
        )
        if code in skipped
        else RuleStatus(code=code, rule=rule, status="found" if code in found else "passed")
        for code, rule in names.items()
    )


def strip(labels: Sequence[int], names: Sequence[str], bins: int = 300) -> dict[str, Any]:
    bins = min(bins, len(labels))
    rows = [[0] * len(names) for _ in range(bins)]
    for position, label in enumerate(labels):
        rows[position * bins // len(labels)][label] += 1
    return {"kind": "classes", "classes": list(names), "bins": rows, "samples": len(labels), "exact": True}


def balance(counts: dict[str, int]) -> dict[str, Any]:
    total, most, least = sum(counts.values()), max(counts.values()), min(counts.values())
    return {
        "counts": counts,
        "ratio": most / least,
        "weights": {name: total / len(counts) / amount for name, amount in counts.items()},
        "majority_accuracy": most / total,
        "chance_loss": math.log(len(counts)),
        "prior_entropy": -sum(n / total * math.log(n / total) for n in counts.values()),
    }


def iris() -> DatasetReport:
    """A sorted table of three classes without splits."""
    names = ["setosa", "versicolor", "virginica"]
    counts = dict.fromkeys(names, 50)
    rows = tuple(sample(f"iris.csv:{row}", row - 2, "all", label=names[0]) for row in (2, 3, 4))
    found = [
        finding(
            "ORD101",
            "sorted-by-label",
            "warning",
            "The 150 samples are stored in label order: 3 runs of equal labels where a shuffle gives about 100.",
            consequence="Every batch of 32 holds one or two classes, so the loss swings from class to class and the model "
            "forgets what it learned last.",
            remedy="Shuffle once before training, or use a shuffle buffer of at least 100 samples.",
            evidence={
                "runs": 3,
                "expected_runs": 100.7,
                "z": -17.1,
                "p_value": 2.1e-65,
                "single_label_batch_share": 0.6,
                "shuffled_single_label_batch_share": 0.0,
                "shuffle_buffer": 100,
            },
            affected=Affected(count=150, samples=rows, truncated=True),
        ),
        finding(
            "ORD103",
            "single-label-batches",
            "warning",
            "60% of the batches of 32 in stored order hold a single label; a shuffle would give none.",
            confidence=1.0,
            consequence="Gradients of such batches point at one class only, and batch normalisation learns the "
            "statistics of one class at a time.",
            remedy="Shuffle the samples before cutting batches: DataLoader(..., shuffle=True).",
            evidence={"batch_size": 32, "batches": 5, "single_label_share": 0.6, "shuffled_single_label_share": 0.0},
            affected=Affected(count=96, samples=rows),
        ),
        finding(
            "LBL102",
            "noisy-labels",
            "info",
            "2 of 150 labels disagree with an out-of-fold model; noise and hardness cannot be told apart here.",
            confidence=0.61,
            consequence="Wrong labels cap the accuracy that can be reached, and the largest losses teach the wrong thing.",
            remedy="Look at the two rows; nothing needs to be done if they are right.",
            evidence={
                "estimated_noise_rate": 0.0,
                "noise_interval": [0.0, 0.021],
                "confusion": [
                    {"given": "versicolor", "suggested": "virginica", "samples": 1},
                    {"given": "virginica", "suggested": "versicolor", "samples": 1},
                ],
            },
            affected=Affected(
                count=2,
                samples=(
                    sample("iris.csv:72", 70, "all", given="versicolor", suggested="virginica", confidence=0.981),
                    sample("iris.csv:108", 106, "all", given="virginica", suggested="versicolor", confidence=0.944),
                ),
            ),
        ),
    ]
    return DatasetReport(
        name="iris_sorted",
        path="data/iris_sorted",
        layout="one CSV file",
        storage=Storage.DELIMITED,
        modality="table",
        evidence="iris.csv: comma, header, UTF-8",
        label=LabelInfo(
            name="species",
            evidence="the last column, text with 3 values; its name is a usual name for labels",
            confidence="high",
            task="classification",
        ),
        splits=(SplitInfo(name="all", samples=150, classes=counts, evidence="one file without a split in its name"),),
        facts={
            "label_strip": {"all": strip([0] * 50 + [1] * 50 + [2] * 50, names)},
            "class_balance": {"all": balance(counts)},
            "batches": {
                "all": {
                    "size": 32,
                    "single_label_share": 0.6,
                    "shuffled_single_label_share": 1.3e-15,
                    "classes_per_batch": 1.4,
                    "shuffled_classes_per_batch": 3.0,
                }
            },
            "input_range": {"all": {"low": 0.1, "high": 7.9, "mean": 3.4645, "deviation": 1.9751}},
            "model": {
                "name": "logistic regression",
                "accuracy": 0.96,
                "chance_accuracy": 1 / 3,
                "log_loss": 0.142,
                "chance_log_loss": math.log(3),
                "calibration_error": 0.031,
                "samples": 150,
            },
        },
        findings=tuple(found),
        rules=rules(
            ["ORD101", "ORD103", "LBL102"],
            {
                "SPL103": "the set has one split and its columns are not normalised",
                "IMG101": "the samples are table rows, not images",
                "IMG103": "the samples are table rows, not images",
            },
        ),
    )


def digits(picture_count: int = 30) -> tuple[DatasetReport, dict[str, bytes]]:
    """Images in class folders with wrong labels, transposed pictures and imbalance; and thumbnails by sample."""
    draw = random.Random(7)
    names = [str(digit) for digit in range(10)]
    train = dict(zip(names, [178, 182, 177, 183, 181, 182, 181, 59, 24, 12], strict=True))
    test = dict(zip(names, [45, 46, 44, 45, 44, 46, 45, 15, 6, 3], strict=True))
    wrong = []
    for n in range(95):
        given, suggested = draw.sample(names, 2)
        wrong.append(
            sample(
                f"digits/train/{given}/img_{n * 13:05}.png",
                n * 13,
                given=given,
                suggested=suggested,
                confidence=0.99 - n / 300,
            )
        )
    pictures = {wrong[n].id: thumbnail(n) for n in range(picture_count)}
    transposed = tuple(
        sample(f"digits/test/{digit}/scan_{digit}.png", digit * 20, "test", width=48, height=64) for digit in range(4)
    )
    found = (
        finding(
            "LBL102",
            "noisy-labels",
            "error",
            "4.93% of the train labels are probably wrong (95 of 1,359 named; interval 3.8% to 6.2%).",
            split="train",
            confidence=0.97,
            consequence="A model that fits these labels learns the mistakes; test accuracy is capped near 95%.",
            remedy="Look through the samples below, worst first, and relabel or drop them.",
            evidence={
                "estimated_noise_rate": 0.0493,
                "low_rate": 0.038,
                "high_rate": 0.062,
                "model": "extra trees",
                "out_of_fold_accuracy": 0.9352,
                "confusion": [
                    {"given": "3", "suggested": "8", "samples": 14},
                    {"given": "9", "suggested": "4", "samples": 11},
                    {"given": "1", "suggested": "7", "samples": 9},
                    {"given": "5", "suggested": "6", "samples": 4},
                ],
            },
            affected=Affected(count=95, samples=tuple(wrong[:50]), truncated=True),
        ),
        finding(
            "LBL101",
            "class-imbalance",
            "warning",
            "The largest class of train has 15.3 times as many samples as the smallest (183 of 3, 12 of 9).",
            split="train",
            class_="9",
            consequence="The loss is dominated by the large classes; accuracy looks good while 9 is never predicted.",
            remedy="Use the class weights shown here or sample the classes evenly, and report balanced accuracy.",
            evidence={"ratio": 15.25, "majority_accuracy": 0.1347, "counts": train},
            affected=Affected(count=12),
        ),
        finding(
            "IMG101",
            "transposed-dimensions",
            "warning",
            "4 of 340 test images are 48 x 64 where all others are 64 x 48.",
            split="test",
            consequence="They are squeezed or cropped by the loader and look like nothing in train.",
            remedy="Rotate them back, or apply the EXIF orientation when loading.",
            evidence={"usual_width": 64, "usual_height": 48, "affected_share": 4 / 340},
            affected=Affected(count=4, samples=transposed),
        ),
        finding(
            "ORD101",
            "sorted-by-label",
            "info",
            "The folders are read class by class, so the samples come in label order.",
            split="train",
            consequence="Without shuffling, every batch holds one class.",
            remedy="Shuffle when loading.",
            evidence={"runs": 10, "expected_runs": 1_187.0},
        ),
    )
    shuffled = [int(name) for name, amount in test.items() for _ in range(amount)]
    draw.shuffle(shuffled)
    dataset = DatasetReport(
        name="digits",
        path="data/digits",
        layout="one folder per class, under one folder per split",
        storage=Storage.PICTURES,
        modality="images",
        evidence="train/ and test/ hold the same 10 folders of PNG files",
        label=LabelInfo(name="folder name", evidence="10 folders", confidence="certain", task="classification"),
        splits=(
            SplitInfo(name="train", samples=sum(train.values()), classes=train, evidence="folder train/"),
            SplitInfo(name="test", samples=sum(test.values()), classes=test, evidence="folder test/"),
        ),
        facts={
            "label_strip": {
                "train": strip([int(name) for name, amount in train.items() for _ in range(amount)], names),
                "test": strip(shuffled, names),
            },
            "class_balance": {"train": balance(train), "test": balance(test)},
            "input_range": {
                "train": {"low": 0, "high": 255, "mean": 77.9, "deviation": 95.9},
                "test": {"low": 0, "high": 255, "mean": 78.1, "deviation": 96.0},
            },
            "model": {"name": "extra trees", "accuracy": 0.9352, "chance_accuracy": 0.1347, "samples": 1359},
            "unheard_of": [1, 2, 3],
        },
        views=views(names, dict.fromkeys(pictures)),
        findings=found,
        rules=rules(["LBL102", "LBL101", "IMG101", "ORD101"], {"SPL103": "images, not columns of numbers"}),
    )
    return dataset, pictures


def diabetes() -> DatasetReport:
    """A numeric target and a scaler that was fitted before the split."""
    draw = random.Random(3)
    columns = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
    leak = [
        {
            "column": column,
            "mean (all)": draw.gauss(0, 1e-16),
            "standard deviation (all)": 1.0,
            "mean (train)": draw.gauss(0, 0.05),
            "standard deviation (train)": 1 + draw.gauss(0, 0.03),
        }
        for column in columns
    ]
    shuffled: list[JsonValue] = [draw.gauss(152, 77 / 5) for _ in range(300)]
    climbing: list[JsonValue] = [*(25 + 3.6 * n for n in range(40)), *[None] * 5, *(205 + 3.2 * n for n in range(44))]
    return DatasetReport(
        name="diabetes_split",
        path="data/diabetes_split",
        layout="one CSV file per split",
        storage=Storage.DELIMITED,
        modality="table",
        evidence="train.csv and test.csv have the same header",
        label=LabelInfo(name="target", evidence="the column is called target", confidence="certain", task="regression"),
        splits=(
            SplitInfo(name="train", samples=353, evidence="file train.csv"),
            SplitInfo(name="test", samples=89, evidence="file test.csv"),
        ),
        views=views(columns, None),
        facts={
            "label_strip": {
                "train": {
                    "kind": "numeric",
                    "means": shuffled,
                    "low": 25.0,
                    "high": 346.0,
                    "samples": 353,
                    "exact": True,
                },
                "test": {
                    "kind": "numeric",
                    "means": climbing,
                    "low": 25.0,
                    "high": 346.0,
                    "samples": 89,
                    "exact": False,
                },
            },
            "input_range": {"train": {"low": -3.1, "high": 4.2, "mean": 0.002, "deviation": 1.01}},
        },
        findings=(
            finding(
                "SPL103",
                "pre-split-normalization",
                "error",
                "10 of 10 columns have mean 0 and deviation 1 over train and test together, but not in train alone.",
                consequence="The scaler has seen the test rows: the evaluation is too good, and the model gets other "
                "inputs in use than it was tested on.",
                remedy="Split first, fit the scaler on train only, and apply it to both splits. The raw values are needed: "
                "this cannot be undone from these files.",
                evidence={"scaling": "standard", "columns_agreeing": 10, "columns_tested": 10, "columns": leak},
                affected=Affected(count=442),
            ),
        ),
        rules=rules(["SPL103"], {"LBL101": "the label is numeric", "IMG101": "not images"}),
    )


def views(names: Sequence[str], pictures: dict[str, None] | None) -> Views:
    """All pictures of a data set whose classes, columns and splits have these names; of images if there are pictures."""
    if pictures is None:
        shown = tuple(
            HeadSample(id=f"{names[0]}:{n}", index=n, label=float(n), values=(n / 7, names[-1], None))
            for n in range(20)
        )
        batches = (HeadBatch(samples=32, shown=shown), HeadBatch(samples=4, shown=shown[:4]))
        head = FirstBatches(
            split=names[0], batch_size=32, columns=(names[0], names[-1], "empty"), hidden_columns=4, batches=batches
        )
    else:
        shown = tuple(HeadSample(id=name, index=n, label=names[0]) for n, name in enumerate(pictures))
        one = HeadBatch(samples=32, labels={names[0]: 32}, shown=shown)
        mixed = HeadBatch(samples=32, labels={names[0]: 20, names[1]: 10}, missing=2)
        head = FirstBatches(split=names[0], batch_size=32, batches=(one, mixed))
    scales = Scales(
        split=names[0],
        columns=(
            ColumnScale(name=names[0], low=-3e7, high=5e9, mean=12.5, deviation=1e9),
            ColumnScale(name=names[1], low=0.0, high=1e-5, mean=1e-6, deviation=1e-6),
            ColumnScale(name="constant", low=3.0, high=3.0, mean=3.0, deviation=0.0),
        ),
        features=12,
    )
    sizes = Sizes(
        points=(
            Size(width=48, height=64, images=4, mark="swapped"),
            Size(width=60, height=80, images=1, mark="tagged"),
            Size(width=64, height=48, images=1_200),
            Size(width=6_400, height=48, images=1),
        ),
        distinct=4,
    )
    return Views(
        columns=columns(names),
        overlap=Overlap(splits=(names[0], names[1]), samples=(1_000, 200), shared=((3, 0), (12, 50)), exact=False),
        scales=scales,
        sizes=None if pictures is None else sizes,
        first_batches=head,
    )


def columns(names: Sequence[str]) -> Columns:
    """A column of numbers and one of texts, in two splits."""
    numbers = (
        ColumnValues(missing=3, distinct=40, low=-1.5, median=2.0, high=9.0, bins=(0, 60, 20, 20)),
        ColumnValues(missing=0, low=0.0, median=2.5, high=9.0, bins=(30, 30, 30, 10)),
    )
    texts = (ColumnValues(missing=0, distinct=3, top=((names[0], 60), (names[1], 40))), None)
    return Columns(
        splits=(names[0], names[1]),
        samples=(100, 100),
        columns=(
            Column(name=names[0], kind="number", splits=numbers, start=-1.5, end=9.0),
            Column(name=names[1], kind="text", role="text", splits=texts),
        ),
        total=7,
        exact=False,
    )


def crowded() -> Report:
    """A thousand classes, and names as long as a page."""
    long = "a_very_long_name_without_any_blank_" * 12
    names = [f"{long}{k}" for k in range(1_000)]
    counts = dict.fromkeys(names, 3)
    confusion: list[JsonValue] = [{"given": a, "suggested": b, "samples": 2} for a, b in pairwise(names[:51])]
    pictured = thumbnail(1)
    samples = tuple(sample(f"{long}/{n}.png", n, long, given=names[n], suggested=names[n + 1]) for n in range(20))
    noisy = finding(
        "LBL102",
        "noisy-labels",
        "warning",
        "Some labels look wrong.",
        split=long,
        class_=names[0],
        evidence={"confusion": confusion, "model": long},
        affected=Affected(count=20, samples=samples),
    )
    dataset = DatasetReport(
        name=long,
        path=f"/data/{long}",
        layout="image class folders",
        storage=Storage.PICTURES,
        modality="images",
        label=LabelInfo(name=long, evidence=long, confidence="high", task="classification"),
        splits=tuple(SplitInfo(name=f"{long}{k}", samples=3_000, classes=counts) for k in range(3)),
        facts={
            "label_strip": {long: strip([n % 12 for n in range(300)], names[:12])},
            "class_balance": {f"{long}{k}": balance(counts) for k in range(3)},
        },
        views=views(names, {s.id: None for s in samples}),
        findings=(noisy,),
        rules=rules(["LBL102"]),
    )
    whole = report([dataset])
    return whole.holding(Held(thumbnails={s.id: pictured for s in samples}))


def clean_table() -> DatasetReport:
    return DatasetReport(
        name="wine",
        path="data/wine.parquet",
        layout="one Parquet file",
        storage=Storage.PARQUET,
        modality="table",
        label=LabelInfo(name="cultivar", evidence="named so", confidence="medium", task="classification"),
        splits=(SplitInfo(name="all", samples=178, classes={"a": 59, "b": 71, "c": 48}),),
        rules=rules([]),
    )


def unlabelled() -> DatasetReport:
    """Nothing could be judged."""
    return DatasetReport(
        name="rows",
        path="rows.npy",
        layout="one NumPy array",
        storage=Storage.NUMPY,
        modality="table",
        label=None,
        splits=(SplitInfo(name="all", samples=3),),
        rules=(
            RuleStatus(
                code="ORD101", rule="sorted-by-label", status="skipped", reason="no label column found", coverage=""
            ),
            RuleStatus(code="VAL101", rule="all-zero-inputs", status="failed", reason="MemoryError", coverage=""),
        ),
    )


def typical() -> Report:
    """Three data sets with nine findings between them, and thumbnails."""
    pictured, pictures = digits()
    whole = report([iris(), pictured, diabetes(), clean_table()])
    return whole.holding(Held(thumbnails=pictures))


@cache
def many(amount: int, codes: int = 4) -> Report:
    """``amount`` findings of ``codes`` rules in one data set, each with evidence and 20 samples."""
    severities: tuple[Severity, ...] = ("error", "warning", "info")
    rows = tuple(sample(f"table/part-{n:05}.csv:{n * 17}", n * 17, given="a", suggested="b") for n in range(20))
    one = finding(
        "VAL100",
        "missing-values",
        "error",
        "",
        split="train",
        evidence={"missing_share": 0.124, "by_class": [{"class": "a", "share": 0.1}, {"class": "b", "share": 0.2}]},
        affected=Affected(count=1240, samples=rows, truncated=True),
    )
    found = tuple(
        one.model_copy(
            update={
                "code": f"VAL{100 + n % codes}",
                "severity": severities[n % codes % 3],
                "message": f"Column feature_{n} lacks 12.4% of its values.",
                "column": f"feature_{n}",
                "fingerprint": f"{n:016x}",
            }
        )
        for n in range(amount)
    )
    return report([clean_table().model_copy(update={"findings": found})])


def hostile() -> Report:
    """Attacks in every place that the data or a file name can reach."""
    datasets = []
    for number, name in enumerate(HOSTILE):
        confusion = [{"given": name, "suggested": name + "2", "samples": 3}]
        evidence = {
            "confusion": confusion,
            name: name,
            "list": [name, name],
            "records": [{name: name, "n": 1}],
            "mapping": {name: 1.5},
        }
        attack = finding(
            "VAL101",
            name,
            "warning",
            name,
            consequence=name,
            remedy=name,
            split=name,
            column=name,
            class_=name,
            evidence=evidence,
            affected=Affected(count=1, samples=(sample(name, 0, name, given=name, suggested=name, **{name: name}),)),
        )
        bare = attack.model_copy(update={"affected": Affected(count=0), "severity": "error"})
        pictured = sample(name + " picture", 1, name, given=name, **{name: name})
        picture = attack.model_copy(update={"affected": Affected(count=1, samples=(pictured,)), "severity": "info"})
        facts: dict[str, JsonValue] = {
            "label_strip": {
                name: strip([0, 1, 1, 0, 1], [name, name + "2"]),
                name + "2": {"kind": "numeric", "means": [1, 2], "low": 1, "high": 2, "samples": 2, "exact": False},
            },
            "class_balance": {name: balance({name: 3, name + "2": 2})},
            "batches": {name: {"size": 32, "single_label_share": 0.5}},
            "input_range": {name: {"low": 0, "high": 1}},
            "model": {"name": name, "accuracy": 0.5},
            name: name,
        }
        datasets.append(
            DatasetReport(
                name=name,
                path=name,
                layout=name,
                modality="images",
                evidence=name,
                label=LabelInfo(name=name, evidence=name, confidence="low", task="classification"),
                splits=(SplitInfo(name=name, samples=5, classes={name: 3, name + "2": 2}, evidence=name),),
                facts=facts,
                views=views([name, name + "2"], {name + " picture": None} if number % 2 else None),
                findings=(attack, bare, picture),
                rules=(RuleStatus(code=name, rule=name, status="failed", reason=name, coverage=name),),
            )
        )
    return report(datasets).holding(Held(thumbnails={name + " picture": thumbnail(1) for name in HOSTILE}))


def thumbnail(seed: int) -> bytes:
    """A small WebP picture."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 255, (6, 6), dtype=np.uint8)).resize((96, 96), Image.Resampling.BICUBIC)
    buffer = BytesIO()
    small.save(buffer, "WEBP", quality=50)
    return buffer.getvalue()
