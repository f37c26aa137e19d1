"""How often a scaler fitted before the split is found, and falsely seen: ``python -m benchmarks.scaling``.

Real tables are split at random, scaled by a scaler fitted on all rows (the leak), on train (right), on each split by
itself, or not at all, and rounded as files round them. A combination counts as *same numbers* where fitting on all
and on train writes the very same values: nothing leaked and silence is right.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from datalint_rules.splits._scaling import Verdict, judge
from datalint_rules.splits._scaling_rows import ColumnFacts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SAMPLE = 20_000
SPLITS: dict[str, tuple[float, ...]] = {
    "75/25": (0.75, 0.25),
    "80/20": (0.8, 0.2),
    "50/50": (0.5, 0.5),
    "70/15/15": (0.7, 0.15, 0.15),
}
NAMES = ("train", "test", "validation")
FITTED = ("all", "train", "each", "raw")
RIGHT = {"all": "pooled", "train": "train", "each": "each", "raw": None}


def facts_of(X: Floats, rng: np.random.Generator | None = None) -> ColumnFacts:
    """Facts of one split's features [n, p], as one pass over them would collect them."""
    rows = X
    if len(X) > SAMPLE:
        rows = X[np.sort((rng or np.random.default_rng(0)).choice(len(X), SAMPLE, replace=False))]
    seen = ~np.isnan(X)
    count = seen.sum(axis=0)
    mean = np.nansum(X, axis=0) / np.maximum(count, 1)
    return ColumnFacts(
        count=count,
        mean=mean,
        m2=np.nansum((X - mean) ** 2, axis=0),
        minimum=np.fmin.reduce(X),
        maximum=np.fmax.reduce(X),
        negative=(X < 0).sum(axis=0),
        zero=(X == 0).sum(axis=0),
        integral=np.all((np.rint(X) == X) | ~seen, axis=0),
        sample=rows,
    )


def judge_arrays(parts: dict[str, Floats]) -> Verdict | None:
    width = next(iter(parts.values())).shape[1]
    return judge([(name, facts_of(X)) for name, X in parts.items()], [f"x{j}" for j in range(width)])


def scalers() -> dict[str, Callable[[], Any]]:
    """The five scalers of the bars, by name."""
    from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

    return {
        "standard": StandardScaler,
        "min-max": MinMaxScaler,
        "max-abs": MaxAbsScaler,
        "robust": RobustScaler,
        "centred": lambda: StandardScaler(with_std=False),
    }


FORMATS: dict[str, Callable[[Floats], Floats]] = {
    "csv6": lambda X: np.round(X, 6),
    "csv4": lambda X: np.round(X, 4),
    "float32": lambda X: X.astype(np.float32).astype(np.float64),
    "float64": lambda X: X,
}


def real_tables() -> dict[str, Floats]:
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine

    return {
        "digits": load_digits().data,
        "wine": load_wine().data,
        "breast_cancer": load_breast_cancer().data,
        "diabetes": load_diabetes(scaled=False).data,
    }


def cut(X: Floats, shares: tuple[float, ...], rng: np.random.Generator) -> list[Floats]:
    """A random split of the rows in the given shares, train first."""
    order = rng.permutation(len(X))
    ends = np.round(np.cumsum(shares[:-1]) * len(X)).astype(int)
    return np.split(X[order], ends)


def scaled(parts: list[Floats], make: Callable[[], Any], fitted: str) -> list[Floats]:
    """``parts`` scaled by a scaler fitted on "all", "train", "each" of them, or "raw" as they are."""
    if fitted == "raw":
        return parts
    if fitted == "each":
        return [make().fit_transform(part) for part in parts]
    scaler = make().fit(np.concatenate(parts) if fitted == "all" else parts[0])
    return [scaler.transform(part) for part in parts]


def case_of(parts: list[Floats]) -> str | None:
    verdict = judge_arrays(dict(zip(NAMES, parts, strict=False)))
    return verdict.case if verdict else None


