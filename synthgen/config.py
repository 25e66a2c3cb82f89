"""One typed configuration: YAML in, JSON Schema out, errors that name the field.

The command line's options, ``--config FILE`` and ``--set a.b=value`` are merged into one
:class:`Config`; what the budget decides is filled in by :func:`resolve` once the number of rows is
known, and that resolved configuration is what the run directory keeps.
"""

from __future__ import annotations

import difflib
import json
import logging
import re
import textwrap
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from synthgen.benchmark.settings import DecideSettings
from synthgen.data.overrides import ColumnOverride
from synthgen.data.read import ReadOptions
from synthgen.data.schema import Task
from synthgen.data.sdv_metadata import from_sdv
from synthgen.errors import ConfigError
from synthgen.generators import AnyGenerator
from synthgen.generators.auto import Auto
from synthgen.generators.base import Generator
from synthgen.generators.ctgan import CTGAN
from synthgen.results import Filter

Budget: TypeAlias = Literal["quick", "standard", "thorough"]
Ratio: TypeAlias = Literal["auto", "balanced"] | float

log = logging.getLogger(__name__)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(_Section):
    """What is read and what its columns mean."""

    source: str = Field(
        "",
        description="CSV, TSV or Parquet file, fsspec URL, sklearn:NAME or openml:NAME. "
        "Empty for a table that was handed over in memory.",
    )
    target: str = Field(description="The column that the classifier predicts.")
    test: str | None = Field(
        None, description="A file with the test rows; None: a part of the source is set aside."
    )
    group: str | None = Field(
        None, description="Rows with the same value of this column stay on one side of a split."
    )
    time: str | None = Field(
        None, description="Split by this column: the latest rows are the test part."
    )
    subgroups: tuple[str, ...] = Field(
        (),
        description="Columns whose values divide the rows into subgroups that must not be harmed.",
    )
    read: ReadOptions = Field(ReadOptions(), description="How a text file is read.")
    sdv_metadata: str | None = Field(
        None, description="SDV metadata (JSON) that say what the columns are; 'columns' wins."
    )
    columns: dict[str, ColumnOverride] = Field(
        {}, description="Columns whose inferred kind is wrong: name -> {kind: ..., ...}."
    )


class SplitConfig(_Section):
    """The sealed test part."""

    test_share: float = Field(
        0.2, gt=0, lt=1, description="Share of the rows that is set aside and never trained on."
    )


class SampleConfig(_Section):
    """What is drawn from the final model."""

    ratio: Ratio = Field(
        "auto",
        description="Synthetic rows per training row in the augmented set: a number, 'balanced' "
        "(fill every class up to the largest), or 'auto' (what the verdict chose, maybe none).",
    )
    copies: Literal["drop", "allow"] = Field(
        "drop", description="What happens to synthetic rows that equal a training row."
    )

    @field_validator("ratio")
    @classmethod
    def _ratio_is_sensible(cls, ratio: Ratio) -> Ratio:
        if isinstance(ratio, float) and not 0 < ratio <= 100:
            raise ValueError("a ratio lies above 0 and at most at 100")
        return ratio


class Gate(_Section):
    """Bounds of one score; outside them the run ends with exit code 6."""

    min: float | None = Field(None, description="Smallest value that passes.")
    max: float | None = Field(None, description="Largest value that passes.")


