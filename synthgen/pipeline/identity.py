"""What tells one job from another: its settings, the data, and the program that does it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from synthgen.config import Config
from synthgen.pipeline.facts import versions
from synthgen.pipeline.kinds import kind_of
from synthgen.runs import dump, sha256


def identity(config: Config) -> str:
    """Sixteen hexadecimal digits, the same for jobs that must give the same run. The sources are
    read for it; where the data lie does not count, nor where the work is done.

    Raises the errors of reading.
    """
    whole = kind_of(config).whole(config)
    settings = config.model_dump(mode="json")
    del settings["device"]
    # The digest is of values; names of columns, classes and files are in the source's own bytes.
    settings["data"] = settings["data"] | {"source": [whole.digest, whole.form.sha256]}
    begin = getattr(whole.config.generator, "begin", None)
    if begin:
        settings["generator"]["begin"] = _contents(Path(begin), "*")
    if config.data.test is not None:
        other = config.data.model_copy(update={"source": config.data.test, "test": None})
        test = kind_of(config).whole(config.model_copy(update={"data": other}))
        settings["data"]["test"] = [test.digest, test.form.sha256]
    return hashlib.sha256(dump([settings, versions(), code()]).encode()).hexdigest()[:16]


@cache
def code() -> str:
    """SHA-256 of this library's own source."""
    return _contents(Path(__file__).parents[1], "*.py", "*.html", "*.css")


def _contents(folder: Path, *patterns: str) -> str:
    """SHA-256 of the files below a folder, with their names."""
    total = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in folder.rglob(pattern)}):
        if path.is_file():
            total.update(path.relative_to(folder).as_posix().encode() + b"\0")
            total.update(bytes.fromhex(sha256(path)))
    return total.hexdigest()