def outcome(parts: list[Floats], make: Callable[[], Any], write: Callable[[Floats], Floats], fitted: str) -> str:
    """Outcome of one scaled split: "found", "missed", "same numbers", "false alarm", "quiet" or "other words"."""
    written = [write(part) for part in scaled(parts, make, fitted)]
    case = case_of(written)
    if fitted == "all" and case != "pooled":
        right = [write(part) for part in scaled(parts, make, "train")]
        same = all(np.allclose(a, b, rtol=0, atol=1e-6) for a, b in zip(written, right, strict=True))
        return "same numbers" if same and case in {None, "train"} else "missed" if case is None else f"said {case}"
    if case == RIGHT[fitted]:
        return "found" if case else "quiet"
    if case in {None, "train"} and fitted != "raw":
        return "quiet"
    return f"FALSE {case}"


def real_bars(seeds: int) -> Iterator[tuple[str, Counter[str]]]:
    for (table, X), (kind, make) in itertools.product(real_tables().items(), scalers().items()):
        for fitted in FITTED:
            if fitted == "raw" and kind != "standard":
                continue
            counts: Counter[str] = Counter()
            for (name, shares), write, seed in itertools.product(SPLITS.items(), FORMATS, range(seeds)):
                parts = cut(X, shares, np.random.default_rng(seed))
                result = outcome(parts, make, FORMATS[write], fitted)
                counts[result] += 1
                if result.startswith(("missed", "FALSE", "said")):
                    counts[f"  [{result} {name} {write}]"] += 1
            yield f"{table:14s} {kind:9s} fitted on {fitted:6s}", counts


DRAWS: dict[str, Callable[[np.random.Generator, tuple[int, int]], Floats]] = {
    "normal": lambda rng, shape: rng.normal(3, 2, shape),
    "lognormal": lambda rng, shape: rng.lognormal(0, 1, shape),
    "uniform": lambda rng, shape: rng.uniform(5, 9, shape),
    "student-t3": lambda rng, shape: rng.standard_t(3, shape),
    "whole numbers": lambda rng, shape: np.rint(rng.normal(200, 40, shape)),
    "one decimal": lambda rng, shape: np.round(rng.normal(20, 5, shape), 1),
}


def generated_bars(sizes: tuple[int, ...], seeds: int) -> Iterator[tuple[str, Counter[str]]]:
    for n, width, (kind, make) in itertools.product(sizes, (1, 3, 30), scalers().items()):
        for fitted in ("all", "train"):
            counts: Counter[str] = Counter()
            for (draw, make_table), write, seed in itertools.product(DRAWS.items(), ("csv4", "float32"), range(seeds)):
                rng = np.random.default_rng(seed)
                parts = cut(make_table(rng, (n, width)), (0.75, 0.25), rng)
                result = outcome(parts, make, FORMATS[write], fitted)
                counts[result] += 1
                if result.startswith(("missed", "FALSE", "said")):
                    counts[f"  [{result} {draw} {write}]"] += 1
            yield f"n={n:<7d} columns={width:<3d} {kind:9s} fitted on {fitted:6s}", counts


def proportions(rng: np.random.Generator, n: int, width: int) -> Floats:
    """Shares of small groups: true zeros and ones, simple fractions."""
    size = rng.integers(1, 40, (n, width))
    return np.asarray(rng.binomial(size, rng.beta(0.7, 0.7, (n, width))) / size, dtype=np.float64)


def softmax(rng: np.random.Generator, n: int, width: int) -> Floats:
    weight = np.exp(rng.normal(0, 8, (n, width + 1)))
    return np.asarray((weight / weight.sum(axis=1, keepdims=True))[:, :width], dtype=np.float64)


def embeddings(rng: np.random.Generator, n: int, width: int) -> Floats:
    X = rng.normal(size=(n, width + 2))
    return np.asarray((X / np.linalg.norm(X, axis=1, keepdims=True))[:, :width], dtype=np.float64)


RAW: dict[str, Callable[[np.random.Generator, int, int], Floats]] = {
    "N(0,1)": lambda rng, n, width: rng.normal(size=(n, width)),
    "N(0,1) correlated": lambda rng, n, width: 0.95 * rng.normal(size=(n, 1)) + 0.3 * rng.normal(size=(n, width)),
    "uniform[0,1]": lambda rng, n, width: rng.uniform(size=(n, width)),
    "uniform[-1,1]": lambda rng, n, width: rng.uniform(-1, 1, size=(n, width)),
    "proportions": proportions,
    "beta(.3,.3)": lambda rng, n, width: rng.beta(0.3, 0.3, (n, width)),
    "softmax": softmax,
    "unit-norm embeddings": embeddings,
    "pixels/255": lambda rng, n, width: np.clip(np.rint(rng.normal(120, 90, (n, width))), 0, 255) / 255,
    "sin/cos": lambda rng, n, width: np.sin(rng.uniform(0, 2 * np.pi, (n, width))),
}


