from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from synthgen.errors import TrainingError
from synthgen.training import loop as loop_module
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.loop import ROLL_BACKS, loop
from synthgen.training.randomness import initialisation, stream


class Training:
    """A small regression whose every draw follows from the step number."""

    def __init__(self, lr: float = 0.01) -> None:
        with initialisation(0):
            self.network = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Linear(8, 1))
        self.adam = torch.optim.Adam(self.network.parameters(), lr=lr, fused=True)
        self.ema = Ema(self.network, 0.99)
        self.called: list[int] = []

    @property
    def parts(self) -> dict[str, Any]:
        return {"network": self.network, "adam": self.adam, "ema": self.ema}

    def step(self, number: int) -> dict[str, Tensor]:
        self.called.append(number)
        x = torch.randn(16, 4, generator=stream(5, number))
        loss = (self.network(x).squeeze(1) - x.sum(1)).square().mean()
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()
        self.ema.update(number)
        return {"loss": loss}

    def run(self, steps: int, context: Context | None = None, **options: Any) -> int:
        return loop(
            self.step,
            steps=steps,
            parts=self.parts,
            context=context or Context(),
            fingerprint="test",
            **options,
        )

    def weights(self) -> list[bytes]:
        states = [self.network.state_dict(), self.ema.state_dict()]
        return [t.numpy().tobytes() for state in states for t in state.values()]


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Snapshots every 7 steps, each written to disk."""
    monkeypatch.setattr(loop_module, "SNAPSHOT_STEPS", 7)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)


def test_steps_count_from_one_and_records_hold_means() -> None:
    records: list[dict[str, float]] = []
    seen: list[float] = []

    def step(number: int) -> dict[str, Tensor]:
        seen.append(number)
        return {"loss": torch.tensor(float(number)), "other": torch.tensor(-1.0)}

    done = loop(
        step,
        steps=2500,
        parts={},
        context=Context(log=records.append),
        fingerprint="",
        steps_per_epoch=10,
    )
    assert done == 2500
    assert seen == list(range(1, 2501))
    assert records[-1] == {
        "step": 2500,
        "steps": 2500,
        "epoch": 250,
        "loss": 2499.5,
        "other": -1.0,
    }
    assert [record["step"] for record in records] == list(range(2, 2501, 2))
    assert all(r["loss"] == r["step"] - 0.5 for r in records)
    assert [r["epoch"] for r in records] == [math.ceil(r["step"] / 10) for r in records]


def test_records_are_as_many_as_asked_for() -> None:
    records: list[dict[str, float]] = []
    Training().run(7, Context(log=records.append, log_every=3))
    assert [record["step"] for record in records] == [3, 6, 7]


def test_a_stopped_training_resumes_to_the_same_bytes(tmp_path: Path, often: None) -> None:
    whole = Training()
    whole.run(40)
    for stop in (1, 7, 20, 39):
        folder = tmp_path / str(stop)
        first = Training()

        def killed(number: int, first: Training = first, stop: int = stop) -> dict[str, Tensor]:
            if number > stop:
                raise KeyboardInterrupt
            return Training.step(first, number)

        first.step = killed  # type: ignore[method-assign]
        with pytest.raises(KeyboardInterrupt):
            first.run(40, Context(checkpoints=folder))
        second = Training(lr=0.01 if stop < 7 else 99.0)  # a checkpoint brings its own rate
        second.run(40, Context(checkpoints=folder))
        assert second.called[0] == stop // 7 * 7 + 1
        assert second.weights() == whole.weights()


def test_checkpoints_do_not_change_the_result(tmp_path: Path, often: None) -> None:
    one, other = Training(), Training()
    one.run(30)
    other.run(30, Context(checkpoints=tmp_path))
    assert one.weights() == other.weights()


def test_a_finished_training_is_not_trained_on(tmp_path: Path) -> None:
    one, other = Training(), Training()
    one.run(30, Context(checkpoints=tmp_path))
    assert other.run(30, Context(checkpoints=tmp_path)) == 30
    assert other.called == []
    assert one.weights() == other.weights()


def test_disk_is_written_rarely_but_at_the_end(tmp_path: Path) -> None:
    Training().run(350, Context(checkpoints=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["test-000000350.safetensors"]


SCRIPT = """
import os, sys, time
from pathlib import Path
from safetensors.torch import save_file
sys.path.insert(0, {here!r})
from test_loop import Context, Training, loop_module
loop_module.SNAPSHOT_STEPS, loop_module.CHECKPOINT_SECONDS = 3, 0.0
training = Training()
def slow(number, step=training.step):
    time.sleep(0.002)
    print(number, flush=True)
    return step(number)
