"""TVAE: its loss against a plain re-statement and the ``ctgan`` package, and what it samples."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from torch.distributions import Normal, kl_divergence
from torch.nn import functional

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.encoding import Span, Wide
from synthgen.errors import DataError, ShortfallWarning, TrainingError
from synthgen.generators import tvae as module
from synthgen.generators.tabular_batches import Epochs
from synthgen.generators.tvae import TVAE, Decoder, Inference, TVAESampler, reconstruction
from synthgen.training import loop as loop_module
from synthgen.training.context import Context
from synthgen.training.randomness import initialisation

SMALL: dict[str, Any] = {
    "embedding_dim": 8,
    "compress_dims": (32,),
    "decompress_dims": (32,),
    "batch_size": 100,
    "lr": 5e-3,
}
SPANS = [
    Span("job", 4, False, True),
    Span("age", 3, True, False),
    Span("sex", 2, False, True),
    Span("wage", 5, True, False),
]
BATCH = 16


def table(n: int = 600, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    town = rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1])
    age = np.round(rng.normal(40, 4, n) + 20 * (town == "b"))
    y = (age + rng.normal(0, 3, n) > 55).astype(int)
    frame = pd.DataFrame({"town": town, "age": age, "y": y})
    return Table(frame, infer(frame, target="y"))


@pytest.fixture(scope="module")
def fitted() -> TVAESampler:
    return TVAE(epochs=100, **SMALL).fit(table(), Context(seed=1))


def same(one: Table, other: Table) -> bool:
    return bool(one.frame.equals(other.frame))


def weights(sampler: TVAESampler) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in sampler.network.state_dict().values()]


def batch(seed: int) -> dict[str, torch.Tensor]:
    """Rows, what a decoder made of them, and the standard deviations."""
    random = torch.Generator().manual_seed(seed)
    codes = [torch.randint(span.size, (BATCH,), generator=random) for span in SPANS]
    return {
        "raw": 3 * torch.randn(BATCH, 16, generator=random),
        "codes": torch.stack(codes, 1),
        "scalars": 2 * torch.rand(BATCH, 2, generator=random) - 1,
        "sigma": torch.rand(2, generator=random) + 0.1,
        "mean": torch.randn(BATCH, 8, generator=random),
        "log_variance": torch.randn(BATCH, 8, generator=random),
    }


@pytest.mark.parametrize("seed", range(3))
def test_loss_is_the_references(seed: int) -> None:
    from ctgan.data_transformer import SpanInfo
    from ctgan.synthesizers.tvae import _loss_function

    given, wide = batch(seed), Wide.of(SPANS)
    columns, order, sigmas = [], [], torch.ones(16)
    scalar, code = 0, wide.scalars
    for span in SPANS:
        columns.append([SpanInfo(1, "tanh")] * span.scalar + [SpanInfo(span.size, "softmax")])
        if span.scalar:
            sigmas[len(order)] = given["sigma"][scalar]
            order.append(scalar)
            scalar += 1
        order += range(code, code + span.size)
        code += span.size
    rows = wide.expand(given["codes"], given["scalars"])[:, order]
    raw = given["raw"].requires_grad_()
    theirs = _loss_function(
        raw[:, order], rows, sigmas, given["mean"], given["log_variance"], columns, 2
    )
    misfit = reconstruction(wide, raw, given["codes"], given["scalars"], given["sigma"])
    torch.testing.assert_close(2 * misfit, theirs[0])
    torch.testing.assert_close(
        module.kl_divergence(given["mean"], given["log_variance"]), theirs[1]
    )
    own_gradient = torch.autograd.grad(2 * misfit, raw)[0]
    torch.testing.assert_close(own_gradient, torch.autograd.grad(theirs[0], raw)[0])


def test_loss_is_the_negative_log_likelihood() -> None:
    given, wide = batch(7), Wide.of(SPANS)
    raw, expected = given["raw"], torch.zeros(())
    place, scalar = wide.scalars, 0
    for k, span in enumerate(SPANS):
        logits = raw[:, place : place + span.size]
        expected = expected + functional.cross_entropy(logits, given["codes"][:, k])
        place += span.size
        if span.scalar:
            density = Normal(raw[:, scalar].tanh(), given["sigma"][scalar])
            likelihood = density.log_prob(given["scalars"][:, scalar]) + math.log(2 * math.pi) / 2
            expected = expected - likelihood.mean()
            scalar += 1
    own = reconstruction(wide, raw, given["codes"], given["scalars"], given["sigma"])
    torch.testing.assert_close(own, expected)


def test_divergence_is_that_of_normal_distributions() -> None:
    given = batch(3)
    posterior = Normal(given["mean"], (given["log_variance"] / 2).exp())
    expected = kl_divergence(posterior, Normal(torch.zeros(()), torch.ones(()))).sum(1).mean()
    own = module.kl_divergence(given["mean"], given["log_variance"])
    torch.testing.assert_close(own, expected)


def test_networks_compute_what_the_references_do() -> None:
    from ctgan.synthesizers.tvae import Decoder as TheirDecoder
    from ctgan.synthesizers.tvae import Encoder as TheirEncoder

    inference, decoder = Inference(16, (9, 7), 5), Decoder(5, (7, 9), 16, 2)
    their_encoder, their_decoder = TheirEncoder(16, (9, 7), 5), TheirDecoder(5, (7, 9), 16)
    their_encoder.seq.load_state_dict(inference.hidden.state_dict())
    their_encoder.fc1.load_state_dict(inference.mean.state_dict())
    their_encoder.fc2.load_state_dict(inference.log_variance.state_dict())
    layers = [layer for layer in decoder.hidden if isinstance(layer, torch.nn.Linear)]
    theirs = [layer for layer in their_decoder.seq if isinstance(layer, torch.nn.Linear)]
    for one, other in zip([*layers, decoder.out], theirs, strict=True):
        other.load_state_dict(one.state_dict())
    rows = torch.randn(4, 16)
    mean, log_variance = inference(rows)
    their_mean, _, their_log_variance = their_encoder(rows)
    torch.testing.assert_close(mean, their_mean)
    torch.testing.assert_close(log_variance, their_log_variance)
    torch.testing.assert_close(decoder(mean), their_decoder(mean)[0])
    assert decoder.sigma.tolist() == pytest.approx([0.1, 0.1])


def test_an_epoch_holds_every_row_once_in_a_new_order() -> None:
    epochs = Epochs(25, 10, seed=3, device="cpu")
    assert epochs.steps == 3
    parts = [epochs.rows(number) for number in range(1, 7)]
    assert [len(part) for part in parts] == [10, 10, 5] * 2
    first, second = torch.cat(parts[:3]), torch.cat(parts[3:])
    assert first.sort().values.tolist() == second.sort().values.tolist() == list(range(25))
    assert not torch.equal(first, second)
    # Any step can be asked for first, as after a resume.
    assert torch.equal(Epochs(25, 10, seed=3, device="cpu").rows(5), parts[4])


def test_rows_come_back_as_they_went_in(fitted: TVAESampler) -> None:
    train, rows = table(), fitted.sample(2000, seed=0)
    assert rows.schema == train.schema
    assert (rows.frame.dtypes == train.frame.dtypes).all()
    assert len(fitted.sample(0, seed=0)) == 0
    for name in ("town", "y"):
        real = train.frame[name].value_counts(normalize=True)
        made = rows.frame[name].value_counts(normalize=True).reindex(real.index, fill_value=0)
        assert (real - made).abs().sum() / 2 < 0.1
    ages = rows.frame.groupby("town")["age"].mean()
    assert ages["b"] > ages["a"] + 12
    assert rows.frame["age"].std() == pytest.approx(train.frame["age"].std(), rel=0.15)


def test_the_seed_fixes_fit_and_sample(fitted: TVAESampler) -> None:
    again = TVAE(epochs=100, **SMALL).fit(table(), Context(seed=1))
    assert weights(again) == weights(fitted)
    assert same(again.sample(300, seed=5), fitted.sample(300, seed=5))
    assert not same(fitted.sample(300, seed=6), fitted.sample(300, seed=5))


def test_a_longer_sample_begins_with_the_shorter(
    fitted: TVAESampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK_ENTRIES", 5000)
    short, long = fitted.encoded(50, 3), fitted.encoded(1000, 3)
    assert torch.equal(short.codes, long.codes[:50])
    assert torch.equal(short.scalars, long.scalars[:50])


def test_a_loaded_model_samples_the_same_bytes(fitted: TVAESampler, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    loaded = TVAE().load(tmp_path)
    assert loaded.config == fitted.config
    assert same(loaded.sample(400, seed=9), fitted.sample(400, seed=9))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(DataError, match="tvae"):
        TVAE().load(tmp_path)


def test_conditions_are_met_by_rejection(fitted: TVAESampler) -> None:
    rows = fitted.sample(150, seed=1, where={"town": "c", "y": 0})
    assert len(rows) == 150
    assert (rows.frame[["town", "y"]] == ["c", 0]).all(axis=None)


def test_a_condition_that_is_never_met_is_reported(
    fitted: TVAESampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TRIES", 2)
    decoder = Decoder(8, (32,), fitted.network.out.out_features, 1)
    with torch.no_grad():
        decoder.out.bias[1] = 1e6  # the first town, and no other
    stubborn = TVAESampler(fitted.config, fitted.encoder, decoder)
    with pytest.warns(ShortfallWarning):
        assert len(stubborn.sample(10, seed=0, where={"town": "c"})) == 0


@pytest.mark.parametrize("numeric", ["modes", "quantiles"])
def test_odd_tables_work(numeric: Any) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=30), np.arange(30) % 2
    frames = [
        pd.DataFrame({"y": y}),
        pd.DataFrame({"x": x, "z": x**2}),
        pd.DataFrame({"x": x[:2], "y": y[:2]}),
        pd.DataFrame({"x": np.where(y == 1, np.nan, x), "y": y}),
    ]
    for frame in frames:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a mixture of few points
            train = Table(frame, infer(frame, target="y" if "y" in frame else None))
            sampler = TVAE(epochs=2, numeric=numeric, **SMALL).fit(train, Context())
        rows = sampler.sample(20, seed=0)
        assert len(rows) == 20
        assert (rows.frame.dtypes == frame.dtypes).all()
    with pytest.raises(DataError):
        TVAE(epochs=1).fit(table().take(np.arange(0)), Context())


CHANGES: list[dict[str, Any]] = [
    {"embedding_dim": 9},
    {"compress_dims": (31,)},
    {"decompress_dims": (31, 8)},
    {"lr": 1e-3},
    {"weight_decay": 0.1},
    {"loss_factor": 1.0},
    {"batch_size": 50},
    {"epochs": 4},
    {"numeric": "quantiles"},
    {"max_codes": 2},
    {"ema": 0.5},
    {"validation": {"share": 0.4, "every": 1}},
]


def test_every_option_has_an_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.generators.tabular_validation.FEWEST_ROWS", 10)
    tested = {name for change in CHANGES for name in change}
    assert tested | {"name", "time_limit"} == set(TVAE.model_fields)
    train, base = table(300), {**SMALL, "epochs": 3}
    plain = weights(TVAE(**base).fit(train, Context()))
    for change in CHANGES:
        assert weights(TVAE(**{**base, **change}).fit(train, Context())) != plain, change
    with pytest.raises(ValidationError):
        TVAE(l2scale=1e-5)  # type: ignore[call-arg]


def test_records_and_sigma_stay_in_bounds() -> None:
    records: list[dict[str, float]] = []
    options = {**SMALL, "lr": 0.5}
    sampler = TVAE(epochs=10, **options).fit(table(), Context(log=records.append))
    assert [r["step"] for r in records] == list(range(1, 61))
    keys = {"step", "steps", "epoch", "loss_reconstruction", "loss_divergence"}
    assert all(set(record) == keys for record in records)
    assert sampler.network.sigma.min() >= 0.01
    assert sampler.network.sigma.max() <= 1


def test_nan_ends_in_a_training_error(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = module.kl_divergence
    monkeypatch.setattr(module, "kl_divergence", lambda *args: plain(*args) * torch.nan)
    with pytest.raises(TrainingError) as error:
        TVAE(epochs=2, **SMALL).fit(table(), Context())
    assert error.value.exit_code == 5


@pytest.mark.parametrize("extra", [{}, {"ema": 0.9, "validation": {"every": 1}}])
def test_a_stopped_fit_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    monkeypatch.setattr(loop_module, "SNAPSHOT_STEPS", 4)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)
    generator, train = TVAE(epochs=6, **SMALL, **extra), table(450)
    whole = generator.fit(train, Context(seed=3))

    def stop(record: dict[str, float]) -> None:
        if record["step"] >= 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        generator.fit(train, Context(seed=3, log=stop, checkpoints=tmp_path))
    records: list[dict[str, float]] = []
    resumed = generator.fit(train, Context(seed=3, log=records.append, checkpoints=tmp_path))
    assert records[0]["step"] > 1
    assert weights(resumed) == weights(whole)


def test_the_best_weights_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    train = table(300)

    def fit(epochs: int, every: int, select: str, scores: list[float]) -> list[bytes]:
        left = iter(scores)
        name = "synthgen.generators.tabular_validation.Yardstick.fidelity"
        monkeypatch.setattr(name, lambda *_: next(left))
        validation: Any = {"every": every, "select": select}
        return weights(TVAE(**SMALL, epochs=epochs, validation=validation).fit(train, Context()))

    best = fit(12, 3, "best", [0.3, 0.9, 0.5, 0.4])
    assert best == fit(6, 6, "last", [0.0])
    assert best != fit(12, 3, "last", [0.3, 0.9, 0.5, 0.4])


def test_initial_weights_follow_the_seed() -> None:
    with initialisation(3):
        one = Decoder(4, (5,), 6, 2)
    with initialisation(3):
        other = Decoder(4, (5,), 6, 2)
    assert torch.equal(one.out.weight, other.out.weight)


@pytest.mark.gpu
def test_fitting_on_a_gpu() -> None:
    sampler = TVAE(epochs=100, **SMALL).fit(table(), Context(seed=1, device="cuda"))
    assert all(tensor.device.type == "cpu" for tensor in sampler.network.state_dict().values())
    ages = sampler.sample(2000, seed=0).frame.groupby("town")["age"].mean()
    assert ages["b"] > ages["a"] + 12
