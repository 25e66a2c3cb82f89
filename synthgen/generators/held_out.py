"""Training by likelihood watched by the likelihood of held-out rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from synthgen.training.checkpoints import Stateful, capture, restore
from synthgen.training.context import Context

JUDGED = 4096
"""Held-out rows per pass."""


def divide(codes: Tensor, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Rows to train on, and held-out ones; a table too small to hold out a row is both."""
    count = round(share * len(codes))
    if count == 0:
        return codes, codes
    order = torch.from_numpy(np.random.default_rng(seed).permutation(len(codes)))
    order = order.to(codes.device)
    return codes[order[count:]], codes[order[:count]]


class Likelihood:
    """The mean negative log-likelihood of held-out rows, and the state of the model that was best
    by it. Part of a checkpoint."""

    def __init__(
        self,
        model: Stateful,
        losses: Callable[[Tensor], Tensor],
        judged: Tensor,
        *,
        patience: int,
        steps: int,
        context: Context,
    ) -> None:
        """``losses`` gives numbers, of which each row's sum to its negative log-likelihood under
        the present ``model``; ``patience``: judgements in a row without a better one."""
        self.model, self.losses, self.judged, self.patience = model, losses, judged, patience
        self._steps, self._context = steps, context
        self._best = float("inf")
        self._stood = 0
        self._state: dict[str, Any] = {}

    @torch.no_grad()
    def examine(self, number: int) -> bool:
        """Judge the model after step ``number``; True if the patience is at its end."""
        sums = [self.losses(rows.long()).sum() for rows in torch.split(self.judged, JUDGED)]
        loss = float(torch.stack(sums).sum()) / len(self.judged)
        self._context.log({"step": number, "steps": self._steps, "loss_held_out": loss})
        if loss < self._best:
            self._best, self._stood = loss, 0
            self._state = capture({"model": self.model})
        else:
            self._stood += 1
        return self._stood >= self.patience

    def select(self) -> None:
        """Set the model to its best state."""
        if self._state:
            restore({"model": self.model}, self._state)

    def state_dict(self) -> dict[str, Any]:
        return {"best": self._best, "stood": self._stood, "state": self._state}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        self._best, self._stood = state_dict["best"], state_dict["stood"]
        self._state = state_dict["state"]
