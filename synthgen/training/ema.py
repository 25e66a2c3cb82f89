"""Exponential moving average of a network's weights."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


class Ema(Generic[M]):
    """``module`` is the average of the network given at first, in evaluation mode.

    The average moves by ``1 - d`` of its distance to the network, where ``d = min(decay,
    (1 + step) / (10 + step))``: short memory at first, so that the initial weights are soon
    forgotten. Floating-point buffers (the statistics of batch normalisation) are averaged like
    weights, integer ones copied.
    """

    def __init__(self, network: M, decay: float) -> None:
        self.module: M = deepcopy(network).eval().requires_grad_(False)
        self.decay = decay
        self._network = network

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow the network after ``step``, which counts from 1."""
        weight = 1 - min(self.decay, (1 + step) / (10 + step))
        averages, values = [], []
        for average, value in zip(_tensors(self.module), _tensors(self._network), strict=True):
            if average.is_floating_point():
                averages.append(average)
                values.append(value.detach())
            else:
                average.copy_(value)
        torch._foreach_lerp_(averages, values, weight)

    def state_dict(self) -> dict[str, Any]:
        """The average's own weights and buffers; the decay follows from the step number."""
        return dict(self.module.state_dict())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.module.load_state_dict(state)


def _tensors(module: nn.Module) -> list[Tensor]:
    return [*module.parameters(), *module.buffers()]
