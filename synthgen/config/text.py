"""Settings as text: YAML files, and ``--set a.b=value``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from synthgen.errors import ConfigError


def load(path: Path) -> dict[str, Any]:
    """The nested settings of a YAML file. Raises ConfigError naming file and line."""
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist", "check the path of --config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "save it as UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or "no YAML"
        raise ConfigError(f"{path}{line}: {problem}", "correct the YAML there") from None
    if not isinstance(content, dict):
        raise ConfigError(
            f"{path} holds no settings", "write a commented one with: synthgen config init"
        )
    return content


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Nested settings, the second winning. A generator of another name replaces the first whole."""
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, Mapping):
            renamed = "name" in old and value.get("name", old["name"]) != old["name"]
            merged[key] = dict(value) if renamed else merge(old, value)
        else:
            merged[key] = value
    return merged


_KEY = r"""(?:"[^"]*"|'[^']*'|[^.="'][^.=]*)"""
_ASSIGNMENT = re.compile(rf"({_KEY}(?:\.{_KEY})*)=(.*)", re.DOTALL)


def assignment(text: str) -> dict[str, Any]:
    """``a.b=value`` as nested settings; the value is read as YAML. Raises ConfigError.

    A name that holds dots stands in quotes: ``data.columns."a.b".kind=text``.
    """
    found = _ASSIGNMENT.fullmatch(text.strip())
    if found is None:
        raise ConfigError(
            f"--set {text!r} is not of the form a.b=value", "for example: --set generator.epochs=50"
        )
    path, value = found.groups()
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(
            f"--set {path}: the value is no YAML", "put it in quotes: --set 'a.b=\"value\"'"
        ) from None
    for key in reversed(re.findall(_KEY, path)):
        nested = {key[1:-1] if key[0] in "\"'" else key.strip(): nested}
    assert isinstance(nested, dict)
    return nested
