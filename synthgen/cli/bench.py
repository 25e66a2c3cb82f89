"""``synthgen bench``: many data sets, generators and seeds in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthgen.cli import options
from synthgen.cli.console import Ending, set_verbosity, watching
from synthgen.cli.options import ProgressStyle
from synthgen.errors import SynthgenError


class _BenchError(SynthgenError):
    """The bench ended early, or with cells that failed."""

    def __init__(self, exit_code: int, cause: str, remedy: str) -> None:
        super().__init__(cause, remedy)
        self.exit_code = exit_code


def bench(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bench file, in YAML.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FOLDER",
            help="Default: runs/NAME-OF-FILE.",
            callback=options.here,
        ),
    ] = None,
    json_: options.Json = False,
    progress: options.Progress = ProgressStyle.auto,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    force: Annotated[
        bool, typer.Option("--force", help="Replace runs that had another configuration.")
    ] = False,
) -> None:
    """Run every data set with every generator and seed, and rank the methods.

    FILE lists datasets, generators, seeds and settings; configs/bench.yaml is an example. Repeat
    the command to go on: finished runs are kept, and what failed is tried again.
    """
    set_verbosity(verbose)
    from synthgen.pipeline import bench as benches
    from synthgen.pipeline import bench_file
    from synthgen.report.bench_text import summary
    from synthgen.runs import dump

    asked = bench_file.read(file)
    folder = out if out is not None else Path("runs") / file.stem
    Ending.repeat = True
    with watching(progress, quiet=quiet) as notify:
        result = benches.bench(asked, folder, title=file.stem, force=force, notify=notify)
    if json_:
        print(dump(result.model_dump(mode="json")), end="")
    else:
        print(summary(result))
        print()
        print(f"page    {folder / 'bench.html'}")
        print(f"tables  {folder / 'bench.md'}, {folder / 'bench.csv'}")
    failed = [cell.failure for cell in result.cells if cell.failure is not None]
    if failed:
        raise _BenchError(
            failed[0].exit_code,
            f"{len(failed)} of {len(result.cells)} runs failed; the first: {failed[0].cause}",
            "remove the causes and repeat the command: only these are tried again",
        )
    gates = [cell.gate for cell in result.cells if cell.gate is not None]
    if gates:
        raise _BenchError(
            6, f"{len(gates)} runs failed a gate; the first: {gates[0]}", "see the runs' reports"
        )
