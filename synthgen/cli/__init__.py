"""The command line: thin. Heavy imports happen inside the command that needs them, so that
``synthgen --help`` answers at once."""

from __future__ import annotations

from typing import Annotated

import typer

from synthgen.cli import augment, bench, compare, config, demo, doctor, parts, runs
from synthgen.cli.console import guard

app = typer.Typer(
    name="synthgen",
    help="Would synthetic data make your classifier better? If so, here it is, with the evidence.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    rich_markup_mode=None,
)
app.command("augment")(augment.augment)
app.command("resume")(augment.resume)
app.command("train")(parts.train)
app.command("sample")(parts.sample)
app.command("evaluate")(parts.evaluate)
app.command("report")(parts.report)
app.command("compare")(compare.compare)
app.command("bench")(bench.bench)
app.add_typer(runs.app, name="runs")
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


def _version(wanted: bool) -> None:
    if wanted:
        import importlib.metadata

        print(importlib.metadata.version("synthgen"))
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Entry point of the ``synthgen`` program."""
    guard(app)
