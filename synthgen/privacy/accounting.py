"""What the noise costs: Rényi accounting (Mironov 2017, arXiv 1702.07476) by Opacus.

A history is a list of (noise multiplier, sample rate, times): Gaussian mechanisms of L2
sensitivity 1 on Poisson samples of the rows (Mironov et al. 2019, arXiv 1908.10530). They are all
composed, order by order, and turned into epsilon at the end.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from synthgen.errors import ConfigError, MachineError, TrainingError

Entry: TypeAlias = tuple[float, float, int]
ORDERS = (
    *(1.05, 1.1, 1.2, 1.35, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.5),
    *range(4, 32),
    *range(32, 64, 4),
    *range(64, 128, 16),
    *(128, 192, 256, 512, 1024),
)
"""Rényi orders among which the best is taken: large ones for small epsilon."""
QUIETEST, LOUDEST = 1e-3, 1e5
"""Noise multipliers between which the right one is looked for."""
PRECISION = 1e-4
"""Relative, of a noise multiplier; it errs to the careful side."""
DELTA, DELTA_OF_ROW = 1e-5, 0.1


def check_opacus() -> None:
    """Raises :class:`~synthgen.errors.MachineError` where Opacus is not installed."""
    if importlib.util.find_spec("opacus") is None:
        raise MachineError(
            "the generator dp-ctgan needs Opacus, which is not installed",
            "install it with: pip install -c constraints.txt -e '.[dp]'",
        )


def usual_delta(rows: int) -> float:
    """1e-5, or a tenth of 1/rows where that is less: a mechanism that publishes one row picked at
    random has delta = 1/rows, so only what is far below that means anything."""
    return min(DELTA, DELTA_OF_ROW / max(rows, 1))


def epsilon_of(history: Sequence[Entry], delta: float) -> float:
    """The smallest epsilon that the accountant can prove for this delta; 0 without any entry."""
    from opacus.accountants import RDPAccountant

    accountant = RDPAccountant()
    accountant.history = list(history)
    with warnings.catch_warnings():
        # That the best order is the first or the last one makes the bound loose, not wrong.
        warnings.filterwarnings("ignore", "Optimal order is the")
        return float(accountant.get_epsilon(delta, alphas=list(ORDERS)))


@lru_cache(maxsize=64)
def calibrated(
    epsilon: float, delta: float, rate: float, times: int, before: tuple[Entry, ...] = ()
) -> float:
    """The least noise multiplier with which ``times`` mechanisms on samples of ``rate``, together
    with what was done ``before``, spend at most ``epsilon`` at ``delta``.

    Raises :class:`~synthgen.errors.ConfigError` where no noise is enough.
    """

    def enough(multiplier: float) -> bool:
        return epsilon_of([*before, (multiplier, rate, times)], delta) <= epsilon

    if not enough(LOUDEST):
        raise ConfigError(
            f"generator.epsilon: {epsilon:g} is too small at a delta of {delta:g}: no noise would "
            "be enough",
            "raise generator.epsilon or generator.delta",
        )
    return _least(enough)


def _least(enough: Callable[[float], bool]) -> float:
    low, high = math.log(QUIETEST), math.log(LOUDEST)
    while high - low > PRECISION:
        middle = (low + high) / 2
        low, high = (low, middle) if enough(math.exp(middle)) else (middle, high)
    return math.exp(high)


class Ledger:
    """What a training has spent, as a part of its checkpoints.

    Going back to an earlier state does not take back what was spent since, so that is refused.
    Steps that a killed process did beyond its last checkpoint are another matter: they were
    released to nobody, and the resumed training does them with other noise.
    """

    def __init__(self, history: Sequence[Entry]) -> None:
        self._before = [*history]
        self.steps = 0
        self.multiplier = self.rate = 0.0

    def add(self, multiplier: float, rate: float) -> None:
        """One step more; all steps are alike."""
        self.multiplier, self.rate = multiplier, rate
        self.steps += 1

    @property
    def history(self) -> list[Entry]:
        done = [(self.multiplier, self.rate, self.steps)] if self.steps else []
        return [*self._before, *done]

    def state_dict(self) -> dict[str, Any]:
        return {"history": [list(entry) for entry in self.history], "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        if self.steps > state["steps"]:
            raise TrainingError(
                f"losses or weights were not finite by step {self.steps}; going back and trying "
                "again would cost privacy a second time",
                "lower generator.discriminator_lr and generator.generator_lr, and begin anew",
            )
        history = [(float(m), float(q), int(n)) for m, q, n in state["history"]]
        self.steps = int(state["steps"])
        if self.steps:
            self.multiplier, self.rate, _ = history.pop()
        self._before = history
