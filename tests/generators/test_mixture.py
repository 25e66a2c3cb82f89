"""The mixture: its steps against a plain re-statement, its conditions by enumeration."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import chisquare

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.encoding import Span
from synthgen.errors import ShortfallWarning
from synthgen.generators.factors import Factors
from synthgen.generators.mixture import FEWEST, Components, Mixture, MixtureSampler
from synthgen.generators.tabular_batches import gumbel_noise
from synthgen.training.context import Context

SPANS = [Span("town", 3, False, True), Span("x", 1, True, False), Span("y", 2, False, True)]
FACTORS = Factors.of(SPANS, [0, 4, 0], target="y")
ROWS = torch.tensor(list(itertools.product(*map(range, FACTORS.sizes))))


def rows(n: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.tensor(np.column_stack([rng.integers(0, s, n) for s in FACTORS.sizes]))


def model(components: int = 3, smoothing: float = 0.5, bandwidth: float = 0.0) -> Components:
    made = Components(FACTORS, components, smoothing, bandwidth)
    made.start_from(rows(100), torch.Generator().manual_seed(0))
    return made


def town(n: int, seed: int = 0) -> pd.DataFrame:
    """Three kinds of rows, each with its own town, height and flag."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    return pd.DataFrame(
        {
            "town": np.array(["u", "v", "w"])[kind],
            "height": rng.normal(np.array([0.0, 10.0, 20.0])[kind], 1.0).round(3),
            "flag": np.where(rng.random(n) < np.array([0.1, 0.5, 0.9])[kind], "yes", "no"),
            "y": np.where(rng.random(n) < np.array([0.9, 0.1, 0.5])[kind], "a", "b"),
        }
    )


@pytest.fixture(scope="module")
def fitted() -> MixtureSampler:
    frame = town(2000)
    return Mixture(smoothing=0.05).fit(Table(frame, infer(frame, target="y")), Context(seed=1))


def plain_step(made: Components, data: NDArray[Any]) -> tuple[NDArray[Any], list[NDArray[Any]]]:
    """Weights and code probabilities after one step, by loops."""
    weights, starts = made.weights.exp().numpy(), made.starts.tolist()
    codes = made.codes.exp().numpy()
    shares = np.zeros((len(data), len(weights)))
    for i, row in enumerate(data):
        for c in range(len(weights)):
            shares[i, c] = weights[c] * math.prod(
                codes[starts[k] + code, c] for k, code in enumerate(row)
            )
        shares[i] /= shares[i].sum()
    tables = []
    for k, size in enumerate(FACTORS.sizes):
        table = np.zeros((size, len(weights)))
        for i, row in enumerate(data):
            table[row[k]] += shares[i]
        overall = made.overall.numpy()[starts[k] : starts[k] + size]
        table += made.smoothing * overall[:, None]
        tables.append(table / table.sum(0))
    return shares.sum(0) / len(data), tables


def test_a_step_is_expectation_maximisation() -> None:
    made, data = model(), rows(300, seed=3)
    weights, tables = plain_step(made, data.numpy())
    before = made(data).mean().item()
    assert made.improve(data, fewest=0).item() == pytest.approx(before, rel=1e-5)
    np.testing.assert_allclose(made.weights.exp().numpy(), weights, rtol=1e-4)
    np.testing.assert_allclose(made.codes.exp().numpy(), np.concatenate(tables), rtol=1e-4)


def test_hardly_smoothed_steps_never_lose_likelihood() -> None:
    made, data = model(components=5, smoothing=1e-6), rows(400, seed=4)
    losses = [made.improve(data, fewest=0).item() for _ in range(30)]
    assert (np.diff(losses) < 1e-4).all()
    assert losses[-1] < losses[0]


def test_the_probabilities_of_all_rows_sum_to_one() -> None:
    made = model()
    made.improve(rows(300), fewest=0)
    assert (-made(ROWS)).exp().sum().item() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("wanted", [{}, {0: 1}, {1: 2}, {0: 0, 1: 1}])
