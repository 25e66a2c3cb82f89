"""Our encoder beside the ``ctgan`` package's DataTransformer: seconds and memory, in one run.

    python benchmarks/encoding.py --rows 100000

Adult's training rows are repeated up to ``--rows``. Every contender runs in a process of its own,
one after the other; peak memory is what the process (the largest, where it starts others) held
beyond the loaded table.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

SHARED = Path(os.environ.get("SYNTHGEN_SHARED_DATA", "../shared/data"))
CONTENDERS = ("ctgan", "modes", "quantiles")


def peak_mib() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def measure(contender: str, data: Path, target: str, rows: int) -> dict[str, float]:
    import numpy as np
    import pandas as pd

    from synthgen.data.infer import infer
    from synthgen.data.table import Table

    frame = pd.read_csv(data)
    schema = infer(frame, target=target)
    frame = frame.iloc[np.resize(np.arange(len(frame)), rows)].reset_index(drop=True)
    if contender == "ctgan":
        from ctgan.data_transformer import DataTransformer

        discrete = [column.name for column in schema.discrete]
        frame = frame[[column.name for column in schema.modelled]]
        before = peak_mib()
        start = time.perf_counter()
        transformer = DataTransformer()
        transformer.fit(frame, discrete)
        fitted = time.perf_counter()
        held = transformer.transform(frame).nbytes
        done = time.perf_counter()
    else:
        # What a program does once is not the encoder's: the same imports as the reference's.
        import sklearn.mixture  # noqa: F401

        from synthgen.encoding import fit_encoder

        table = Table(frame, schema)
        before = peak_mib()
        start = time.perf_counter()
        encoder = fit_encoder(table, numeric=contender, seed=0)  # type: ignore[arg-type]
        fitted = time.perf_counter()
        encoded = encoder.encode(table)
        held = encoded.codes.nbytes + encoded.scalars.nbytes
        done = time.perf_counter()
    return {
        "fit": fitted - start,
        "transform": done - fitted,
        "bytes_per_row": held / rows,
        "peak_mib": peak_mib() - before,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--data", type=Path, default=SHARED / "tabular/adult-train.csv")
    parser.add_argument("--target", default="income")
    parser.add_argument("--only", choices=CONTENDERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.only:
        print(json.dumps(measure(given.only, given.data, given.target, given.rows)))
        return
    print(f"{given.rows} rows of {given.data.name}, {os.cpu_count()} cores")
    print(
        f"{'':10} {'fit s':>9} {'transform s':>12} {'ratio':>7} {'bytes/row':>10} {'peak MiB':>9}"
    )
    reference = 0.0
    for contender in CONTENDERS:
        command = [sys.executable, __file__, *sys.argv[1:], "--only", contender]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        found = json.loads(output.splitlines()[-1])
        total = found["fit"] + found["transform"]
        reference = reference or total
        print(
            f"{contender:10} {found['fit']:11.2f} {found['transform']:11.2f} "
            f"{reference / total:10.1f}x {found['bytes_per_row']:11.0f} {found['peak_mib']:11.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
