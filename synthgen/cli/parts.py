"""The parts of the main job as commands of their own."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated

import typer

from synthgen.cli import options
from synthgen.cli.console import Ending, say, set_verbosity, watching
from synthgen.cli.options import ProgressStyle
from synthgen.errors import ConfigError
from synthgen.remote import below, called, place, reading, working


def train(
    data: options.Data,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FOLDER", help="Where the model goes.", callback=options.here
        ),
    ],
    target: options.Target = None,
    generator: options.GeneratorName = None,
    budget: options.BudgetOption = None,
    config: options.ConfigFile = None,
    set_: options.Set = None,
    seed: options.Seed = None,
    device: options.Device = None,
    begin: options.Begin = None,
    progress: options.Progress = ProgressStyle.auto,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    force: options.Force = False,
) -> None:
    """Train a generator on all of DATA and keep the model.

    Parquet is read column by column, so DATA may hold far more rows than a frame in memory could;
    here it may also be a folder of Parquet files of one schema. A killed training goes on from its
    last checkpoint when the command is repeated. Under torchrun (torchrun --nproc-per-node N -m
    synthgen train ...) ctgan and ctgan-paper train in N processes, one GPU each, on one batch.
    """
    set_verbosity(verbose)
    given = {
        "data.source": data,
        "data.target": target,
        "generator.name": generator,
        "budget": budget.value if budget is not None else None,
        "seed": seed,
        "device": device,
        "generator.begin": begin,
    }
    settings = options.settings(config=config, assignments=set_, given=given)

    from synthgen.config import build
    from synthgen.pipeline import alone
    from synthgen.pipeline.images.beginning import named

    Ending.unfinished = alone.unfinished(out)
    follows = os.environ.get("RANK", "0") != "0"  # torchrun's first process speaks for all
    with watching(progress, quiet=quiet or follows) as notify:
        alone.train(build(named(settings)), out, force=force, notify=notify)
    if not follows:
        print(out)


def sample(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A model, a run directory, or the URL of a run.")
    ],
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, help="How many rows or images.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="PATH",
            help="A file, or with --shard-rows a folder. Default: CSV on standard output. For "
            "images a folder, a name in .zip or one in .parquet.",
            callback=options.here,
        ),
    ] = None,
    shard_rows: Annotated[
        int | None,
        typer.Option(
            "--shard-rows", metavar="N", min=1, help="Write Parquet files of so many rows each."
        ),
    ] = None,
    shards: Annotated[
        str | None,
        typer.Option(
            "--shards", metavar="FIRST:LAST", help="Draw only these shards, counted from 0."
        ),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Processes that draw shards.")
    ] = 1,
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="COLUMN=VALUE", help="Condition; may be repeated."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Fixes the rows that are drawn.")] = 0,
    copies: Annotated[
        bool, typer.Option("--allow-copies", help="Keep rows that equal a training row.")
    ] = False,
    trust: Annotated[
        bool,
        typer.Option("--trust-pickle", help="Load SDV's own format, which can run code."),
    ] = False,
    progress: options.Progress = ProgressStyle.auto,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace the file, or the folder of images, that is there."),
    ] = False,
) -> None:
    """Draw rows or images from a trained model.

    From a run directory, copies of its training data are replaced by other draws; a bare model
    does not hold its training data and cannot do that. Of images, --where label=CLASS asks for a
    class.

    With --shard-rows the rows go to a folder of Parquet files. Each is drawn from a seed of its
    own, so that machines can share the work (--shards 0:499 here, --shards 500:999 there), and
    a repeated command draws what is missing.
    """
    set_verbosity(verbose)
    conditions = dict(_condition(text) for text in where or [])
    given = place(model)
    source = reading(given)
    if shard_rows is not None or shards is not None or workers != 1:
        part = _shards(shards) if shards is not None else None
        if shard_rows is None or out is None:
            raise ConfigError(
                "shards need to know their folder and how many rows one holds",
                "add --out FOLDER" if shard_rows is not None else "add --shard-rows N",
            )
        from synthgen.pipeline.shards import sample_shards

        Ending.repeat = True
        with called(given, source), watching(progress, quiet=quiet) as notify:
            drawn = sample_shards(
                source,
                out,
                rows,
                shard_rows=shard_rows,
                shards=part,
                seed=seed,
                where=conditions,
                workers=workers,
                allow_copies=copies,
                trust_pickle=trust,
                force=force,
                notify=notify,
            )
        for notice in drawn.notices:
            say(f"note: {notice}")
        print(out)
        return
    from synthgen.pipeline import alone

    with called(given, source):
        notices = alone.sample(
            source,
            rows,
            out,
            seed=seed,
            where=conditions,
            allow_copies=copies,
            trust_pickle=trust,
            force=force,
        )
    for notice in notices:
        say(f"note: {notice}")


def _shards(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d+):(\d+)", text)
    if found is None:
        raise ConfigError(f"--shards {text!r} is not of the form FIRST:LAST", "for example: 0:99")
    return int(found[1]), int(found[2])


def _condition(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(
            f"--where {text!r} is not of the form COLUMN=VALUE",
            "for example: --where income='>50K'",
        )
    return column, value


def evaluate(
    real: Annotated[str, typer.Argument(metavar="REAL", help="The rows or images trained on.")],
    synthetic: Annotated[str, typer.Argument(metavar="SYNTHETIC", help="The synthetic ones.")],
    holdout: Annotated[
        str | None,
        typer.Option(
            "--holdout",
            metavar="FILE",
            help="Real rows never trained on. Without it a fifth of REAL stands in for them, "
            "and the privacy scores flatter.",
        ),
    ] = None,
    target: options.Target = None,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    json_: options.Json = False,
    verbose: options.Verbose = 0,
) -> None:
    """Score synthetic data of any origin: fidelity, privacy and, with --target, utility.

    REAL and SYNTHETIC are tables, or both are images (folders, archives, image Parquet).
    """
    set_verbosity(verbose)
    from synthgen.pipeline import alone

    scores, notices = alone.evaluate(real, synthetic, holdout=holdout, target=target, seed=seed)
    for notice in notices:
        say(f"note: {notice}")
    if json_:
        print(json.dumps([s.model_dump(mode="json") for s in scores], indent=1))
        return
    width = max(len(score.title) for score in scores)
    print(f"{'':<10} {'':<{width}} {'value':>9} {'reference':>10}")
    for score in scores:
        reference = f"{score.reference:>10.4g}" if score.reference is not None else f"{'-':>10}"
        print(f"{score.pillar:<10} {score.title:<{width}} {score.value:>9.4g} {reference}")


def report(run: options.RunPlace, verbose: options.Verbose = 0) -> None:
    """Render a run's report.html and card.md again from its report.json."""
    set_verbosity(verbose)
    from synthgen.pipeline import assess

    given = place(run)
    with working(given) as folder:
        found = assess.finished(folder)
        with found.writing():
            assess.redraw(found)
    print(below(given, "report.html"))
