"""``synthgen augment`` and ``synthgen resume``: the main job."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from synthgen.cli import options
from synthgen.cli.console import begin_at, duration, say, set_verbosity, watching
from synthgen.cli.options import ProgressStyle
from synthgen.remote import Mode, Place, below, place, working

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from synthgen.config import Config
    from synthgen.errors import GateError


def augment(
    data: options.Data = "",
    target: options.Target = None,
    generator: options.GeneratorName = None,
    ratio: options.RatioText = None,
    budget: options.BudgetOption = None,
    out: options.Out = None,
    config: options.ConfigFile = None,
    set_: options.Set = None,
    seed: options.Seed = None,
    device: options.Device = None,
    group: options.Group = None,
    time: options.Time = None,
    subgroup: options.Subgroup = None,
    test: options.Test = None,
    rows_per_class: options.RowsPerClass = None,
    begin: options.Begin = None,
    dry_run: options.DryRun = False,
    json_: options.Json = False,
    progress: options.Progress = ProgressStyle.auto,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
    force: options.Force = False,
) -> None:
    """Decide whether synthetic rows or images help, and write the augmented set and the report.

    DATA may be left out if the configuration names a source. Of a table --target names the column
    to predict; of images it may be left out where the labels are folders or a column "label".
    """
    set_verbosity(verbose)
    given = {
        "data.source": data or None,
        "data.target": target,
        "data.group": group,
        "data.time": time,
        "data.subgroups": subgroup or None,
        "data.test": test,
        "split.rows_per_class": rows_per_class,
        "generator.begin": begin,
        "generator.name": generator,
        "sample.ratio": options.ratio(ratio),
        "budget": budget.value if budget is not None else None,
        "seed": seed,
        "device": device,
    }
    settings = options.settings(config=config, assignments=set_, given=given)

    from synthgen import pipeline
    from synthgen.config import build
    from synthgen.errors import ConfigError
    from synthgen.pipeline.images.beginning import named

    job = build(named(settings))
    if not job.data.source:
        raise ConfigError("no data to read", "name a file: synthgen augment DATA --target COLUMN")
    if dry_run:
        _forecast(job, json_)
        return
    run = place(out) if out is not None else pipeline.default_folder(job.data.source)
    mode: Mode = "replace" if force else "new"
    with (
        working(run, mode, begun=partial(begin_at, run)) as folder,
        watching(progress, quiet=quiet) as notify,
    ):
        failed = _until_gates(lambda: pipeline.augment(job, folder, force=force, notify=notify))
    show(folder, run, as_json=json_)
    if failed is not None:
        raise failed


def resume(
    run: options.RunPlace,
    now: options.Now = False,
    trust: options.Trust = False,
    set_: options.SetPlace = None,
    json_: options.Json = False,
    progress: options.Progress = ProgressStyle.auto,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
) -> None:
    """Go on with an interrupted run; the result is the same as if it had not been interrupted."""
    set_verbosity(verbose)
    moved = options.settings(config=None, assignments=set_, given={})

    from synthgen import pipeline

    given = place(run)
    with (
        working(given, begun=partial(begin_at, given)) as folder,
        watching(progress, quiet=quiet) as notify,
    ):
        failed = _until_gates(
            lambda: pipeline.resume(folder, notify, trust_pickle=trust, now=now, place=moved)
        )
    show(folder, given, as_json=json_)
    if failed is not None:
        raise failed


def _until_gates(work: Callable[[], object]) -> GateError | None:
    """Do the work; a gate that fails is returned, since everything is written by then."""
    from synthgen.errors import GateError

    try:
        work()
    except GateError as error:
        return error
    return None


def show(folder: Path, given: Place, *, as_json: bool) -> None:
    """Print the result of a finished run, which the user knows as ``given``."""
    from synthgen.pipeline.kinds import kind_in
    from synthgen.report import load, summary
    from synthgen.runs import Run

    run = Run(folder)
    report = load(run / "report.json")
    augmented = below(given, f"augmented{kind_in(run).form(run).extension}")
    page = below(given, "report.html")
    copied = given != folder
    if as_json:
        result = {
            "run": str(given),
            "verdict": report.verdict.model_dump(mode="json"),
            "report": str(page),
            "augmented": str(augmented),
            "rows": report.provenance.rows,
        }
        if copied:
            result["copy"] = str(folder)
        print(json.dumps(result, indent=1, ensure_ascii=False))
        return
    print(summary(report))
    if report.verdict.resamples < 3:
        print("\nWhy")
        for reason in report.verdict.reasons:
            print(f"- {reason}")
    rows = report.provenance.rows
    added = rows["augmented"] - rows["train"]
    print()
    noun = "images" if report.modality == "images" else "rows"
    print(f"augmented set  {augmented} ({rows['train']} of your {noun} + {added} synthetic)")
    print(f"report         {page}")
    if copied:
        print(f"here to read   {run / 'report.html'}")


def _forecast(job: Config, as_json: bool) -> None:
    from synthgen.pipeline.forecast import forecast

    seen = forecast(job)
    if as_json:
        print(json.dumps(seen.record(), indent=1, ensure_ascii=False))
        return
    width = max(len(name) for name, _, _ in seen.columns)
    for name, kind, note in seen.columns:
        print(f"{name:<{width}}  {kind:<11}  {note}")
    print()
    noun = f"{seen.unit}s"
    print(f"training {noun}  {seen.train_rows}, sealed test {noun} {seen.test_rows}")
    print(f"decide         {seen.jobs} jobs on {seen.workers} workers")
    print(f"memory         about {seen.memory / 1e9:.1f} GB")
    print(f"time           about {duration(seen.seconds)} (measured on a small part)")
    for notice in seen.notices:
        say(f"note: {notice}")
    say("nothing was written")
