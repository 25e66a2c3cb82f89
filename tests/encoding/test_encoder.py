"""A whole table there and back, in both numeric encodings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from synthgen.data.infer import infer
from synthgen.data.schema import (
    Boolean,
    Categorical,
    Column,
    Constant,
    Datetime,
    Identifier,
    Numeric,
    Ordered,
    Schema,
    Timedelta,
)
from synthgen.data.table import Table
from synthgen.data.values import UNLISTED
from synthgen.encoding import Encoded, Encoder, fit_encoder
from synthgen.encoding.modes import Modes
from synthgen.encoding.quantiles import Quantiles
from synthgen.errors import ConfigError

Kind = Literal["modes", "quantiles"]
KINDS: tuple[Kind, ...] = ("modes", "quantiles")
BOTH = pytest.mark.parametrize("numeric", KINDS)

RARE_VALUE = "Zembla"
LOWEST, HIGHEST = -987654.25, 123456789.75


def people(n: int = 600, seed: int = 0) -> Table:
    """Every modelled kind, missing cells, one rare category and one extreme value at each end."""
    rng = np.random.default_rng(seed)
    city = rng.choice(["Oslo", "Rome", "Bonn"], n, p=[0.6, 0.3, 0.1]).astype(object)
    city[:3] = RARE_VALUE
    city[3:20] = None
    wage = np.round(rng.lognormal(3, 0.5, n), 2)
    wage[[5, 6]] = LOWEST, HIGHEST
    wage[10:40] = np.nan
    gain = np.where(rng.random(n) < 0.8, 0, rng.integers(100, 200, n))
    start = pd.Timestamp("2020-01-01")
    born = start + pd.to_timedelta(rng.integers(0, 3000, n), unit="D")
    frame = pd.DataFrame(
        {
            "key": ["".join(rng.choice([*"abcdef"], 8)) for _ in range(n)],
            "age": pd.array(rng.integers(17, 90, n), dtype="Int64"),
            "wage": wage,
            "gain": gain,
            "city": city,
            "size": pd.Categorical(
                rng.choice(["S", "M", "L"], n), categories=["S", "M", "L"], ordered=True
            ),
            "member": rng.random(n) < 0.3,
            "born": born.as_unit("us"),
            "stay": pd.to_timedelta(rng.integers(1, 100, n), unit="h").as_unit("us"),
            "grade": rng.integers(1, 4, n),
            "unit": "EUR",
        }
    )
    frame.loc[50:60, "age"] = pd.NA
    ordered = np.sort(wage[~np.isnan(wage)])
    columns: tuple[Column, ...] = (
        Identifier(name="key", dtype="object", pattern=(("abcdef", 8),)),
        Numeric(name="age", dtype="Int64", missing=True, integer=True, low=17, high=89),
        Numeric(
            name="wage",
            dtype="float64",
            missing=True,
            integer=False,
            low=float(ordered[4]),
            high=float(ordered[-5]),
            decimals=2,
        ),
        Numeric(name="gain", dtype="int64", integer=True, low=0, high=199, spikes=(0,)),
        Categorical(name="city", dtype="object", missing=True, values=("Oslo", "Rome", "Bonn")),
        Ordered(name="size", dtype="category", values=("S", "M", "L")),
        Boolean(name="member", dtype="bool"),
        Datetime(
            name="born",
            dtype="datetime64[us]",
            low=start.timestamp(),
            high=start.timestamp() + 3000 * 86400,
            resolution=86400,
        ),
        Timedelta(name="stay", dtype="timedelta64[us]", low=3600, high=360000, resolution=3600),
        Categorical(name="grade", dtype="int64", values=(1, 2, 3)),
        Constant(name="unit", dtype="object", value="EUR"),
    )
    return Table(frame, Schema(columns=columns, target="grade"))


def within_bounds(table: Table) -> pd.DataFrame:
    """The modelled columns with extremes at their bounds and rare categories set missing."""
    frame = table.frame.drop(columns=["key", "unit"])
    wage = table.schema["wage"]
    assert isinstance(wage, Numeric)
    frame["wage"] = frame["wage"].clip(wage.low, wage.high)
    frame["city"] = frame["city"].where(frame["city"] != RARE_VALUE, None)
    return frame


def fitted(numeric: Kind, table: Table | None = None) -> tuple[Encoder, Encoded, Table]:
    table = people() if table is None else table
    encoder = fit_encoder(table, numeric=numeric, seed=7)
    encoded = encoder.encode(table)
    return encoder, encoded, encoder.decode(encoded, seed=3)


def test_a_table_comes_back_exactly_with_quantiles() -> None:
    table = people()
    _, _, back = fitted("quantiles")
    assert back.frame["key"].is_unique
    assert back.frame["city"].iloc[:3].isin(["Oslo", "Rome", "Bonn"]).all()
    decoded = back.frame.drop(columns=["key", "unit"])
    decoded.loc[:2, "city"] = None  # whatever replaces the rare value
    assert_frame_equal(decoded, within_bounds(table))


def test_a_table_comes_back_nearly_with_modes() -> None:
    table = people()
    encoder, encoded, back = fitted("modes")
    expected = within_bounds(table)
    exact = ["size", "member", "grade"]
    assert_frame_equal(back.frame[exact], expected[exact])
    assert list(back.frame.dtypes) == list(table.frame.dtypes)
    scalar = 0
    for i, span in enumerate(encoder.spans):
        if not span.scalar:
            continue
        # Values at the end of their mode's reach were clipped; few are.
        inside = encoded.scalars[:, scalar].abs().numpy() < 0.989
        scalar += 1
        assert inside.mean() > 0.95
        ours, truth = back.numbers(span.column), table.numbers(span.column)
        assert (np.isnan(ours) == np.isnan(truth)).all()
        column = table.schema[span.column]
        step = {"wage": 0.01, "born": 86400, "stay": 3600}.get(span.column, 1)
        clipped = np.clip(truth, column.low, column.high)  # type: ignore[union-attr]
        np.testing.assert_allclose(ours[inside], clipped[inside], atol=step * 1e-6)
        assert i == encoder.schema.modelled.index(column)  # type: ignore[arg-type]


def text(longest: int) -> st.SearchStrategy[str]:
    """Any text but with NUL, at which pandas' hash table of strings cuts them off."""
    return st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=longest)


