"""The paper's CTGAN as a whole: what it samples, odd tables, determinism, resuming, options."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import chisquare

from synthgen.data.infer import infer
from synthgen.data.table import Table
from synthgen.encoding import Encoded, Wide
from synthgen.errors import ConfigError, DataError, ShortfallWarning, TrainingError
from synthgen.generators.ctgan_conditions import Conditions
from synthgen.generators.ctgan_paper import CTGANPaper
from synthgen.generators.ctgan_sampler import CTGANSampler
from synthgen.training import loop as loop_module
from synthgen.training.context import Context

SMALL: dict[str, Any] = {
    "embedding_dim": 8,
    "generator_dim": (24, 24),
    "discriminator_dim": (24, 24),
    "batch_size": 100,
    "pac": 5,
    "generator_lr": 2e-3,
    "discriminator_lr": 2e-3,
}


def table(n: int = 600, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    town = rng.choice(["a", "b", "c", "d"], n, p=[0.6, 0.25, 0.1, 0.05])
    sex = rng.choice(["f", "m"], n, p=[0.3, 0.7])
    age = np.round(rng.normal(40, 4, n) + 20 * (town == "b"))
    wage = np.round(rng.lognormal(3, 0.5, n), 2)
    y = (age + rng.normal(0, 3, n) > 55).astype(int)
    frame = pd.DataFrame({"town": town, "age": age, "sex": sex, "wage": wage, "y": y})
    return Table(frame, infer(frame, target="y"))


@pytest.fixture(scope="module")
def fitted() -> CTGANSampler:
    return CTGANPaper(epochs=120, **SMALL).fit(table(), Context(seed=1))


def same(one: Table, other: Table) -> bool:
    return one.frame.equals(other.frame)


def weights(sampler: CTGANSampler) -> list[bytes]:
    return [tensor.numpy().tobytes() for tensor in sampler.network.state_dict().values()]


def test_rows_come_back_as_they_went_in(fitted: CTGANSampler) -> None:
    train, rows = table(), fitted.sample(1000, seed=0)
    assert len(rows) == 1000
    assert rows.schema == train.schema
    assert (rows.frame.dtypes == train.frame.dtypes).all()
    assert set(rows.frame["town"]) <= {"a", "b", "c", "d"}
    assert len(fitted.sample(0, seed=0)) == 0


def test_the_seed_fixes_fit_and_sample(fitted: CTGANSampler) -> None:
    again = CTGANPaper(epochs=120, **SMALL).fit(table(), Context(seed=1))
    assert weights(again) == weights(fitted)
    assert same(again.sample(300, seed=5), fitted.sample(300, seed=5))
    assert not same(fitted.sample(300, seed=6), fitted.sample(300, seed=5))
    other = CTGANPaper(epochs=1, **SMALL).fit(table(), Context(seed=2))
    one = CTGANPaper(epochs=1, **SMALL).fit(table(), Context(seed=1))
    assert weights(one) != weights(other)


def test_fitting_leaves_the_global_generators_alone() -> None:
    before, np_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    CTGANPaper(epochs=1, **SMALL).fit(table(100), Context()).sample(10, seed=0)
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


def test_a_loaded_model_samples_the_same_bytes(fitted: CTGANSampler, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]
    loaded = CTGANPaper().load(tmp_path)  # the file's hyper-parameters count
    assert loaded.config == fitted.config
    assert same(loaded.sample(400, seed=9), fitted.sample(400, seed=9))
    where = {"town": "d"}
    assert same(loaded.sample(40, seed=9, where=where), fitted.sample(40, seed=9, where=where))


@pytest.mark.parametrize("damage", ["empty", "weights", "other generator", "shape"])
def test_a_broken_model_is_refused_by_name(
    fitted: CTGANSampler, tmp_path: Path, damage: str
) -> None:
    if damage != "empty":
        fitted.save(tmp_path)
    description = tmp_path / "model.json"
    match damage:
        case "weights":
            weight_file = tmp_path / "model.safetensors"
            weight_file.write_bytes(weight_file.read_bytes()[:100])
        case "other generator":
            description.write_text(description.read_text().replace('"ctgan-paper"', '"smote"'))
        case "shape":
            text = description.read_text()
            description.write_text(text.replace('"embedding_dim": 8', '"embedding_dim": 9'))
    with pytest.raises(DataError, match="ctgan-paper") as error:
        CTGANPaper().load(tmp_path)
    assert str(tmp_path) in error.value.cause


CATEGORIES = [("town", v) for v in "abcd"] + [("sex", v) for v in "fm"] + [("y", v) for v in (0, 1)]


@pytest.mark.parametrize(("column", "value"), CATEGORIES)
def test_every_condition_of_every_column_is_obeyed(
    fitted: CTGANSampler, column: str, value: Any
) -> None:
    rows = fitted.sample(200, seed=4, where={column: value})
    assert len(rows) == 200
    assert (rows.frame[column] == value).all()


def test_the_condition_reaches_the_generator(fitted: CTGANSampler) -> None:
    """Nearly all raw rows obey, for every column and not for the first one alone."""
    spans = fitted.encoder.spans
    wide = Wide.of(spans)
    conditions = Conditions.of(spans, wide, fitted.told)
    assert conditions is not None
    random = torch.Generator().manual_seed(0)
    for number in range(len(conditions)):
        z = torch.randn(500, fitted.config.embedding_dim, generator=random)
        raw = fitted.network(z, torch.full((500,), number))
        own = conditions.logits(raw[:, wide.scalars :], torch.full((500,), number))
        assert (own.argmax(1) == conditions.place[number]).double().mean() > 0.9


def test_other_columns_follow_the_condition(fitted: CTGANSampler) -> None:
    ages = [fitted.sample(400, seed=2, where={"town": v}).numbers("age").mean() for v in "ab"]
    assert ages[1] > ages[0] + 8


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


def test_classes_come_in_their_true_frequencies(fitted: CTGANSampler) -> None:
    """Exactly, and not by log-frequency: rows are told a class as often as the rows had it."""
    frame = fitted.sample(60_000, seed=0).frame
    counts = table().frame["y"].value_counts().sort_index()
    made = frame["y"].value_counts().sort_index()
    assert chisquare(made, 60_000 * counts / counts.sum()).pvalue > 1e-4


def test_without_a_target_all_columns_conditions_are_drawn(fitted: CTGANSampler) -> None:
    frame = table().frame
    train = Table(frame, infer(frame, target=None))
    sampler = CTGANPaper(epochs=1, **SMALL).fit(train, Context())
    usual = sampler._usual_conditions()
    assert usual is not None
    drawn = usual.draw(60_000, torch.Generator().manual_seed(0)).bincount()
    counts = [
        c for s, c in zip(sampler.encoder.spans, sampler.encoder.counts, strict=True) if s.discrete
    ]
    expected = torch.cat([c / c.sum() for c in counts]) * 60_000 / len(counts)
    assert chisquare(drawn, expected).pvalue > 1e-4


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


@pytest.mark.parametrize("name", list(odd_tables()))
@pytest.mark.parametrize("numeric", ["modes", "quantiles"])
def test_odd_tables_work(name: str, numeric: Any) -> None:
    frame = odd_tables()[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a mixture of one point
        train = Table(frame, infer(frame, target="y" if "y" in frame else None))
        records: list[dict[str, float]] = []
        small = {**SMALL, "batch_size": 500, "pac": 10}
        sampler = CTGANPaper(epochs=2, numeric=numeric, **small).fit(
            train, Context(log=records.append)
        )
    rows = sampler.sample(25, seed=0)
    assert len(rows) == 25
    assert (rows.frame.dtypes == frame.dtypes).all()
    assert all(math.isfinite(value) for record in records for value in record.values())
    if "y" in frame:
        where = {"y": 1}
        assert (sampler.sample(10, seed=0, where=where).frame["y"] == 1).all()


def test_pac_of_one_and_a_single_row_work() -> None:
    frame = pd.DataFrame({"x": [2.0, 3.0], "y": [0, 1]})
    train = Table(frame, infer(frame, target="y")).take(np.array([0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = CTGANPaper(epochs=1, **{**SMALL, "pac": 1}).fit(train, Context())
    assert len(sampler.sample(5, seed=0)) == 5


def test_a_column_constant_in_these_rows_works() -> None:
    whole = table()
    part = whole.take(np.flatnonzero((whole.frame["town"] == "a").to_numpy()))
    sampler = CTGANPaper(epochs=2, **SMALL).fit(part, Context())
    assert set(sampler.sample(200, seed=0).frame["town"]) == {"a"}
    assert len(sampler.sample(20, seed=0, where={"town": "a"})) == 20
    with pytest.warns(ShortfallWarning, match="1 tries"):
        assert len(sampler.sample(20, seed=0, where={"town": "b"})) == 0


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(DataError):
        CTGANPaper(epochs=1).fit(table().take(np.arange(0)), Context())


def test_records_are_plain_and_complete() -> None:
    records: list[dict[str, float]] = []
    CTGANPaper(epochs=3, **SMALL).fit(table(), Context(log=records.append))
    assert [r["step"] for r in records] == list(range(1, 19))
    assert all(r["steps"] == 18 and r["epoch"] == math.ceil(r["step"] / 6) for r in records)
    losses = {"loss_generator", "loss_critic", "gradient_penalty"}
    assert all(set(r) == {"step", "steps", "epoch", *losses} for r in records)
    assert all(type(value) in (int, float) for r in records for value in r.values())


@pytest.mark.parametrize(
    "wrong",
    [{"batch_size": 501}, {"pac": 0}, {"epochs": 0}, {"ema": 1.0}, {"time_limit": 0}, {"epoch": 3}],
)
def test_wrong_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CTGANPaper(**wrong)


CHANGES: list[dict[str, Any]] = [
    {"embedding_dim": 9},
    {"generator_dim": (24,)},
    {"discriminator_dim": (24,)},
    {"generator_lr": 1e-3},
    {"generator_weight_decay": 0.1},
    {"discriminator_lr": 1e-3},
    {"discriminator_weight_decay": 0.1},
    {"batch_size": 50},
    {"pac": 10},
    {"discriminator_steps": 2},
    {"gradient_penalty": 1.0},
    {"temperature": 0.5},
    {"log_frequency": False},
    {"epochs": 4},
    {"numeric": "quantiles"},
    {"max_codes": 2},
    {"ema": 0.9},
    {"validation": {"share": 0.4, "every": 1}},
]


def test_every_option_has_an_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.generators.tabular_validation.FEWEST_ROWS", 10)
    tested = {name for change in CHANGES for name in change}
    assert tested | {"name", "time_limit"} == set(CTGANPaper.model_fields)
    train, base = table(300), {**SMALL, "epochs": 3}
    plain = weights(CTGANPaper(**base).fit(train, Context()))
    for change in CHANGES:
        assert weights(CTGANPaper(**{**base, **change}).fit(train, Context())) != plain, change


def test_the_time_limit_ends_training() -> None:
    begun = time.monotonic()
    sampler = CTGANPaper(epochs=10**6, time_limit=0.3, **SMALL).fit(table(), Context())
    assert time.monotonic() - begun < 20
    assert len(sampler.sample(10, seed=0)) == 10


def test_the_average_is_what_samples() -> None:
    train = table(300)
    plain = CTGANPaper(epochs=5, ema=None, **SMALL).fit(train, Context())
    averaged = CTGANPaper(epochs=5, ema=0.9, **SMALL).fit(train, Context())
    fast = CTGANPaper(epochs=5, ema=1e-9, **SMALL).fit(train, Context())
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


def test_fidelity_of_held_out_rows_is_logged_every_so_many_epochs() -> None:
    records: list[dict[str, float]] = []
    validation = {"every": 2, "share": 0.25}
    CTGANPaper(**SMALL, epochs=5, validation=validation).fit(
        table(800), Context(log=records.append)
    )
    fidelity = {int(r["step"]): r["fidelity"] for r in records if "fidelity" in r}
    assert list(fidelity) == [12, 24, 30]
    assert all(0.2 < value < 1 for value in fidelity.values())


def test_the_best_weights_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    train = table(300)

    def fit(epochs: int, every: int, select: str, scores: list[float]) -> list[bytes]:
        scripted(monkeypatch, scores)
        validation = {"every": every, "select": select}
        return weights(
            CTGANPaper(**SMALL, epochs=epochs, validation=validation).fit(train, Context())
        )

    best = fit(12, 3, "best", [0.3, 0.9, 0.5, 0.4])
    assert best == fit(6, 6, "last", [0.0])
    assert best != fit(12, 3, "last", [0.3, 0.9, 0.5, 0.4])


def test_patience_stops_early(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, [0.5, 0.4, 0.3, 0.2])
    records: list[dict[str, float]] = []
    options = {**SMALL, "epochs": 100, "validation": {"every": 2, "patience": 2}}
    CTGANPaper(**options).fit(table(300), Context(log=records.append))
    assert max(r["step"] for r in records) == 3 * 2 * 3


def test_nan_is_rolled_back_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from synthgen.generators import ctgan_paper as module

    plain, calls = module.generator_step, []

    def once(*args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        calls.append(1)
        loss, gradient = plain(*args)
        return loss * (torch.nan if len(calls) == 10 else 1.0), gradient

    monkeypatch.setattr(module, "generator_step", once)
    sampler = CTGANPaper(epochs=5, **SMALL).fit(table(), Context())
    assert len(calls) == 30 + 10  # the ten steps up to the NaN were done again
    assert all(tensor.isfinite().all() for tensor in sampler.network.state_dict().values())

    def always(*args: Any) -> tuple[torch.Tensor, torch.Tensor]:
        loss, gradient = plain(*args)
        return loss, gradient * torch.nan

    monkeypatch.setattr(module, "generator_step", always)
    with pytest.raises(TrainingError) as error:
        CTGANPaper(epochs=5, **SMALL).fit(table(), Context())
    assert error.value.exit_code == 5


def test_an_absurd_learning_rate_ends_in_an_error_or_finite_weights() -> None:
    with pytest.raises(TrainingError):
        CTGANPaper(epochs=5, **{**SMALL, "generator_lr": 1e30}).fit(table(), Context())


@pytest.mark.parametrize(
    "extra", [{"ema": 0.9}, {"validation": {"every": 2}, "discriminator_steps": 2}]
)
def test_a_stopped_fit_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, extra: dict[str, Any]
) -> None:
    monkeypatch.setattr(loop_module, "SNAPSHOT_STEPS", 5)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)
    generator, train = CTGANPaper(epochs=6, **SMALL, **extra), table(500)
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


@pytest.mark.parametrize("change", ["seed", "rows", "option"])
def test_a_checkpoint_of_another_training_is_not_taken_up(tmp_path: Path, change: str) -> None:
    CTGANPaper(epochs=2, **SMALL).fit(table(), Context(seed=3, checkpoints=tmp_path))
    generator = CTGANPaper(epochs=3 if change == "option" else 2, **SMALL)
    train = table(seed=1 if change == "rows" else 0)
    seed = 4 if change == "seed" else 3
    resumed = generator.fit(train, Context(seed=seed, checkpoints=tmp_path))
    assert weights(resumed) == weights(generator.fit(train, Context(seed=seed)))


SCRIPT = """
import sys, time
from pathlib import Path
import torch
sys.path.insert(0, {here!r})
from test_ctgan_paper import CTGANPaper, Context, SMALL, loop_module, table
torch.set_num_threads(1)
loop_module.SNAPSHOT_STEPS, loop_module.CHECKPOINT_SECONDS = 2, 0.0
def log(record):
    print(int(record["step"]), flush=True)
    time.sleep(0.005)
