"""The configuration of a run on a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import Field

from synthgen.benchmark.settings import DecideSettings
from synthgen.config.sections import Config, Source
from synthgen.data.overrides import ColumnOverride
from synthgen.data.read import ReadOptions
from synthgen.data.sdv_metadata import from_sdv
from synthgen.errors import ConfigError
from synthgen.generators import AnyGenerator
from synthgen.generators.ctgan import CTGAN


class DataConfig(Source):
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


class TableConfig(Config):
    """A run on a table, completely described."""

    modality: Literal["table"] = Field(
        "table", description="table or images; told from the source if left out."
    )
    data: DataConfig
    generator: AnyGenerator = Field(
        CTGAN(name="ctgan"), description="The generator and its hyper-parameters."
    )
    decide: DecideSettings = DecideSettings()


def absorb_metadata(config: TableConfig) -> TableConfig:
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
