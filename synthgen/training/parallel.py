"""Several processes that train one model on parts of the same batches (started by ``torchrun``).

Every process draws the same random numbers for a whole batch and takes its own rows of it; what
depends on all rows, the gradients and the statistics of batch normalisation, is averaged over the
processes. So the weights stay the same everywhere, and are those of one process that has the whole
batch, within floating-point tolerance.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Ranks:
    """This process among those of one training. By itself it is the only one."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and logs."""
        return self.rank == 0

    def part(self, rows: int) -> slice:
        """This process's rows of a batch, whose number is a multiple of :attr:`size`."""
        share = rows // self.size
        return slice(self.rank * share, (self.rank + 1) * share)

    def average_(self, tensors: Sequence[Tensor]) -> None:
        """In place, the mean over the processes; one message for all tensors."""
        if self.size == 1:
            return
        joined = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(joined)
        joined /= self.size
        means = torch.split(joined, [tensor.numel() for tensor in tensors])
        for tensor, mean in zip(tensors, means, strict=True):
            tensor.copy_(mean.view_as(tensor))

    def agree(self, decision: bool) -> bool:
        """The first process's decision, for what depends on a clock."""
        if self.size == 1:
            return decision
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        told = torch.tensor(int(decision), device=device)
        dist.broadcast(told, 0)
        return bool(told)

    def wait(self) -> None:
        """Until every process is here."""
        if self.size > 1:
            dist.barrier()


ALONE = Ranks()


def descend(optimizer: torch.optim.Optimizer, ranks: Ranks) -> None:
    """A step along the average of the processes' gradients."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    ranks.average_([p.grad for p in parameters if p.grad is not None])
    optimizer.step()


def started() -> bool:
    """Whether ``torchrun`` started this process, with others."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def joined(device: str) -> Iterator[Ranks]:
    """The processes that ``torchrun`` started, connected by NCCL on GPUs and by gloo on CPUs; one
    alone otherwise."""
    if not started():
        yield ALONE
        return
    dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        yield Ranks(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()


def device_of(device: str) -> str:
    """Of several processes on one machine each has its own GPU."""
    if device == "cuda" and started():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return device


def devices_here(device: str) -> list[str]:
    """Those of all processes of this training on this machine, if this process is the first of
    them; none in the others."""
    if not started():
        return [device]
    if os.environ.get("LOCAL_RANK", "0") != "0":
        return []
    if device != "cuda":
        return [device]
    return [f"cuda:{n}" for n in range(int(os.environ.get("LOCAL_WORLD_SIZE", "1")))]
