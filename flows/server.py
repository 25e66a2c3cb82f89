"""Is the Prefect server there?"""

from __future__ import annotations

import time

import httpx
from prefect.settings import PREFECT_API_URL

from synthgen.cli.console import say
from synthgen.errors import MachineError

PATIENCE = 60.0
"""Seconds in which a server that is started again has to answer."""


def wait(patience: float = PATIENCE) -> None:
    """Until the configured server answers; at once where none is configured, since Prefect starts
    its own then. Raises MachineError when ``patience`` seconds are over."""
    address = PREFECT_API_URL.value()
    if not address:
        return
    end = time.monotonic() + patience
    waiting = False
    while (refusal := _refusal(address)) is not None:
        if time.monotonic() >= end:
            raise MachineError(
                f"the Prefect server at {address} does not answer: {refusal}",
                "start it with make stack, or correct PREFECT_API_URL",
            )
        if not waiting:
            say(f"Waiting {patience:.0f} s for the Prefect server at {address}: {refusal}.")
            waiting = True
        time.sleep(1)


def _refusal(address: str) -> str | None:
    try:
        httpx.get(f"{address}/health", timeout=10).raise_for_status()
    except httpx.HTTPError as error:
        return str(error)
    return None
