"""The bench file: data sets, generators and seeds, and the cells that they span."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from synthgen import config as configuration
from synthgen.benchmark.arms import Treatment
from synthgen.benchmark.settings import CheapArm
from synthgen.config import DataConfig, TableConfig
from synthgen.errors import ConfigError

CHEAP: tuple[str, ...] = typing.get_args(CheapArm)
OWN = {"data": "datasets", "generator": "generators", "seed": "seeds"}
"""Settings that the bench file says in a way of its own."""


def _folder(name: str) -> str:
    """A name that can be a folder's: letters, digits, hyphens and underscores."""
    if re.fullmatch(r"\w[\w-]*", name) is None:
        raise ValueError("a name consists of letters, digits, hyphens and underscores")
    return name


def _named(entry: object) -> object:
    """A bare name is a generator with its defaults."""
    return {"name": entry} if isinstance(entry, str) else entry


def _labelled(entry: dict[str, Any]) -> dict[str, Any]:
    """With a label: by default the generator's name."""
    generator = entry.get("name")
    if not isinstance(generator, str):
        raise ValueError("a generator needs a name, such as ctgan")
    # Arms without a generator are called so already.
    usual = f"{generator}-generator" if generator in CHEAP else generator
    label = _folder(str(entry.get("label", usual)))
    if label in CHEAP:
        raise ValueError(f"the label {label} is the name of an arm without a generator")
    return {**entry, "label": label}


Name: TypeAlias = Annotated[str, AfterValidator(_folder)]
Entry: TypeAlias = Annotated[dict[str, Any], AfterValidator(_labelled), BeforeValidator(_named)]


class DataSet(DataConfig):
    """A ``data`` section as in a run's configuration, and what else is special to it."""

    settings: dict[str, Any] = Field(
        {}, description="Settings of this data set's runs; they win over the common ones."
    )


class BenchFile(BaseModel):
    """Every data set is run with every generator and every seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    datasets: dict[Name, DataSet] = Field(
        min_length=1, description="Name -> what a configuration has under 'data'."
    )
    generators: tuple[Entry, ...] = Field(
        min_length=1,
        description="Names, or mappings of name and hyper-parameters. A 'label' tells two "
        "generators of one name apart.",
    )
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field(
        (0,), min_length=1, description="Each is a run of its own, with a split of its own."
    )
    settings: dict[str, Any] = Field(
        {}, description="Any other part of a run's configuration: budget, decide, split ..."
    )

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        labels = [entry["label"] for entry in self.generators]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"two generators are called {label}: give one of them a label")
            for other in labels:
                # The arms of a generator have such names.
                if label in (f"{other}-{treatment}" for treatment in typing.get_args(Treatment)):
                    raise ValueError(f"the label {label} is that of an arm of {other}")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed stands twice in the list")
        return self


@dataclass(frozen=True)
class Cell:
    """One run of the bench; ``generator`` is its label, ``folder`` its run directory."""

    dataset: str
    generator: str
    seed: int
    config: TableConfig
    folder: Path

    @property
    def name(self) -> str:
        """The run directory within the bench's folder."""
        return f"{self.dataset}/{self.generator}/seed-{self.seed}"


def read(path: Path) -> BenchFile:
    """The bench file there. Raises ConfigError naming the field, or the file if it is no YAML."""
    if not path.is_file():
        raise ConfigError(f"{path} does not exist", "see configs/bench.yaml for an example")
    return build(configuration.load(path))


def build(settings: Mapping[str, Any]) -> BenchFile:
    """Validate the content of a bench file. Raises ConfigError."""
    try:
        return BenchFile.model_validate(settings)
    except ValidationError as error:
        raise ConfigError(*_explain(error)) from None


def cells(bench: BenchFile, out: Path) -> list[Cell]:
    """All cells with their whole configurations: one seed after the other, so that an interrupted
    bench has compared everything on the first ones.

    Raises ConfigError naming the part of the file that is wrong.
    """
    _check_settings(bench.settings, "settings")
    for place, entry in enumerate(bench.generators, start=1):
        _config({"data": {"target": "-"}, "generator": _hyper(entry)}, f"generators, entry {place}")
    found = []
    for seed in bench.seeds:
        for name, dataset in bench.datasets.items():
            where = f"datasets.{name}"
            if not dataset.source:
                raise ConfigError(f"{where}: no source to read", "name a file or sklearn:NAME")
            _check_settings(dataset.settings, f"{where}.settings")
            for key in ("runner", "cluster"):
                if key in dataset.settings:
                    raise ConfigError(
                        f"{where}.settings.{key}: all runs are done in one place",
                        "write it under 'settings'",
                    )
            data = dataset.model_dump(exclude={"settings"}, exclude_unset=True)
            common = configuration.merge(bench.settings, dataset.settings)
            for entry in bench.generators:
                settings = {**common, "data": data, "generator": _hyper(entry), "seed": seed}
                folder = out / name / entry["label"] / f"seed-{seed}"
                config = _config(settings, where)
                found.append(Cell(name, entry["label"], seed, config, folder))
    return found


def _hyper(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != "label"}


def _check_settings(settings: Mapping[str, Any], where: str) -> None:
    for key, instead in OWN.items():
        if key in settings:
            raise ConfigError(f"{where}.{key} is not for a bench", f"write it under '{instead}'")
    _config({"data": {"target": "-"}, **settings}, where)


def _config(settings: Mapping[str, Any], where: str) -> TableConfig:
    try:
        config = configuration.build({**settings, "modality": "table"})
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.cause}", error.remedy) from None
    assert isinstance(config, TableConfig)
    return config


def _explain(error: ValidationError) -> tuple[str, str]:
    """Cause and remedy of the first problem; further ones are counted."""
    problems = error.errors(include_url=False)
    first = problems[0]
    place = [str(part) for part in first["loc"] if part != "[key]"]
    name = ".".join(place) or "the bench file"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    match first["type"]:
        case "extra_forbidden":
            known = _fields_at(place[:-1])
            near = difflib.get_close_matches(place[-1], known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known here: {', '.join(known)}"
            return f"unknown setting {name}{more}", hint
        case "missing":
            return f"{name} is missing{more}", "see configs/bench.yaml for an example"
        case _:
            message = first["msg"].removeprefix("Value error, ")
            return f"{name}: {message}{more}", "see configs/bench.yaml for an example"


def _fields_at(place: list[str]) -> list[str]:
    """The field names of the section at this place of the bench file."""
    section: Any = BenchFile
    for key in place:
        if typing.get_origin(section) is dict:
            section = typing.get_args(section)[1]
        else:
            section = section.model_fields[key].annotation
    return list(section.model_fields)
