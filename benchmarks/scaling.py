"""The same jobs on processes, on Dask and on Ray: seconds of ``decide`` by the clock and of all
processors, and both beside those of one process.

    python benchmarks/scaling.py --rounds 3

A run on ``--source`` is begun once; its ``decide`` stage is then done anew for each runner with one
and with two workers, one after the other, ``--rounds`` times. Dask and Ray are started on this
machine for each, which is part of the seconds. Makes sure that every one ends with the same files.
Prints medians as a Markdown table and how busy the machine was: where others use its cores, the
clock says little, while the processors' seconds still say what a runner costs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("OMP_NUM_THREADS", "1")
from synthgen import pipeline  # noqa: E402
from synthgen.config import build  # noqa: E402
from synthgen.pipeline import stages  # noqa: E402
from synthgen.pipeline.events import Event  # noqa: E402
from synthgen.runs import Run, sha256  # noqa: E402

PLACES = [(runner, workers) for runner in ("threads", "dask", "ray") for workers in (1, 2)]


@dataclass(frozen=True)
class Measured:
    """``first``: seconds until the first job was done; ``cpu``: of this process and all below."""

    seconds: float
    first: float
    cpu: float
    digests: dict[str, str]


def measure(begun: Path, runner: str, workers: int) -> Measured:
    """The stage, done there by so many workers."""
    folder = begun.with_name(f"{runner}-{workers}")
    shutil.copytree(begun, folder)
    run = Run(folder)
    stages.move(run, {"runner": runner, "workers": workers})
    done: list[float] = []
    below: dict[int, float] = {}

    def hear(event: Event) -> None:
        if event.done:
            done.append(time.perf_counter() - started)
        # Those of a cluster are gone when the stage ends.
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                below[process.pid] = sum(process.cpu_times()[:2])

    mine = time.process_time()
    started = time.perf_counter()
    stages.decide(run, hear)
    seconds = time.perf_counter() - started
    cpu = time.process_time() - mine + sum(below.values())
    names = ["verdict.json", *(p.relative_to(folder) for p in (folder / "decide").iterdir())]
    digests = {str(name): sha256(folder / name) for name in names}
    shutil.rmtree(folder)
    return Measured(seconds, done[0], cpu, digests)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default="sklearn:breast_cancer")
    parser.add_argument("--target", default="target")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--resamples", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    config = build(
        {
            "data": {"source": given.source, "target": given.target},
            "generator": {"name": "ctgan", "epochs": given.epochs},
            "budget": "quick",
            "decide": {
                "resamples": given.resamples,
                "drop_losers": False,
                "learners": ["logistic"],
                "curve": [],
            },
        }
    )
    found: dict[tuple[str, int], list[Measured]] = {place: [] for place in PLACES}
    with tempfile.TemporaryDirectory(prefix="scaling-") as scratch:
        begun = Path(scratch) / "begun"
        jobs = len(stages.pending(pipeline.start(config, begun)))
        load = []
        for _ in range(given.rounds):
            for place in PLACES:
                one = measure(begun, *place)
                load.append(os.getloadavg()[0])
                found[place].append(one)
                assert one.digests == found["threads", 1][0].digests, f"{place}: other files"
                print(*place, round(one.seconds), round(one.cpu), load[-1], file=sys.stderr)
    print(f"{jobs} jobs; load average {min(load):.1f} to {max(load):.1f} on {os.cpu_count()} cores")
    print("\n| runner | workers | seconds | to the first job | ratio | CPU seconds | ratio |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    alone = found["threads", 1]
    for (runner, workers), those in found.items():
        clock = median(m.seconds / one.seconds for m, one in zip(those, alone, strict=True))
        cpu = median(m.cpu / one.cpu for m, one in zip(those, alone, strict=True))
        print(
            f"| {runner} | {workers} | {median(m.seconds for m in those):.0f} "
            f"| {median(m.first for m in those):.0f} | {clock:.2f} "
            f"| {median(m.cpu for m in those):.0f} | {cpu:.2f} |"
        )


if __name__ == "__main__":
    main()
