"""How often the verdict is wrong: false "augment", power, and the coverage of its intervals.

    python benchmarks/verdict_calibration.py --problems 200 --workers 2

Families of problems whose truth is known, each solved many times by the whole of ``decide``: inner
choice of recipe and learner, variants, cheap arms, Holm, the dropping of clear losers.

- ``truth, enough rows``: the generator draws fresh rows of the true process, but a linear model has
  learned all that it can from the rows at hand.
- ``duplicates``: on six real tables, the generator repeats training rows, but for the last digits.
- ``right model``: the generator is fitted to the training rows, and what it assumes (independent
  normal columns within a class) is true, where a linear model without it has too few rows.
- ``truth, 600 rows`` and ``truth, 900 rows``: the generator draws fresh rows of the true process,
  where more rows are worth about 3 points.
- ``noise`` and ``class ignored``: rows that do harm.

Every difference of a family (for ``duplicates``: of a table) has the same expectation, so the mean
over all *other* problems is the truth that each single interval should cover. The Monte-Carlo error
of everything stands beside it.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DATA = Path(os.environ.get("SYNTHGEN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "tabular"
TABLES = {
    "adult-train": "income",
    "telco-churn": "Churn",
    "shoppers": "Revenue",
    "default": "default.payment.next.month",
    "magic": "class",
    "mammography": "calcification",
}


@dataclass(frozen=True)
class Solved:
    """One problem: ``differences`` of the raw arm over the resamples, and its interval."""

    decision: str
    differences: list[float]
    low: float
    high: float
    dropped: int


@dataclass(frozen=True)
class Family:
    """``problem`` gives a table and a generator from a seed; ``complete`` measures clear losers to
    the end, which coverage needs; ``kinds``: problems whose seeds differ by it are alike."""

    name: str
    kind: str
    problem: Callable[[int], tuple[Any, Any]]
    learners: tuple[str, ...]
    share: float
    complete: bool = False
    kinds: int = 1


def _gaussian(rows: int, columns: int, signal: float) -> Callable[[int], tuple[Any, Any]]:
    def problem(seed: int) -> tuple[Any, Any]:
        from tests.benchmark.worlds import World, oracle

        world = World(columns=columns, signal=signal, majority=0.6)
        return world.table(rows, seed), oracle(world)

    return problem


def _modelled(train: Any) -> Any:
    """Rows of independent normal distributions per class, with one variance per column."""
    import numpy as np
    import pandas as pd

    frame = train.frame
    names = [column.name for column in train.schema.continuous]
    means = frame.groupby("y")[names].mean()
    spread = (frame[names] - means.loc[frame["y"]].to_numpy()).std(ddof=len(means)).to_numpy()

    def draw(n: int, rng: Any, where: Mapping[str, Any] | None) -> Any:
        labels = np.array([where["y"]] * n) if where else rng.choice(frame["y"].to_numpy(), n)
        drawn = pd.DataFrame(rng.normal(means.loc[labels].to_numpy(), spread), columns=names)
        drawn["colour"] = np.where(drawn["x0"] > 0.5, "red", "blue")
        drawn["y"] = labels
        return drawn

    return draw


def _right(rows: int, columns: int) -> Callable[[int], tuple[Any, Any]]:
    def problem(seed: int) -> tuple[Any, Any]:
        from tests.benchmark.worlds import Fake, World

        return World(columns=columns, signal=2.0).table(rows, seed), Fake(_modelled)

    return problem


def _harmful(name: str) -> Callable[[int], tuple[Any, Any]]:
    def problem(seed: int) -> tuple[Any, Any]:
        from tests.benchmark.worlds import World, fake

        return World(columns=4, signal=1.5).table(800, seed), fake(name)

    return problem


def _shaken(train: Any) -> Any:
    """Training rows, their numbers moved by a two-hundredth of a standard deviation: duplicates
    that are no exact copies, which the verdict would refuse without any test."""

    def draw(n: int, rng: Any, where: Mapping[str, Any] | None) -> Any:
        known = train.frame
        for column, value in (where or {}).items():
            known = known[known[column] == value]
        drawn = known.iloc[rng.integers(0, len(known), n)].reset_index(drop=True)
        for column in train.schema.continuous:
            numbers = drawn[column.name].astype("float64")
            spread = float(known[column.name].astype("float64").std()) or 0.0
            drawn[column.name] = numbers + rng.normal(0, 0.005 * spread + 1e-12, n)
        return drawn

    return draw


def _duplicated(rows: int) -> Callable[[int], tuple[Any, Any]]:
    def problem(seed: int) -> tuple[Any, Any]:
        import numpy as np
        import pandas as pd

        from synthgen.data.infer import infer
        from synthgen.data.table import Table
        from tests.benchmark.worlds import Fake

        name = list(TABLES)[seed % len(TABLES)]
        frame = pd.read_csv(DATA / f"{name}.csv")
        order = np.random.default_rng(seed).permutation(len(frame))
        small = frame.iloc[order[:rows]].reset_index(drop=True)
        return Table(small, infer(small, target=TABLES[name])), Fake(_shaken)

    return problem


FAMILIES = (
    Family("truth, enough rows", "null", _gaussian(1500, 4, 1.5), ("logistic",), 0.55),
    Family("duplicates", "null", _duplicated(600), ("logistic",), 0.5, kinds=6),
    Family("right model", "gain", _right(800, 200), ("logistic",), 0.3),
    Family("truth, 600 rows", "gain", _gaussian(600, 80, 2.0), ("logistic",), 0.3),
    Family("truth, 900 rows", "gain", _gaussian(900, 120, 2.0), ("logistic",), 0.2),
    Family("noise", "harm", _harmful("noise"), ("logistic",), 0.15, complete=True),
    Family("class ignored", "harm", _harmful("class-ignorer"), ("logistic",), 0.15, complete=True),
)


def settings(family: Family) -> Any:
    """The standard budget's resamples and rules, with fewer recipes than it tries (time)."""
    from synthgen.benchmark.settings import DecideSettings

    return DecideSettings(
        resamples=10,
        learners=family.learners,
        ratios=(1.0, 2.0) if family.kind == "gain" else (0.5, 1.0),
        filters=("density_ratio",) if family.kind == "gain" else (),
        weights=(0.3,),
        arms=("nothing", "class_weights", "threshold", "placebo"),
        curve=(),
        drop_losers=not family.complete,
    )


