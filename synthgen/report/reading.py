"""``report.json`` back into a :class:`~synthgen.results.Report`."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from synthgen.errors import DataError
from synthgen.results import SCHEMA_VERSION, Report


def load(path: Path) -> Report:
    """Raises DataError, naming the file, if it is missing, broken, or of a newer version."""
    try:
        text = path.read_text("utf-8")
        content = json.loads(text)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "finish the run with: synthgen resume") from None
    except OSError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}", "check the path and its permissions"
        ) from None
    except ValueError as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise DataError(
            f"{path} is not JSON{where}", "write it again with: synthgen evaluate"
        ) from None
    version = content.get("schema_version") if isinstance(content, dict) else None
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise DataError(
            f"{path} has schema version {version}; this synthgen reads up to {SCHEMA_VERSION}",
            "install a newer synthgen, or render it with the one that wrote it",
        )
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        # The value itself stays out of the message: it may be somebody's.
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the whole file"
        raise DataError(
            f"{path} is not a report of synthgen: {place}: {first['msg']}",
            "write it again with: synthgen evaluate",
        ) from None
