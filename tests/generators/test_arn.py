"""ARN: the chain rule by enumeration, what it learns of known joint distributions, conditions."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import chisquare

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.encoding import Encoded, Span
from synthgen.errors import ShortfallWarning
from synthgen.generators import conditions
from synthgen.generators.arn import ARN, ARNSampler
from synthgen.generators.arn_network import Conditionals
from synthgen.generators.factors import Factors
from synthgen.generators.tabular_batches import gumbel_noise
from synthgen.training.context import Context
from synthgen.training.randomness import initialisation

SPANS = [
    Span("wage", 3, True, False),
    Span("town", 2, False, True),
    Span("age", 1, True, False),
    Span("y", 3, False, True),
]
BINS = [4, 0, 2, 0]
FACTORS = Factors.of(SPANS, BINS, target="y")
SMALL: dict[str, Any] = {"hidden_dim": 32, "embedding_dim": 8, "batch_size": 100, "lr": 5e-3}


def network(seed: int = 0) -> Conditionals:
    """Random weights, large enough that columns depend on each other."""
    with initialisation(seed):
        made = Conditionals(FACTORS, embedding=4, hidden=8, layers=2, dropout=0.0)
        with torch.no_grad():
            for parameter in (made.out, made.out_bias):
                parameter.copy_(torch.randn(parameter.shape))
    return made.eval()


def linked(n: int, seed: int = 0) -> pd.DataFrame:
    """``c`` is the exclusive or of ``a`` and ``b``; ``x`` has two humps, of which ``c`` tells the
    one; no pair of ``a``, ``b`` and ``c`` is correlated."""
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 2, n), rng.integers(0, 2, n)
    c = a ^ b
    x = rng.normal(np.where(c == 1, 3.0, -3.0), 1.0).round(3)
    return pd.DataFrame({"a": a.astype(str), "b": b.astype(str), "x": x, "c": c.astype(str)})


@pytest.fixture(scope="module")
def fitted() -> ARNSampler:
    frame = linked(2000)
    return ARN(epochs=40, **SMALL).fit(Table(frame, infer(frame, target="c")), Context(seed=1))


# ---- columns as factors -------------------------------------------------------------------------


def test_the_target_comes_first_and_bins_stand_before_the_other_codes() -> None:
    assert FACTORS.order == (3, 0, 1, 2)
    assert FACTORS.sizes == (3, 6, 2, 2)
    assert FACTORS.place == (-1, 0, -1, 1)
    codes = torch.tensor([[0, 1, 0, 2], [0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 1]])
    scalars = torch.tensor([[-1.0, 1.0], [0.4, -0.2], [0.0, 0.0], [0.0, 0.6]])
    expected = torch.tensor([[2, 0, 1, 1], [0, 2, 0, 0], [0, 4, 0, 1], [1, 5, 0, 1]])
    assert torch.equal(FACTORS.join(Encoded(codes, scalars)), expected)


def test_parting_undoes_joining_but_for_the_place_within_a_bin() -> None:
    rng = np.random.default_rng(0)
    codes = torch.tensor(np.column_stack([rng.integers(0, s.size, 500) for s in SPANS]))
    scalars = torch.tensor(rng.uniform(-1, 1, (500, 2)), dtype=torch.float32)
    scalars[codes[:, 0] != 0, 0] = 0.0
    joined = FACTORS.join(Encoded(codes, scalars))
    for place in (0.0, 0.5, 0.999):
        parted = FACTORS.part(joined, torch.full((500, 2), place))
        assert torch.equal(parted.codes, codes.int())
        assert torch.equal(FACTORS.join(parted), joined)
        assert (parted.scalars - scalars).abs().max() <= 2 / 2 + 1e-6  # The widest bin.


def test_numbers_per_code_are_spread_over_the_bins() -> None:
    per_code = torch.tensor([1.0, 2, 3, 4, 5, 6, 7, 8, 9])
    expected = [7.0, 8, 9, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6]
    assert FACTORS.spread(per_code).tolist() == expected


# ---- the chain rule -----------------------------------------------------------------------------


def test_the_probabilities_of_all_rows_sum_to_one() -> None:
    rows = torch.tensor(list(itertools.product(*map(range, FACTORS.sizes))))
    total = (-network()(rows).sum(1)).exp().sum()
    assert total.item() == pytest.approx(1.0, abs=1e-5)


def test_a_factor_depends_on_those_before_it_and_on_no_other() -> None:
    made = network()
    row = torch.tensor([[0, 0, 0, 0]])
    before = made(row)[0]
    for changed in range(4):
        other = row.clone()
        other[0, changed] = 1
        after = made(other)[0]
        assert torch.equal(after[:changed], before[:changed])
        later = (after[changed + 1 :] - before[changed + 1 :]).abs()
        assert (later > 1e-4).all()


def test_rows_are_drawn_with_their_probabilities() -> None:
    made = network(3)
    rows = torch.tensor(list(itertools.product(*map(range, FACTORS.sizes))))
    expected = (-made(rows).sum(1)).exp().detach().numpy().astype(float)
    noise = gumbel_noise(40_000, FACTORS.width, torch.Generator().manual_seed(0))
    drawn = made.draw(noise).numpy()
    places = np.ravel_multi_index(tuple(drawn.T), FACTORS.sizes)
    counts = np.bincount(places, minlength=len(rows))
    often = expected * 40_000 > 5
    seen = np.append(counts[often], counts[~often].sum())
    wanted = np.append(expected[often], expected[~often].sum()) / expected.sum()
    assert chisquare(seen, wanted * 40_000).pvalue > 1e-3


def test_the_first_code_can_be_given() -> None:
    made = network()
    noise = gumbel_noise(2_000, FACTORS.width, torch.Generator().manual_seed(1))
    drawn = made.draw(noise, wanted=2)
    assert (drawn[:, 0] == 2).all()
    tail = torch.tensor(list(itertools.product([2], *map(range, FACTORS.sizes[1:]))))
    conditional = (-made(tail)[:, 1:].sum(1)).exp()
    assert conditional.sum().item() == pytest.approx(1.0, abs=1e-5)
    share = np.mean(drawn[:, 1].numpy() == 0)
    assert share == pytest.approx(conditional[tail[:, 1] == 0].sum().item(), abs=0.04)


def test_bins_beside_each_other_are_embedded_alike() -> None:
    spans = [Span("x", 2, True, False), Span("y", 50, False, True)]
    with initialisation(0):
        made = Conditionals(
            Factors.of(spans, [50, 0], target=None), embedding=16, hidden=8, layers=1, dropout=0.0
        )
    bins, codes = made.embedding.detach()[:50], made.embedding.detach()[51:]
    steps = [(one[1:] - one[:-1]).norm(dim=1).mean() for one in (bins, codes)]
    assert steps[0] < 0.35 * steps[1]
    assert (bins[0] - bins[-1]).norm() > 2 * steps[0]


def test_it_begins_with_the_marginal_distributions() -> None:
    with initialisation(0):
        made = Conditionals(FACTORS, embedding=4, hidden=8, layers=1, dropout=0.0)
    rng = np.random.default_rng(2)
    rows = torch.tensor(np.column_stack([rng.integers(0, s, 600) for s in FACTORS.sizes]))
    made.start_from(rows)
    shares = torch.exp(-made(rows))
    for k, size in enumerate(FACTORS.sizes):
        counts = np.bincount(rows[:, k].numpy(), minlength=size) + 0.1
        np.testing.assert_allclose(
            shares[:, k].detach().numpy(), (counts / counts.sum())[rows[:, k]], rtol=1e-5
        )


# ---- what it learns -----------------------------------------------------------------------------


def test_it_learns_what_no_pair_of_columns_shows(fitted: ARNSampler) -> None:
    rows = fitted.sample(4000, seed=5).frame
    right = (rows["a"].astype(int) ^ rows["b"].astype(int)) == rows["c"].astype(int)
    assert right.mean() > 0.97
    side = rows["x"] > 0
    assert (side == (rows["c"] == "1")).mean() > 0.97
    for name in ("a", "b", "c"):
        assert (rows[name] == "1").mean() == pytest.approx(0.5, abs=0.04)
    # Two normal humps: neither a bin's edge nor a single mean shows.
    assert np.abs(rows["x"]).mean() == pytest.approx(3.0, abs=0.15)
    assert np.abs(rows["x"]).std() == pytest.approx(1.0, abs=0.15)


def test_a_condition_on_the_target_takes_one_draw(
    fitted: ARNSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    original = ARNSampler.encoded

    def counted(self: ARNSampler, n: int, seed: int, wanted: int | None = None) -> Encoded:
        drawn.append(n)
        return original(self, n, seed, wanted)

    monkeypatch.setattr(ARNSampler, "encoded", counted)
    rows = fitted.sample(500, seed=2, where={"c": "1"}).frame
    assert (rows["c"] == "1").all()
    assert (rows["x"] > 0).mean() > 0.95
    assert drawn == [500]
    rows = fitted.sample(500, seed=2, where={"c": "1", "a": "0"}).frame
    assert ((rows["c"] == "1") & (rows["a"] == "0")).all()
    assert len(rows) == 500
    assert sum(drawn[1:]) < 2000


def test_a_rare_class_is_drawn_at_once() -> None:
    frame = linked(3000)
    frame["c"] = np.where(np.arange(3000) < 6, "rare", "usual")
    sampler = ARN(epochs=1, **SMALL).fit(Table(frame, infer(frame, target="c")), Context())
    rows = sampler.sample(conditions.SMALLEST_DRAW, seed=0, where={"c": "rare"}).frame
    assert (rows["c"] == "rare").all()
    assert len(rows) == conditions.SMALLEST_DRAW
    share = (sampler.sample(30_000, seed=0).frame["c"] == "rare").mean()
    assert share == pytest.approx(0.002, abs=0.002)


def test_a_class_without_rows_is_not_made_up() -> None:
    frame = linked(300)
    schema = infer(frame, target="c")
    train = Table(frame[frame["c"] == "0"].reset_index(drop=True), schema)
    sampler = ARN(epochs=1, **SMALL).fit(train, Context())
    assert set(sampler.sample(300, seed=0).frame["c"]) == {"0"}
    with pytest.warns(ShortfallWarning):
        assert len(sampler.sample(10, seed=0, where={"c": "1"})) == 0


# ---- training -----------------------------------------------------------------------------------


def test_training_ends_when_held_out_rows_get_no_likelier_and_keeps_the_best() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({f"x{k}": rng.normal(size=300) for k in range(4)})
    frame["y"] = rng.choice(["u", "v"], 300)
    records: list[dict[str, float]] = []
    generator = ARN(epochs=200, patience=3, **{**SMALL, "lr": 2e-2})
    context = Context(seed=0, log=records.append)
    sampler = generator.fit(Table(frame, infer(frame, target="y")), context)
    judged = [r["loss_held_out"] for r in records if "loss_held_out" in r]
    assert len(judged) < 50
    assert int(np.argmin(judged)) == len(judged) - 1 - 3
    correlation = sampler.sample(2000, seed=0).frame[[f"x{k}" for k in range(4)]].corr()
    assert np.abs(correlation.to_numpy()[np.triu_indices(4, 1)]).max() < 0.25


def test_small_tables_get_fewer_bins() -> None:
    frame = linked(200)
    sampler = ARN(epochs=1, **SMALL).fit(Table(frame, infer(frame, target="c")), Context())
    assert max(sampler.network.factors.bins) == 10
    assert (
        ARN(bins=4, epochs=1)
        .fit(Table(frame, infer(frame, target="c")), Context())
        .network.factors.bins.count(4)
        == 1
    )


def test_one_row_can_be_learned() -> None:
    frame = pd.DataFrame({"x": [1.0], "y": ["a"]})
    schema = infer(linked(50).rename(columns={"c": "y"})[["x", "y"]], target="y")
    train = Table(frame.assign(y="1"), schema)
    assert len(ARN(epochs=2, **SMALL).fit(train, Context()).sample(5, seed=0)) == 5