def test_rows_are_drawn_with_their_conditional_probabilities(wanted: dict[int, int]) -> None:
    made = model(components=4, smoothing=0.05)
    made.improve(rows(300, seed=5), fewest=0)
    draws = 30_000
    random = torch.Generator().manual_seed(1)
    noise = gumbel_noise(draws, FACTORS.width, random)
    drawn = made.draw(noise, torch.rand(draws, generator=random), wanted).numpy()
    meets = np.all([ROWS[:, k].numpy() == code for k, code in wanted.items()], axis=0)
    meets = np.broadcast_to(meets, len(ROWS))
    expected = np.where(meets, (-made(ROWS)).exp().numpy().astype(float), 0.0)
    expected /= expected.sum()
    places = np.ravel_multi_index(tuple(drawn.T), FACTORS.sizes)
    counts = np.bincount(places, minlength=len(ROWS))
    assert counts[~meets].sum() == 0
    assert chisquare(counts[meets], draws * expected[meets]).pvalue > 1e-3


def test_components_that_stand_for_few_rows_are_given_up() -> None:
    made = model(components=40)
    data = rows(200, seed=6)
    for _ in range(5):
        made.improve(data, fewest=FEWEST)
    sizes = made.weights.exp() * len(data)
    kept = sizes[sizes > 1e-6]
    assert len(kept) < 40
    assert kept.min() > FEWEST - 1
    assert kept.sum().item() == pytest.approx(len(data), rel=1e-4)
    # Nothing of the rows that it stood for is left in the model's file.
    gone = made.codes[:, sizes <= 1e-6].exp()
    overall = torch.cat([made.overall[own] / made.overall[own].sum() for own in FACTORS.slices])
    torch.testing.assert_close(gone, overall[:, None].expand_as(gone))


def test_smoothing_along_the_ranks_keeps_the_sum_and_spreads_to_neighbours() -> None:
    made = Components(Factors.of(SPANS, [0, 50, 0], target="y"), 1, 1e-6, 0.05)
    data = torch.tensor([[0, 0, 25]] * 100 + [[1, 1, 25]] * 100)
    made.start_from(data, torch.Generator().manual_seed(0))
    made.improve(data, fewest=0)
    start = int(made.starts[2])
    shares = made.codes[start : start + 50, 0].exp()
    assert shares.sum().item() == pytest.approx(1.0, abs=1e-4)
    assert shares[24].item() == pytest.approx(shares[26].item(), rel=1e-3)
    assert shares[25] > shares[23] > shares[20] > 1e-4
    assert shares[:5].sum() < 1e-3


def test_it_finds_kinds_of_rows(fitted: MixtureSampler) -> None:
    real, drawn = town(4000, seed=9), fitted.sample(4000, seed=2).frame
    for place, expected in (("u", 0.0), ("v", 10.0), ("w", 20.0)):
        own = drawn[drawn["town"] == place]
        assert len(own) / 4000 == pytest.approx((real["town"] == place).mean(), abs=0.03)
        assert own["height"].mean() == pytest.approx(expected, abs=0.6)
        flag = (real[real["town"] == place]["flag"] == "yes").mean()
        assert (own["flag"] == "yes").mean() == pytest.approx(flag, abs=0.08)


def test_any_conditions_take_one_draw(
    fitted: MixtureSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    original = MixtureSampler.encoded

    def counted(self: MixtureSampler, n: int, seed: int, wanted: Any = None) -> Any:
        drawn.append(n)
        return original(self, n, seed, wanted)

    monkeypatch.setattr(MixtureSampler, "encoded", counted)
    where = {"town": "w", "y": "a", "flag": "no"}
    found = fitted.sample(700, seed=3, where=where).frame
    assert len(found) == 700
    assert all((found[name] == value).all() for name, value in where.items())
    assert found["height"].mean() == pytest.approx(20.0, abs=1.0)
    assert drawn == [700]


def test_a_class_without_rows_is_not_made_up() -> None:
    frame = town(300)
    schema = infer(frame, target="y")
    train = Table(frame[frame["y"] == "a"].reset_index(drop=True), schema)
    sampler = Mixture().fit(train, Context())
    assert set(sampler.sample(300, seed=0).frame["y"]) == {"a"}
    with pytest.warns(ShortfallWarning):
        assert len(sampler.sample(10, seed=0, where={"y": "b"})) == 0


def test_many_rows_are_drawn_from() -> None:
    frame = town(1000)
    table = Table(frame, infer(frame, target="y"))
    few = Mixture(rows=100, epochs=3).fit(table, Context(seed=0))
    all_ = Mixture(epochs=3).fit(table, Context(seed=0))
    assert not few.sample(50, seed=0).frame.equals(all_.sample(50, seed=0).frame)
