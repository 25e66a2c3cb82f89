"""``synthgen demo``: the main job on data that scikit-learn carries, offline, in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthgen.cli import options
from synthgen.cli.console import begin_at, say, set_verbosity, watching
from synthgen.cli.options import ProgressStyle

_JOBS = {
    "breast_cancer": {
        "data": {"source": "sklearn:breast_cancer", "target": "target"},
        "budget": "quick",
        "generator": {"name": "ctgan", "epochs": 40, "batch_size": 100, "numeric": "quantiles"},
        "decide": {
            "resamples": 3,
            "ratios": ["balanced"],
            "learners": ["logistic", "boosting"],
        },
    },
    "digits": {
        "modality": "images",
        "data": {"source": "sklearn:digits"},
        "budget": "quick",
        "split": {"rows_per_class": 30},
        "generator": {
            "name": "cdcgan",
            "steps": 400,
            "batch_size": 32,
            "ema": 0.99,
            "evaluations": 0,
        },
        "decide": {
            "resamples": 3,
            "ratios": [1.0],
            "weights": [],
            "mixed": False,
            "arms": ["nothing", "flips_crops"],
            "classifier_steps": 30,
            "curve": [0.5],
        },
    },
}


def demo(
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", callback=options.here)] = Path(
        "runs/demo"
    ),
    progress: options.Progress = ProgressStyle.auto,
    quiet: options.Quiet = False,
    verbose: options.Verbose = 0,
) -> None:
    """See the whole job at work: an imbalanced medical table, and handwritten digits.

    A look at the product, not a benchmark: the budget is far below ``quick``.
    """
    set_verbosity(verbose)
    from synthgen import pipeline
    from synthgen.cli import augment
    from synthgen.config import build

    for name, settings in _JOBS.items():
        folder = out / name
        begin_at(folder, folder)
        say(f"\n{name}")
        with watching(progress, quiet=quiet) as notify:
            pipeline.augment(build(settings), folder, force=True, notify=notify)
        augment.show(folder, folder, as_json=False)
