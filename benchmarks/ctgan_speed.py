"""The paper's CTGAN, ours beside the ``ctgan`` package: same rows, hyper-parameters and epochs.

    python benchmarks/ctgan_speed.py --rows 32561 --epochs 15 --seeds 5

Prints a Markdown table of medians, with the range over seeds in brackets; ratios are taken pair by
pair, of runs next to each other. Every training has a process of its own; the implementations
alternate, so that whatever else the machine does meets them all. The package runs twice: with one
thread, as ours does, and with as many as PyTorch takes by itself, as it comes. Seconds per epoch
are those of the training alone; fit and transform of the encoder (Gaussian mixtures) are timed
beside it. CPU seconds are of all threads.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import pandas as pd

SHARED = Path(os.environ.get("SYNTHGEN_SHARED_DATA", Path(__file__).parents[1] / "../shared/data"))
TARGET = "income"
OURS, REFERENCE, AS_IT_COMES = "synthgen", "ctgan, one thread", "ctgan, as it comes"
T = TypeVar("T")


def seconds() -> tuple[float, float]:
    """CPU (with finished child processes) and wall."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages), time.perf_counter()


def timed(work: Callable[[], T]) -> tuple[T, dict[str, float]]:
    cpu, wall = seconds()
    result = work()
    cpu_after, wall_after = seconds()
    return result, {"cpu": cpu_after - cpu, "wall": wall_after - wall}


def adult(rows: int) -> pd.DataFrame:
    """The first rows of Adult; empty cells become a category, for ``ctgan`` wants none."""
    return pd.read_csv(SHARED / "tabular/adult-train.csv", nrows=rows).fillna("missing")


def run_ours(frame: pd.DataFrame, epochs: int, seed: int, n: int) -> tuple[pd.DataFrame, Any]:
    from synthgen.data.infer import infer
    from synthgen.data.table import Table
    from synthgen.encoding import Encoded, Encoder
    from synthgen.generators import ctgan_paper as module
    from synthgen.training.context import Context

    table = Table(frame, infer(frame, target=TARGET))

    def encode() -> tuple[Encoder, Encoded]:
        encoder = module.fit_encoder(table, numeric="modes", seed=seed)
        return encoder, encoder.encode(table)

    (encoder, encoded), encoding = timed(encode)
    generator = module.CTGANPaper(epochs=epochs)
    with (
        mock.patch.object(module, "fit_encoder", return_value=encoder),
        mock.patch.object(Encoder, "encode", return_value=encoded),
    ):
        sampler, training = timed(lambda: generator.fit(table, Context(seed=seed)))
    synthetic, sampling = timed(lambda: sampler.sample(n, seed=seed))
    return synthetic.frame, {"encoding": encoding, "training": training, "sampling": sampling}


def run_reference(frame: pd.DataFrame, epochs: int, seed: int, n: int) -> tuple[pd.DataFrame, Any]:
    from ctgan import CTGAN
    from ctgan.data_transformer import DataTransformer

    discrete = [name for name in frame if frame[name].dtype == object]
    transformer = DataTransformer()

    def encode() -> Any:
        transformer.fit(frame, discrete)
        return transformer.transform(frame)

    matrix, encoding = timed(encode)
    known = {
        "fit": lambda self, *_: self.__dict__.update(transformer.__dict__),
        "transform": lambda *_: matrix,
    }
    model = CTGAN(epochs=epochs, enable_gpu=False)
    model.set_random_state(seed)
    with mock.patch.multiple(DataTransformer, **known):
        _, training = timed(lambda: model.fit(frame, discrete))
    synthetic, sampling = timed(lambda: model.sample(n))
    return synthetic, {"encoding": encoding, "training": training, "sampling": sampling}


def work(options: argparse.Namespace) -> None:
    """One training and one sample, in this process."""
    import torch

    warnings.simplefilter("ignore")
    if options.worker != AS_IT_COMES:
        torch.set_num_threads(1)
    frame = adult(options.rows)
    run = run_ours if options.worker == OURS else run_reference
    run(frame.head(600), 1, 0, 100)  # what the first step costs once belongs to no epoch
    synthetic, times = run(frame, options.epochs, options.seed, len(frame))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    synthetic.to_parquet(options.out / "synthetic.parquet")
    (options.out / "times.json").write_text(json.dumps({**times, "peak": peak}))


