"""Does following the verdict ever do harm, and where does it gain?

    python benchmarks/uplift.py --workers 2 --keep /tmp/uplift

Regimes: seven real tables at full size (at most ``--cap`` rows), 2,000, 500 and 200 training rows,
and tables of 1,000 rows with 10, 20 and 50 rows of the rarer class. ``decide`` runs at the quick
budget, with ``ctgan`` for ROC-AUC or with ``tvae`` for balanced accuracy, in turns, and ``--draws``
times with other training rows where they are 1,000 or fewer. What it recommends (synthetic rows, a
cheap arm, or nothing) is then trained on all training rows and scored on a sealed test part of at
most 5,000 rows, beside every arm, over three seeds.

*Lost* is the sealed score of the regime's best cheap arm (the one that turns out best on average
over its draws) less that of what was recommended. A regime does harm if the whole 95 % interval of
that loss lies above 0.5 points: of a paired bootstrap over seeds and sealed rows for one draw, else
of the draws, their variance pooled over the regimes of the same metric. What was measured is kept
in ``--keep`` and not measured again: a changed rule is judged in seconds a regime.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
DATA = Path(os.environ.get("SYNTHGEN_SHARED_DATA", ROOT.parent / "shared" / "data")) / "tabular"
TABLES = {
    "adult-train": "income",
    "adult-test": "income",
    "telco-churn": "Churn",
    "shoppers": "Revenue",
    "default": "default.payment.next.month",
    "magic": "class",
    "mammography": "calcification",
}
PASSES = (("ctgan", "roc_auc"), ("tvae", "balanced_accuracy"))
SEALED = 5_000
SEEDS = 3
HARM = 0.005
VARIANTS = ("filtered", "weighted", "mixed")
CHEAP = ("nothing", "class_weights", "threshold", "oversample", "smote")


@dataclass(frozen=True)
class Regime:
    """``rows`` 0: all; ``rare`` 0: classes as they are."""

    table: str
    rows: int
    rare: int
    generator: str
    metric: str
    draw: int = 0

    @property
    def name(self) -> str:
        size = f"{self.rows}" if self.rows else "all"
        return f"{self.table} {size}" + (f", {self.rare} rare" if self.rare else "")

    @property
    def file(self) -> str:
        return f"{self.name} {self.metric}" + (f" {self.draw}" if self.draw else "")


def regimes(draws: int) -> list[Regime]:
    """Small ones first, then large ones, then further draws of the small ones."""
    sizes = [(rows, 0) for rows in (200, 500)]
    few = [(1000, rare) for rare in (10, 20, 50)]
    found = [(t, *size) for size in sizes for t in TABLES]
    found += [(t, *size) for size in few for t in ("adult-train", "mammography")]
    found += [(t, rows, 0) for rows in (2000, 0) for t in TABLES]
    first = [Regime(*one, *PASSES[i % 2]) for i, one in enumerate(found)]
    small = [regime for regime in first if 0 < regime.rows <= 1000]
    return first + [replace(regime, draw=draw) for draw in range(1, draws) for regime in small]


def parts(regime: Regime, cap: int) -> tuple[Any, Any]:
    """Training rows and sealed rows."""
    import numpy as np
    import pandas as pd

    from synthgen.data.split import split_rows

    target = TABLES[regime.table]
    frame = pd.read_csv(DATA / f"{regime.table}.csv")
    share = min(0.5, SEALED / len(frame))
    train_rows, test_rows = split_rows(frame, target=target, share=share, seed=1)
    train = frame.iloc[train_rows]
    rows = min(regime.rows or cap, len(train))
    rng = np.random.default_rng(2 + regime.draw)
    labels = train[target].to_numpy()
    rare = train[target].value_counts().index[-1]
    order = rng.permutation(len(train))
    own, rest = order[labels[order] == rare], order[labels[order] != rare]
    count = regime.rare or max(4, round(rows * len(own) / len(train)))
    chosen = np.concatenate([own[:count], rest[: rows - count]])
    small = train.iloc[np.sort(chosen)].reset_index(drop=True)
    return small, frame.iloc[test_rows].reset_index(drop=True)


def measured(regime: Regime, train: Any, config: Any) -> list[Any]:
    """All jobs of ``decide``."""
    from synthgen.benchmark.arms import CHEAP_GENERATORS, ladder
    from synthgen.benchmark.jobs import run_job
    from synthgen.benchmark.schedule import due

    asked = config.decide
    sources = ladder(asked, (regime.generator,))
    known = {**CHEAP_GENERATORS, regime.generator: config.generator}
    results: list[Any] = []
    while jobs := due(asked, sources, 0, results):
        results += [run_job(j, train, asked, known.get(j.source.name)) for j in jobs]
    return results


def sealed_predictions(
    regime: Regime, train: Any, test: Any, config: Any, results: list[Any]
) -> dict[str, Any]:
    """Per arm (seeds, n, K) probabilities whose largest is the predicted class: the arm as it was
    most often chosen inside, on all training rows."""
    import numpy as np

    from synthgen.benchmark import learners, threshold
    from synthgen.benchmark.arms import CHEAP_GENERATORS, draw
    from synthgen.benchmark.comparison import Comparison
    from synthgen.benchmark.filters import TIMES, fit_filter
    from synthgen.benchmark.learners import rows_of
    from synthgen.benchmark.weighting import sample_weights
    from synthgen.training.context import Context

    board = Comparison(results, config.decide)
    judged, real = rows_of(test), rows_of(train)
    known = {**CHEAP_GENERATORS, regime.generator: config.generator}
    samplers: dict[tuple[str, int], Any] = {}

    def one(arm: str, seed: int) -> Any:
        learner, (recipe, _, _) = board.usual_learner(arm), board.usual_recipe(arm)
        assert learner is not None
        assert recipe is not None
        rows = real
        if recipe.ratio is not None:
            source = board.source(arm)
            if (source, seed) not in samplers:
                samplers[source, seed] = known[source].fit(train, Context(seed=seed))
            sampler = samplers[source, seed]
            times = TIMES if recipe.filter else 1
            drawn = rows_of(draw(sampler, train, recipe.ratio, seed=seed, times=times).rows)
            if recipe.filter:
                first = rows_of(sampler.sample(len(train), seed=seed + 100))
                chosen = fit_filter(recipe.filter, real, first, seed)
                drawn = drawn.take(chosen.keep(drawn, len(drawn) // TIMES, seed))
            rows = real.stack(drawn)
        weights = sample_weights(rows, len(real), recipe)
        values = learners.fit(learner, rows, seed, weights).values(judged)
        if recipe.multipliers is None:
            return values
        product = threshold.apply(values, np.array(recipe.multipliers)).values * np.array(
            recipe.multipliers
        )
        return product / product.sum(axis=1, keepdims=True)

    arms = [arm for arm in board.arms if board.usual_learner(arm)]
    return {arm: np.stack([one(arm, seed) for seed in range(SEEDS)]) for arm in arms}


def solve(regime: Regime, cap: int, keep: Path) -> dict[str, Any]:
    """Decide, follow, and score on the sealed rows; what was measured is kept and not repeated."""
    import numpy as np
    from pydantic import TypeAdapter

    from synthgen import config as configuration
    from synthgen.benchmark.bootstrap import by_rows, paired_bootstrap, roc_auc
    from synthgen.benchmark.comparison import Comparison
    from synthgen.benchmark.learners import rows_of
    from synthgen.benchmark.records import JobResult
    from synthgen.benchmark.scoring import SCORERS, Asked, Predicted
    from synthgen.benchmark.threads import single_thread
    from synthgen.benchmark.verdict import conclude
    from synthgen.data.infer import infer
    from synthgen.data.table import Table

    started = time.perf_counter()
    target = TABLES[regime.table]
    small, sealed = parts(regime, cap)
    train = Table(small, infer(small, target=target))
    test = Table(sealed[list(small.columns)], train.schema)
    settings = {
        "data": {"target": target},
        "budget": "quick",
        "generator": {"name": regime.generator},
        "decide": {"metric": regime.metric, "max_rows": cap, "curve": []},
    }
    config = configuration.resolve(configuration.build(settings), len(train))
    asked = config.decide
    jobs = keep / f"{regime.file}.json"
    predicted = jobs.with_suffix(".npz")
    adapter = TypeAdapter(list[JobResult])
    with single_thread():
        if not jobs.exists():
            jobs.write_bytes(adapter.dump_json(measured(regime, train, config)))
        results = adapter.validate_json(jobs.read_bytes())
        if not predicted.exists():
            np.savez(predicted, **sealed_predictions(regime, train, test, config, results))
        made = dict(np.load(predicted))
    board = Comparison(results, asked)
    verdict = conclude(results, asked, generators=(regime.generator,))
    judged, real = rows_of(test), rows_of(train)
    interest = int(np.argmin(np.bincount(real.labels)))
    asked_of = Asked(interest, asked.precision)

    def score(truth: Any, values: Any) -> float:
        return SCORERS[regime.metric].compute(truth, Predicted.of(values), asked_of)

    scores = {
        arm: float(np.mean([score(judged.labels, v) for v in found])) for arm, found in made.items()
    }
    followed = verdict.arm or "nothing"
    best = max((arm for arm in CHEAP if arm in scores), key=lambda arm: scores[arm])
    fast = regime.metric == "roc_auc"
    loss = paired_bootstrap(
        judged.labels,
        list(made[best]),
        list(made[followed]),
        roc_auc if fast else by_rows(score),
        strata=judged.labels,
        replicates=1000 if fast else 200,
    )
    estimates = {arm: board.estimate(arm, "nothing") for arm in made if arm != "nothing"}
    return {
        "regime": regime.name,
        "draw": regime.draw,
        "generator": regime.generator,
        "metric": regime.metric,
        "rows": len(train),
        "rare": int(np.bincount(real.labels).min()),
        "decision": verdict.decision,
        "followed": followed,
        "best_cheap": best,
        "scores": scores,
        "measured": {
            arm: (board.inner_gain(arm), e.mean, e.error) for arm, e in estimates.items() if e
        },
        "lost": loss.mean,
        "low": loss.low,
        "high": loss.high,
        "gain": scores[followed] - scores["nothing"],
        "sentence": verdict.sentence,
        "seconds": round(time.perf_counter() - started, 1),
    }


def judged(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line per regime of one metric, over its draws."""
    import numpy as np
    from scipy import stats

    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(row["regime"], []).append(row)
    lines = []
    for name, own in grouped.items():
        arms = set.intersection(*(set(row["scores"]) for row in own))
        mean = {arm: float(np.mean([row["scores"][arm] for row in own])) for arm in arms}
        best = max((arm for arm in CHEAP if arm in mean), key=lambda arm: mean[arm])
        scores = [(row["scores"][row["followed"]], row["scores"][best]) for row in own]
        lines.append(
            {
                "regime": name,
                "own": own,
                "mean": mean,
                "best": best,
                "followed": float(np.mean([one for one, _ in scores])),
                "losses": np.array([other - one for one, other in scores]),
            }
        )
    several = [line["losses"] for line in lines if len(line["losses"]) > 1]
    degrees = sum(len(losses) - 1 for losses in several)
    pooled = sum(float(np.sum((x - x.mean()) ** 2)) for x in several) / max(1, degrees)
    t = float(stats.t.ppf(0.975, degrees)) if degrees else 0.0
    for line in lines:
        losses, only = line["losses"], line["own"][0]
        line["lost"] = float(losses.mean())
        if len(losses) > 1:
            margin = t * float(np.sqrt(pooled / len(losses)))
            line["low"], line["high"] = line["lost"] - margin, line["lost"] + margin
        else:
            line["low"], line["high"] = only["low"], only["high"]
    return lines