class Config(_Section):
    """A run, completely described."""

    data: DataConfig
    generator: AnyGenerator = Field(
        CTGAN(name="ctgan"), description="The generator and its hyper-parameters."
    )
    budget: Budget = Field(
        "standard", description="How much computing the answer is worth; fills unset fields."
    )
    split: SplitConfig = SplitConfig()
    decide: DecideSettings = DecideSettings()
    sample: SampleConfig = SampleConfig()
    gates: dict[str, Gate] = Field(
        {}, description="Quality and privacy gates: metric name -> {min: ..., max: ...}."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Fixes every random choice.")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    workers: int | None = Field(None, ge=1, description="Parallel decide jobs; None: one per core.")

    @model_validator(mode="after")
    def _the_fixed_ratio_is_measured(self) -> Self:
        ratio, decide = self.sample.ratio, self.decide
        chosen = "ratios" in decide.model_fields_set
        if ratio != "auto" and chosen and ratio not in decide.ratios:
            raise PydanticCustomError(
                "unmeasured_ratio",
                "sample.ratio is {ratio}, but decide.ratios does not hold it: "
                "the verdict would be about another ratio",
                {"ratio": ratio},
            )
        return self


class Effort(typing.NamedTuple):
    """What a budget buys."""

    resamples: int
    steps: int
    """Optimiser steps of a neural generator, turned into epochs by the number of rows."""
    candidates: tuple[str, ...]
    """Generators that ``auto`` tries, the cheapest first."""
    ratios: tuple[float | Literal["balanced"], ...]
    filters: tuple[Filter, ...]
    weights: tuple[float, ...]
    every_ratio: bool
    max_rows: int | None


_ALL_RATIOS: tuple[float | Literal["balanced"], ...] = (0.1, 0.25, 0.5, 1.0, 2.0, "balanced")
EFFORT: Mapping[Budget, Effort] = {
    "quick": Effort(
        5,
        1_200,
        ("mixture", "arn"),
        (0.5, 1.0, "balanced"),
        ("density_ratio",),
        (0.3,),
        False,
        10_000,
    ),
    "standard": Effort(
        10,
        6_000,
        ("mixture", "arn", "tvae", "ctgan"),
        _ALL_RATIOS,
        ("density_ratio", "teacher", "boundary"),
        (0.3,),
        False,
        50_000,
    ),
    "thorough": Effort(
        20,
        20_000,
        ("mixture", "arn", "tvae", "ctgan"),
        _ALL_RATIOS,
        ("density_ratio", "teacher", "boundary"),
        (0.1, 0.3),
        True,
        None,
    ),
}
_MOST_EPOCHS = 300
"""More passes over a small table than the field's default only memorise it."""


def resolve(config: Config, rows: int, task: Task = "classification") -> Config:
    """Fill what the budget and the task decide and the user did not set, for this many training
    rows.

    A ratio that the user fixed is the only one that is measured. Resolving again changes nothing.
    Raises ConfigError for a setting that does not fit the task.
    """
    effort = EFFORT[config.budget]
    if task == "regression" and config.sample.ratio == "balanced":
        raise ConfigError(
            "sample.ratio is balanced, but the target is numeric: it has no classes to balance",
            "give a number, for example: --ratio 1",
        )
    classes = task == "classification"
    filled: dict[str, Any] = {
        "resamples": effort.resamples,
        "ratios": tuple(r for r in effort.ratios if classes or r != "balanced"),
        "filters": tuple(f for f in effort.filters if classes or f != "boundary"),
        "weights": effort.weights,
        "every_ratio": effort.every_ratio,
        "max_rows": effort.max_rows,
    }
    given = config.decide.model_fields_set
    unset = {k: v for k, v in filled.items() if k not in given}
    if config.sample.ratio != "auto":
        unset["ratios"] = (config.sample.ratio,)
    # Lists that pydantic does not re-validate on copy: build the section anew instead.
    chosen = config.decide.model_dump(include=set(given)) | unset
    decide = DecideSettings.model_validate(chosen).for_task(task)
    decide = DecideSettings.model_validate(decide.model_dump())
    generator = with_budget(config.generator, config.budget, rows)
    log.info(
        "budget %s for %d rows: %d resamples, ratios %s, at most %s rows; %s",
        config.budget,
        rows,
        decide.resamples,
        ", ".join(map(str, decide.ratios)),
        decide.max_rows or "all",
        generator,
    )
    return config.model_copy(update={"decide": decide, "generator": generator})


def with_budget(generator: Generator, budget: Budget, rows: int) -> Generator:
    """The generator with what the budget buys for this many training rows and was not set: epochs
    where it has epochs, and of ``auto`` the candidates, each with its own epochs."""
    fields, given = type(generator).model_fields, generator.model_fields_set
    if isinstance(generator, Auto):
        if "candidates" not in given:
            affordable = {"candidates": EFFORT[budget].candidates}
            generator = Auto.model_validate(
                generator.model_dump(exclude={"candidates"}) | affordable
            )
        trained = [with_budget(one, budget, rows) for one in generator.candidates]
        return generator.model_copy(update={"candidates": tuple(trained)})
    if not {"epochs", "batch_size"} <= fields.keys() or "epochs" in given:
        return generator
    steps_per_epoch = max(1, rows // generator.batch_size)  # type: ignore[attr-defined]
    epochs = max(1, min(_MOST_EPOCHS, round(EFFORT[budget].steps / steps_per_epoch)))
    return generator.model_copy(update={"epochs": epochs})


def absorb_metadata(config: Config) -> Config:
    """SDV metadata as column overrides, so that a run does not depend on the file any more.

    Raises ConfigError naming the file, whatever is wrong with its content.
    """
    path = config.data.sdv_metadata
    if path is None:
        return config
    try:
        content = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"data.sdv_metadata: {path} cannot be read: {type(error).__name__}",
            "give the JSON file that SDV's Metadata.save_to_json writes",
        ) from None
    try:
        found = from_sdv(content)
    except ConfigError as error:
        raise ConfigError(f"data.sdv_metadata: {path}: {error.cause}", error.remedy) from None
    columns = {**found, **config.data.columns}
    data = config.data.model_copy(update={"sdv_metadata": None, "columns": columns})
    return config.model_copy(update={"data": data})


def build(settings: Mapping[str, Any]) -> Config:
    """Validate nested settings. Raises ConfigError naming each wrong field and its neighbours."""
    generator = settings.get("generator")
    if isinstance(generator, Mapping) and "name" not in generator:
        # Hyper-parameters without a name are the default generator's.
        settings = merge(settings, {"generator": {"name": "ctgan"}})
    try:
        return Config.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(*explain(error, settings)) from None


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


def save(config: Config, path: Path) -> None:
    """Write the configuration as YAML that :func:`load` reads back to the same."""
    settings = config.model_dump(mode="json")
    path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), "utf-8")


