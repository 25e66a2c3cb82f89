"""What a run on a table holds: its committed files as the objects that they describe."""

from __future__ import annotations

import pandas as pd

from synthgen import config as configuration
from synthgen.config import TableConfig
from synthgen.data.options import ReadOptions
from synthgen.data.origin import Origin
from synthgen.data.overrides import ColumnOverride
from synthgen.data.read import read
from synthgen.data.schema import Schema
from synthgen.data.table import Table
from synthgen.pipeline.tables.conform import conform
from synthgen.runs import Run


def settings(run: Run) -> TableConfig:
    """The resolved configuration."""
    found = configuration.read(run / "config.yaml")
    assert isinstance(found, TableConfig)
    return found


def schema(run: Run) -> Schema:
    """The schema, inferred from the training rows."""
    return Schema.model_validate_json((run / "schema.json").read_text("utf-8"))


def origin(run: Run) -> Origin:
    """How the source was written."""
    return Origin.model_validate_json((run / "origin.json").read_text("utf-8"))


def training_rows(run: Run) -> Table:
    """The rows that everything may be learned from."""
    return Table.load(run / "split" / "train.parquet", schema(run))


def sealed_rows(run: Run) -> Table:
    """The test rows. Only ``evaluate`` calls this: nothing is learned or chosen from them."""
    return Table.load(run / "split" / "test.parquet", schema(run))


def synthetic_rows(run: Run) -> Table:
    """All rows that were drawn."""
    return Table.load(run / "synthetic.parquet", schema(run))


def overrides(config: TableConfig) -> dict[str, ColumnOverride]:
    """The user's column kinds; a group column is a key, unless the user says otherwise."""
    group = {config.data.group: ColumnOverride(kind="identifier")} if config.data.group else {}
    return {**group, **config.data.columns}


def reading(config: TableConfig) -> ReadOptions:
    """How the source is read: words are meant where the user calls a column one of words."""
    worded = ("categorical", "ordered", "text", "identifier")
    named = [name for name, column in overrides(config).items() if column.kind in worded]
    options = config.data.read
    return options.model_copy(update={"text": tuple(dict.fromkeys((*options.text, *named)))})


def augmented(run: Run) -> pd.DataFrame:
    """The augmented table as a frame in the source's dtypes."""
    form, config = origin(run), settings(run)
    path = str(run / f"augmented{form.extension}")
    return conform(read(path, reading(config)).frame, training_rows(run).frame, path)
