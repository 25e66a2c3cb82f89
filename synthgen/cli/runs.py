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
from synthgen.remote import Place, place, reading
from synthgen.runs import Run, runs_in

app = typer.Typer(help="List, show and remove runs.", no_args_is_help=True)


@app.command("ls")
def ls(
    folder: Annotated[str, typer.Argument(help="Where the runs are; or its URL.")] = "runs",
    json_: options.Json = False,
    verbose: options.Verbose = 0,
) -> None:
    """List the runs in a folder, oldest first."""
    set_verbosity(verbose)
    given = place(folder)
    if isinstance(given, Path):
        rows = [_line(run, run.path) for run in runs_in(given)]
    else:
        from synthgen.remote.mirror import runs_at

        rows = [_line(Run(copy), url) for url, copy in runs_at(given)]
    if json_:
        print(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    if not rows:
        say(f"no runs in {given}")
        return
    width = max(len(row["run"]) for row in rows)
    for row in rows:
        print(
            f"{row['run']:<{width}}  {row['state']:<10}  {row['decision']:<15}"
            f"  {row['generator']:<20}  {row['started']}"
        )


def _line(run: Run, given: Place) -> dict[str, Any]:
    import yaml

    config = yaml.safe_load((run / "config.yaml").read_text("utf-8"))
    decision = "-"
    if (run / "verdict.json").is_file():
        decision = json.loads((run / "verdict.json").read_text("utf-8"))["decision"]
    started = datetime.fromtimestamp((run / "config.yaml").stat().st_mtime, UTC).astimezone()
    done = run.done_stages()
    return {
        "run": str(given),
        "state": "finished" if run.finished else f"{len(done)} of 6",
        "decision": decision,
        "generator": config["generator"]["name"],
        "started": started.strftime("%Y-%m-%d %H:%M"),
    }


@app.command("show")
def show(run: options.RunPlace, json_: options.Json = False, verbose: options.Verbose = 0) -> None:
    """Show a run: its verdict and scores, or how far it came."""
    set_verbosity(verbose)
    given = place(run)
    found = Run.open(reading(given, light=True))
    if not (found / "report.json").is_file():
        if json_:
            print(json.dumps(_line(found, given), indent=1, ensure_ascii=False))
            return
        done = found.done_stages()
        print(f"{given}: unfinished, done: {', '.join(done) or 'nothing'}{_on_the_way(found)}")
        print(f"go on with: synthgen resume {given}")
        return
    from synthgen.cli import augment

    augment.show(found.path, given, as_json=json_)


@app.command("rm")
def rm(
    run: options.RunPlace,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    verbose: options.Verbose = 0,
) -> None:
    """Remove a run and everything in it."""
    set_verbosity(verbose)
    given = place(run)
    found = Run.open(reading(given, light=True))
    if not yes and not _agreed(f"Remove {given} and everything in it?"):
        raise ConfigError(f"{given} was not removed", "answer y, or give --yes")
    if isinstance(given, Path):
        with found.writing():
            shutil.rmtree(given)
    else:
        from synthgen.remote.mirror import Mirror

        Mirror(given).remove()
    say(f"removed {given}")


def _on_the_way(run: Run) -> str:
    """How far the stage is that was interrupted, where it keeps what it did."""
    scratch, done = run.path / ".scratch", run.done_stages()
    if "decide" not in done:
        jobs = len(list((scratch / "decide").glob("r*.json")))
        return f"; decide: {jobs} jobs measured" if jobs else ""
    log = scratch / "fit" / "train.jsonl"
    if "fit" in done or not log.is_file():
        return ""
    from synthgen.pipeline import trainlog  # torch comes with it

    steps = [record for record in trainlog.read(log) if "steps" in record]
    return f"; fit: step {steps[-1]['step']:,.0f} of {steps[-1]['steps']:,.0f}" if steps else ""


def _agreed(question: str) -> bool:
    try:
        return typer.confirm(question, err=True)
    except typer.Abort:  # Nobody is there to answer.
        return False
