"""The first stage: seal the test rows, infer the schema from the rest, resolve the configuration,
and look for leaks that would make any verdict worthless."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from synthgen import config as configuration
from synthgen.benchmark.subgroups import cuts
from synthgen.config import TableConfig
from synthgen.data.canaries import contamination, giveaways
from synthgen.data.canaries import notices as notices_of
from synthgen.data.checks import check_frame, check_target, task_of
from synthgen.data.infer import infer
from synthgen.data.parquet import write_parquet
from synthgen.data.read import Loaded, read
from synthgen.data.schema import RARE, Schema, Task
from synthgen.data.sdv_metadata import to_sdv
from synthgen.data.split import common_rows, split_rows
from synthgen.data.table import Table
from synthgen.errors import DataError
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.machine import check_learners
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.tables.conform import conform
from synthgen.pipeline.tables.contents import overrides, reading, schema, training_rows
from synthgen.runs import Run, dump


def split(run: Run, config: TableConfig, loaded: Loaded, notify: Notify) -> None:
    """Seal the test rows; infer the schema from the rest; resolve the configuration."""

    def work(folder: Path) -> None:
        task = task_of(loaded.frame, config.data.target, overrides(config))
        train, test, notices = parts(loaded, config, task)
        described = _protected(config, train, task)
        inferred = infer(
            train, target=config.data.target, overrides=overrides(described), task=task
        )
        resolved = configuration.resolve(described, len(train), task)
        check_learners(resolved, task)
        table = Table(train, inferred)
        cuts(table, config.data.subgroups)
        leaks = [
            *notices_of(
                contamination(train, test, config.data.target, derive(config.seed, "canary")),
                giveaways(table, derive(config.seed, "canary"), config.data.group),
            )
        ]
        notices += [*leaks, *loaded.notices, *_left_out(inferred)]
        (folder / "split").mkdir()
        write_parquet(train, folder / "split" / "train.parquet")
        write_parquet(test, folder / "split" / "test.parquet")
        (folder / "notices.json").write_text(dump(notices), "utf-8")
        (folder / "schema.json").write_text(dump(inferred.model_dump(mode="json")), "utf-8")
        (folder / "sdv-metadata.json").write_text(dump(to_sdv(inferred)), "utf-8")
        (folder / "origin.json").write_text(dump(loaded.origin.model_dump(mode="json")), "utf-8")
        (folder / "leaks.json").write_text(dump(leaks), "utf-8")
        configuration.save(resolved, folder / "config.yaml")
        for notice in notices:
            notify(Event("split", notice=notice))
        notify(Event("split", len(loaded.frame), len(loaded.frame)))

    run.stage("split", work)


def resolved_again(run: Run, config: TableConfig) -> TableConfig:
    """The configuration as it would be resolved for the run's training rows."""
    train, task = training_rows(run).frame, schema(run).task
    described = _protected(configuration.absorb_metadata(config), train, task)
    return configuration.resolve(described, len(train), task)


def _left_out(inferred: Schema) -> list[str]:
    """Columns that no generator and no classifier sees, in one sentence per kind."""
    texts = {
        "identifier": "kept out of training and made afresh in synthetic rows (keys)",
        "text": "kept out of training and left empty in synthetic rows (free text)",
    }
    found = {kind: [c.name for c in inferred.columns if c.kind == kind] for kind in texts}
    return [f"{', '.join(names)}: {texts[kind]}" for kind, names in found.items() if names]


