"""Rows without end: memory and seconds of every step of a training from Parquet.

    python benchmarks/scale.py rows --rows 10_000 100_000 1_000_000 10_000_000
    python benchmarks/scale.py categories
    python benchmarks/scale.py shards

``rows``: a table of 50 mixed columns is written in batches, then read column by column by the
functions that ``synthgen train`` calls. ``categories``: a million rows with one column more, of
100,000 categories. ``shards``: a billion rows planned, of which a few shards
are drawn. Every size has a process of its own, so its peak resident memory is its own too. Seconds
are those of the processor (one core), so that a busy machine does not count. Training ends after
``--seconds`` by the clock; the steps in that time, the first ten left out, give the time of one.
Prints Markdown; files go to ``--folder`` and are removed.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

BATCH = 250_000
"""Rows that are generated and written at once."""
WORDS = 100_000
"""Categories of the wide column."""


def write_table(path: Path, rows: int, *, wide: bool) -> None:
    """50 columns: 24 numbers, 4 whole numbers, 2 dates, 18 categorical columns of 2 to 500 values,
    a boolean and a target that depends on some of them. ``wide`` adds a column ``word``."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    sizes = [2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 60, 80, 120, 250, 500]
    listed = [pa.array([f"{size}-{i:03}" for i in range(size)]) for size in sizes]
    words = pa.array([f"word-{i:06}" for i in range(WORDS)])
    writer = None
    for number, start in enumerate(range(0, rows, BATCH)):
        n = min(BATCH, rows - start)
        rng = np.random.default_rng([7, number])
        factor = rng.normal(size=n)
        columns: dict[str, Any] = {}
        for k in range(24):
            noise = rng.normal(size=n)
            mixed = (k % 4) * 0.3 * factor + noise + 4 * (rng.random(n) < 0.3)
            columns[f"number {k}"] = np.exp(mixed) if k % 3 == 0 else mixed.round(3)
        for k in range(4):
            counted = rng.poisson(30 * (k + 1), n)
            columns[f"count {k}"] = np.where(rng.random(n) < 0.4, 0, counted)
        days = rng.integers(0, 5000, (2, n)) + 10_000
        columns["opened"] = days[0].astype("datetime64[D]").astype("datetime64[us]")
        columns["closed"] = days[1].astype("datetime64[D]").astype("datetime64[us]")
        for k, (size, values) in enumerate(zip(sizes, listed, strict=True)):
            skewed = (size * rng.random(n) ** (1 + k % 3)).astype(np.int32)
            columns[f"code {k}"] = pa.DictionaryArray.from_arrays(skewed, values).cast(pa.string())
        columns["flag"] = rng.random(n) < 0.3
        if wide:
            skewed = np.minimum(WORDS * rng.random(n) ** 2, WORDS - 1).astype(np.int32)
            columns["word"] = pa.DictionaryArray.from_arrays(skewed, words).cast(pa.string())
        columns["y"] = np.where(factor + rng.normal(size=n) > 1, "yes", "no")
        table = pa.table(columns)
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def measure(path: Path, seconds: float) -> dict[str, float]:
    """Schema, encoder, encoding and some hundred steps, as ``synthgen train`` does them."""
    import sklearn.mixture  # noqa: F401

    from synthgen.benchmark.threads import single_thread
    from synthgen.data.checks import check_frame
    from synthgen.data.infer import infer
    from synthgen.data.stored import ParquetColumns, StoredTable
    from synthgen.data.table import Columnar
    from synthgen.encoding import Encoded, Encoder, fit_encoder
    from synthgen.generators import ctgan
    from synthgen.generators.ctgan import CTGAN
    from synthgen.training.context import Context

    found: dict[str, float] = {}
    whole = Encoder.encode
    columns = ParquetColumns.find(str(path))
    assert columns is not None
    with single_thread():
        begun = time.process_time()
        check_frame(columns, "y")
        schema = infer(columns, target="y")
        columns.forget()
        found["schema"] = time.process_time() - begun
        table = StoredTable(columns, schema)
        encoders: list[Encoder] = []

        def fit(*arguments: Any, **named: Any) -> Encoder:
            begun = time.process_time()
            encoders.append(fit_encoder(*arguments, **named))
            found["fit"] = time.process_time() - begun
            return encoders[-1]

        def encode(self: Encoder, table: Columnar) -> Encoded:
            begun = time.process_time()
            encoded = whole(self, table)
            found["encode"] = time.process_time() - begun
            discrete = sum(span.discrete for span in self.spans)
            held = encoded.codes.nbytes + encoded.scalars.nbytes
            # Training puts one position of 4 bytes a row and discrete column beside them.
            found["bytes"] = (held / len(table) + 4 * discrete) / len(self.spans)
            found["width"] = sum(span.size + span.scalar for span in self.spans)
            return encoded

        clock: list[tuple[float, float]] = []

        def log(record: dict[str, float]) -> None:
            clock.append((record["step"], time.process_time()))

        generator = CTGAN(epochs=max(1, 500_000 // len(table)), time_limit=seconds)
        context = Context(seed=0, log=log, log_every=10)
        with patch.object(ctgan, "fit_encoder", fit), patch.object(Encoder, "encode", encode):
            sampler = generator.fit(table, context)
        found["steps"] = clock[-1][0]
        (first, then), (last, now) = clock[0], clock[-1]
        found["step"] = (now - then) / (last - first)
        found["peak"] = peak_gib()
        with tempfile.TemporaryDirectory() as folder:
            sampler.save(Path(folder))
            found["json"] = (Path(folder) / "model.json").stat().st_size / 2**20
        begun = time.process_time()
        sampler.sample(20_000, seed=1)
        found["sample"] = 20_000 / (time.process_time() - begun)
    return found


def in_process(arguments: list[str]) -> dict[str, float]:
    """What a process of its own measures, on one core."""
    command = [sys.executable, __file__, *arguments]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


HEADER = (
    "| table | Parquet, GiB | schema, s | encoder, s | encode, s | bytes a row and column "
    "| s a step (steps) | width | peak, GiB | rows/s | model.json, MiB |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def line(name: str, path: Path, found: dict[str, float]) -> str:
    return (
        f"| {name} | {path.stat().st_size / 2**30:.2f} | {found['schema']:.1f} | "
        f"{found['fit']:.1f} | {found['encode']:.1f} | {found['bytes']:.2f} | "
        f"{found['step']:.4f} ({found['steps']:.0f}) | {found['width']:.0f} | "
        f"{found['peak']:.2f} | {found['sample']:,.0f} | {found['json']:.2f} |"
    )


def rows(folder: Path, sizes: list[int], seconds: float) -> None:
    print(HEADER)
    for size in sizes:
        path = folder / "rows.parquet"
        write_table(path, size, wide=False)
        found = in_process(["measure", "--path", str(path), "--seconds", str(seconds)])
        print(line(f"{size:,} × 50", path, found), flush=True)
        path.unlink()


def categories(folder: Path, size: int, seconds: float) -> None:
    print(HEADER)
    path = folder / "wide.parquet"
    write_table(path, size, wide=True)
    found = in_process(["measure", "--path", str(path), "--seconds", str(seconds)])
    print(line(f"{size:,} × 51, one of {WORDS:,} categories", path, found), flush=True)


def shards(folder: Path, sizes: list[int]) -> None:
    print(
        "| generator | rows a shard | rows/s | peak, GiB | file, MiB |\n"
        "| --- | ---: | ---: | ---: | ---: |"
    )
    write_table(folder / "table.parquet", 10_000, wide=False)
    for name in ("ctgan", "mixture"):
        model = folder / name
        words = ["train", str(folder / "table.parquet"), "--target", "y", "--out", str(model)]
        more = ["--generator", name, "--set", "generator.epochs=2", "--progress", "none"]
        subprocess.run(
            [sys.executable, "-m", "synthgen", *words, *more],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        for size in sizes:
            found = in_process(["draw", "--path", str(model), "--rows", str(size)])
            print(
                f"| {name} | {size:,} | {found['rows']:,.0f} | {found['peak']:.2f} | "
                f"{found['mib']:.0f} |",
                flush=True,
            )


def draw(model: Path, size: int) -> dict[str, float]:
    """A shard in the middle of a billion rows."""
    from synthgen.pipeline.shards import sample_shards

    with tempfile.TemporaryDirectory(dir=model.parent) as folder:
        begun = time.process_time()
        number = 10**9 // size // 2
        drawn = sample_shards(model, folder, 10**9, shard_rows=size, shards=(number, number))
        spent = time.process_time() - begun
        held = drawn.files[0].stat().st_size / 2**20
    return {"rows": size / spent, "peak": peak_gib(), "mib": held}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("rows", "categories", "shards", "measure", "draw"))
    parser.add_argument("--rows", type=int, nargs="+", default=[10**4, 10**5, 10**6, 10**7])
    parser.add_argument("--seconds", type=float, default=60.0, help="Of training, per size.")
    parser.add_argument("--folder", type=Path, help="Default: a temporary one.")
    parser.add_argument("--path", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.what == "measure":
        print(json.dumps(measure(given.path, given.seconds)))
        return
    if given.what == "draw":
        print(json.dumps(draw(given.path, given.rows[0])))
        return
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        if given.what == "rows":
            rows(folder, given.rows, given.seconds)
        elif given.what == "shards":
            shards(folder, [100_000, 1_000_000])
        else:
            categories(folder, 1_000_000, given.seconds)


if __name__ == "__main__":
    main()
