"""Small tables of every kind, each with a target."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from synthgen.data.infer import infer
from synthgen.data.overrides import ColumnOverride
from synthgen.data.table import Table


def mixed(rows: int, seed: int = 0) -> pd.DataFrame:
    """Every kind of column, with gaps, names that break naive code, and an imbalanced target."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(10, 0.5, rows).round(2)
    rich = income > np.quantile(income, 0.8)
    frame = pd.DataFrame(
        {
            "ID": np.arange(rows) + 100,
            '<b>income & "gains"</b>': np.where(rng.random(rows) < 0.1, np.nan, income),
            "größe.是": rng.integers(150, 200, rows),
            "zeros": np.where(rng.random(rows) < 0.6, 0.0, rng.exponential(5, rows)),
            "job\nline": rng.choice(np.array(["clerk", "<i>chef</i>", "näher", None]), rows),
            "level": pd.Categorical(
                rng.choice(["low", "mid", "high"], rows), ["low", "mid", "high"], ordered=True
            ),
            "flag": rng.random(rows) < 0.3,
            "born": pd.Timestamp("1990-01-01") + pd.to_timedelta(rng.integers(0, 9000, rows), "D"),
            "same": "always",
            "y": np.where(rich ^ (rng.random(rows) < 0.05), "yes", "no"),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "born"] = pd.NaT
    return frame


def nullable(rows: int) -> pd.DataFrame:
    """pandas' nullable and Arrow dtypes, with gaps."""
    rng = np.random.default_rng(1)
    gaps = rng.random(rows) < 0.15
    whole = pd.Series(rng.integers(0, 500, rows), dtype="Int32").mask(gaps)
    real = pd.Series(rng.normal(size=rows).round(3), dtype="Float64").mask(gaps[::-1])
    text = pd.Series(rng.choice(["a", "b", "c"], rows), dtype="string").mask(gaps)
    return pd.DataFrame(
        {
            "Int32": whole,
            "Float64": real,
            "string": text,
            "boolean": pd.Series(rng.random(rows) < 0.5, dtype="boolean").mask(gaps),
            "arrow int": whole.astype("int64[pyarrow]"),
            "arrow text": text.astype("string[pyarrow]"),
            "zoned": pd.Series(pd.date_range("2020-01-01", periods=rows, freq="h", tz="UTC")),
            "span": pd.to_timedelta(rng.integers(0, 90, rows), "min"),
            "target": rng.integers(0, 3, rows),
        }
    )


def quantity(rows: int, seed: int = 0) -> pd.DataFrame:
    """Every kind of column, and as the target a price of two decimals that depends on some."""
    frame = mixed(rows, seed)
    noise = np.random.default_rng(seed + 1).normal(size=rows)
    price = 40 + 3 * frame["zeros"] + 10 * frame["flag"] + noise
    return frame.drop(columns="y").assign(y=price.round(2))


def tables() -> dict[str, pd.DataFrame]:
    whole = mixed(240)
    rng = np.random.default_rng(2)
    skewed = mixed(300, seed=4)
    rare = rng.permutation(300) < 12
    skewed["y"] = np.where(rare, "yes", "no")
    return {
        "mixed": whole,
        "tiny": mixed(20, seed=5),
        "imbalanced": skewed,
        "nullable": nullable(200),
        "categorical": whole[["job\nline", "level", "flag", "y"]],
        "numeric": whole[["größe.是", "zeros", "y"]].assign(more=rng.normal(size=240)),
        "quantity": quantity(240),
        "quantities": quantity(240)[["größe.是", "zeros", "y"]],
    }


TABLES = list(tables())


@cache
def table(kind: str) -> Table:
    frame = tables()[kind]
    target = "y" if "y" in frame else "target"
    # Twenty rows are few enough to pass for codes; here they are to be what they are elsewhere.
    overrides = {"größe.是": ColumnOverride(kind="numeric")} if kind == "tiny" else {}
    return Table(frame, infer(frame, target=target, overrides=overrides))
