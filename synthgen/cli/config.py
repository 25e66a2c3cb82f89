"""``synthgen config init|schema|validate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synthgen.cli.console import say

app = typer.Typer(help="Write, describe and check configuration files.", no_args_is_help=True)


@app.command("init")
def init(
    generator: Annotated[str, typer.Option("--generator", metavar="NAME")] = "ctgan",
) -> None:
    """Print a commented configuration with every setting at its default."""
    from synthgen.config import commented

    print(commented(generator), end="")


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors and form generators."""
    from synthgen.config import Config

    print(json.dumps(Config.model_json_schema(), indent=1, ensure_ascii=False))


@app.command("validate")
def validate(file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """Check a configuration file."""
    from synthgen.config import read

    read(file)
    say(f"{file} is valid")