@settings(deadline=None, max_examples=25)
@given(st.data())
def test_discrete_columns_come_back_exactly(data: st.DataObject) -> None:
    numeric = data.draw(st.sampled_from(KINDS))
    values = data.draw(
        st.lists(st.one_of(text(4), st.text("é<& ", max_size=4)), unique=True, min_size=1)
    )
    rows = st.lists(st.sampled_from([*values, None]), min_size=1, max_size=30)
    cells = pd.Series(data.draw(rows), dtype=object)
    column = Categorical(name="x", dtype="object", missing=True, values=tuple(values))
    table = Table(pd.DataFrame({"x": cells}), Schema(columns=(column,)))
    encoder = fit_encoder(table, numeric=numeric, seed=0)
    back = Encoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert_frame_equal(back.decode(encoder.encode(table), seed=0).frame, table.frame)


@BOTH
def test_spans_follow_the_modelled_columns(numeric: Kind) -> None:
    table = people()
    encoder, encoded, _ = fitted(numeric)
    assert [span.column for span in encoder.spans] == [c.name for c in table.schema.modelled]
    discrete = {c.name for c in table.schema.discrete}
    for span in encoder.spans:
        assert span.discrete == (span.column in discrete)
        assert span.scalar == (span.column not in discrete)
    sizes = {span.column: span.size for span in encoder.spans}
    assert sizes["city"] == 5
    assert (sizes["size"], sizes["member"], sizes["grade"]) == (3, 2, 3)
    assert encoded.codes.shape == (600, 9)
    assert encoded.scalars.shape == (600, 5)


@BOTH
def test_counts_are_those_of_the_encoded_training_rows(numeric: Kind) -> None:
    encoder, encoded, _ = fitted(numeric)
    for i, (span, counts) in enumerate(zip(encoder.spans, encoder.counts, strict=True)):
        assert counts.dtype == torch.int64
        assert torch.equal(counts, torch.bincount(encoded.codes[:, i].long(), minlength=span.size))
    city = encoder.counts[[span.column for span in encoder.spans].index("city")]
    assert city[3:].tolist() == [17, 3]  # missing, rare


