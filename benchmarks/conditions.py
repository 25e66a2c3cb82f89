"""Conditions and shares of classes: does a sample hold what was asked for, and how fast?

    python benchmarks/conditions.py --epochs 15 --seeds 5

Adult. *Prevalence*: the share of ``>50K`` among unconditional rows of ``ctgan``, ``ctgan-paper``
and the ``ctgan`` package after so many epochs, over seeds, beside the training rows' share.
*Rare class*: Adult with all but 0.17 % of its rows of ``>50K`` left out; rows of that class per CPU
second, how many of them have it, and of a condition on another column. Prints Markdown.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import ctgan_speed as speed

RICH, SHARE = ">50K", 0.0017


def fitted(name: str, frame: pd.DataFrame, epochs: int, seed: int) -> Any:
    from pydantic import TypeAdapter

    from synthgen.data.infer import infer
    from synthgen.data.table import Table
    from synthgen.generators import AnyGenerator
    from synthgen.training.context import Context

    generator = TypeAdapter(AnyGenerator).validate_python({"name": name, "epochs": epochs})
    return generator.fit(Table(frame, infer(frame, target=speed.TARGET)), Context(seed=seed))


def prevalence(name: str, frame: pd.DataFrame, epochs: int, seed: int) -> float:
    """The share of the class among as many rows, in percent."""
    if name == "ctgan package":
        from ctgan import CTGAN

        model = CTGAN(epochs=epochs, enable_gpu=False)
        model.set_random_state(seed)
        model.fit(frame, [column for column in frame if frame[column].dtype == object])
        made = model.sample(len(frame))
    else:
        made = fitted(name, frame, epochs, seed).sample(len(frame), seed=seed).frame
    return float(100 * (made[speed.TARGET] == RICH).mean())


def rare_rows(name: str, frame: pd.DataFrame, epochs: int, n: int) -> list[str]:
    """A line per condition."""
    rich = frame[speed.TARGET] == RICH
    kept = round(SHARE / (1 - SHARE) * (~rich).sum())
    rare = pd.concat([frame[~rich], frame[rich].sample(kept, random_state=0)], ignore_index=True)
    sampler = fitted(name, rare, epochs, 0)
    lines = []
    for column, value in ((speed.TARGET, RICH), ("sex", "Female"), ("race", "Other")):
        share = 100 * (rare[column] == value).mean()
        sampler.sample(1000, seed=0, where={column: value})
        started = time.process_time()
        made = sampler.sample(n, seed=1, where={column: value}).frame
        rate = len(made) / (time.process_time() - started)
        right = 100 * (made[column] == value).mean()
        cells = [name, f"{column} = {value}", f"{share:.2f}", f"{len(made):,}", f"{right:.0f}"]
        lines.append(f"| {' | '.join(cells)} | {rate:,.0f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000, help="with each condition")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    frame = speed.adult(10**9)
    truth = 100 * (frame[speed.TARGET] == RICH).mean()
    print(f"| {RICH}, % (truth {truth:.1f}) | " + " | ".join(map(str, range(given.seeds))) + " |")
    print("| --- |" + " ---: |" * given.seeds)
    for name in ("ctgan", "ctgan-paper", "ctgan package"):
        shares = [prevalence(name, frame, given.epochs, seed) for seed in range(given.seeds)]
        print(f"| {name} | " + " | ".join(f"{share:.1f}" for share in shares) + " |", flush=True)
    print(
        "\n| generator | condition | share of rows, % | drawn | with it, % | rows per CPU second |"
    )
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for name in ("ctgan", "ctgan-paper"):
        print("\n".join(rare_rows(name, frame, given.epochs, given.rows)), flush=True)


if __name__ == "__main__":
    main()
