from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from synthgen.errors import MachineError
from synthgen.training.checkpoints import (
    Checkpoints,
    all_finite,
    capture,
    restore,
    tensors_of,
)


class Counter:
    def __init__(self) -> None:
        self.value: dict[str, Any] = {"n": 0, "best": None, "flags": [True, 1.5, "x"]}

    def state_dict(self) -> dict[str, Any]:
        return self.value

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        self.value = state_dict


def trained(seed: int) -> dict[str, Any]:
    """A network with batch normalisation after some steps of Adam."""
    generator = torch.Generator().manual_seed(seed)
    network = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(generator=generator)
    adam = torch.optim.Adam(network.parameters(), lr=0.01 * (seed + 1), fused=True)
    for _ in range(3):
        adam.zero_grad()
        network(torch.randn(8, 3, generator=generator)).square().mean().backward()
        adam.step()
    counter = Counter()
    counter.value["n"] = seed
    return {"network": network, "adam": adam, "counter": counter}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and one == other


def test_what_is_saved_comes_back_bit_for_bit(tmp_path: Path) -> None:
    parts = trained(1)
    Checkpoints(tmp_path, "a").save(7, capture(parts))
    found = Checkpoints(tmp_path, "a").latest()
    assert found is not None
    assert same(capture(parts), found)

    other = trained(2)
    assert not same(capture(parts), capture(other))
    restore(other, found)
    assert same(capture(parts), capture(other))
    assert other["adam"].param_groups[0]["lr"] == 0.02


def test_a_restored_optimizer_goes_on_as_the_original(tmp_path: Path) -> None:
    one, other = trained(1), trained(2)
    Checkpoints(tmp_path, "a").save(3, capture(one))
    state = Checkpoints(tmp_path, "a").latest()
    assert state is not None
    restore(other, state)
    for parts in (one, other):
        parts["adam"].zero_grad()
        parts["network"](torch.ones(4, 3) * torch.arange(4)[:, None]).square().mean().backward()
        parts["adam"].step()
    assert same(capture(one), capture(other))


def test_moments_come_back_as_their_parameters_lie_in_memory(tmp_path: Path) -> None:
    """A fused step goes through memory: moments in another order would be those of others."""

    def begun() -> tuple[nn.Parameter, torch.optim.Adam]:
        generator = torch.Generator().manual_seed(0)
        weight = torch.randn(8, 5, 3, 3, generator=generator)
        parameter = nn.Parameter(weight.to(memory_format=torch.channels_last))
        return parameter, torch.optim.Adam([parameter], lr=0.1, fused=True)

    def step(parameter: nn.Parameter, adam: torch.optim.Adam, seed: int) -> None:
        gradient = torch.randn(8, 5, 3, 3, generator=torch.Generator().manual_seed(seed))
        parameter.grad = gradient.to(memory_format=torch.channels_last)
        adam.step()

    parameter, adam = begun()
    step(parameter, adam, 1)
    Checkpoints(tmp_path, "f" * 16).save(1, capture({"adam": adam}))
    other, resumed = begun()
    step(other, resumed, 1)
    state = Checkpoints(tmp_path, "f" * 16).latest()
    assert state is not None
    restore({"adam": resumed}, state)
    step(parameter, adam, 2)
    step(other, resumed, 2)
    assert torch.equal(parameter, other)


def test_a_captured_state_is_not_changed_by_training_on(tmp_path: Path) -> None:
    parts = trained(1)
    state = capture(parts)
    for _ in range(2):  # the second round starts from what was restored
        before = [tensor.clone() for tensor in tensors_of(state)]
        parts["adam"].zero_grad()
        parts["network"](torch.randn(8, 3)).square().mean().backward()
        parts["adam"].step()
        assert all(map(torch.equal, tensors_of(state), before))
        restore(parts, state)


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    store = Checkpoints(tmp_path, "a")
    for step in (5, 50, 1000, 200):
        store.save(step, {"part": {"step": step}})
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a-000000200.safetensors", "a-000001000.safetensors"]
    assert store.latest() == {"part": {"step": 1000}}


@pytest.mark.parametrize("damage", ["truncated", "empty", "absent", "garbage"])
def test_a_damaged_newest_file_gives_way_to_the_older(tmp_path: Path, damage: str) -> None:
    store = Checkpoints(tmp_path, "a")
    store.save(1, {"part": {"weight": torch.ones(1000)}})
    store.save(2, {"part": {"weight": torch.zeros(1000)}})
    newest = tmp_path / "a-000000002.safetensors"
    whole = newest.read_bytes()
    match damage:
        case "truncated":
            newest.write_bytes(whole[: len(whole) // 2])
        case "empty":
            newest.write_bytes(b"")
        case "absent":
            newest.unlink()
        case "garbage":
            newest.write_bytes(bytes(range(256)) * 20)
    state = Checkpoints(tmp_path, "a").latest()
    assert state is not None
    assert torch.equal(state["part"]["weight"], torch.ones(1000))


def test_another_trainings_checkpoint_is_passed_over(tmp_path: Path) -> None:
    Checkpoints(tmp_path, "a").save(1, {"part": {"n": 1}})
    other = Checkpoints(tmp_path, "b")
    assert other.latest() is None
    assert Checkpoints(tmp_path, "a").latest() == {"part": {"n": 1}}
    other.save(0, {"part": {"n": 2}})  # an earlier step, but the only one that counts
    assert other.latest() == {"part": {"n": 2}}
    assert [path.name for path in tmp_path.iterdir()] == ["b-000000000.safetensors"]


def test_an_unfinished_file_is_ignored_and_removed(tmp_path: Path) -> None:
    (tmp_path / "a-000000009.partial").write_bytes(b"half")
    assert Checkpoints(tmp_path, "a").latest() is None
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_older_state_and_names_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Checkpoints(tmp_path, "a")
    store.save(1, {"part": {"n": 1}})

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("synthgen.training.checkpoints.os.fsync", full)
    with pytest.raises(MachineError, match="No space left") as error:
        store.save(2, {"part": {"n": 2}})
    assert str(tmp_path) in error.value.cause
    assert [path.name for path in tmp_path.iterdir()] == ["a-000000001.safetensors"]
    assert store.latest() == {"part": {"n": 1}}


def test_a_folder_that_cannot_be_made_is_the_machines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MachineError, match="file"):
        Checkpoints(tmp_path / "file" / "folder", "a")


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_all_finite_sees_one_bad_number(bad: float) -> None:
    tensors = [torch.randn(5, 5), torch.full((3,), 3e38), torch.arange(3), torch.empty(0, 2)]
    assert all_finite(tensors)
    assert all_finite([])
    tensors[0][2, 3] = bad
    assert not all_finite(tensors)
