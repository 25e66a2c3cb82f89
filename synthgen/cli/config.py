"""``synthgen config init|schema|validate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synthgen.cli import options
from synthgen.cli.console import say, set_verbosity

app = typer.Typer(help="Write, describe and check configuration files.", no_args_is_help=True)


@app.command("init")
def init(
    generator: Annotated[str, typer.Option("--generator", metavar="NAME")] = "ctgan",
    verbose: options.Verbose = 0,
) -> None:
    """Print a commented configuration with every setting at its default."""
    set_verbosity(verbose)
    from synthgen.config import commented

    print(commented(generator), end="")


@app.command("schema")
def schema(verbose: options.Verbose = 0) -> None:
    """Print the JSON Schema of the configuration, for editors and form generators."""
    set_verbosity(verbose)
    from synthgen.config import json_schema

    print(json.dumps(json_schema(), indent=1, ensure_ascii=False))


@app.command("validate")
def validate(
    file: Annotated[Path, typer.Argument(metavar="FILE")], verbose: options.Verbose = 0
) -> None:
    """Check a configuration file."""
    set_verbosity(verbose)
    from synthgen.config import read

    read(file)
    say(f"{file} is valid")
