"""The two kinds of CTGAN as their tests use them: small networks, and a small table."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.generators import ctgan, ctgan_paper
from synthgen.generators.ctgan_sampler import CTGANSampler

SMALL: dict[str, Any] = {
    "embedding_dim": 8,
    "generator_dim": (24, 24),
    "discriminator_dim": (24, 24),
    "batch_size": 100,
    "generator_lr": 2e-3,
    "discriminator_lr": 2e-3,
}


@dataclass(frozen=True)
class Family:
    """One of the two."""

    kind: type[Any]
    module: ModuleType
    small: dict[str, Any]

    @property
    def name(self) -> str:
        name: str = self.kind.model_fields["name"].default
        return name

    def new(self, **options: Any) -> Any:
        """The generator with small networks, unless options say otherwise."""
        return self.kind(**{**self.small, **options})


TUNED = Family(ctgan.CTGAN, ctgan, SMALL)
PAPER = Family(ctgan_paper.CTGANPaper, ctgan_paper, {**SMALL, "pac": 5})
FAMILIES = [TUNED, PAPER]


def table(n: int = 600, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    town = rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.25, 0.1, 0.05])
    sex = rng.choice(["f", "m"], n, p=[0.3, 0.7])
    age = np.round(rng.normal(40, 4, n) + 20 * (town == "b"))
    wage = np.round(rng.lognormal(3, 0.5, n), 2)
    y = (age + rng.normal(0, 3, n) > 55).astype(int)
    frame = pd.DataFrame({"town": town, "age": age, "sex": sex, "wage": wage, "y": y})
    return Table(frame, infer(frame, target="y"))


def same(one: Table, other: Table) -> bool:
    return one.frame.equals(other.frame)


def weights(sampler: CTGANSampler) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in sampler.network.state_dict().values()]


CATEGORIES = [("town", v) for v in "abcd"] + [("sex", v) for v in "fm"] + [("y", v) for v in (0, 1)]


def odd_tables() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    n = 60
    y = np.arange(n) % 2
    number, town = rng.normal(size=n), rng.choice(["a", "b", "c"], n)
    return {
        "no continuous": pd.DataFrame({"town": town, "y": y}),
        "only the target": pd.DataFrame({"y": y}),
        "no discrete": pd.DataFrame({"x": number, "z": number**2}),
        "fewer rows than a pack": pd.DataFrame({"x": number[:3], "y": [0, 1, 1]}),
        "fewer rows than a batch": pd.DataFrame({"x": number, "y": y}),
        "missing cells": pd.DataFrame(
            {"x": np.where(y == 1, np.nan, number), "town": np.where(y == 1, town, None), "y": y}
        ),
        "one row per category": pd.DataFrame({"k": [f"v{i}" for i in range(n)], "y": y}),
    }