def read(path: Path) -> Config:
    """The configuration in a file, validated."""
    return build(load(path))


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


# ---- errors -----------------------------------------------------------------------------------


def explain(error: ValidationError, settings: Mapping[str, Any]) -> tuple[str, str]:
    """Cause and remedy of the first problem; further ones are counted."""
    problems = error.errors(include_url=False)
    first = problems[0]
    place = _place(first["loc"], settings)
    name = ".".join(f'"{part}"' if "." in part else part for part in place)
    name = name or "the configuration"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    match first["type"]:
        case "extra_forbidden":
            known = _fields_at(place[:-1], settings)
            near = difflib.get_close_matches(place[-1], known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            owners = [
                owner.model_fields["name"].default
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
            hint = f"did you mean {near[0]}?" if near else f"choose one of: {', '.join(known)}"
            return f"{name}: there is no {given!r}{more}", hint
        case "copying_candidate":
            return (
                f"{name}: {first['msg']}{more}",
                "leave it out: SMOTE and duplicated rows are measured beside every generator",
            )
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


def _fields_at(place: list[str], settings: Mapping[str, Any]) -> list[str]:
    """The field names of the section at this place of the configuration."""
    section: Any = Config
    at: Any = settings
    for key in place:
        at = _inside(at, key)
        if typing.get_origin(section) is dict:
            section = typing.get_args(section)[1]
        elif key == "generator" or typing.get_origin(section) is tuple:
            name = at["name"]
            section = next(g for g in generators() if g.model_fields["name"].default == name)
        else:
            section = section.model_fields[key].annotation
    return list(section.model_fields) if hasattr(section, "model_fields") else []


def generators() -> tuple[type[BaseModel], ...]:
    """All generator classes of the union, in its order."""
    union = typing.get_args(AnyGenerator)[0] if _annotated(AnyGenerator) else AnyGenerator
    return typing.get_args(union)


def _annotated(alias: Any) -> bool:
    return typing.get_origin(alias) is typing.Annotated


# ---- the commented file -----------------------------------------------------------------------


def commented(generator: str) -> str:
    """A YAML configuration with every setting at its default and its description above it.

    Raises ConfigError for an unknown generator.
    """
    config = build({"data": {"target": "TARGET"}, "generator": {"name": generator}})
    lines = [
        "# A synthgen configuration. Run it with: synthgen augment --config THIS_FILE",
        "# Lines that you leave out keep the default shown here; what a budget decides",
        "# (lines behind a #) is decided by the budget only if left out.",
        *_section(config, ""),
    ]
    return "\n".join(lines) + "\n"


def _section(section: BaseModel, indent: str) -> list[str]:
    lines = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        described = field.description or (type(value).__doc__ or "").split("\n")[0]
        if described and (field.description or isinstance(value, BaseModel)):
            text = f"{indent}# "
            lines += textwrap.wrap(described, 96, initial_indent=text, subsequent_indent=text)
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:", *_section(value, indent + "  ")]
            continue
        plain = section.model_dump(mode="json", include={name})[name]
        if name == "candidates":  # with their defaults: names say as much
            plain = [candidate["name"] for candidate in plain]
        shown = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=1000)
        # YAML ends a lone scalar with a document mark.
        text = shown.removesuffix("...\n").strip()
        lines.append(f"{indent}{'# ' if name in _BUDGETED else ''}{name}: {text}")
    return lines


_BUDGETED = (
    *("resamples", "ratios", "filters", "weights", "every_ratio", "max_rows"),
    *("epochs", "candidates"),
)
