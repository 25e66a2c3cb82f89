"""Small tables and small jobs for whole runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthgen.config import Config, build


def people(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """A table with every kind of trouble that a run should cope with."""
    rng = np.random.default_rng(seed)
    sick = rng.random(rows) < 0.3
    age = np.clip(rng.normal(45 + 8 * sick, 12, rows), 18, 90).round().astype("int64")
    town = rng.choice(["Bern", "Zürich", "São Paulo", "<b>Rome</b>"], rows, p=[0.4, 0.3, 0.2, 0.1])
    income = np.where(rng.random(rows) < 0.2, 0.0, rng.lognormal(10, 1, rows).round(2))
    frame = pd.DataFrame(
        {
            "key": [f"P-{i:06d}" for i in rng.permutation(rows)],
            "age": pd.array(age, dtype="Int64"),
            "town": pd.Categorical(town),
            "income": income,
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, rows), "D"),
            "member": pd.array(rng.random(rows) < 0.5, dtype="boolean"),
            "sick": np.where(sick, "yes", "no"),
        }
    )
    frame.loc[rng.random(rows) < 0.1, ["age", "income"]] = np.nan
    frame.loc[rng.random(rows) < 0.1, "member"] = pd.NA
    return frame


def small(**settings: Any) -> Config:
    """A configuration whose run takes seconds."""
    base: dict[str, Any] = {
        "data": {"target": "sick"},
        "generator": {"name": "ctgan", "epochs": 3, "batch_size": 50},
        "decide": {"resamples": 3, "ratios": [1.0], "learners": ["logistic"]},
        "workers": 1,
    }
    ratio = settings.get("sample", {}).get("ratio", "auto")
    if ratio != "auto":
        base["decide"]["ratios"] = [ratio]
    return build(base | settings)