def solve(place: int, seed: int) -> Solved:
    """One problem of one family."""
    from synthgen.benchmark.comparison import Comparison
    from synthgen.benchmark.verdict import conclude
    from tests.benchmark.worlds import measure

    family = FAMILIES[place]
    table, generator = family.problem(seed)
    asked = settings(family)
    results = measure(table, asked, {"generator": generator}, seed)
    verdict = conclude(results, asked, generators=("generator",))
    board = Comparison(results, asked)
    gain = board.estimate("generator", "nothing")
    assert gain is not None
    return Solved(
        verdict.decision,
        board.pairs("generator", "nothing").differences,
        gain.low,
        gain.high,
        len(verdict.dropped),
    )


def summary(family: Family, found: list[Solved]) -> dict[str, Any]:
    """Shares with their Monte-Carlo standard errors; effects in points."""
    import numpy as np

    n = len(found)
    # A problem whose arm was dropped early has fewer differences: problems count alike.
    means = np.array([np.mean(one.differences) for one in found])
    truth = float(means.mean())
    covers = []
    for kind in range(family.kinds):
        own, alike = found[kind :: family.kinds], means[kind :: family.kinds]
        others = (alike.sum() - alike) / max(1, len(alike) - 1)
        covers += [one.low <= t <= one.high for one, t in zip(own, others, strict=True)]
    covered = float(np.mean(covers))
    augment = float(np.mean([one.decision == "augment" for one in found]))
    refused = float(np.mean([one.decision == "do-not-augment" for one in found]))

    def error(share: float) -> float:
        return math.sqrt(max(share * (1 - share), 1 / n) / n)

    return {
        "family": family.name,
        "kind": family.kind,
        "problems": n,
        "truth": 100 * truth,
        "truth_error": 100 * float(means.std(ddof=1)) / math.sqrt(n),
        "augment": augment,
        "augment_error": error(augment),
        "do_not_augment": refused,
        "inconclusive": 1 - augment - refused,
        "coverage": covered,
        "coverage_error": error(covered),
        "half_width": 50 * float(np.mean([one.high - one.low for one in found])),
    }


def _start() -> None:
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--problems", type=int, default=200, help="null problems; others a share")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", help="families whose name contains this")
    parser.add_argument("--out", type=Path, help="every problem as a line of JSON")
    parser.add_argument("--show", type=Path, help="the table of what such a file holds; no work")
    given = parser.parse_args()
    _start()
    if given.show:
        table([summary(f, known) for f in FAMILIES if (known := _read(given.show, f.name))])
        return
    spawn = multiprocessing.get_context("spawn")
    lines: list[dict[str, Any]] = []
    with ProcessPoolExecutor(given.workers, spawn, initializer=_start) as pool:
        for place, family in enumerate(FAMILIES):
            if given.only and given.only not in family.name:
                continue
            started = time.perf_counter()
            count = max(2, round(given.problems * family.share))
            found = []
            for one in pool.map(solve, [place] * count, range(count)):
                found.append(one)
                if given.out:
                    with given.out.open("a") as file:
                        file.write(json.dumps({"family": family.name, **asdict(one)}) + "\n")
            lines.append(summary(family, found))
            print(json.dumps(lines[-1]), f"{time.perf_counter() - started:.0f} s", flush=True)
    table(lines)


def _read(path: Path, family: str) -> list[Solved]:
    records = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Solved(**{k: v for k, v in record.items() if k != "family"})
        for record in records
        if record["family"] == family
    ]


def table(lines: list[dict[str, Any]]) -> None:
    """As Markdown."""
    print("\n| family | problems | true effect | augment | do not | coverage | half-width |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for row in lines:
        print(
            f"| {row['family']} | {row['problems']} "
            f"| {row['truth']:+.2f} ± {row['truth_error']:.2f} "
            f"| {row['augment']:.1%} ± {row['augment_error']:.1%} | {row['do_not_augment']:.0%} "
            f"| {row['coverage']:.1%} ± {row['coverage_error']:.1%} | {row['half_width']:.2f} |"
        )
    null = [row for row in lines if row["kind"] == "null"]
    if null:
        total = sum(row["problems"] for row in null)
        wrong = sum(row["augment"] * row["problems"] for row in null) / total
        print(f"\nnull problems: {total}, false augment {wrong:.1%}")
    covered = sum(row["coverage"] * row["problems"] for row in lines)
    print(f"coverage over all: {covered / sum(row['problems'] for row in lines):.1%}")


if __name__ == "__main__":
    main()
