"""The course of a tabular training: the loop, the watch over held-out rows, and the sampler."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeVar

from torch import Tensor, nn

from synthgen.data.table import Columnar
from synthgen.generators.base import Sampler
from synthgen.generators.tabular_validation import Validation, Watch
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.loop import loop

S = TypeVar("S", bound=Sampler)


class Trained(Protocol):
    """The settings of a generator that say how long it trains."""

    @property
    def epochs(self) -> int: ...

    @property
    def validation(self) -> Validation | None: ...

    @property
    def time_limit(self) -> float | None: ...


def train_network(
    step: Callable[[int], dict[str, Tensor]],
    *,
    parts: Mapping[str, Stateful],
    network: nn.Module,
    sampler: Callable[[], S],
    generator: Trained,
    steps_per_epoch: int,
    held_out: Columnar | None,
    fingerprint: str,
    context: Context,
) -> S:
    """Take the steps of all the generator's epochs (:func:`~synthgen.training.loop.loop`).

    Returns what ``sampler`` gives with the final weights of ``network``, which may be the best by
    validation.
    """
    validation = generator.validation
    steps, watch = generator.epochs * steps_per_epoch, None
    if validation and held_out:
        watch = Watch(validation, held_out, network, sampler, steps, context)
        parts = {**parts, "watch": watch}
    loop(
        step,
        steps=steps,
        parts=parts,
        context=context,
        fingerprint=fingerprint,
        steps_per_epoch=steps_per_epoch,
        examine=watch.examine if watch else None,
        examine_every=validation.every * steps_per_epoch if validation else 1,
        time_limit=generator.time_limit,
    )
    if watch:
        watch.select()
    return sampler()