def show(rows: list[dict[str, Any]]) -> None:
    """The tables of docs/results.md."""
    import numpy as np

    for _, metric in PASSES:
        lines = judged([row for row in rows if row["metric"] == metric])
        if not lines:
            continue
        generator = lines[0]["own"][0]["generator"]
        print(f"\n{metric}, generator {generator}; points\n")
        print("| regime | draws: verdict, followed | nothing | followed | best cheap | lost |")
        print("| --- | --- | ---: | ---: | --- | ---: |")
        for line in lines:
            told = [f"{row['decision']}: {row['followed']}" for row in line["own"]]
            counted = "; ".join(
                (f"{told.count(one)} × " if len(told) > 1 else "") + one
                for one in dict.fromkeys(told)
            )
            low, high = 100 * line["low"], 100 * line["high"]
            print(
                f"| {line['regime']} | {counted} | {100 * line['mean']['nothing']:.1f} "
                f"| {100 * line['followed']:.1f} "
                f"| {line['best']} {100 * line['mean'][line['best']]:.1f} "
                f"| {100 * line['lost']:+.1f} ({low:+.1f} to {high:+.1f}) |"
            )
        gains = np.array([line["followed"] - line["mean"]["nothing"] for line in lines])
        lost = np.array([line["lost"] for line in lines])
        harmed = [line["regime"] for line in lines if line["low"] > HARM]
        print(
            f"\nregimes {len(lines)}; harmed beyond noise: {', '.join(harmed) or 'none'}; lost on "
            f"average {100 * lost.mean():+.2f} ± {100 * lost.std(ddof=1) / len(lost) ** 0.5:.2f}"
        )
        decided = [row["decision"] for line in lines for row in line["own"]]
        counts = ", ".join(f"{one} {decided.count(one)}" for one in sorted(set(decided)))
        print(
            f"following gains more than 0.5 points over doing nothing in {sum(gains > HARM)} of "
            f"{len(lines)} regimes, loses more in {sum(gains < -HARM)}, on average "
            f"{100 * gains.mean():+.2f}; verdicts: {counts}"
        )
        print("\n| regardless of the verdict | against nothing | gains > 0.5 | loses > 0.5 |")
        print("| --- | ---: | ---: | ---: |")
        variants = [generator, *(f"{generator}-{kind}" for kind in VARIANTS)]
        for arm in [*CHEAP[1:], "placebo", *variants]:
            own = [x["mean"][arm] - x["mean"]["nothing"] for x in lines if arm in x["mean"]]
            if own:
                print(
                    f"| {arm} | {100 * np.mean(own):+.2f} | {sum(g > HARM for g in own)} "
                    f"| {sum(g < -HARM for g in own)} of {len(own)} |"
                )