@BOTH
def test_json_is_lossless(numeric: Kind) -> None:
    encoder, encoded, decoded = fitted(numeric)
    text = json.dumps(encoder.to_json(), allow_nan=False)
    again = Encoder.from_json(json.loads(text))
    assert again == encoder
    assert json.dumps(again.to_json(), allow_nan=False) == text
    assert torch.equal(again.encode(people()).scalars, encoded.scalars)
    assert_frame_equal(again.decode(encoded, seed=3).frame, decoded.frame, check_exact=True)


@BOTH
def test_seeds_fix_everything(numeric: Kind) -> None:
    encoder, encoded, decoded = fitted(numeric)
    again, encoded_again, decoded_again = fitted(numeric)
    assert again == encoder
    assert torch.equal(encoded_again.codes, encoded.codes)
    assert torch.equal(encoded_again.scalars, encoded.scalars)
    assert_frame_equal(decoded_again.frame, decoded.frame, check_exact=True)
    assert not encoder.decode(encoded, seed=4).frame["key"].equals(decoded.frame["key"])
    other = fit_encoder(people(), numeric=numeric, seed=8).encode(people())
    assert not torch.equal(other.scalars, encoded.scalars)


@BOTH
def test_neither_rare_values_nor_extremes_are_kept(numeric: Kind) -> None:
    """The canaries, in any spelling, in the model and in rows decoded from any tensors."""
    encoder, _, decoded = fitted(numeric)
    text = json.dumps(encoder.to_json())
    random = torch.Generator().manual_seed(0)
    n = 2_000
    codes = [torch.randint(span.size, (n,), generator=random) for span in encoder.spans]
    wild = Encoded(torch.stack(codes, 1).to(torch.int16), 5 * torch.randn(n, 5, generator=random))
    for frame in (decoded.frame, encoder.decode(wild, seed=0).frame):
        text += frame.to_csv()
    for canary in (RARE_VALUE, "987654.25", "123456789", "9.8765425e", "1.2345678975e"):
        assert canary not in text
    wage = encoder.encodings[1]
    if isinstance(wage, Modes):
        assert (wage.unit * np.abs(wage.means) < 1_000).all()
    else:
        assert isinstance(wage, Quantiles)
        assert (np.abs([wage.left, wage.right]) < 1_000).all()
    assert "Oslo" in text


@BOTH
def test_extremes_count_as_the_protected_bounds(numeric: Kind) -> None:
    """How far out a value lies changes nothing: not the encoder, not the tensors."""
    table = people()
    encoder, encoded, _ = fitted(numeric, table)
    wage = table.schema["wage"]
    assert isinstance(wage, Numeric)
    frame = table.frame.assign(wage=table.frame["wage"].clip(wage.low, wage.high))
    again, encoded_again, _ = fitted(numeric, Table(frame, table.schema))
    assert not frame.equals(table.frame)
    assert again == encoder
    assert torch.equal(again.encode(table).scalars, encoded.scalars)
    assert torch.equal(encoded_again.scalars, encoded.scalars)


@BOTH
def test_other_rows_may_hold_what_training_rows_did_not(numeric: Kind) -> None:
    encoder, _, _ = fitted(numeric)
    other = people(50, seed=1)
    other.frame["gain"] = other.frame["gain"].astype("float64")
    other.frame.loc[0, "gain"] = np.nan
    other.frame.loc[1, "gain"] = 1e12
    other.frame["size"] = pd.Categorical([None] * 25 + ["XL"] * 25)
    back = encoder.decode(encoder.encode(other), seed=0).frame
    assert back["size"].nunique() == 1
    assert back["gain"].between(0, 199).all()
    if numeric == "quantiles":
        assert back["gain"][1] == 199


@BOTH
def test_no_rows_are_fine(numeric: Kind) -> None:
    encoder, encoded, _ = fitted(numeric)
    none = encoder.encode(people().take(np.array([], dtype=np.int64)))
    assert (len(none), none.codes.dtype) == (0, encoded.codes.dtype)
    assert len(encoder.decode(none, seed=0)) == 0


