"""The score that early stopping and the choice of weights go by."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.generators.base import Where
from synthgen.generators.tabular_validation import BINS, Validation, Watch, Yardstick, hold_out
from synthgen.training.context import Context


def table(n: int, seed: int = 0, noise: float = 0.5) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = (x + noise * rng.normal(size=n) > 0).astype(int)
    town = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2]).astype(object)
    town[rng.random(n) < 0.1] = None
    frame = pd.DataFrame({"x": x, "town": town, "y": y})
    return Table(frame, infer(frame, target="y"))


def plain_fidelity(real: Table, synthetic: Table) -> float:
    """Column by column and pair by pair, with crosstabs."""
    cuts = np.quantile(real.numbers("x"), np.linspace(0, 1, BINS + 1)[1:-1])

    def binned(part: Table) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "x": np.digitize(part.numbers("x"), cuts),
                "town": part.codes("town"),
                "y": part.codes("y"),
            }
        )

    one, other = binned(real), binned(synthetic)

    def agreement(names: list[str]) -> float:
        shares = [part.value_counts(names, normalize=True) for part in (one, other)]
        return 1 - shares[0].sub(shares[1], fill_value=0).abs().sum() / 2

    shapes = np.mean([agreement([name]) for name in one])
    trends = np.mean([agreement(list(pair)) for pair in itertools.combinations(one, 2)])
    return float((shapes + trends) / 2)


def test_fidelity_is_the_plain_one() -> None:
    real = table(500)
    synthetic = Table(table(400, seed=1, noise=5).frame, real.schema)
    assert Yardstick.of(real).fidelity(synthetic) == pytest.approx(plain_fidelity(real, synthetic))


def test_fidelity_is_one_for_the_same_rows_and_falls_with_the_relation() -> None:
    real = table(2000)
    yardstick = Yardstick.of(real)
    assert yardstick.fidelity(real) == pytest.approx(1)
    fresh = yardstick.fidelity(Table(table(2000, seed=1).frame, real.schema))
    shuffled = real.frame.assign(y=np.random.default_rng(0).permutation(real.frame["y"]))
    broken = yardstick.fidelity(Table(shuffled, real.schema))
    assert broken < fresh - 0.03
    assert fresh > 0.9


def test_one_column_and_many_categories_are_scored() -> None:
    frame = pd.DataFrame({"y": [f"v{k % 400}" for k in range(4000)]})
    real = Table(frame, infer(frame, target="y"))
    assert Yardstick.of(real).fidelity(real) == pytest.approx(1)


def test_held_out_rows_are_not_trained_on() -> None:
    train = table(2000)
    kept, held_out = hold_out(train, Validation(share=0.2), seed=3)
    assert held_out is not None
    assert len(held_out) == 400
    both = pd.concat([kept.frame, held_out.frame]).sort_values("x", ignore_index=True)
    pd.testing.assert_frame_equal(both, train.frame.sort_values("x", ignore_index=True))
    assert hold_out(train, None, seed=3) == (train, None)


def test_a_small_table_is_its_own_yardstick() -> None:
    train = table(300)
    assert hold_out(train, Validation(), seed=0) == (train, train)


class Scripted:
    """A sampler whose rows are as good as its network's weight says."""

    def __init__(self, network: nn.Linear, real: Table) -> None:
        self.network, self.real = network, real

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        wrong = int((1 - self.network.weight.item()) * n)
        frame = self.real.frame.copy()
        frame.loc[: wrong - 1, "x"] = 99.0
        return Table(frame, self.real.schema)

    def save(self, path: object) -> None:
        raise AssertionError


def watch(select: str, patience: int | None) -> tuple[Watch, nn.Linear, list[dict[str, float]]]:
    network, real = nn.Linear(1, 1), table(300)
    records: list[dict[str, float]] = []
    validation = Validation(select=select, patience=patience)  # type: ignore[arg-type]
    context = Context(log=records.append)
    made = Watch(validation, real, network, lambda: Scripted(network, real), 50, context)
    return made, network, records


def scores(watched: Watch, network: nn.Linear, weights: list[float]) -> list[bool]:
    stops = []
    for number, weight in enumerate(weights):
        nn.init.constant_(network.weight, weight)
        stops.append(watched.examine(number + 1))
    return stops


@pytest.mark.parametrize(("select", "expected"), [("best", 0.9), ("last", 0.3)])
def test_the_best_weights_are_selected(select: str, expected: float) -> None:
    watched, network, records = watch(select, None)
    assert scores(watched, network, [0.5, 0.9, 0.7, 0.3]) == [False] * 4
    watched.select()
    assert network.weight.item() == pytest.approx(expected)
    fidelity = [record["fidelity"] for record in records]
    assert sorted(fidelity) == [fidelity[k] for k in (3, 0, 2, 1)]
    assert records[0] == {"step": 1, "steps": 50, "fidelity": fidelity[0]}


def test_patience_counts_scores_without_a_better_one() -> None:
    watched, network, _ = watch("best", 2)
    stops = scores(watched, network, [0.5, 0.4, 0.6, 0.6, 0.5])
    assert stops == [False, False, False, False, True]


def test_the_watch_goes_on_from_its_state() -> None:
    whole, network, _ = watch("best", 2)
    scores(whole, network, [0.5, 0.9, 0.8])
    resumed, other, _ = watch("best", 2)
    resumed.load_state_dict(whole.state_dict())
    assert scores(resumed, other, [0.7]) == [True]
    resumed.select()
    assert other.weight.item() == pytest.approx(0.9)
    assert torch.equal(other.bias, network.bias)