def _start() -> None:
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cap", type=int, default=5000)
    parser.add_argument("--draws", type=int, default=3, help="training sets of the small regimes")
    parser.add_argument("--generator", help="this one everywhere; needs a --keep of its own")
    parser.add_argument("--only", help="regimes whose name contains this")
    parser.add_argument("--keep", type=Path, required=True, help="a folder for what is measured")
    parser.add_argument("--known", action="store_true", help="only the regimes measured already")
    given = parser.parse_args()
    _start()
    given.keep.mkdir(parents=True, exist_ok=True)
    asked = regimes(given.draws)
    if given.generator:
        asked = [replace(r, generator=given.generator) for r in asked]
    todo = [r for r in asked if not given.only or given.only in r.name]
    if given.known:
        todo = [r for r in todo if (given.keep / f"{r.file}.npz").exists()]
    known: list[dict[str, Any]] = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.workers, spawn, initializer=_start) as pool:
        running = {pool.submit(solve, r, given.cap, given.keep): r for r in todo}
        for future in as_completed(running):
            row = future.result()
            known.append(row)
            (given.keep / f"{running[future].file} found.json").write_text(json.dumps(row))
            print(
                row["regime"],
                row["metric"],
                row["decision"],
                row["followed"],
                f"{100 * row['lost']:+.2f}",
                f"{row['seconds']} s",
                flush=True,
            )
    order = {(r.name, r.metric): place for place, r in enumerate(regimes(1))}
    show(sorted(known, key=lambda row: (order[row["regime"], row["metric"]], row["draw"])))


if __name__ == "__main__":
    main()
