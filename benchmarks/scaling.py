"""The same jobs on processes, on Dask and on Ray: seconds of ``decide``, and how many times faster
than one process.

    python benchmarks/scaling.py --rounds 2

One run of ``synthgen augment`` on ``--source``; its ``decide`` stage is then done anew for each
runner with one and with two workers, one after the other, ``--rounds`` times. Dask and Ray are
started on this machine for each (their start is part of the seconds, and told apart too). Makes
sure that every one ends with the same files. Prints medians as a Markdown table, the ratio of each
round to one process in that round, and the load of the machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
from synthgen import pipeline  # noqa: E402
from synthgen.config import build  # noqa: E402
from synthgen.pipeline import stages  # noqa: E402
from synthgen.pipeline.events import Event  # noqa: E402
from synthgen.runs import Run, sha256  # noqa: E402

PLACES = [(runner, workers) for runner in ("threads", "dask", "ray") for workers in (1, 2)]


def measure(begun: Path, runner: str, workers: int) -> tuple[float, float, dict[str, str]]:
    """Seconds of the stage, those until the first job was done, and the digests of its files."""
    folder = begun.with_name(f"{runner}-{workers}")
    shutil.copytree(begun, folder)
    run = Run(folder)
    stages.move(run, {"runner": runner, "workers": workers})
    first: list[float] = []

    def hear(event: Event) -> None:
        if event.done == 1 and not first:
            first.append(time.perf_counter() - started)

    started = time.perf_counter()
    stages.decide(run, hear)
    seconds = time.perf_counter() - started
    names = ["verdict.json", *(p.relative_to(folder) for p in (folder / "decide").iterdir())]
    digests = {str(name): sha256(folder / name) for name in names}
    shutil.rmtree(folder)
    return seconds, first[0], digests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default="sklearn:breast_cancer")
    parser.add_argument("--target", default="target")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--resamples", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    config = build(
        {
            "data": {"source": given.source, "target": given.target},
            "generator": {"name": "ctgan", "epochs": given.epochs},
            "budget": "quick",
            "decide": {"resamples": given.resamples, "drop_losers": False},
        }
    )
    seconds: dict[tuple[str, int], list[float]] = {place: [] for place in PLACES}
    first: dict[tuple[str, int], list[float]] = {place: [] for place in PLACES}
    with tempfile.TemporaryDirectory(prefix="scaling-") as scratch:
        begun = Path(scratch) / "begun"
        jobs = len(stages.pending(pipeline.start(config, begun)))
        load = [os.getloadavg()[0]]
        expected: dict[str, str] | None = None
        for _ in range(given.rounds):
            for place in PLACES:
                took, waited, digests = measure(begun, *place)
                assert expected in (None, digests), f"{place} gave other files"
                expected = digests
                seconds[place].append(took)
                first[place].append(waited)
                load.append(os.getloadavg()[0])
                print(place, round(took, 1), round(waited, 1), load[-1], file=sys.stderr)
    print(
        f"{jobs} jobs; load average {min(load):.1f} to {max(load):.1f} on {os.cpu_count()} cores\n"
    )
    print("| runner | workers | seconds | until the first job was done | times faster |")
    print("| --- | ---: | ---: | ---: | ---: |")
    alone = seconds["threads", 1]
    for (runner, workers), found in seconds.items():
        ratios = [one / took for one, took in zip(alone, found, strict=True)]
        spread = f"{median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
        until = median(first[runner, workers])
        print(f"| {runner} | {workers} | {median(found):.1f} | {until:.1f} | {spread} |")


if __name__ == "__main__":
    main()
