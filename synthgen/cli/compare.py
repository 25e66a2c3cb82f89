"""``synthgen compare``: two finished runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthgen.cli import options
from synthgen.cli.console import set_verbosity


def compare(
    first: Annotated[Path, typer.Argument(metavar="RUN_A")],
    second: Annotated[Path, typer.Argument(metavar="RUN_B")],
    json_: options.Json = False,
    verbose: options.Verbose = 0,
) -> None:
    """Two finished runs side by side: verdicts, arms, scores, settings and notices."""
    set_verbosity(verbose)
    from synthgen.pipeline import compare as comparing
    from synthgen.pipeline.compare_text import text

    found = comparing.compare(first, second)
    if json_:
        print(found.model_dump_json(indent=1))
        return
    print(text(found))
