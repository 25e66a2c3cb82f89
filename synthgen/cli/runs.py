"""``synthgen runs ls|show|rm``."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from synthgen.cli import options
from synthgen.cli.console import say, set_verbosity
from synthgen.errors import ConfigError
from synthgen.runs import Run, runs_in

app = typer.Typer(help="List, show and remove runs.", no_args_is_help=True)


@app.command("ls")
def ls(
    folder: Annotated[Path, typer.Argument(help="Where the runs are.")] = Path("runs"),
    json_: options.Json = False,
    verbose: options.Verbose = 0,
) -> None:
    """List the runs in a folder, oldest first."""
    set_verbosity(verbose)
    rows = [_line(run) for run in runs_in(folder)]
    if json_:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    if not rows:
        say(f"no runs in {folder}")
        return
    width = max(len(row["run"]) for row in rows)
    for row in rows:
        print(
            f"{row['run']:<{width}}  {row['state']:<10}  {row['decision']:<15}"
            f"  {row['generator']:<20}  {row['started']}"
        )


def _line(run: Run) -> dict[str, Any]:
    import yaml

    config = yaml.safe_load((run / "config.yaml").read_text("utf-8"))
    decision = "-"
    if (run / "verdict.json").is_file():
        decision = json.loads((run / "verdict.json").read_text("utf-8"))["decision"]
    started = datetime.fromtimestamp((run / "config.yaml").stat().st_mtime, UTC).astimezone()
    done = run.done_stages()
    return {
        "run": str(run.path),
        "state": "finished" if run.finished else f"{len(done)} of 6",
        "decision": decision,
        "generator": config["generator"]["name"],
        "started": started.strftime("%Y-%m-%d %H:%M"),
    }


@app.command("show")
def show(run: options.RunPath, json_: options.Json = False, verbose: options.Verbose = 0) -> None:
    """Show a run: its verdict and scores, or how far it came."""
    set_verbosity(verbose)
    found = Run.open(run)
    if not (found / "report.json").is_file():
        if json_:
            print(json.dumps(_line(found), indent=1, ensure_ascii=False))
            return
        done = found.done_stages()
        print(f"{run}: unfinished, done: {', '.join(done) or 'nothing'}")
        print(f"go on with: synthgen resume {run}")
        return
    from synthgen.cli import augment

    augment.show(run, as_json=json_)


@app.command("rm")
def rm(
    run: options.RunPath,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    verbose: options.Verbose = 0,
) -> None:
    """Remove a run and everything in it."""
    set_verbosity(verbose)
    found = Run.open(run)
    if not yes and not _agreed(f"Remove {run} and everything in it?"):
        raise ConfigError(f"{run} was not removed", "answer y, or give --yes")
    with found.writing():
        shutil.rmtree(run)
    say(f"removed {run}")


def _agreed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # Nobody is there to answer.
        return False
