"""What the operating system refuses a flow, said as the command line says it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from synthgen.errors import of_system


@contextmanager
def plainly() -> Iterator[None]:
    """A full disk and missing permissions end the flow run with one line of cause and one of
    remedy. Raises MachineError for them; any other error passes."""
    try:
        yield
    except OSError as error:
        refused = of_system(error, "run it again: it goes on where it was")
        if refused is None:
            raise
        raise refused from error
