"""With the same modes, the wide matrix is that of the ``ctgan`` package."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from synthgen.data.schema import Categorical, Column, Numeric, Schema
from synthgen.data.table import Table
from synthgen.encoding import Encoder
from synthgen.encoding.discrete import Categories
from synthgen.encoding.encoder import Encoding
from synthgen.encoding.modes import Modes
from synthgen.encoding.wide import Wide

ROWS = 400  # below 500 the reference does not start worker processes


@pytest.fixture
def frame() -> pd.DataFrame:
    """Modes far apart, so that both draw the same one; categories in order of frequency."""
    rng = np.random.default_rng(0)
    sex = rng.permutation(["male"] * (ROWS * 6 // 10) + ["female"] * (ROWS * 4 // 10))
    far = rng.choice([-1000.0, 0.0, 500.0], ROWS) + rng.normal(size=ROWS)
    wide = rng.choice([-9.0, 0.0, 8.0], ROWS) + 0.1 * rng.normal(size=ROWS)
    grade = rng.permutation(np.repeat([3, 1, 2], [ROWS // 2, ROWS // 4, ROWS // 4]))
    return pd.DataFrame({"sex": sex, "far": far, "wide": wide, "grade": grade})


def test_the_wide_matrix_is_the_references(frame: pd.DataFrame) -> None:
    transformers = pytest.importorskip("ctgan.data_transformer")
    reference = transformers.DataTransformer(max_clusters=3)
    reference.fit(frame, ["sex", "grade"])

    columns: list[Column] = []
    encodings: list[Encoding] = []
    for info in reference._column_transform_info_list:
        name, fitted = info.column_name, info.transform
        if info.column_type == "discrete":
            values = tuple(pd.Series(list(fitted.dummies)).tolist())
            columns.append(Categorical(name=name, dtype=str(frame[name].dtype), values=values))
            counts = tuple(int((frame[name] == value).sum()) for value in values)
            encodings.append(Categories(counts=counts, missing=False, rare=False))
        else:
            low, high = float(frame[name].min()), float(frame[name].max())
            columns.append(Numeric(name=name, dtype="float64", integer=False, low=low, high=high))
            kept, found = fitted.valid_component_indicator, fitted._bgm_transformer
            encodings.append(
                Modes(
                    unit=1.0,
                    weights=tuple(found.weights_[kept]),
                    means=tuple(found.means_[kept, 0]),
                    stds=tuple(np.sqrt(found.covariances_[kept, 0, 0])),
                    missing=False,
                )
            )
    encoder = Encoder(Schema(columns=tuple(columns)), tuple(encodings), (), seed=0)
    encoded = encoder.encode(Table(frame, encoder.schema))
    wide = Wide.of(encoder.spans)
    rows = wide.expand(encoded.codes, encoded.scalars)
    # The reference has each column's scalar in front of its codes.
    scalars = iter(rows[:, : wide.scalars].split(1, dim=1))
    codes = rows[:, wide.scalars :].split(wide.sizes, dim=1)
    parts = [
        [*([next(scalars)] if span.scalar else []), part]
        for span, part in zip(encoder.spans, codes, strict=True)
    ]
    ours = torch.cat([part for column in parts for part in column], 1).numpy()

    np.random.seed(0)  # noqa: NPY002 (the reference draws from the global state)
    theirs = reference.transform(frame)
    assert ours.shape == theirs.shape == (ROWS, reference.output_dimensions)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
