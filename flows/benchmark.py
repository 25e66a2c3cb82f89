"""Data sets x generators x seeds: every cell a run of the flow ``augment``, then one table."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.artifacts import key
from flows.crashes import check_attempt
from flows.job import STORE, store
from flows.progress import Progress
from flows.refusals import plainly
from synthgen.errors import ConfigError
from synthgen.pipeline import bench, bench_file
from synthgen.pipeline.bench_file import BenchFile
from synthgen.report.bench_text import summary


@task(cache_policy=NO_CACHE)
def measure(file: BenchFile, out: Path, title: str) -> Path:
    """All cells that have no result yet, one after the other; what failed is tried again."""
    result = bench.bench(file, out, title=title, notify=Progress("cells", key(out)))
    create_markdown_artifact(
        f"# {title}\n\n```\n{summary(result)}\n```\n", key=f"bench-{key(out)}", description=title
    )
    failed = [cell for cell in result.cells if cell.failure is not None]
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(result.cells)} runs failed: see {out}")
    return out


@flow(name="benchmark", flow_run_name="{name}")
def benchmark(file: dict[str, object], name: str) -> Path:
    """Which generator helps on which data? ``file`` is what a file for ``synthgen bench`` holds
    (configs/bench.yaml is an example). Returns the folder of bench.html, below the store."""
    check_attempt()
    asked = bench_file.build(file)
    folder = store()
    if not isinstance(folder, Path):
        raise ConfigError(
            f"a benchmark is written to a folder of this machine, and {STORE} is {folder}",
            f"set {STORE} to a folder for it",
        )
    out = folder / name
    folder.mkdir(parents=True, exist_ok=True)
    with plainly(), FileLock(folder / f".{name}.turn").acquire(poll_interval=1.0):
        found = measure(asked, out, name)
    get_run_logger().info("written: %s", found / "bench.html")
    return found
