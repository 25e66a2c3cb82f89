"""Column shapes and pair trends are those of SDMetrics' QualityReport on the same rows."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.schema import Boolean, Datetime, Schema
from synthgen.data.table import Table
from synthgen.metrics.base import Trio
from synthgen.metrics.column_shapes import column_shapes
from synthgen.metrics.pair_trends import mean_pair_trend
from synthgen.metrics.pairs import pair_scores
from tests.metrics.tables import categorical, numeric, real_trio, shuffled

Reference = Callable[[Trio], tuple[float, float, Any]]


@pytest.fixture(scope="module")
def reference() -> Reference:
    """Column shapes, pair trends and the details of the latter, by SDMetrics."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdmetrics.reports import QualityReport

    def generate(trio: Trio) -> tuple[float, float, Any]:
        columns = trio.train.schema.modelled
        kinds = {"numeric": "numerical", "datetime": "datetime", "boolean": "boolean"}
        meta = {c.name: {"sdtype": kinds.get(c.kind, "categorical")} for c in columns}
        real, synthetic = ({"t": t.frame[list(meta)]} for t in (trio.train, trio.synthetic))
        report = QualityReport()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            report.generate(real, synthetic, {"tables": {"t": {"columns": meta}}}, verbose=False)
            scores = report.get_properties().set_index("Property")["Score"]
            report.real_correlation_threshold = report.real_association_threshold = 0
            report.generate(real, synthetic, {"tables": {"t": {"columns": meta}}}, verbose=False)
        details = report.get_details("Column Pair Trends")
        return scores["Column Shapes"], scores["Column Pair Trends"], details

    return generate


def _agree(trio: Trio, reference: Reference) -> None:
    shapes, trends, details = reference(trio)
    ours = mean_pair_trend(trio)
    assert column_shapes(trio).value == pytest.approx(shapes, abs=1e-6)
    assert ours.value == pytest.approx(trends, abs=1e-6)
    assert ours.detail["all_pairs"] == pytest.approx(details["Score"].mean(), abs=1e-6)
    pairs = pair_scores(trio.train, trio.synthetic)
    place = {name: position for position, name in enumerate(pairs.columns)}
    first = [place[name] for name in details["Column 1"]]
    second = [place[name] for name in details["Column 2"]]
    np.testing.assert_allclose(pairs.score[first, second], details["Score"], atol=1e-6)


@pytest.mark.parametrize("name", ["adult-train", "default"])
def test_real_tables(shared_data: Path, reference: Reference, name: str) -> None:
    trio = real_trio(shared_data, name, rows=3000)
    assert len(trio.train.schema.modelled) > 14
    _agree(trio, reference)
    broken = shuffled(trio.synthetic)
    number = next(c.name for c in trio.train.schema.continuous)
    broken.frame[number] = (broken.frame[number] * 1.3).astype(broken.frame[number].dtype)
    _agree(Trio(trio.train, trio.holdout, broken), reference)


def test_missing_cells_times_booleans_constants_and_unseen_categories(reference: Reference) -> None:
    rng = np.random.default_rng(1)

    def draw(n: int, shift: float, categories: str) -> dict[str, Any]:
        x = rng.normal(shift, 1, n)
        y = x + rng.normal(0, 0.5, n)
        when = pd.Timestamp("2021-03-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D")
        yes = pd.Series(rng.random(n) < 0.3 + 0.2 * (x > 0)).astype(object)
        kind = pd.Series(rng.choice(list(categories), n))
        kind[x > 1] = categories[0]
        whole = pd.Series(np.round(10 * x)).where(rng.random(n) > 0.3)
        x[rng.random(n) < 0.1] = np.nan
        y[rng.random(n) < 0.2] = np.nan
        cells = {"x": x, "y": y, "whole": whole, "flat": np.full(n, 7.0), "yes": yes, "kind": kind}
        for name in ("yes", "kind"):
            cells[name] = cells[name].where(rng.random(n) > 0.1, None)
        return {**cells, "when": pd.Series(when).where(rng.random(n) > 0.1)}

    real, synthetic = draw(900, 0.0, "abc"), draw(700, 0.4, "abd")
    columns = (
        *(numeric(name, real[name]) for name in ("x", "y", "whole", "flat")),
        Boolean(name="yes", dtype="object", missing=True),
        categorical("kind", "a", "b", "c"),
        Datetime(
            name="when", dtype="datetime64[ns]", low=0, high=1e9, resolution=86400, missing=True
        ),
    )
    schema = Schema(columns=columns)
    train, drawn = (Table(pd.DataFrame(cells), schema) for cells in (real, synthetic))
    trio = Trio(train, train, drawn)
    scores = pair_scores(train, drawn)
    flat = scores.columns.index("flat")
    assert np.isnan(scores.score[flat, scores.columns.index("x")])
    assert column_shapes(trio).detail["columns"]["flat"] == 1.0
    _agree(trio, reference)


def test_a_column_without_values_does_not_count(reference: Reference) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    cells = {"x": x, "y": 2 * x + rng.normal(size=400), "kind": np.where(x > 0, "a", "b")}
    columns = tuple(numeric(name, cells[name]) for name in ("x", "y"))
    schema = Schema(columns=(*columns, categorical("kind", "a", "b")))
    train = Table(pd.DataFrame(cells), schema)
    drawn = Table(train.frame.assign(y=np.nan), schema)
    trio = Trio(train, train, drawn)
    assert column_shapes(trio).detail["columns"] == {"x": 1.0, "y": None, "kind": 1.0}
    _agree(trio, reference)
