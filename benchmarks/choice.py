"""Does ``auto`` choose the generator that independent judges prefer, and what does choosing cost?

    python benchmarks/choice.py --rows 500 5000 --seeds 3

``auto`` chooses among the candidates of the standard budget on so many training rows of Adult,
Magic and Shoppers. Each candidate is then fitted to all of these rows by itself and judged by test
rows, which nothing else has seen, by the judges of ``ctgan_quality.py``: C2ST of XGBoost (1: not
told from test rows, up to 5,000 on either side; 0: without an error) and TSTR (AUC on the test rows
of XGBoost trained on as many synthetic rows as training rows). CPU seconds of the fits, in one
thread. Rows that were measured are kept in ``--keep`` and not measured again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from ctgan_quality import NUMBERS, TARGETS, parts, told_apart, useful

from synthgen.benchmark.threads import single_thread
from synthgen.config import with_budget
from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.table import Table
from synthgen.generators.auto import Auto
from synthgen.training.context import Context


def measured(name: str, rows: int, seed: int, budget: Any) -> list[dict[str, Any]]:
    """One record per candidate, and the cost of the choice in each."""
    train, test = parts(name)
    order = np.random.default_rng(seed).permutation(len(train))[:rows]
    train = train.iloc[np.sort(order)].reset_index(drop=True)
    numbers = NUMBERS[name].split()
    kinds = {c: ColumnOverride(kind="numeric" if c in numbers else "categorical") for c in train}
    table = Table(train, infer(train, target=TARGETS[name], overrides=kinds))
    generator = with_budget(Auto(), budget, rows)
    assert isinstance(generator, Auto)
    started = time.process_time()
    choice = generator.fit(table, Context(seed=seed)).choice
    spent = time.process_time() - started
    found = []
    for candidate, contender in zip(generator.candidates, choice.candidates, strict=True):
        started = time.process_time()
        sampler = candidate.fit(table, Context(seed=seed))
        alone = time.process_time() - started
        made = sampler.sample(rows, seed=seed).frame
        size = min(len(test), 5_000)
        many = sampler.sample(size, seed=seed + 1).frame
        found.append(
            {
                "table": name,
                "rows": rows,
                "seed": seed,
                "budget": budget,
                "candidate": contender.name,
                "chosen": contender.name == choice.chosen,
                "auc": contender.auc,
                "c2st": told_apart(name, test.head(size), many, boosted=True),
                "tstr": useful(name, made, test),
                "cpu": alone,
                "auto_cpu": spent,
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tables", nargs="+", default=["adult", "magic", "shoppers"])
    parser.add_argument("--rows", nargs="+", type=int, default=[500, 5000])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", default="standard")
    parser.add_argument("--keep", type=Path, default=Path("/tmp/choice.jsonl"))
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    lines = given.keep.read_text().splitlines() if given.keep.exists() else []
    known = [json.loads(line) for line in lines]
    found: list[dict[str, Any]] = []
    for rows in given.rows:
        for name in given.tables:
            for seed in range(given.seeds):
                key = {"table": name, "rows": rows, "seed": seed, "budget": given.budget}
                some = [r for r in known if all(r[k] == v for k, v in key.items())]
                if not some:
                    with single_thread():
                        some = measured(name, rows, seed, given.budget)
                    with given.keep.open("a") as file:
                        file.writelines(json.dumps(record) + "\n" for record in some)
                    print(*map(json.dumps, some), sep="\n", flush=True)
                found += some
    show(pd.DataFrame(found))


def show(found: pd.DataFrame) -> None:
    """Means over the seeds; how much is lost against the best candidate of each seed; the cost."""
    keys, scores = ["rows", "table", "candidate"], ["auc", "c2st", "tstr", "cpu"]
    print("\n| rows | table | candidate | chosen | held-out AUC | C2ST | TSTR | fit, s |")
    print("| ---: | --- | --- | ---: | ---: | ---: | ---: | ---: |")
    means = found.groupby(keys, sort=False)[scores].mean()
    times = found.groupby(keys, sort=False)["chosen"].agg(["sum", "count"])
    for key, row in means.iterrows():
        rest = " | ".join(f"{row[score]:.3f}" for score in scores[:3])
        chosen = f"{times.loc[key, 'sum']} of {times.loc[key, 'count']}"
        print(f"| {key[0]:,} | {key[1]} | {key[2]} | {chosen} | {rest} | {row['cpu']:.0f} |")
    runs = found.groupby(["rows", "table", "seed"], sort=False)
    taken = found[found["chosen"]].set_index(["rows", "table", "seed"])
    for score in ("c2st", "tstr"):
        lost = runs[score].max() - taken[score]
        print(
            f"\n{score}: the candidate with the best one is chosen in {(lost == 0).sum()} of "
            f"{len(lost)} cases; {lost.mean():.4f} is lost on average, {lost.max():.4f} at most"
        )
    for rows, cost in (taken["auto_cpu"] / taken["cpu"]).groupby("rows"):
        spent = taken["auto_cpu"].groupby("rows").mean()[rows]
        print(f"{rows:,} rows: auto takes {spent:.0f} s, {cost.mean():.1f} times its choice alone")


if __name__ == "__main__":
    main()
