"""The paper's CTGAN as a whole: what it samples, odd tables, determinism, resuming, options."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
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
from synthgen.encoding import Wide
from synthgen.generators.ctgan_conditions import Conditions
from synthgen.generators.ctgan_paper import CTGANPaper
from synthgen.generators.ctgan_sampler import CTGANSampler
from synthgen.training import loop as loop_module
from synthgen.training.context import Context
from tests.generators.ctgan_cases import PAPER, odd_tables, same, table, weights

SMALL = PAPER.small


@pytest.fixture(scope="module")
def fitted() -> CTGANSampler:
    return CTGANPaper(epochs=120, **SMALL).fit(table(), Context(seed=1))


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
        place = conditions.place[number] - conditions.codes.start
        assert (own.argmax(1) == place).double().mean() > 0.9


def test_other_columns_follow_the_condition(fitted: CTGANSampler) -> None:
    ages = [fitted.sample(400, seed=2, where={"town": v}).numbers("age").mean() for v in "ab"]
    assert ages[1] > ages[0] + 8


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
