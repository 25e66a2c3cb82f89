"""The private schema and encoder: what they keep of the training table's, and what not."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from synthgen.data.infer import infer
from synthgen.data.schema import Boolean, Constant, Datetime, Identifier, Numeric, Text
from synthgen.data.table import Table
from synthgen.encoding import Encoder
from synthgen.errors import DataError
from synthgen.privacy.encoder import Facts, Price, private_encoder, queries
from synthgen.privacy.noise import Noise, SeededNoise
from tests.generators.tables import TABLES, mixed, table

NOTHING = Facts({}, {})


def fitted(
    train: Table, std: float = 0.01, facts: Facts = NOTHING, noise: Noise | None = None
) -> Encoder:
    return private_encoder(train, facts, Price(std, 1e-6), noise=noise or SeededNoise(1), seed=0)


@pytest.mark.parametrize("kind", TABLES)
def test_names_kinds_and_types_are_kept_and_rows_come_back(kind: str) -> None:
    train = table(kind)
    encoder = fitted(train)
    for mine, theirs in zip(encoder.schema.columns, train.schema.columns, strict=True):
        assert (mine.name, mine.kind, mine.dtype) == (theirs.name, theirs.kind, theirs.dtype)
    encoded = encoder.encode(Table(train.frame, encoder.schema))
    back = encoder.decode(encoded, seed=1)
    assert len(back) == len(train)
    assert back.frame.dtypes.astype(str).tolist() == train.frame.dtypes.astype(str).tolist()
    for span, tally in zip(encoder.spans, encoder.tallies, strict=True):
        assert span.size == len(tally)
        assert min(tally) >= 0


def test_nearly_without_noise_the_table_comes_back_nearly() -> None:
    frame = mixed(5000, seed=3)
    train = Table(frame, infer(frame, target="y"))
    encoder = fitted(train)
    back = encoder.decode(encoder.encode(Table(train.frame, encoder.schema)), seed=1)
    for discrete in train.schema.discrete:
        cells = [part.frame[discrete.name].astype(str).to_numpy() for part in (back, train)]
        assert (cells[0] == cells[1]).mean() > 0.99
    for column in train.schema.continuous:
        one, two = train.numbers(column.name), back.numbers(column.name)
        assert (np.isnan(one) == np.isnan(two)).mean() > 0.99
        both = ~np.isnan(one) & ~np.isnan(two)
        spread = np.subtract(*np.quantile(one[both], [0.9, 0.1]))
        assert np.quantile(np.abs(one - two)[both], 0.95) < 0.05 * spread
    assert encoder.schema['<b>income & "gains"</b>'].decimals == 2  # type: ignore[union-attr]
    assert encoder.schema["zeros"].spikes == (0.0,)  # type: ignore[union-attr]
    assert encoder.schema["born"].resolution == 86400  # type: ignore[union-attr]


def test_columns_that_are_not_modelled_say_nothing() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": [f"AB-{i:05d}" for i in rng.permutation(400)],
            "note": [f"some words that nobody repeats {i} " * 3 for i in range(400)],
            "same": "always",
            "few": [np.nan] * 397 + [7.0] * 3,
            "y": rng.choice(["a", "b"], 400),
        }
    )
    train = Table(frame, infer(frame, target="y"))
    assert train.schema["id"].pattern  # type: ignore[union-attr]
    schema = fitted(train).schema
    assert schema["id"] == Identifier(name="id", dtype="object")
    assert schema["note"] == Text(name="note", dtype="object", missing=True)
    assert isinstance(schema["same"], Constant)
    assert schema["same"].value == "always"
    hidden = fitted(train, std=500.0, facts=Facts({}, {"y": ["a", "b"]})).schema
    assert hidden["same"].value is None  # type: ignore[union-attr]


def test_values_that_tie_come_by_their_text_not_by_their_true_frequency() -> None:
    """Noisy counts may be equal where true ones are not."""
    frame = pd.DataFrame({"x": ["b"] * 60 + ["a"] * 50 + ["c"] * 40, "y": ["u", "v"] * 75})
    train = Table(frame, infer(frame, target="y"))
    assert train.schema["x"].values == ("b", "a", "c")  # type: ignore[union-attr]

    from synthgen.privacy import encoder as module
    from synthgen.privacy.categories import Released

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            module,
            "private_values",
            lambda codes, size, *_: Released(np.arange(size), np.full(size, 50), 0, 0),
        )
        assert fitted(train).schema["x"].values == ("a", "b", "c")  # type: ignore[union-attr]


def test_a_flag_needs_no_list_and_keeps_both_values() -> None:
    frame = pd.DataFrame(
        {"flag": [False] * 300, "x": np.arange(300.0) % 37.5, "y": ["a", "b"] * 150}
    )
    train = Table(frame, infer(frame, target="y").model_copy())
    train = Table(
        frame,
        train.schema.model_copy(
            update={"columns": (Boolean(name="flag", dtype="bool"), *train.schema.columns[1:])}
        ),
    )
    encoder = fitted(train)
    assert encoder.tallies[0][0] == pytest.approx(300, abs=2)
    assert encoder.tallies[0][1] >= 1
    assert queries(train.schema, NOTHING)[1] == 1  # the list of y alone


def test_plain_integers_are_never_said_to_lack_cells() -> None:
    frame = pd.DataFrame({"n": np.arange(3000) % 991 + 5, "y": ["a", "b", "c"] * 1000})
    train = Table(frame, infer(frame, target="y"))
    for seed in range(40):
        column = fitted(train, std=20.0, noise=SeededNoise(seed)).schema["n"]
        assert isinstance(column, Numeric)
        assert not column.missing
        assert column.low < column.high
        assert type(column.low) is int


@pytest.mark.parametrize("gaps", [False, True])
def test_whole_numbers_stored_as_floats_stay_whole(gaps: bool) -> None:
    """As pandas stores integers with gaps."""
    rng = np.random.default_rng(1)
    values = rng.integers(16, 80, 4000).astype(float)
    values[:500] = np.nan if gaps else 16.0
    frame = pd.DataFrame({"age": values, "y": ["a", "b"] * 2000})
    train = Table(frame, infer(frame, target="y"))
    encoder = fitted(train, std=5.0)
    column = encoder.schema["age"]
    assert isinstance(column, Numeric)
    assert (column.low, column.high, column.decimals, column.missing) == (16, 79, 0, gaps)
    back = encoder.decode(encoder.encode(Table(frame, encoder.schema)), seed=1)
    one, two = train.numbers("age"), back.numbers("age")
    np.testing.assert_array_equal(np.isnan(one), np.isnan(two))
    assert (one == two)[~np.isnan(one)].mean() > 0.95


def test_bounds_do_not_follow_an_extreme_value() -> None:
    """Over many draws of noise the bounds are never a value of the data, with or without it."""
    frame = mixed(1000, seed=2)
    extreme = frame.copy()
    extreme.loc[0, "größe.是"] = 10**7
    ends = set()
    for data, seed in itertools.product((frame, extreme), range(15)):
        train = Table(data, infer(data, target="y"))
        column = fitted(train, std=4.0, noise=SeededNoise(seed)).schema["größe.是"]
        assert isinstance(column, Numeric)
        ends.add((column.low, column.high))
        assert column.high < 1000
    assert len(ends) > 1


def test_times_written_as_text_keep_their_format() -> None:
    days = pd.Timestamp("2011-03-01") + pd.to_timedelta(np.arange(800) % 400, "D")
    frame = pd.DataFrame({"day": days.strftime("%d.%m.%Y"), "y": ["a", "b"] * 400})
    frame.loc[3, "day"] = "31.12.2011"
    train = Table(frame, infer(frame, target="y"))
    assert isinstance(train.schema["day"], Datetime)
    encoder = fitted(train)
    back = encoder.decode(encoder.encode(Table(frame, encoder.schema)), seed=1).frame["day"]
    parsed = pd.to_datetime(back, format="%d.%m.%Y")
    assert (abs(parsed - days) <= pd.Timedelta(days=3)).mean() > 0.95


def test_where_noise_hides_a_column_its_name_is_said() -> None:
    with pytest.raises(DataError, match=r"column '.+'"):
        fitted(table("mixed"), std=400.0)
