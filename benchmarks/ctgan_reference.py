"""Our CTGAN beside the ``ctgan`` package: same rows, same hyper-parameters, same epochs, one run.

    python benchmarks/ctgan_reference.py --rows 32561 --epochs 15 --seeds 3

Prints a Markdown table. Every training has a process of its own; the two implementations
alternate, so that whatever else the machine does meets both. Seconds per epoch are those of the
training alone; the encoding of the table (Gaussian mixtures) is timed beside it.
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
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import pandas as pd

SHARED = Path(os.environ.get("SYNTHGEN_SHARED_DATA", Path(__file__).parents[1] / "../shared/data"))
TARGET = "income"
OURS, REFERENCE, DEFAULT = "synthgen", "ctgan", "synthgen, averaged"
"""``OURS`` has the reference's hyper-parameters; ``DEFAULT`` also averages its weights."""
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


def run_ours(
    frame: pd.DataFrame, epochs: int, seed: int, n: int, **options: float | None
) -> tuple[pd.DataFrame, Any]:
    from synthgen.data.infer import infer
    from synthgen.data.table import Table
    from synthgen.encoding import Encoded, Encoder
    from synthgen.generators import ctgan as module
    from synthgen.training.context import Context

    table = Table(frame, infer(frame, target=TARGET))

    def encode() -> tuple[Encoder, Encoded]:
        encoder = module.fit_encoder(table, numeric="modes", seed=seed)
        return encoder, encoder.encode(table)

    (encoder, encoded), encoding = timed(encode)
    generator = module.CTGAN(epochs=epochs, **options)
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
    torch.set_num_threads(options.threads)
    frame = adult(options.rows)
    run: Callable[..., tuple[pd.DataFrame, Any]] = {
        OURS: partial(run_ours, ema=None),
        REFERENCE: run_reference,
        DEFAULT: run_ours,
    }[options.worker]
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
        for option in ("rows", "epochs", "threads"):
            command += [f"--{option}", str(getattr(options, option))]
        root = str(Path(__file__).parents[1])
        environment = {**os.environ, "PYTHONPATH": root, "OMP_NUM_THREADS": str(options.threads)}
        subprocess.run([*command, "--out", folder], check=True, env=environment)
        times = json.loads((Path(folder) / "times.json").read_text())
        synthetic = pd.read_parquet(Path(folder) / "synthetic.parquet")
    result = {
        "cpu": times["training"]["cpu"] / options.epochs,
        "wall": times["training"]["wall"] / options.epochs,
        "encoding": times["encoding"]["cpu"],
        "sampling": len(real) / times["sampling"]["wall"],
        "peak": times["peak"],
        **quality(real, synthetic),
    }
    print(f"seed {seed} {name}: {json.dumps(result)}", file=sys.stderr, flush=True)
    return result


ROWS = [
    ("CPU seconds per epoch", "cpu", "{:.2f}"),
    ("wall seconds per epoch", "wall", "{:.2f}"),
    ("CPU seconds to encode", "encoding", "{:.1f}"),
    ("sampled rows per second", "sampling", "{:,.0f}"),
    ("peak memory, MiB", "peak", "{:,.0f}"),
    ("SDMetrics column shapes", "shapes", "{:.4f}"),
    ("SDMetrics pair trends", "trends", "{:.4f}"),
    ("SDMetrics overall", "overall", "{:.4f}"),
]


def report(options: argparse.Namespace, results: dict[str, list[dict[str, float]]]) -> str:
    lines = [
        f"Adult, {options.rows} rows, {options.epochs} epochs, {options.seeds} seeds, "
        f"{options.threads} thread(s); {_processor()}; Python {platform.python_version()}, "
        f"torch {version('torch')}, ctgan {version('ctgan')}, synthgen {version('synthgen')}, "
        f"sdmetrics {version('sdmetrics')}. Mean over seeds, range in brackets.",
        "",
        f"| | {OURS} | {REFERENCE} | {REFERENCE} / {OURS} | {DEFAULT} |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for title, key, form in ROWS:
        cells = {}
        for name, measured in results.items():
            values = [result[key] for result in measured]
            mean, low, high = statistics.mean(values), min(values), max(values)
            cells[name] = f"{form} [{form}, {form}]".format(mean, low, high)
        pairs = zip(results[REFERENCE], results[OURS], strict=True)
        ratio = statistics.geometric_mean(theirs[key] / own[key] for theirs, own in pairs)
        row = [title, cells[OURS], cells[REFERENCE], f"{ratio:.2f}", cells[DEFAULT]]
        lines.append(f"| {' | '.join(row)} |")
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
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="of torch, in each training")
    parser.add_argument("--worker", choices=[OURS, REFERENCE, DEFAULT], help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--out", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return
    real = adult(options.rows)
    options.rows = len(real)
    results: dict[str, list[dict[str, float]]] = {OURS: [], REFERENCE: [], DEFAULT: []}
    for seed in range(options.seeds):
        order = [*results] if seed % 2 == 0 else [*reversed(results)]
        for name in order:
            results[name].append(measure(options, name, seed, real))
    print(report(options, results))


if __name__ == "__main__":
    main()
