"""The state of a training on disk: never torn, and good for exact continuation.

One safetensors file per checkpoint holds all tensors; everything else (step counter, learning
rates, scores) is JSON in the file's header. A file appears under its name only when it is whole
and on the disk; the newest two are kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from synthgen.errors import MachineError

State = dict[str, Any]
"""The ``state_dict`` of every part by its name: tensors and plain data, nested."""
KEPT = 2


class Stateful(Protocol):
    """What a checkpoint can hold: modules, optimizers, moving averages, counters."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any: ...


def capture(parts: Mapping[str, Stateful]) -> State:
    """A copy of the state of all parts, on their devices."""
    return {name: _copied(part.state_dict()) for name, part in parts.items()}


def restore(parts: Mapping[str, Stateful], state: State) -> None:
    """Set all parts to a captured state, which may be used again afterwards."""
    for name, part in parts.items():
        part.load_state_dict(_copied(state[name]))
        if isinstance(part, torch.optim.Optimizer):
            _lay_out(part)


def _lay_out(optimizer: torch.optim.Optimizer) -> None:
    """Moments as their parameters lie in memory. From a file all come with the last index running
    fastest; a fused step goes through memory, and would take the moments of other weights."""
    for parameter, state in optimizer.state.items():
        for key, value in state.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                state[key] = torch.empty_like(parameter).copy_(value)


def tensors_of(tree: Any) -> list[Tensor]:
    """All tensors of a state."""
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, dict):
        return [tensor for value in tree.values() for tensor in tensors_of(value)]
    if isinstance(tree, list | tuple):
        return [tensor for value in tree for tensor in tensors_of(value)]
    return []


class Checkpoints:
    """The checkpoints of one training in ``folder``, which is created where needed.

    ``fingerprint``, a hexadecimal digest, says what is trained on what. Checkpoints with another
    one are passed over, and removed as soon as there is one of this training.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder = folder
        self._prefix = f"{fingerprint[:16]}-"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for left_over in folder.glob("*.partial"):
                left_over.unlink()
        except OSError as error:
            raise _unusable(folder, error) from error

    def save(self, step: int, state: State) -> None:
        """Write the state after ``step``. Raises :class:`~synthgen.errors.MachineError`."""
        tensors: dict[str, Tensor] = {}
        header = {"state": json.dumps(_pack(state, "", tensors))}
        final = self.folder / f"{self._prefix}{step:09d}.safetensors"
        partial = final.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                file.write(save(tensors, header))
                file.flush()
                os.fsync(file.fileno())
            partial.replace(final)
            _sync_folder(self.folder)
            for old in {*self.folder.glob("*.safetensors")} - {*self._own()[:KEPT]}:
                old.unlink()
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise _unusable(self.folder, error) from error

    def latest(self) -> State | None:
        """The newest whole state of this training, on the CPU, or None."""
        for path in self._own():
            try:
                with safe_open(path, framework="pt") as file:
                    header = file.metadata() or {}
                    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                state: State = _unpack(json.loads(header["state"]), tensors)
            except (SafetensorError, OSError, ValueError, KeyError):
                continue
            return state
        return None

    def _own(self) -> list[Path]:
        """The files of this training, newest first."""
        return sorted(self.folder.glob(f"{self._prefix}*.safetensors"), reverse=True)


def _copied(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree.detach().clone()
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [_copied(value) for value in tree]
    return tree


def _pack(tree: Any, path: str, tensors: dict[str, Tensor]) -> Any:
    """JSON data in which a tensor is its name in ``tensors``. Pairs instead of objects, since
    the keys of an optimizer's state are integers."""
    if isinstance(tree, Tensor):
        tensors[path] = tree.detach().cpu().contiguous()
        return {"tensor": path}
    if isinstance(tree, dict):
        return {"dict": [[k, _pack(v, f"{path}/{k}", tensors)] for k, v in tree.items()]}
    if isinstance(tree, list | tuple):
        return {"list": [_pack(v, f"{path}/{i}", tensors) for i, v in enumerate(tree)]}
    return tree


def _unpack(data: Any, tensors: Mapping[str, Tensor]) -> Any:
    match data:
        case {"tensor": name}:
            return tensors[name]
        case {"dict": pairs}:
            return {key: _unpack(value, tensors) for key, value in pairs}
        case {"list": values}:
            return [_unpack(value, tensors) for value in values]
    return data


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unusable(folder: Path, error: OSError) -> MachineError:
    return MachineError(
        f"no checkpoint can be written to {folder}: {error.strerror or error}",
        "free disk space, or choose a folder that may be written to",
    )


def all_finite(tensors: list[Tensor]) -> bool:
    """Whether no number in any of them is NaN or infinite; one synchronisation with the device."""
    numbers = [t for t in tensors if t.is_floating_point() and t.numel()]
    if not numbers:
        return True
    # A sum of absolute values is finite exactly if all of them are (float64: no overflow).
    totals = [t.abs().sum(dtype=torch.float64) for t in numbers]
    on_one_device = [total.to(totals[-1].device) for total in totals]
    return bool(torch.stack(on_one_device).isfinite().all())
