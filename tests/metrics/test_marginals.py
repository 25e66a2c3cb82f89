"""Shares by hand, bins a reader understands, and nothing of rare rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthgen.data.schema import Boolean, Datetime, Numeric, Ordered, Schema, Timedelta
from synthgen.data.table import Table
from synthgen.metrics.base import Trio
from synthgen.metrics.bins import bins
from synthgen.metrics.marginals import marginals
from tests.metrics.tables import TARGETS, categorical, numeric, real_trio, table


def _only(column: Any, real: Any, synthetic: Any) -> Any:
    train, drawn = (table([column], **{column.name: cells}) for cells in (real, synthetic))
    (marginal,) = marginals(Trio(train, train, drawn))
    return marginal


def test_categories_by_hand() -> None:
    column = categorical("kind", "a", "b")
    found = _only(column, ["a", "a", "b", "odd", None], ["a", "b", "b", "new", "newer"])
    assert found.labels == ["a", "b", "(other)", "(missing)"]
    assert found.edges is None
    assert found.real == pytest.approx([0.4, 0.2, 0.2, 0.2])
    assert found.synthetic == pytest.approx([0.2, 0.4, 0.4, 0])
    assert found.reference == 1
    # (1/2, 1/4, 1/4, 0, 0) against (1/5, 2/5, 0, 1/5, 1/5): missing cells apart, rare ones not.
    assert found.score == pytest.approx(1 - 0.55)


def test_many_categories_are_summed_and_ordered_ones_keep_their_order() -> None:
    values = list(range(30))
    cells = np.repeat(values, [5 + v for v in values])
    column = Ordered(name="grade", dtype="int64", values=tuple(values))
    found = _only(column, cells, cells)
    assert found.labels == [*map(str, range(17, 30)), "(other)"]
    assert sum(found.real) == pytest.approx(1)
    assert found.real[-1] == pytest.approx((cells < 17).mean())
    yes = _only(Boolean(name="yes", dtype="bool"), [True, False, True], [True, True, True])
    assert yes.labels == ["False", "True"]
    assert yes.synthetic == [0, 1]


def test_histogram_by_hand() -> None:
    cells = np.repeat([1.0, 2, 3], [5, 3, 2])
    column = numeric("x", cells, integer=True)
    found = _only(column, [*cells, np.nan], [0.0, 1, 9, 9, np.nan])
    assert found.labels == ["1", "2", "3"]
    assert found.edges == [1, 2, 3, 4]
    assert found.real == pytest.approx([0.5, 0.3, 0.2])  # of the rows that have a value
    assert found.synthetic == pytest.approx([0.5, 0, 0.5])  # beyond the ends: in the end bins


def test_worst_first_and_a_column_without_values_is_the_worst() -> None:
    rng = np.random.default_rng(0)
    real = {name: rng.normal(size=300) for name in ("good", "shifted", "empty")}
    drawn = {
        "good": rng.normal(size=300),
        "shifted": rng.normal(1, 1, 300),
        "empty": np.full(300, np.nan),
    }
    columns: list[Any] = [numeric(name, real[name]) for name in real]
    train, synthetic = table(columns, **real), table(columns, **drawn)
    found = marginals(Trio(train, train, synthetic))
    assert [marginal.column for marginal in found] == ["empty", "shifted", "good"]
    assert found[0].score == 0
    assert sum(found[0].synthetic) == 0
    assert found[1].score < 0.75 < found[2].score
    nothing = train.take(np.arange(0))
    assert marginals(Trio(train, nothing, synthetic)) == []
    assert marginals(Trio(train, train, nothing)) == []


@pytest.mark.parametrize("name", TARGETS)
def test_real_tables(shared_data: Path, name: str) -> None:
    trio = real_trio(shared_data, name)
    found = marginals(trio)
    assert {m.column for m in found} == {c.name for c in trio.train.schema.modelled}
    assert [m.score for m in found] == sorted(m.score for m in found)
    for m in found:
        assert len(m.real) == len(m.synthetic) == len(m.labels) == len(set(m.labels))
        assert sum(m.real) == pytest.approx(1)
        assert sum(m.synthetic) == pytest.approx(1)
        assert m.score == m.reference > 0.9  # the synthetic rows are the held-out ones
        if m.edges is None:
            assert len(m.labels) <= 15
        else:
            assert len(m.edges) == len(m.labels) + 1 <= 22
            assert (np.diff(m.edges) > 0).all()
            # The drawing shows something: the mass is not all in one bin, spikes apart.
            column = trio.train.schema[m.column]
            assert isinstance(column, Numeric)
            spikes = {i for i, edge in enumerate(m.edges[:-1]) if edge in column.spikes}
            rest = [share for i, share in enumerate(m.real) if i not in spikes]
            assert max(rest) < 0.7
            assert sum(share > 0.003 for share in rest) >= 4
    json.dumps([m.model_dump() for m in found], allow_nan=False)


def test_the_largest_spikes_have_their_own_bins(shared_data: Path) -> None:
    trio = real_trio(shared_data, "adult-train")
    found = {m.column: m for m in marginals(trio)}
    gain = found["capital-gain"]
    zero = gain.labels.index("0")
    assert gain.real[zero] == pytest.approx((trio.train.numbers("capital-gain") == 0).mean())
    hours = found["hours-per-week"]
    full = (trio.train.numbers("hours-per-week") == 40).mean()
    assert hours.real[hours.labels.index("40")] == pytest.approx(full)


def test_edges_and_labels_hold_no_value_of_a_single_row() -> None:
    rng = np.random.default_rng(0)
    salary = np.sort(rng.lognormal(10, 1, 2000))
    low, high = float(salary[4]), float(salary[-5])
    found = _only(
        numeric("salary", salary).model_copy(update={"low": low, "high": high}), *[salary] * 2
    )
    inner = set(found.edges) - {low, high}
    assert not inner & set(salary)
    # Round numbers: one or two leading digits (by 1, 2 or 5 times a power of ten).
    assert all(float(f"{edge:.3g}") == edge for edge in inner)
    assert str(salary[0])[:6] not in " ".join(found.labels)
    assert str(salary[-1])[:6] not in " ".join(found.labels)
    kinds = _only(categorical("kind", "a"), ["a"] * 9 + ["secret"], ["a"] * 9 + ["secret"])
    assert kinds.labels == ["a", "(other)"]


def test_labels_of_numbers() -> None:
    ages = Numeric(name="age", dtype="int64", integer=True, low=18, high=90)
    cut = bins(ages, np.linspace(18, 90, 500).round())
    assert cut.edges.tolist() == [18, *range(20, 91, 10), 91]
    assert cut.labels[:2] == ["18–19", "20–29"]
    assert cut.labels[-2:] == ["80–89", "≥ 90"]
    share = Numeric(name="s", dtype="float64", integer=False, low=0.0, high=1.0, decimals=1)
    assert bins(share, np.array([0.5])).labels == [f"{v / 10:g}" for v in range(11)]
    tails = Numeric(name="t", dtype="float64", integer=False, low=-1000.0, high=1000.0)
    cut = bins(tails, np.random.default_rng(0).normal(0, 1, 5000))
    assert cut.labels[0] == "< -2.5"
    assert cut.labels[-1].startswith("≥ ")
    assert "0–0.5" in cut.labels
    huge = Numeric(name="h", dtype="int64", integer=True, low=0, high=9 * 10**18)
    assert (np.diff(bins(huge, np.linspace(0, 9e18, 99)).edges) > 0).all()


def test_a_spike_in_the_middle_splits_its_bin() -> None:
    column = numeric("x", [0, 10]).model_copy(update={"spikes": (3.3, 0.0)})
    cut = bins(column, np.linspace(0, 10, 200))
    place = cut.labels.index("3.3")
    assert cut.edges[place] == 3.3
    assert cut.edges[place + 1] == np.nextafter(3.3, 4)
    found = _only(column, np.repeat([1.0, 3.3, 8], [2, 6, 2]), np.repeat([3.29, 3.31], 5))
    place = found.labels.index("3.3")
    assert found.real[place] == 0.6
    assert found.synthetic[place] == 0


def test_labels_of_times() -> None:
    days = 86400.0
    when = Datetime(
        name="when",
        dtype="datetime64[ns, Europe/Berlin]",
        zone="Europe/Berlin",
        low=pd.Timestamp("2024-01-01", tz="Europe/Berlin").timestamp(),
        high=pd.Timestamp("2024-01-10", tz="Europe/Berlin").timestamp(),
        resolution=days,
    )
    cut = bins(when, when.low + days * np.arange(10))
    assert cut.labels == [f"2024-01-{day:02d}" for day in range(1, 11)]
    old = when.model_copy(update={"zone": None, "low": -70e9, "high": 9e9, "resolution": 1.0})
    cut = bins(old, np.linspace(-70e9, 9e9, 300))
    assert len(cut.labels) <= 21
    assert cut.labels[1].count("-") >= 4
    took = Timedelta(name="took", dtype="timedelta64[ns]", low=0, high=7200, resolution=1)
    cut = bins(took, np.linspace(0, 7200, 300))
    assert cut.labels[0] == "0:00:00–0:09:59"
    schema = Schema(columns=(took,))
    frame = pd.DataFrame({"took": pd.to_timedelta(np.arange(0, 7200, 60), unit="s")})
    (found,) = marginals(Trio(*[Table(frame, schema)] * 3))
    assert sum(found.real) == pytest.approx(1)