@BOTH
def test_a_row_takes_two_bytes_a_column_and_four_a_scalar(numeric: Kind) -> None:
    _, encoded, _ = fitted(numeric)
    assert encoded.codes.dtype == torch.int16
    assert encoded.scalars.dtype == torch.float32
    held = encoded.codes.nbytes + encoded.scalars.nbytes
    assert held == len(encoded) * (2 * 9 + 4 * 5)


def test_a_target_of_more_than_32767_classes_takes_four_bytes() -> None:
    names = tuple(f"v{i}" for i in range(40_000))
    column = Categorical(name="x", dtype="object", values=names)
    table = Table(pd.DataFrame({"x": names}), Schema(columns=(column,), target="x"))
    encoder = fit_encoder(table, numeric="modes", seed=0)
    encoded = encoder.encode(table)
    assert encoded.codes.dtype == torch.int32
    assert_frame_equal(encoder.decode(encoded, seed=0).frame, table.frame)


@BOTH
def test_big_integers_stay_in_their_bounds(numeric: Kind) -> None:
    top = 2**64 - 1
    cells = np.array([0, 1, 2**63, top - 1, top] * 20, dtype=np.uint64)
    column = Numeric(name="x", dtype="uint64", integer=True, low=0, high=top)
    table = Table(pd.DataFrame({"x": cells}), Schema(columns=(column,)))
    encoder = fit_encoder(table, numeric=numeric, seed=0)
    back = encoder.decode(encoder.encode(table), seed=0).frame["x"]
    assert back.dtype == np.uint64
    gap = np.abs(back.astype(float) - table.frame["x"].astype(float))
    assert gap.max() < 1e-4 * top


def test_code_of_is_the_code_that_encode_gives() -> None:
    encoder, encoded, _ = fitted("modes")
    names = [span.column for span in encoder.spans]
    for column, value in (("city", "Bonn"), ("grade", 2), ("member", True), ("size", "M")):
        rows = people().frame[column] == value
        codes = encoded.codes[torch.tensor(rows.to_numpy()), names.index(column)]
        assert codes.unique().tolist() == [encoder.code_of(column, value)]
    with pytest.raises(ConfigError, match="'Bonn'"):
        encoder.code_of("city", "Bon")


@pytest.mark.parametrize(
    ("name", "target", "bytes_per_row"),
    [
        ("adult-train.csv", "income", 50),
        ("default.csv", "default.payment.next.month", None),
        ("shoppers.csv", "Revenue", None),
        ("magic.csv", "class", 62),
        ("telco-churn.csv", "Churn", None),
        ("mammography.csv", "calcification", 38),
    ],
)
def test_real_tables_come_back(
    shared_data: Path, name: str, target: str, bytes_per_row: int | None
) -> None:
    frame = pd.read_csv(shared_data / "tabular" / name)
    table = Table(frame, infer(frame, target=target))
    encoder = fit_encoder(table, numeric="quantiles", seed=0)
    encoded = encoder.encode(table)
    scalars = sum(span.scalar for span in encoder.spans)
    held = (encoded.codes.nbytes + encoded.scalars.nbytes) / len(table)
    assert held == (bytes_per_row or 2 * len(encoder.spans) + 4 * scalars)
    back = encoder.decode(encoded, seed=0)
    assert (back.frame.dtypes == frame.dtypes).all()
    for column in table.schema.discrete:
        listed = table.codes(column.name) != UNLISTED
        assert (back.codes(column.name) == table.codes(column.name))[listed].all()
    for numeric in table.schema.continuous:
        truth = np.clip(table.numbers(numeric.name), float(numeric.low), float(numeric.high))
        ours = back.numbers(numeric.name)
        assert (np.isnan(ours) == np.isnan(truth)).all()
        # The few that come back less closely lie in the wide bins of the tails.
        reach = 1e-3 * (float(numeric.high) - float(numeric.low))
        assert (np.abs(ours - truth)[~np.isnan(truth)] <= reach).mean() > 0.999
