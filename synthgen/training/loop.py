"""The training loop: counts, logs, keeps checkpoints, guards against NaN. What a step does is
the algorithm's own affair."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from synthgen.errors import TrainingError
from synthgen.training.checkpoints import (
    Checkpoints,
    State,
    Stateful,
    all_finite,
    capture,
    restore,
    tensors_of,
)
from synthgen.training.context import Context

SNAPSHOT_STEPS = 100
"""A state to roll back to is kept in memory after every so many steps."""
CHECKPOINT_SECONDS = 15.0
"""A snapshot goes to disk if the last one written is older than this. When that happens depends
on the machine, the result does not: resuming replays the same steps."""
LOGGED = 1000
"""About so many records are logged in a training."""
ROLL_BACKS = 4
"""So often a training that met NaN goes on from its last good state, with half the step size."""


@dataclass
class Progress:
    """What a loop itself has to remember."""

    step: int = 0
    roll_backs: int = 0
    seconds: float = 0.0
    finished: bool = False

    def state_dict(self) -> dict[str, Any]:
        return asdict(self)

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        self.__dict__.update(state_dict)


def loop(
    step: Callable[[int], dict[str, Tensor]],
    *,
    steps: int,
    parts: Mapping[str, Stateful],
    context: Context,
    fingerprint: str,
    steps_per_epoch: int = 1,
    examine: Callable[[int], bool] | None = None,
    examine_every: int = 1,
    time_limit: float | None = None,
) -> int:
    """Call ``step(1)``, ``step(2)``, ... ``step(steps)``; returns the number of the last step.

    ``step`` returns losses as tensors without dimensions, not all in every step, and never waits
    for the device; the means since the last record are logged now and then. All that a step
    changes is in ``parts``, and all it draws at random follows from its number: then a training
    that was killed goes on from ``context.checkpoints`` to the same weights. ``fingerprint`` tells
    trainings apart.

    ``examine(number)`` is called after every ``examine_every`` steps and at the end; the training
    ends early if it returns True. ``time_limit`` in seconds ends it too, at a step that depends on
    the machine.

    Raises :class:`~synthgen.errors.TrainingError` if losses or weights are not finite after
    ``ROLL_BACKS`` roll-backs, each of which halves the learning rate of every optimizer.
    """
    progress = Progress()
    parts = {**parts, "progress": progress}
    store = Checkpoints(context.checkpoints, fingerprint) if context.checkpoints else None
    good = store.latest() if store else None
    context.ranks.wait()  # the first process writes only after all have read
    if good is None:
        good = capture(parts)
    else:
        restore(parts, good)
    begun = written = time.monotonic()
    seconds_before = progress.seconds
    log_every = context.log_every or max(1, min(steps // LOGGED, SNAPSHOT_STEPS))
    sums: dict[str, Tensor] = {}
    summed: Counter[str] = Counter()

    while progress.step < steps and not progress.finished:
        with denormals_flushed():
            losses = step(progress.step + 1)
        progress.step += 1
        number = progress.step
        for name, loss in losses.items():
            sums[name] = sums[name] + loss.detach() if name in sums else loss.detach()
        summed.update(losses.keys())

        progress.seconds = seconds_before + time.monotonic() - begun
        late = time_limit is not None and context.ranks.agree(progress.seconds >= time_limit)
        last = late or number == steps
        examined = examine is not None and (last or number % examine_every == 0)
        milestone = last or examined or number % SNAPSHOT_STEPS == 0
        if not milestone and number % log_every:
            continue

        means = _means(sums, summed, context)
        sums, summed = {}, Counter()
        healthy = all(map(math.isfinite, means.values()))
        if healthy and milestone:
            states = [part.state_dict() for part in parts.values()]
            healthy = all_finite(tensors_of(states))
        if not healthy:
            _roll_back(parts, progress, good)
            continue
        epoch = math.ceil(number / steps_per_epoch)
        record = {"step": number, "steps": steps, "epoch": epoch, **means}
        if context.ranks.first:
            backs = {"roll_backs": progress.roll_backs} if progress.roll_backs else {}
            context.log(record | backs)
        if not milestone:
            continue

        stop = examine(number) if examine is not None and examined else False
        progress.finished = last or stop
        good = capture(parts)
        if (
            store
            and context.ranks.first
            and (progress.finished or time.monotonic() - written >= CHECKPOINT_SECONDS)
        ):
            store.save(number, good)
            written = time.monotonic()
    return progress.step


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Numbers below 1e-38 count as 0 inside, where the processor can do so.

    Sharp softmaxes and the moments of seldom used weights are full of them, and each costs a
    processor a hundred times what other numbers do.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def _means(sums: Mapping[str, Tensor], summed: Counter[str], context: Context) -> dict[str, float]:
    """Over the steps since the last record that had it, and over the processes."""
    totals = torch.stack(list(sums.values()))
    context.ranks.average_([totals])
    values: list[float] = totals.tolist()
    return {name: value / summed[name] for name, value in zip(sums, values, strict=True)}


def _roll_back(parts: Mapping[str, Stateful], progress: Progress, good: State) -> None:
    met, times = progress.step, progress.roll_backs + 1
    if times > ROLL_BACKS:
        raise TrainingError(
            f"the losses were not finite by step {met}, also after {ROLL_BACKS} roll-backs, each "
            "with half the learning rate",
            "lower the learning rates, or look for columns with extreme values",
        )
    restore(parts, good)
    halvings = times - progress.roll_backs
    progress.roll_backs = times
    for part in parts.values():
        if isinstance(part, torch.optim.Optimizer):
            for group in part.param_groups:
                group["lr"] *= 0.5**halvings
