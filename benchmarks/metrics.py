"""Time of the metrics on real tables, and of column shapes and pair trends beside SDMetrics'.

    python benchmarks/metrics.py [--data ../shared/data] [--repeats 3]

Both implementations get the same rows in the same process, one after the other, on one thread;
the best of the repeats counts.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from synthgen.data.infer import infer
from synthgen.data.split import split_rows
from synthgen.data.table import Table
from synthgen.metrics import TABULAR
from synthgen.metrics.base import Trio
from synthgen.metrics.column_shapes import column_shapes
from synthgen.metrics.marginals import marginals
from synthgen.metrics.pair_trends import mean_pair_trend, pair_trends
from synthgen.metrics.score import score

TABLES = {"adult-train": "income", "default": "default.payment.next.month"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    for name, target in TABLES.items():
        trio = _trio(options.data / "tabular" / f"{name}.csv", target)
        print(
            f"{name}: {len(trio.train.schema.modelled)} columns, {len(trio.train)} training, "
            f"{len(trio.holdout)} held-out, {len(trio.synthetic)} synthetic rows"
        )
        _time(trio)
        _compare(trio, options.repeats)


def _time(trio: Trio) -> None:
    total = 0.0
    for metric in TABULAR:
        seconds = _best(partial(score, [metric], trio), 1)
        total += seconds
        print(f"  {metric.name:16} with its reference {seconds:7.2f} s")
    print(f"  {'score_all':35} {total:7.2f} s")
    for report in (marginals, pair_trends):
        print(f"  {report.__name__:16} for the report     {_best(partial(report, trio), 1):7.2f} s")


def _trio(path: Path, target: str) -> Trio:
    """Synthetic rows: training rows with every column shuffled, so that no score is perfect."""
    frame = pd.read_csv(path)
    known, held = split_rows(frame, target=target, share=0.2, seed=0)
    schema = infer(frame.iloc[known].reset_index(drop=True), target=target)
    train, holdout = (Table(frame, schema).take(rows) for rows in (known, held))
    rng = np.random.default_rng(0)
    drawn = train.frame.apply(lambda cells: rng.permutation(cells.to_numpy()))
    return Trio(train, holdout, Table(drawn.astype(train.frame.dtypes), schema))


def _compare(trio: Trio, repeats: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdmetrics.reports import QualityReport

        columns = {
            c.name: {"sdtype": "numerical" if c.kind == "numeric" else "categorical"}
            for c in trio.train.schema.modelled
        }
        metadata = {"tables": {"t": {"columns": columns}}}
        real, drawn = ({"t": t.frame[list(columns)]} for t in (trio.train, trio.synthetic))
        report = QualityReport()
        theirs = _best(lambda: report.generate(real, drawn, metadata, verbose=False), repeats)
        scores = report.get_properties().set_index("Property")["Score"]
    ours = _best(lambda: (column_shapes(trio), mean_pair_trend(trio)), repeats)
    apart = max(
        abs(column_shapes(trio).value - scores["Column Shapes"]),
        abs(mean_pair_trend(trio).value - scores["Column Pair Trends"]),
    )
    print(
        f"  shapes and trends: {ours:.3f} s, SDMetrics {theirs:.3f} s, ratio {theirs / ours:.1f}, "
        f"largest difference of a score {apart:.1e}\n"
    )


def _best(work: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
