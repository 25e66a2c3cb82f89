"""The options that several commands share, each written once."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from synthgen.errors import ConfigError


def here(folder: Path | None) -> Path | None:
    """Of a command whose result is a folder of this machine. Raises ConfigError for a URL."""
    if folder is not None and re.match(r"\w{2,}:/", str(folder)):
        raise ConfigError(
            f"{str(folder).replace(':/', '://', 1)} is a URL, and this is written to a folder of "
            "this machine",
            "name a folder; runs of augment may be at URLs",
        )
    return folder


class ProgressStyle(StrEnum):
    """How progress is shown on standard error."""

    auto = "auto"
    plain = "plain"
    json = "json"
    none = "none"


class BudgetName(StrEnum):
    """How much computing the answer is worth."""

    quick = "quick"
    standard = "standard"
    thorough = "thorough"


Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="CSV, TSV or Parquet file, URL, sklearn:NAME or openml:NAME; or a folder of images "
        "by class, a ZIP of them, an image Parquet.",
        show_default=False,
    ),
]
Target = Annotated[
    str | None,
    typer.Option("--target", metavar="COLUMN", help="Column that the classifier predicts."),
]
GeneratorName = Annotated[
    str | None,
    typer.Option(
        "--generator",
        metavar="NAME",
        help="Tables: ctgan (default), arn, mixture, tvae, auto (the best of them), smote, sdv-*. "
        "Images: cdcgan (default), dcgan, r3gan, acgan, sngan, wgan-gp, wgan, cgan, gan.",
    ),
]
RatioText = Annotated[
    str | None,
    typer.Option(
        "--ratio",
        metavar="auto|balanced|NUMBER",
        help="Synthetic rows per training row; auto: what the verdict chooses, maybe none.",
    ),
]
BudgetOption = Annotated[
    BudgetName | None, typer.Option("--budget", help="How much computing the answer is worth.")
]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FOLDER", help="Or a URL. Default: runs/NAME-DATE-TIME."),
]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings in YAML; options win.")
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="A.B=VALUE",
        help="Any setting, for example generator.epochs=50; names with dots in quotes: "
        "'data.columns.\"a.b\".kind=text'.",
    ),
]
SetPlace = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="A=VALUE",
        help="Where to go on: runner, cluster or workers, if not where it was.",
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", help="Fixes every random choice.")]
Device = Annotated[
    str | None, typer.Option("--device", metavar="auto|cpu|cuda", help="Where to train.")
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group", metavar="COLUMN", help="Rows of one group stay on one side of a split."
    ),
]
Time = Annotated[
    str | None, typer.Option("--time", metavar="COLUMN", help="The latest rows are the test part.")
]
Subgroup = Annotated[
    list[str] | None,
    typer.Option(
        "--subgroup",
        metavar="COLUMN",
        help="A column whose subgroups must not be harmed; may be repeated.",
    ),
]
Test = Annotated[str | None, typer.Option("--test", metavar="FILE", help="Test data of your own.")]
RowsPerClass = Annotated[
    int | None,
    typer.Option(
        "--rows-per-class",
        metavar="N",
        min=1,
        help="Training rows or images of each class at most: what would so few of them do?",
    ),
]
Begin = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="MODEL",
        help="A model of images, or a run, whose weights the generator begins with.",
    ),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an existing run.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show schema, cost and time; write nothing.")
]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable result on standard output.")]
Progress = Annotated[
    ProgressStyle, typer.Option("--progress", help="How progress is shown on standard error.")
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="No progress, no notices.")]
Verbose = Annotated[
    int,
    typer.Option(
        "-v", "--verbose", count=True, help="Show the log; -vv: all of it, and tracebacks."
    ),
]
Trust = Annotated[
    bool, typer.Option("--trust-pickle", help="Load SDV's own format, which can run code.")
]
Now = Annotated[
    bool,
    typer.Option(
        "--now",
        help="Conclude from what is measured already, with a wider interval, and measure no more.",
    ),
]
RunPlace = Annotated[str, typer.Argument(metavar="RUN", help="A run directory, or its URL.")]


def settings(
    *,
    config: Path | None,
    assignments: list[str] | None,
    given: dict[str, Any],
) -> dict[str, Any]:
    """File, then ``--set``, then options. ``given`` maps dotted names to values or None."""
    from synthgen import config as configuration

    merged = configuration.load(config) if config is not None else {}
    for text in assignments or []:
        merged = configuration.merge(merged, configuration.assignment(text))
    for name, value in given.items():
        if value is None:
            continue
        nested: Any = value
        for key in reversed(name.split(".")):
            nested = {key: nested}
        merged = configuration.merge(merged, nested)
    return merged


def ratio(text: str | None) -> str | float | None:
    """``--ratio`` as the configuration takes it. Raises ConfigError."""
    if text is None or text in ("auto", "balanced"):
        return text
    try:
        return float(text)
    except ValueError:
        raise ConfigError(
            f"--ratio {text!r} is neither auto, balanced nor a number", "for example: --ratio 0.5"
        ) from None
