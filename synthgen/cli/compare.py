"""``synthgen compare``: two finished runs side by side."""

from __future__ import annotations

from typing import Annotated

import typer

from synthgen.cli import options
from synthgen.cli.console import set_verbosity
from synthgen.remote import called, place, reading


def compare(
    first: Annotated[str, typer.Argument(metavar="RUN_A")],
    second: Annotated[str, typer.Argument(metavar="RUN_B")],
    json_: options.Json = False,
    verbose: options.Verbose = 0,
) -> None:
    """Two finished runs side by side: verdicts, arms, scores, settings and notices."""
    set_verbosity(verbose)
    from synthgen.pipeline import compare as comparing
    from synthgen.pipeline.compare_text import text

    a, b = place(first), place(second)
    folder_a, folder_b = reading(a, light=True), reading(b, light=True)
    with called(a, folder_a), called(b, folder_b):
        found = comparing.compare(folder_a, folder_b)
    found = found.model_copy(
        update={
            "a": found.a.model_copy(update={"run": str(a)}),
            "b": found.b.model_copy(update={"run": str(b)}),
        }
    )
    if json_:
        print(found.model_dump_json(indent=1))
        return
    print(text(found))
