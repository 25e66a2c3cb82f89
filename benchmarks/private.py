"""What privacy costs: ``dp-ctgan`` at several epsilons beside ``ctgan`` with as many epochs.

    python benchmarks/private.py --epsilons 1 3 10 --seeds 3

The first ``--rows`` training rows of Adult; as many synthetic ones, judged as in
``ctgan_quality.py`` (SDMetrics' column shapes and pair trends against the training rows, the AUC on
the official test rows of XGBoost trained on the synthetic rows, beside real rows). The seed
does not fix ``dp-ctgan``: its noise comes from the operating system. CPU seconds are of the fit in
one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pandas as pd

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]


def measured(settings: dict[str, Any], rows: int, seed: int) -> dict[str, float]:
    """Scores of one fit."""
    from ctgan_quality import NUMBERS, TARGETS, parts, useful
    from pydantic import TypeAdapter
    from sdmetrics.reports.single_table import QualityReport

    from synthgen.data.infer import infer
    from synthgen.data.overrides import ColumnOverride
    from synthgen.data.table import Table
    from synthgen.generators import AnyGenerator
    from synthgen.training.context import Context

    train, test = parts("adult")
    train = train.iloc[:rows].reset_index(drop=True)
    numbers = NUMBERS["adult"].split()
    kinds = {c: ColumnOverride(kind="numeric" if c in numbers else "categorical") for c in train}
    table = Table(train, infer(train, target=TARGETS["adult"], overrides=kinds))
    generator = TypeAdapter(AnyGenerator).validate_python(settings)
    started = time.process_time()
    sampler = generator.fit(table, Context(seed=seed))
    spent = time.process_time() - started
    made = sampler.sample(len(train), seed=seed).frame
    sdtypes = {c: {"sdtype": "numerical" if c in numbers else "categorical"} for c in train}
    report = QualityReport()
    report.generate(train, made, {"columns": sdtypes}, verbose=False)
    shape, trend = report.get_properties()["Score"]
    return {
        "shapes": 100 * shape,
        "trends": 100 * trend,
        "tstr": useful("adult", made, test),
        "real": useful("adult", train, test),
        "cpu": spent,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epsilons", nargs="+", type=float, default=[1.0, 3.0, 10.0])
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    asked = [{"name": "dp-ctgan", "epsilon": epsilon} for epsilon in given.epsilons]
    found = []
    for seed in range(given.seeds):
        for settings in [*asked, {"name": "ctgan"}]:
            label = f"dp-ctgan, epsilon {settings['epsilon']:g}" if len(settings) > 1 else "ctgan"
            scores = measured({**settings, "epochs": given.epochs}, given.rows, seed)
            found.append({"generator": label, **scores})
            print(found[-1], flush=True)
    scores = pd.DataFrame(found).groupby("generator", sort=False)
    means, low, high = scores.mean(), scores.min(), scores.max()
    print("\n| generator | column shapes % | pair trends % | TSTR | real rows | CPU seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for name, row in means.iterrows():
        spans = [
            f"{row[k]:.{d}f} [{low.loc[name, k]:.{d}f}, {high.loc[name, k]:.{d}f}]"
            for k, d in (("shapes", 1), ("trends", 1), ("tstr", 3))
        ]
        print(f"| {name} | {' | '.join(spans)} | {row['real']:.3f} | {row['cpu']:.0f} |")


if __name__ == "__main__":
    main()
