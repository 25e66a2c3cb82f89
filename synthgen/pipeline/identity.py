"""What tells one job from another: its settings, the data, and the program that does it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from synthgen.config import Config
from synthgen.pipeline.facts import versions
from synthgen.pipeline.kinds import kind_of
from synthgen.runs import dump


def identity(config: Config) -> str:
    """Sixteen hexadecimal digits, the same for jobs that must give the same run. The sources are
    read for it; where the data lie does not count, nor how many processes work.

    Raises the errors of reading.
    """
    whole = kind_of(config).whole(config)
    settings = config.model_dump(mode="json")
    for where in ("device", "workers"):
        del settings[where]
    settings["data"] = settings["data"] | {"source": whole.digest}
    if config.data.test is not None:
        other = config.data.model_copy(update={"source": config.data.test, "test": None})
        test = kind_of(config).whole(config.model_copy(update={"data": other}))
        settings["data"]["test"] = test.digest
    return hashlib.sha256(dump([settings, versions(), code()]).encode()).hexdigest()[:16]


@cache
def code() -> str:
    """SHA-256 of this library's own source."""
    folder = Path(__file__).parents[1]
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".py", ".html", ".css") and path.is_file():
            total.update(path.relative_to(folder).as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
