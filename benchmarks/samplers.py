"""Speed and fidelity of every generator on the same rows of one table, as Markdown.

    python benchmarks/samplers.py ../shared/data/tabular/adult-train.csv --target income

Each generator is fitted on ``--rows`` rows with its default settings (``--epochs`` replaces the
number of epochs where there is one) and draws as many; fidelity is read against the rows it was
fitted on, and the first line is what as many other real rows reach.
"""

from __future__ import annotations

import argparse
import time
import typing
import warnings
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from pydantic import TypeAdapter

from synthgen.data.infer import infer
from synthgen.data.read import read
from synthgen.data.table import Table
from synthgen.errors import ShortfallWarning
from synthgen.generators import AnyGenerator
from synthgen.generators.base import Generator
from synthgen.metrics.base import Trio
from synthgen.metrics.column_shapes import column_shapes
from synthgen.metrics.exact_copies import exact_copies
from synthgen.metrics.pair_trends import mean_pair_trend
from synthgen.metrics.two_sample import two_sample_auc
from synthgen.training.context import Context

T = TypeVar("T")
METRICS = (column_shapes, mean_pair_trend, two_sample_auc, exact_copies)


def main() -> None:
    arguments = _arguments()
    frame = read(arguments.data).frame
    order = np.random.default_rng(arguments.seed).permutation(len(frame))[: 2 * arguments.rows]
    frame = frame.iloc[order].reset_index(drop=True)
    half = len(frame) // 2
    schema = infer(frame.head(half), target=arguments.target)
    train = Table(frame.head(half), schema)
    other = Table(frame.tail(len(frame) - half).reset_index(drop=True), schema)
    print(f"{len(train)} rows, {len(schema.modelled)} columns, {torch.get_num_threads()} threads\n")
    titles = " | ".join(metric.title for metric in METRICS)
    print(f"| generator | fit, s | rows/s | rows/s of the rarest class | {titles} |")
    print(f"| --- | {'---: | ' * (3 + len(METRICS))}".rstrip())
    print(f"| *other real rows* | | | | {_fidelity(train, other, other)} |", flush=True)
    for generator in _generators(arguments.only, arguments.epochs):
        sampler, fit = _timed(lambda: generator.fit(train, Context(seed=arguments.seed)))  # noqa: B023
        rows, seconds = _timed(lambda: sampler.sample(len(train), seed=1))  # noqa: B023
        classes = np.bincount(train.labels)
        column = next(c for c in schema.discrete if c.name == arguments.target)
        where = {arguments.target: column.values[int(classes.argmin())]}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ShortfallWarning)
            some, waited = _timed(lambda: sampler.sample(1000, seed=2, where=where))  # noqa: B023
        speeds = f"{fit:.1f} | {len(rows) / seconds:,.0f} | {len(some) / waited:,.0f}"
        print(f"| {generator.name} | {speeds} | {_fidelity(train, other, rows)} |", flush=True)  # type: ignore[attr-defined]


def _generators(only: list[str] | None, epochs: int | None) -> list[Generator]:
    adapter = TypeAdapter(AnyGenerator)
    chosen = []
    for kind in typing.get_args(typing.get_args(AnyGenerator)[0]):
        name = kind.model_fields["name"].default
        if only and name not in only:
            continue
        fewer = {"epochs": epochs} if epochs and "epochs" in kind.model_fields else {}
        chosen.append(adapter.validate_python({"name": name, **fewer}))
    return chosen


def _fidelity(train: Table, holdout: Table, rows: Table) -> str:
    trio = Trio(train, holdout, rows)
    return " | ".join(f"{metric(trio).value:.3f}" for metric in METRICS)


def _timed(call: Callable[[], T]) -> tuple[T, float]:
    begun = time.perf_counter()
    result = call()
    return result, time.perf_counter() - begun


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", help="a table that synthgen reads")
    parser.add_argument("--target", required=True)
    parser.add_argument("--rows", type=int, default=5000, help="rows to fit on (default 5000)")
    parser.add_argument("--epochs", type=int, help="in place of each generator's own number")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these generators")
    return parser.parse_args()


if __name__ == "__main__":
    main()