def quality(real: pd.DataFrame, synthetic: pd.DataFrame) -> dict[str, float]:
    """SDMetrics' quality report: column shapes, column pair trends, and their mean."""
    from sdmetrics.reports import QualityReport

    kinds = {
        name: {"sdtype": "categorical" if real[name].dtype == object else "numerical"}
        for name in real
    }
    report = QualityReport()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        metadata = {"tables": {"adult": {"columns": kinds}}}
        report.generate({"adult": real}, {"adult": synthetic}, metadata, verbose=False)
    parts = report.get_properties().set_index("Property")["Score"]
    return {
        "shapes": float(parts["Column Shapes"]),
        "trends": float(parts["Column Pair Trends"]),
        "overall": float(parts[["Column Shapes", "Column Pair Trends"]].mean()),
    }


def measure(options: argparse.Namespace, name: str, seed: int, real: pd.DataFrame) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, __file__, "--worker", name, "--seed", str(seed)]
        for option in ("rows", "epochs"):
            command += [f"--{option}", str(getattr(options, option))]
        root = str(Path(__file__).parents[1])
        environment = {**os.environ, "PYTHONPATH": root}
        if name != AS_IT_COMES:
            environment["OMP_NUM_THREADS"] = "1"
        subprocess.run([*command, "--out", folder], check=True, env=environment)
        times = json.loads((Path(folder) / "times.json").read_text())
        synthetic = pd.read_parquet(Path(folder) / "synthetic.parquet")
    result = {
        "cpu": times["training"]["cpu"] / options.epochs,
        "wall": times["training"]["wall"] / options.epochs,
        "encoding": times["encoding"]["cpu"],
        "sampling": times["sampling"]["cpu"] * 1e6 / len(real),
        "sampling_wall": times["sampling"]["wall"] * 1e6 / len(real),
        "peak": times["peak"],
        **quality(real, synthetic),
    }
    print(f"seed {seed} {name}: {json.dumps(result)}", file=sys.stderr, flush=True)
    return result


ROWS = [
    ("CPU seconds per epoch", "cpu", "{:.2f}"),
    ("wall seconds per epoch", "wall", "{:.2f}"),
    ("CPU seconds to fit and apply the encoder", "encoding", "{:.1f}"),
    ("CPU microseconds per sampled row", "sampling", "{:.1f}"),
    ("wall microseconds per sampled row", "sampling_wall", "{:.1f}"),
    ("peak memory, MiB", "peak", "{:,.0f}"),
    ("SDMetrics column shapes", "shapes", "{:.3f}"),
    ("SDMetrics pair trends", "trends", "{:.3f}"),
    ("SDMetrics overall", "overall", "{:.3f}"),
]


def middle(values: list[float], form: str) -> str:
    """Median, and range in brackets."""
    return f"{form} [{form}, {form}]".format(statistics.median(values), min(values), max(values))


def report(options: argparse.Namespace, results: dict[str, list[dict[str, float]]]) -> str:
    lines = [
        f"Adult, {options.rows} rows, {options.epochs} epochs, {options.seeds} seeds; "
        f"{_processor()}; Python {platform.python_version()}, torch {version('torch')}, "
        f"ctgan {version('ctgan')}, synthgen {version('synthgen')}, "
        f"sdmetrics {version('sdmetrics')}. Median, range in brackets.",
        "",
        f"| | {OURS} | {REFERENCE} | ratio | {AS_IT_COMES} | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for title, key, form in ROWS:
        own = [result[key] for result in results[OURS]]
        cells = [title, middle(own, form)]
        for name in (REFERENCE, AS_IT_COMES):
            theirs = [result[key] for result in results[name]]
            cells.append(middle(theirs, form))
            pairs = zip(theirs, own, strict=True)
            cells.append(middle([other / ours for other, ours in pairs], "{:.2f}"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = {line.split(":")[1].strip() for line in text.splitlines() if "model name" in line}
    return f"{', '.join(names) or platform.machine()}, {os.cpu_count()} cores, load {_load()}"


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=32_561, help="first rows of Adult")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--worker", choices=[OURS, REFERENCE, AS_IT_COMES], help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return
    real = adult(options.rows)
    options.rows = len(real)
    results: dict[str, list[dict[str, float]]] = {OURS: [], REFERENCE: [], AS_IT_COMES: []}
    for seed in range(options.seeds):
        order = [*results] if seed % 2 == 0 else [*reversed(results)]
        for name in order:
            results[name].append(measure(options, name, seed, real))
    print(report(options, results))


if __name__ == "__main__":
    main()