training.step = slow
training.run(200, Context(checkpoints=Path({folder!r})))
save_file(training.network.state_dict(), {out!r})
"""


def test_sigkill_at_any_point_then_resume_ends_in_the_same_bytes(tmp_path: Path) -> None:
    # Undisturbed in a process of the same kind: sums depend on the number of threads, and Adam
    # makes steps of full size from the rounding errors that a bias before BatchNorm gets.
    whole, out = tmp_path / "whole.safetensors", tmp_path / "out.safetensors"
    undisturbed = _started(tmp_path / "undisturbed", whole)
    undisturbed.communicate()
    assert undisturbed.returncode == 0
    kills, begins = 0, []
    for pause in (0.031, 0.09, None):
        process = _started(tmp_path / "checkpoints", out)
        assert process.stdout is not None
        begins.append(int(process.stdout.readline()))
        if pause is None:
            process.communicate()
            assert process.returncode == 0
        else:
            time.sleep(pause)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            assert process.returncode == -signal.SIGKILL
            assert not out.exists()
            kills += 1
    assert kills == 2
    assert begins[0] == 1
    assert begins == sorted(begins)
    assert begins[-1] > 1
    assert out.read_bytes() == whole.read_bytes()


def _started(folder: Path, out: Path) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(here=here, folder=str(folder), out=str(out))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"},
    )


def test_nan_rolls_back_to_the_last_good_state_with_half_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop_module, "SNAPSHOT_STEPS", 10)
    training = Training(lr=0.01)
    plain, broken = training.step, []

    def step(number: int) -> dict[str, Tensor]:
        if number == 25 and not broken:
            broken.append(number)
            with torch.no_grad():
                training.network[0].weight[0, 0] = torch.nan
        return plain(number)

    training.step = step  # type: ignore[method-assign]
    records: list[dict[str, float]] = []
    assert training.run(40, Context(log=records.append)) == 40
    assert training.called == [*range(1, 26), *range(21, 41)]
    assert training.adam.param_groups[0]["lr"] == 0.005
    assert all(math.isfinite(record["loss"]) for record in records)
    assert next(r for r in records if "roll_backs" in r)["step"] == 21

    # The same as training with the smaller step from there on.
    twin = Training(lr=0.01)
    twin.run(20)
    twin.adam.param_groups[0]["lr"] = 0.005
    for number in range(21, 41):
        Training.step(twin, number)
    assert training.weights() == twin.weights()


def test_weights_that_are_not_finite_never_become_a_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NaN that the losses of the very step do not show yet."""
    monkeypatch.setattr(loop_module, "SNAPSHOT_STEPS", 10)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)
    training = Training()
    plain, times = training.step, []

    def step(number: int) -> dict[str, Tensor]:
        losses = plain(number)
        if number == 20 and not times:
            times.append(number)
            with torch.no_grad():
                training.network[0].weight[0, 0] = torch.inf
        return losses

    training.step = step  # type: ignore[method-assign]
    training.run(20, Context(checkpoints=tmp_path))
    assert training.called == [*range(1, 21), *range(11, 21)]
    for path in tmp_path.iterdir():
        assert all(t.isfinite().all() for t in load_file(path).values())


def test_nan_again_and_again_fails_with_cause_and_remedy() -> None:
    training = Training()
    rates: list[float] = []

    def step(number: int) -> dict[str, Tensor]:
        training.called.append(number)
        rates.append(training.adam.param_groups[0]["lr"])
        return {"loss": torch.tensor(torch.nan if number == 3 else 1.0)}

    training.step = step  # type: ignore[method-assign]
    with pytest.raises(TrainingError, match="step 3") as error:
        training.run(20)
    assert error.value.exit_code == 5
    assert "learning rate" in error.value.remedy
    assert len(training.called) == 3 * (ROLL_BACKS + 1)
    assert rates[::3] == [0.01 / 2**k for k in range(ROLL_BACKS + 1)]


def test_nan_after_a_resume_ends_as_it_would_have_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between a roll-back and the next checkpoint: the roll-back is met again."""
    monkeypatch.setattr(loop_module, "SNAPSHOT_STEPS", 10)
    monkeypatch.setattr(loop_module, "CHECKPOINT_SECONDS", 0.0)

    def with_nan(training: Training, kill_at: int | None) -> Training:
        plain = training.step

        def step(number: int) -> dict[str, Tensor]:
            losses = plain(number)
            rate = training.adam.param_groups[0]["lr"]
            if number == 15 and rate == 0.01:
                losses = {"loss": losses["loss"] * torch.nan}
            if number == kill_at and rate < 0.01:
                raise KeyboardInterrupt
            return losses

        training.step = step  # type: ignore[method-assign]
        return training

    whole = with_nan(Training(), None)
    whole.run(30)
    with pytest.raises(KeyboardInterrupt):
        with_nan(Training(), 17).run(30, Context(checkpoints=tmp_path))
    resumed = with_nan(Training(), None)
    resumed.run(30, Context(checkpoints=tmp_path))
    assert resumed.called[0] == 11
    assert resumed.weights() == whole.weights()


def test_examine_is_called_on_time_and_may_end_the_training(tmp_path: Path) -> None:
    numbers: list[int] = []

    def examine(number: int) -> bool:
        numbers.append(number)
        return number >= 30

    context = Context(checkpoints=tmp_path)
    training = Training()
    assert training.run(100, context, examine=examine, examine_every=15) == 30
    assert numbers == [15, 30]
    again = Training()
    assert again.run(100, context, examine=examine, examine_every=15) == 30
    assert again.called == []
    assert again.weights() == training.weights()

    numbers.clear()
    Training().run(17, replace(context, checkpoints=None), examine=examine, examine_every=15)
    assert numbers == [15, 17]


def test_the_time_limit_ends_a_training_for_good(tmp_path: Path) -> None:
    training = Training()

    def slow(number: int, plain: Any = training.step) -> dict[str, Tensor]:
        time.sleep(0.01)
        losses: dict[str, Tensor] = plain(number)
        return losses

    training.step = slow  # type: ignore[method-assign]
    context = Context(checkpoints=tmp_path)
    done = training.run(100_000, context, time_limit=0.2)
    assert 1 <= done <= 20
    again = Training()
    assert again.run(100_000, context, time_limit=0.2) == done
    assert again.called == []