context = Context(3, log=log, checkpoints=Path({folder!r}))
sampler = CTGANPaper(epochs=10, **SMALL).fit(table(), context)
out = Path({out!r})
out.mkdir()
sampler.save(out)
"""


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As in the subprocess: products are summed in an order that depends on the threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_sigkill_and_resume_end_in_the_same_bytes(tmp_path: Path, one_thread: None) -> None:
    root = Path(__file__).parents[2]
    script = SCRIPT.format(
        here=str(Path(__file__).parent), folder=str(tmp_path / "run"), out=str(tmp_path / "out")
    )

    def start() -> tuple[subprocess.Popen[str], IO[str]]:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        )
        assert process.stdout is not None
        return process, process.stdout

    killed, steps = start()
    assert int(steps.readline()) == 1
    while int(steps.readline()) < 23:
        pass
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()

    resumed, steps = start()
    assert 20 < int(steps.readline()) <= 60
    resumed.communicate()
    assert resumed.returncode == 0

    CTGANPaper(epochs=10, **SMALL).fit(table(), Context(3)).save(tmp_path)
    for name in ("model.json", "model.safetensors"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / name).read_bytes()


def test_batches_hold_whole_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    from synthgen.generators.ctgan_conditions import TrainingBatches

    sizes: list[int] = []
    plain = TrainingBatches.conditions

    def noted(self: TrainingBatches, batch: int, random: torch.Generator) -> Any:
        sizes.append(batch)
        return plain(self, batch, random)

    monkeypatch.setattr(TrainingBatches, "conditions", noted)
    for n, expected in ((600, 100), (73, 70), (3, 5)):
        CTGANPaper(epochs=1, **SMALL).fit(table(n, seed=2), Context())
        assert set(sizes) == {expected}
        sizes.clear()


def test_encoded_rows_are_within_their_bounds(fitted: CTGANSampler) -> None:
    encoded: Encoded = fitted.encoded(2000, 0)
    sizes = torch.tensor([span.size for span in fitted.encoder.spans])
    assert (encoded.codes >= 0).all()
    assert (encoded.codes < sizes).all()
    assert encoded.scalars.abs().max() <= 1


@pytest.mark.gpu
def test_fitting_on_a_gpu() -> None:
    train, records = table(), []
    sampler = CTGANPaper(epochs=60, **SMALL).fit(
        train, Context(seed=1, device="cuda", log=records.append)
    )
    assert all(tensor.device.type == "cpu" for tensor in sampler.network.state_dict().values())
    assert all(math.isfinite(value) for record in records for value in record.values())
    assert (sampler.sample(100, seed=0, where={"town": "c"}).frame["town"] == "c").all()
    ages = [sampler.sample(400, seed=2, where={"town": v}).numbers("age").mean() for v in "ab"]
    assert ages[1] > ages[0] + 8
