"""Several processes train the same model as one with the same batch."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from synthgen.training.batch_norm import normalise, normalise_backward
from synthgen.training.parallel import ALONE, Ranks

ROOT = Path(__file__).parents[2]

FIT = """
import sys
from pathlib import Path
import torch
from pydantic import TypeAdapter
from synthgen.generators import AnyGenerator
from synthgen.training import loop as loop_module
from synthgen.training.context import Context
from synthgen.training.parallel import joined
from tests.generators.tables import table
torch.set_num_threads(1)
name, folder, steps = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
settings = {"epochs": 3, "batch_size": 60, "generator_dim": [16, 12], "discriminator_dim": [14, 10]}
settings |= {"pac": 5} if name == "ctgan-paper" else {}
generator = TypeAdapter(AnyGenerator).validate_python({"name": name, **settings})
loop_module.SNAPSHOT_STEPS, loop_module.CHECKPOINT_SECONDS = 2, 0.0
def log(record):
    print(record["step"], record["loss_generator"], record["loss_critic"], flush=True)
    if record["step"] == steps:
        raise SystemExit(3)
with joined("cpu") as ranks:
    context = Context(3, log=log, log_every=1, ranks=ranks, checkpoints=folder / "checkpoints")
    sampler = generator.fit(table("mixed"), context)
    if ranks.first:
        (folder / "model").mkdir()
        sampler.save(folder / "model")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(name: str, folder: Path, processes: int, stop: int = 0) -> list[list[float]]:
    """Losses of each step; ``stop`` ends the processes after that step."""
    folder.mkdir(exist_ok=True)
    script = folder / "fit.py"
    script.write_text(FIT)
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        command += ["--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(script), name, str(folder), str(stop)],
        env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert (done.returncode == 0) == (stop == 0), done.stderr
    return [[float(part) for part in line.split()] for line in done.stdout.splitlines()]


def assert_alike(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> None:
    """But for biases that a normalisation takes out again: their gradients are rounding errors,
    which Adam makes as large as any. (The last layer's bias is not among them.)"""
    assert one.keys() == two.keys()
    biases = sorted(key for key in one if ".bias." in key)
    for key in one.keys() - set(biases[:-1]):
        assert (two[key] - one[key]).float().norm() <= 5e-2 * one[key].float().norm(), key


@pytest.mark.parametrize("name", ["ctgan", "ctgan-paper"])
def test_two_processes_train_what_one_does(name: str, tmp_path: Path) -> None:
    alone, together = run(name, tmp_path / "one", 1), run(name, tmp_path / "two", 2)
    torch.testing.assert_close(torch.tensor(together), torch.tensor(alone), rtol=1e-3, atol=1e-4)
    one, two = (load_file(tmp_path / part / "model/model.safetensors") for part in ("one", "two"))
    assert_alike(one, two)


def test_two_processes_go_on_from_a_checkpoint(tmp_path: Path) -> None:
    whole = run("ctgan", tmp_path / "whole", 2)
    first = run("ctgan", tmp_path / "cut", 2, stop=9)
    rest = run("ctgan", tmp_path / "cut", 2)
    assert [record[0] for record in first] == list(range(1, 10))
    assert 1 < rest[0][0] <= 9
    assert rest == whole[int(rest[0][0]) - 1 :]
    files = [tmp_path / part / "model/model.safetensors" for part in ("whole", "cut")]
    assert files[0].read_bytes() == files[1].read_bytes()


class TwoHalves(Ranks):
    """Two processes played one after the other: each is told the other's sums."""

    def __init__(self, others: list[torch.Tensor]) -> None:
        object.__setattr__(self, "rank", 0)
        object.__setattr__(self, "size", 2)
        object.__setattr__(self, "others", others)

    def average_(self, tensors: Any) -> None:
        for tensor in tensors:
            tensor.add_(self.others.pop(0)).div_(2)  # type: ignore[attr-defined]


def test_statistics_and_gradients_are_those_of_all_rows() -> None:
    random = torch.Generator().manual_seed(0)
    x, gradient = (torch.randn(10, 3, generator=random, dtype=torch.float64) for _ in range(2))
    whole, half = (nn.BatchNorm1d(3).double() for _ in range(2))
    for norm in (whole, half):
        nn.init.constant_(norm.weight, 1.5)
    normal, statistics = normalise(whole, x, ALONE)
    by_x = normalise_backward(whole, x, statistics, gradient / 10, ALONE)

    mine, other = x[:5], x[5:]
    mean = x.mean(0)
    messages = [other.mean(0), (other - mean).square().mean(0)]
    own, of_batch = normalise(half, mine, TwoHalves(messages))
    torch.testing.assert_close(own, normal[:5])
    torch.testing.assert_close(half.running_mean, whole.running_mean)
    torch.testing.assert_close(half.running_var, whole.running_var)
    unit = (other - of_batch[0]) * of_batch[1]
    theirs = gradient[5:] / 5
    messages = [(theirs * unit).sum(0), theirs.sum(0)]
    part = normalise_backward(half, mine, of_batch, gradient[:5] / 5, TwoHalves(messages))
    torch.testing.assert_close(part / 2, by_x[:5])
    assert half.weight.grad is not None
    torch.testing.assert_close((half.weight.grad + (theirs * unit).sum(0)) / 2, whole.weight.grad)


def test_parts_make_up_the_batch() -> None:
    rows = list(range(12))
    assert [rows[Ranks(rank, 3).part(12)] for rank in range(3)] == [rows[:4], rows[4:8], rows[8:]]
    assert rows[ALONE.part(12)] == rows


def train_command(folder: Path, processes: int, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", f"--nproc-per-node={processes}"]
        command += ["--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    command += ["-m", "synthgen", "train", "sklearn:iris", "--target", "target", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, timeout=300
    )


def test_the_command_trains_under_torchrun(tmp_path: Path) -> None:
    short = ["--set", "generator.epochs=3", "--set", "generator.batch_size=50", "--quiet"]
    for processes, name in ((1, "one"), (2, "two")):
        done = train_command(tmp_path, processes, "--out", name, *short)
        assert done.returncode == 0, done.stderr
        assert done.stdout.split() == [name]
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert_alike(one, two)


def test_a_generator_of_one_process_is_refused_under_torchrun(tmp_path: Path) -> None:
    done = train_command(tmp_path, 2, "--out", "model", "--generator", "mixture")
    assert done.returncode != 0
    assert "mixture trains in one process" in done.stderr
    assert "start it without torchrun" in done.stderr
