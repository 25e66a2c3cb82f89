"""CTGAN, tuned, as a whole: what it samples, odd tables, determinism, resuming, and its options."""

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
from scipy.stats import chisquare, ks_2samp
from torch import Tensor

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.encoding import Encoded, Span, Wide
from synthgen.generators.ctgan import CTGAN
from synthgen.generators.ctgan_activation import Activation
from synthgen.generators.ctgan_calibration import Calibration
from synthgen.generators.ctgan_sampler import CTGANSampler
from synthgen.generators.tabular_batches import gumbel_noise
from synthgen.training import loop as loop_module
from synthgen.training.context import Context
from tests.generators.ctgan_cases import TUNED, odd_tables, same, table, weights

SMALL = TUNED.small


@pytest.fixture(scope="module")
def fitted() -> CTGANSampler:
    return CTGAN(epochs=120, **SMALL).fit(table(), Context(seed=1))


def test_conditions_on_the_target_are_met_without_rejection(
    fitted: CTGANSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []
    plain = CTGANSampler.encoded

    def noted(self: CTGANSampler, n: int, seed: int, wanted: int | None = None) -> Encoded:
        drawn.append(n)
        return plain(self, n, seed, wanted)

    monkeypatch.setattr(CTGANSampler, "encoded", noted)
    rows = fitted.sample(500, seed=4, where={"y": 1})
    assert (rows.frame["y"] == 1).all()
    assert drawn == [500]


def test_other_columns_follow_the_condition(fitted: CTGANSampler) -> None:
    ages = [fitted.sample(400, seed=2, where={"y": v}).numbers("age").mean() for v in (0, 1)]
    assert ages[1] > ages[0] + 10


def test_classes_come_in_their_true_frequencies(fitted: CTGANSampler) -> None:
    """Exactly, and not by log-frequency: rows are told a class as often as the rows had it."""
    frame = fitted.sample(60_000, seed=0).frame
    counts = table().frame["y"].value_counts().sort_index()
    made = frame["y"].value_counts().sort_index()
    assert chisquare(made, 60_000 * counts / counts.sum()).pvalue > 1e-4
    for name in ("town", "sex"):  # these are left to the network
        real = table().frame[name].value_counts(normalize=True)
        drawn = frame[name].value_counts(normalize=True).reindex(real.index, fill_value=0)
        assert (real - drawn).abs().sum() / 2 < 0.15


@pytest.mark.parametrize("name", list(odd_tables()))
@pytest.mark.parametrize("numeric", ["modes", "quantiles"])
def test_odd_tables_work(name: str, numeric: Any) -> None:
    frame = odd_tables()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture of one point
        train = Table(frame, infer(frame, target="y" if "y" in frame else None))
        records: list[dict[str, float]] = []
        small = {**SMALL, "batch_size": 500}
        sampler = CTGAN(epochs=2, numeric=numeric, **small).fit(train, Context(log=records.append))
    rows = sampler.sample(25, seed=0)
    assert len(rows) == 25
    assert (rows.frame.dtypes == frame.dtypes).all()
    assert all(math.isfinite(value) for record in records for value in record.values())
    if "y" in frame:
        where = {"y": 1}
        assert (sampler.sample(10, seed=0, where=where).frame["y"] == 1).all()


def test_a_single_row_works() -> None:
    frame = pd.DataFrame({"x": [2.0, 3.0], "y": [0, 1]})
    train = Table(frame, infer(frame, target="y")).take(np.array([0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = CTGAN(epochs=1, **SMALL).fit(train, Context())
    assert len(sampler.sample(5, seed=0)) == 5


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 1}, {"epochs": 0}, {"ema": 1.0}, {"time_limit": 0}, {"epoch": 3}, {"pac": 10}],
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CTGAN(**wrong)


CHANGES: list[dict[str, Any]] = [
    {"embedding_dim": 9},
    {"generator_dim": (24,)},
    {"discriminator_dim": (24,)},
    {"generator_lr": 1e-3},
    {"discriminator_lr": 1e-3},
    {"batch_size": 50},
    {"gradient_penalty": 1.0},
    {"temperature": 0.5},
    {"epochs": 4},
    {"numeric": "modes"},
    {"max_codes": 2},
    {"ema": None},
    {"validation": {"share": 0.4, "every": 1}},
]


def test_every_option_has_an_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.generators.tabular_validation.FEWEST_ROWS", 10)
    tested = {name for change in CHANGES for name in change}
    assert tested | {"name", "time_limit", "calibrate"} == set(CTGAN.model_fields)
    train, base = table(300), {**SMALL, "epochs": 3}
    plain = weights(CTGAN(**base).fit(train, Context()))
    for change in CHANGES:
        assert weights(CTGAN(**{**base, **change}).fit(train, Context())) != plain, change


@pytest.mark.parametrize("extra", [{"ema": None}, {"validation": {"every": 2}}])
def test_a_stopped_fit_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    monkeypatch.setattr(loop_module, "SNAPSHOT_STEPS", 5)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)
    generator, train = CTGAN(epochs=6, **SMALL, **extra), table(500)
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
    assert same(resumed.sample(50, seed=0), whole.sample(50, seed=0))


def total_variation(one: Tensor, other: Tensor) -> float:
    return float((one / one.sum() - other / other.sum()).abs().sum() / 2)


def test_calibration_brings_the_training_rows_marginals() -> None:
    train = table(3000)
    options = {**SMALL, "epochs": 1}
    plain = CTGAN(calibrate=False, **options).fit(train, Context())
    calibrated = CTGAN(**options).fit(train, Context())
    assert plain.calibration is None
    assert weights(plain) == weights(calibrated)  # of the generator
    counts = plain.encoder.counts
    real = plain.encoder.encode(train)
    misses = []
    for sampler in (plain, calibrated):
        made = sampler.encoded(20_000, 5)
        shares = [
            total_variation(made.codes[:, k].bincount(minlength=len(count)), count)
            for k, count in enumerate(counts)
        ]
        apart = [
            float(ks_2samp(made.scalars[:, k], real.scalars[:, k]).statistic)
            for k in range(real.scalars.shape[1])
        ]
        misses.append((max(shares), max(apart)))
    assert misses[0][0] > 0.05
    assert misses[0][1] > 0.1
    assert misses[1][0] < 0.02
    assert misses[1][1] < 0.05


def test_calibration_keeps_rare_codes_rare_and_possible() -> None:
    spans = [Span("town", 4, scalar=False, discrete=True), Span("y", 2, False, True)]
    counts = [torch.tensor([899_000, 100_990, 10, 0]), torch.tensor([500_000, 500_000])]
    random = torch.Generator().manual_seed(0)
    raw = 2 * torch.randn(16_384, 6, generator=random) + torch.tensor([0, 1.0, -3.0, 2.0, 0, 3.0])
    calibration = Calibration(spans)
    calibration.fit_logits(raw, spans, counts, fixed=[1])
    never = torch.tensor([0.0, 0.0, 0.0, -torch.inf])
    shares = (raw[:, :4] + calibration.logits[:4] + never).softmax(1).double().mean(0)
    torch.testing.assert_close(shares, counts[0].double() / 1e6, rtol=0.02, atol=0)
    assert not calibration.logits[4:].any()
    assert calibration.logits[3] == 0

    raw[:, 2] = -1000.0  # ruled out
    calibration.fit_logits(raw, spans, counts, fixed=[1])
    assert calibration.logits.isfinite().all()


def test_calibration_never_draws_what_no_training_row_has() -> None:
    whole = table()
    part = whole.take(np.flatnonzero((whole.frame["town"] != "d").to_numpy()))
    sampler = CTGAN(epochs=2, **SMALL).fit(part, Context())
    assert "d" not in set(sampler.sample(3000, seed=0).frame["town"])


def test_scalars_are_placed_by_rank() -> None:
    spans = [Span("x", 1, scalar=True, discrete=False), Span("y", 2, scalar=True, discrete=False)]
    calibration = Calibration(spans)
    random = torch.Generator().manual_seed(0)
    raw = torch.randn(8000, 5, generator=random) * 0.2 + torch.tensor([0.3, 0.0, 0, 0, -1.0])
    before = calibration.place(raw[:, :2].tanh())
    torch.testing.assert_close(before, raw[:, :2].tanh())  # as it begins it changes nothing
    counts = [torch.tensor([4]), torch.tensor([3, 5])]
    calibration.fit_knots(raw, spans, counts, random)
    placed = calibration.place(raw[:, :2].tanh())
    assert ((placed >= -1) & (placed <= 1)).all()
    for k in range(2):
        order = raw[:, k].argsort()
        assert (placed[order, k].diff() >= 0).all()
    expected = torch.linspace(-1, 1, 8000)
    torch.testing.assert_close(placed[:, 0].sort().values, expected, atol=0.01, rtol=0)
    assert (calibration.place(torch.tensor([[-1.0, 1.0]])) == torch.tensor([[-1.0, 1.0]])).all()


def test_fake_rows_are_as_real_ones() -> None:
    """One code of each column in full, and a scalar only where the code has one."""
    spans = [
        Span("x", 3, scalar=True, discrete=False),
        Span("y", 2, scalar=False, discrete=True),
    ]
    wide = Wide.of(spans)
    activation = Activation.straight_through(spans, wide, 0.2, masked=True)
    random = torch.Generator().manual_seed(0)
    raw = torch.randn(500, wide.width, generator=random).requires_grad_()
    noise = gumbel_noise(wide.codes, 500, random)
    activated = activation.of(raw.detach(), noise)
    rows = activated.rows
    codes = rows[:, 1:]
    assert ((codes == 0) | (codes == 1)).all()
    assert (codes @ wide.members == 1).all()
    assert torch.equal(codes[:, :3].argmax(1), (raw[:, 1:4] + noise[:3].T).argmax(1))
    assert (rows[codes[:, 0] == 0, 0] == 0).all()
    assert torch.equal(rows[codes[:, 0] == 1, 0], raw[codes[:, 0] == 1, 0].detach().tanh())

    # The gradient is that of rows whose codes are the softmax, at the hard rows' values.
    by_rows = torch.randn(500, wide.width, generator=random)
    soft = [((raw[:, 1:4] + noise[:3].T) / 0.2).softmax(1), ((raw[:, 4:] + noise[3:].T) / 0.2)]
    soft[1] = soft[1].softmax(1)
    through = [codes[:, :3] + soft[0] - soft[0].detach(), codes[:, 3:] + soft[1] - soft[1].detach()]
    plain = torch.cat([raw[:, :1].tanh() * through[0][:, :1], *through], 1)
    torch.testing.assert_close(plain, rows)
    (expected,) = torch.autograd.grad(plain, raw, by_rows)
    torch.testing.assert_close(activation.by_raw(activated, by_rows), expected)


@pytest.mark.gpu
def test_fitting_on_a_gpu() -> None:
    train, records = table(), []
    sampler = CTGAN(epochs=60, **SMALL).fit(
        train, Context(seed=1, device="cuda", log=records.append)
    )
    assert all(tensor.device.type == "cpu" for tensor in sampler.network.state_dict().values())
    assert all(math.isfinite(value) for record in records for value in record.values())
    assert (sampler.sample(100, seed=0, where={"town": "c"}).frame["town"] == "c").all()
    ages = [sampler.sample(400, seed=2, where={"y": v}).numbers("age").mean() for v in (0, 1)]
    assert ages[1] > ages[0] + 10
