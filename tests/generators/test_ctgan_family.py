"""What both kinds of CTGAN owe: rows, determinism, resuming, and their common options."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from synthgen.encoding import Encoded
from synthgen.errors import ConfigError, DataError, ShortfallWarning, TrainingError
from synthgen.generators.ctgan_sampler import CTGANSampler
from synthgen.training.context import Context
from tests.generators.ctgan_cases import (
    CATEGORIES,
    FAMILIES,
    Family,
    same,
    table,
    weights,
)


@pytest.fixture(scope="module", params=FAMILIES, ids=[family.name for family in FAMILIES])
def family(request: pytest.FixtureRequest) -> Family:
    chosen: Family = request.param
    return chosen


@pytest.fixture(scope="module")
def fitted(family: Family) -> CTGANSampler:
    sampler: CTGANSampler = family.new(epochs=120).fit(table(), Context(seed=1))
    return sampler


def test_rows_come_back_as_they_went_in(fitted: CTGANSampler) -> None:
    train, rows = table(), fitted.sample(1000, seed=0)
    assert len(rows) == 1000
    assert rows.schema == train.schema
    assert (rows.frame.dtypes == train.frame.dtypes).all()
    assert set(rows.frame["town"]) <= {"a", "b", "c", "d"}
    assert len(fitted.sample(0, seed=0)) == 0


def test_the_seed_fixes_fit_and_sample(family: Family, fitted: CTGANSampler) -> None:
    again = family.new(epochs=120).fit(table(), Context(seed=1))
    assert weights(again) == weights(fitted)
    assert same(again.sample(300, seed=5), fitted.sample(300, seed=5))
    assert not same(fitted.sample(300, seed=6), fitted.sample(300, seed=5))
    other = family.new(epochs=1).fit(table(), Context(seed=2))
    one = family.new(epochs=1).fit(table(), Context(seed=1))
    assert weights(one) != weights(other)


def test_fitting_leaves_the_global_generators_alone(family: Family) -> None:
    before, np_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    family.new(epochs=1).fit(table(100), Context()).sample(10, seed=0)
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(np_before, np.random.get_state()[1])  # noqa: NPY002


def test_a_longer_sample_begins_with_the_shorter(
    fitted: CTGANSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("synthgen.generators.ctgan_sampler.CHUNK_ROWS", 300)
    short, long = fitted.encoded(50, 3), fitted.encoded(1000, 3)
    assert len(long) == 1000
    assert torch.equal(short.codes, long.codes[:50])
    assert torch.equal(short.scalars, long.scalars[:50])


def test_sampling_does_not_change_the_network(fitted: CTGANSampler) -> None:
    before = weights(fitted)
    fitted.sample(500, seed=0)
    assert weights(fitted) == before
    assert not fitted.network.training


def test_a_loaded_model_samples_the_same_bytes(
    family: Family, fitted: CTGANSampler, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]
    loaded = family.kind().load(tmp_path)  # the file's hyper-parameters count
    assert loaded.config == fitted.config
    assert same(loaded.sample(400, seed=9), fitted.sample(400, seed=9))
    where = {"town": "d"}
    assert same(loaded.sample(40, seed=9, where=where), fitted.sample(40, seed=9, where=where))


@pytest.mark.parametrize("damage", ["empty", "weights", "other generator", "shape"])
def test_a_broken_model_is_refused_by_name(
    family: Family, fitted: CTGANSampler, tmp_path: Path, damage: str
) -> None:
    if damage != "empty":
        fitted.save(tmp_path)
    description = tmp_path / "model.json"
    match damage:
        case "weights":
            weight_file = tmp_path / "model.safetensors"
            weight_file.write_bytes(weight_file.read_bytes()[:100])
        case "other generator":
            description.write_text(description.read_text().replace(f'"{family.name}"', '"smote"'))
        case "shape":
            text = description.read_text()
            description.write_text(text.replace('"embedding_dim": 8', '"embedding_dim": 9'))
    with pytest.raises(DataError, match=family.name) as error:
        family.kind().load(tmp_path)
    assert str(tmp_path) in error.value.cause


@pytest.mark.parametrize(("column", "value"), CATEGORIES)
def test_every_condition_of_every_column_is_obeyed(
    fitted: CTGANSampler, column: str, value: Any
) -> None:
    rows = fitted.sample(200, seed=4, where={column: value})
    assert len(rows) == 200
    assert (rows.frame[column] == value).all()


def test_all_of_several_conditions_are_met(fitted: CTGANSampler) -> None:
    where = {"sex": "f", "town": "b", "y": "1"}
    rows = fitted.sample(100, seed=4, where=where)
    assert len(rows) == 100
    assert (rows.frame[["sex", "town", "y"]] == ["f", "b", 1]).all(axis=None)
    assert same(rows, fitted.sample(100, seed=4, where=where))


def test_unknown_conditions_are_refused(fitted: CTGANSampler) -> None:
    with pytest.raises(ConfigError, match="towm"):
        fitted.sample(5, seed=0, where={"towm": "a"})
    with pytest.raises(ConfigError, match="town"):
        fitted.sample(5, seed=0, where={"town": "zzz"})


def test_a_column_constant_in_these_rows_works(family: Family) -> None:
    whole = table()
    part = whole.take(np.flatnonzero((whole.frame["town"] == "a").to_numpy()))
    sampler = family.new(epochs=2).fit(part, Context())
    assert set(sampler.sample(200, seed=0).frame["town"]) == {"a"}
    assert len(sampler.sample(20, seed=0, where={"town": "a"})) == 20
    with pytest.warns(ShortfallWarning, match="1 tries"):
        assert len(sampler.sample(20, seed=0, where={"town": "b"})) == 0


def test_nothing_to_learn_from_is_refused(family: Family) -> None:
    with pytest.raises(DataError):
        family.new(epochs=1).fit(table().take(np.arange(0)), Context())


def test_records_are_plain_and_complete(family: Family) -> None:
    records: list[dict[str, float]] = []
    family.new(epochs=3).fit(table(), Context(log=records.append))
    assert [r["step"] for r in records] == list(range(1, 19))
    assert all(r["steps"] == 18 and r["epoch"] == math.ceil(r["step"] / 6) for r in records)
    losses = {"loss_generator", "loss_critic", "gradient_penalty"}
    assert all(set(r) == {"step", "steps", "epoch", *losses} for r in records)
    assert all(type(value) in (int, float) for r in records for value in r.values())


def test_the_time_limit_ends_training(family: Family) -> None:
    begun = time.monotonic()
    sampler = family.new(epochs=10**6, time_limit=0.3).fit(table(), Context())
    assert time.monotonic() - begun < 20
    assert len(sampler.sample(10, seed=0)) == 10


def test_the_average_is_what_samples(family: Family) -> None:
    train = table(300)
    plain = family.new(epochs=5, ema=None).fit(train, Context())
    averaged = family.new(epochs=5, ema=0.9).fit(train, Context())
    fast = family.new(epochs=5, ema=1e-9).fit(train, Context())
    assert weights(averaged) != weights(plain)
    assert len(averaged.sample(10, seed=0)) == 10
    for one, other in zip(
        plain.network.state_dict().values(), fast.network.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def scripted(monkeypatch: pytest.MonkeyPatch, scores: list[float]) -> None:
    left = iter(scores)
    name = "synthgen.generators.tabular_validation.Yardstick.fidelity"
    monkeypatch.setattr(name, lambda *_: next(left))


def test_fidelity_of_held_out_rows_is_logged_every_so_many_epochs(family: Family) -> None:
    records: list[dict[str, float]] = []
    validation = {"every": 2, "share": 0.25}
    family.new(epochs=5, validation=validation).fit(table(800), Context(log=records.append))
    fidelity = {int(r["step"]): r["fidelity"] for r in records if "fidelity" in r}
    assert list(fidelity) == [12, 24, 30]
    assert all(0.2 < value < 1 for value in fidelity.values())


def test_the_best_weights_are_kept(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    train = table(300)

    def fit(epochs: int, every: int, select: str, scores: list[float]) -> list[bytes]:
        scripted(monkeypatch, scores)
        validation = {"every": every, "select": select}
        return weights(family.new(epochs=epochs, validation=validation).fit(train, Context()))

    best = fit(12, 3, "best", [0.3, 0.9, 0.5, 0.4])
    assert best == fit(6, 6, "last", [0.0])
    assert best != fit(12, 3, "last", [0.3, 0.9, 0.5, 0.4])


def test_patience_stops_early(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [0.5, 0.4, 0.3, 0.2])
    records: list[dict[str, float]] = []
    options = {"epochs": 100, "validation": {"every": 2, "patience": 2}}
    family.new(**options).fit(table(300), Context(log=records.append))
    assert max(r["step"] for r in records) == 3 * 2 * 3


def test_nan_is_rolled_back_or_named(family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, calls = family.module.generator_step, []

    def once(*args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(1)
        loss, gradient = plain(*args)
        return loss * (torch.nan if len(calls) == 10 else 1.0), gradient

    monkeypatch.setattr(family.module, "generator_step", once)
    sampler = family.new(epochs=5).fit(table(), Context())
    assert len(calls) == 30 + 10  # the ten steps up to the NaN were done again
    assert all(tensor.isfinite().all() for tensor in sampler.network.state_dict().values())

    def always(*args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        loss, gradient = plain(*args)
        return loss, gradient * torch.nan

    monkeypatch.setattr(family.module, "generator_step", always)
    with pytest.raises(TrainingError) as error:
        family.new(epochs=5).fit(table(), Context())
    assert error.value.exit_code == 5


def test_an_absurd_learning_rate_ends_in_an_error_or_finite_weights(family: Family) -> None:
    with pytest.raises(TrainingError):
        family.new(epochs=5, generator_lr=1e30).fit(table(), Context())


@pytest.mark.parametrize("change", ["seed", "rows", "option"])
def test_a_checkpoint_of_another_training_is_not_taken_up(
    family: Family, tmp_path: Path, change: str
) -> None:
    family.new(epochs=2).fit(table(), Context(seed=3, checkpoints=tmp_path))
    generator = family.new(epochs=3 if change == "option" else 2)
    train = table(seed=1 if change == "rows" else 0)
    seed = 4 if change == "seed" else 3
    resumed = generator.fit(train, Context(seed=seed, checkpoints=tmp_path))
    assert weights(resumed) == weights(generator.fit(train, Context(seed=seed)))


def test_encoded_rows_are_within_their_bounds(fitted: CTGANSampler) -> None:
    encoded: Encoded = fitted.encoded(2000, 0)
    sizes = torch.tensor([span.size for span in fitted.encoder.spans])
    assert (encoded.codes >= 0).all()
    assert (encoded.codes < sizes).all()
    assert encoded.scalars.abs().max() <= 1