def _protected(config: TableConfig, train: pd.DataFrame, task: Task) -> TableConfig:
    """The configuration without the declared values that fewer than RARE training rows hold: it
    is shared with the run, and SDV's metadata list such values too."""
    target = config.data.target
    declared = {n for n, c in config.data.columns.items() if c.values and n != target}
    if not declared:
        return config
    inferred = infer(train, target=target, overrides=overrides(config), task=task)
    table = Table(train, inferred)
    columns = dict(config.data.columns)
    for column in table.schema.discrete:
        if column.name in declared:
            codes = table.codes(column.name)
            counts = np.bincount(codes[codes >= 0], minlength=len(column.values))
            kept = tuple(v for v, n in zip(column.values, counts, strict=True) if n >= RARE)
            update = {"values": kept or None}
            columns[column.name] = columns[column.name].model_copy(update=update)
    data = config.data.model_copy(update={"columns": columns})
    return config.model_copy(update={"data": data})


def parts(
    loaded: Loaded, config: TableConfig, task: Task
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Training rows, test rows, and notices. Raises DataError and ConfigError for what is wrong
    with the table, its target or the given test file."""
    data = config.data
    check_frame(loaded.frame, data.target, overrides(config))
    if data.test is not None:
        test = _given_test(loaded.frame, config, task)
        train, notices = _few(loaded.frame, config)
        return train, test, notices
    train_rows, test_rows = split_rows(
        loaded.frame,
        target=data.target,
        share=config.split.test_share,
        seed=derive(config.seed, "split"),
        group=data.group,
        time=data.time,
        task=task,
    )
    train = loaded.frame.iloc[train_rows].reset_index(drop=True)
    test = loaded.frame.iloc[test_rows].reset_index(drop=True)
    notices = [
        f"One row is there {count:,} times ({count / len(loaded.frame):.0%} of the table): its "
        "copies are on both sides of every split, as they will be among future rows"
        for count in common_rows(loaded.frame, data.target, task)
    ]
    train, fewer = _few(train, config)
    return _without_foreign_categories(train, test), test, [*notices, *fewer]


def _few(train: pd.DataFrame, config: TableConfig) -> tuple[pd.DataFrame, list[str]]:
    """At most so many rows of each class as the configuration says, in their order, and a notice if
    that left any out. Raises ConfigError for a numeric target in resolving."""
    most, target = config.split.rows_per_class, config.data.target
    if most is None or train.groupby(target, observed=True).size().max() <= most:
        return train, []
    order = np.random.default_rng(derive(config.seed, "rows per class")).permutation(len(train))
    drawn = train.iloc[order].groupby(target, observed=True).head(most)
    kept = train.loc[np.sort(drawn.index)].reset_index(drop=True)
    said = f"{len(kept)} of {len(train)} training rows are used: split.rows_per_class is {most}"
    return kept, [said]


def _without_foreign_categories(train: pd.DataFrame, test: pd.DataFrame) -> pd.DataFrame:
    """A categorical dtype lists the values of all rows: those of test rows alone are taken out."""
    columns = {}
    for name, series in train.items():
        if isinstance(series.dtype, pd.CategoricalDtype):
            foreign = set(test[name].dropna().unique()) - set(series.dropna().unique())
            series = series.cat.remove_categories(list(foreign))
        columns[name] = series
    return pd.DataFrame(columns)


def _given_test(train: pd.DataFrame, config: TableConfig, task: Task) -> pd.DataFrame:
    """The test file's rows in the training rows' columns and dtypes."""
    data = config.data
    assert data.test is not None
    test = conform(read(data.test, reading(config)).frame, train, data.test)
    missing = int(test[data.target].isna().sum())
    if missing:
        raise DataError(
            f"{data.test}: the target {data.target!r} is missing in {missing} of {len(test)} rows",
            "remove those rows",
        )
    if task == "regression":
        check_target(test, data.target, task)
        return test
    unknown = ~test[data.target].isin(train[data.target].unique())
    if unknown.any():
        raise DataError(
            f"{data.test}: the target {data.target!r} has classes in {int(unknown.sum())} rows "
            "that the training rows lack",
            "remove those rows, or add rows of these classes to the training file",
        )
    if test[data.target].nunique() < 2:
        raise DataError(
            f"{data.test}: the target {data.target!r} has one class only",
            "give test rows of at least two classes",
        )
    return test
