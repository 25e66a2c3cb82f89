"""What is wrong with settings, in one line of cause and one of remedy."""

from __future__ import annotations

import difflib
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from synthgen.config.unions import generators, name_of
from synthgen.data.quoting import some


def explain(
    error: ValidationError, settings: Mapping[str, Any], kind: type[BaseModel]
) -> tuple[str, str]:
    """Cause and remedy of the first problem with settings of this kind of configuration; where
    further ones are is named."""
    problems = error.errors(include_url=False)
    first = problems[0]
    place, name = _place(first["loc"], settings), _name(first["loc"], settings)
    others = [_name(problem["loc"], settings) for problem in problems[1:]]
    more = f" (wrong as well: {some(others)})" if others else ""
    match first["type"]:
        case "extra_forbidden":
            known = _fields_at(place[:-1], settings, kind)
            near = difflib.get_close_matches(place[-1], known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            owners = [
                name_of(owner)
                for owner in generators()
                if place[0] == "generator" and place[-1] in owner.model_fields
            ]
            if owners:
                hint = f"a setting of {', '.join(owners)}; {hint}"
            if place[:2] == ["data", "columns"]:
                hint += f"; {_QUOTES}"
            return f"unknown setting {name}{more}", hint
        case "missing":
            option = {"data.target": "--target COLUMN"}.get(name, f"--set {name}=...")
            return (
                f"setting {name} is missing{more}",
                f"give it in the configuration or as {option}",
            )
        case "union_tag_invalid":
            given = str(first["ctx"]["tag"])
            known = [tag.strip(" '") for tag in first["ctx"]["expected_tags"].split(",")]
            near = difflib.get_close_matches(given, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            hint += f"choose one of: {', '.join(known)}"
            return f"{name}: there is no {given!r}{more}", hint
        case "copying_candidate":
            return (
                f"{name}: {first['msg']}{more}",
                "leave it out: SMOTE and duplicated rows are measured beside every generator",
            )
        case "cluster_without_runner":
            return f"{first['msg']}{more}", "say which: --set runner=dask or --set runner=ray"
        case "unmeasured_ratio":
            return (
                f"{first['msg']}{more}",
                "leave decide.ratios out, or let sample.ratio be auto or one of decide.ratios",
            )
        case _:
            message = first["msg"].removeprefix("Value error, ")
            given = repr(first["input"])
            shown = f", got {given}" if len(given) < 60 else ""
            dotted = place[:2] == ["data", "columns"] and isinstance(first["input"], Mapping)
            remedy = "see: synthgen config schema" + (f"; {_QUOTES}" if dotted else "")
            return f"{name}: {message}{shown}{more}", remedy


_QUOTES = "a column name with dots goes in quotes: --set 'data.columns.\"a.b\".kind=text'"


def _name(loc: tuple[int | str, ...], settings: Mapping[str, Any]) -> str:
    place = _place(loc, settings)
    return ".".join(f'"{part}"' if "." in part else part for part in place) or "the configuration"


def _place(loc: tuple[int | str, ...], settings: Mapping[str, Any]) -> list[str]:
    """A location without the discriminator tags, which stand there as if they were fields
    ("generator.ctgan.epochs")."""
    place: list[str] = []
    at: Any = settings
    for part in loc:
        if isinstance(at, Mapping) and part not in at and part == at.get("name"):
            continue
        place.append(str(part))
        at = _inside(at, part)
    return place


def _inside(at: Any, part: int | str) -> Any:
    """What stands at this key or position; None where nothing does."""
    if isinstance(at, Mapping):
        return at.get(part)
    return at[int(part)] if isinstance(at, list | tuple) and int(part) < len(at) else None


def _fields_at(place: list[str], settings: Mapping[str, Any], kind: type[BaseModel]) -> list[str]:
    """The field names of the section at this place of the configuration."""
    section: Any = kind
    at: Any = settings
    for key in place:
        at = _inside(at, key)
        if typing.get_origin(section) is dict:
            section = typing.get_args(section)[1]
        elif key == "generator" or typing.get_origin(section) is tuple:
            name = at["name"]
            section = next(g for g in generators() if name_of(g) == name)
        else:
            section = section.model_fields[key].annotation
    return list(section.model_fields) if hasattr(section, "model_fields") else []