def raw_bars(trials: int) -> Iterator[tuple[str, Counter[str]]]:
    """Data that no scaler saw, in one file and split; every verdict but silence counts."""
    for name, draw in RAW.items():
        counts: Counter[str] = Counter()
        for trial in range(trials):
            rng = np.random.default_rng(trial)
            n, width = int(rng.choice([60, 300, 2000])), int(rng.choice([1, 3, 10, 30, 100]))
            decimals = int(rng.choice([1, 2, 3, 4, 6, 16]))
            X = np.round(draw(rng, n, width), decimals)
            parts = [X] if trial % 3 == 0 else cut(X, list(SPLITS.values())[trial % 4], rng)
            case = case_of(parts)
            counts["quiet" if case is None else f"FALSE {case}"] += 1
        yield f"raw {name}", counts


def unsplit_bars(seeds: int) -> Iterator[tuple[str, Counter[str]]]:
    """One unsplit file, already scaled."""
    from sklearn.datasets import load_diabetes

    for (table, X), (kind, make) in itertools.product(real_tables().items(), scalers().items()):
        counts: Counter[str] = Counter()
        for write, seed in itertools.product(FORMATS, range(seeds)):
            rows = np.random.default_rng(seed).permutation(len(X))[: int(len(X) * 0.9)]
            verdict = judge_arrays({"data": FORMATS[write](make().fit_transform(X[rows]))})
            counts[f"{verdict.kind}" if verdict else f"missed {write}"] += 1
        yield f"unsplit {table:14s} {kind}", counts
    yield "unsplit real tables raw", Counter(str(case_of([X])) for X in real_tables().values())
    yield "unsplit digits / 16", Counter([str(case_of([real_tables()["digits"] / 16]))])
    verdict = judge_arrays({"data": np.round(load_diabetes().data, 6)})
    yield "unsplit diabetes as shipped", Counter([f"{verdict.case} {verdict.kind}" if verdict else "missed"])


def trap_bars(seeds: int) -> Iterator[tuple[str, Counter[str]]]:
    """Splits of bounded data: digits over their common maximum."""
    counts: Counter[str] = Counter()
    X = real_tables()["digits"] / 16
    for (shares, write), seed in itertools.product(itertools.product(SPLITS.values(), FORMATS), range(seeds)):
        counts[str(case_of([FORMATS[write](part) for part in cut(X, shares, np.random.default_rng(seed))]))] += 1
    yield "split digits / 16", counts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[60, 20_000, 200_000])
    parser.add_argument("--only", choices=["real", "generated", "raw", "unsplit", "traps"], nargs="*")
    options = parser.parse_args()
    bars: dict[str, Callable[[], Iterator[tuple[str, Counter[str]]]]] = {
        "real": lambda: real_bars(options.seeds),
        "traps": lambda: trap_bars(options.seeds),
        "unsplit": lambda: unsplit_bars(options.seeds),
        "raw": lambda: raw_bars(options.trials),
        "generated": lambda: generated_bars(tuple(options.sizes), max(options.seeds // 5, 1)),
    }
    total: Counter[str] = Counter()
    for name in options.only or bars:
        start = time.process_time()
        print(f"== {name}")
        for line, counts in bars[name]():
            print(f"{line}: " + ", ".join(f"{key} {value}" for key, value in sorted(counts.items())), flush=True)
            total.update({f"{name}: {key}": value for key, value in counts.items() if not key.startswith("  ")})
        print(f"   ({time.process_time() - start:.0f} s of CPU)")
    print("== total\n" + "\n".join(f"{key}: {value}" for key, value in sorted(total.items())))
    sys.exit(any("FALSE" in key for key in total))


if __name__ == "__main__":
    main()
