"""From a value's domain to a drawing's range."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Linear:
    """Maps ``low`` to ``start`` and ``high`` to ``stop``; a domain of one point to the middle."""

    low: float
    high: float
    start: float = 0.0
    stop: float = 100.0

    def __call__(self, value: float) -> float:
        if self.high == self.low:
            return (self.start + self.stop) / 2
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.stop - self.start)


@dataclass(frozen=True)
class Log:
    """The same by orders of magnitude; ``low`` and the values must be positive."""

    low: float
    high: float
    start: float = 0.0
    stop: float = 100.0

    def __call__(self, value: float) -> float:
        line = Linear(math.log10(self.low), math.log10(self.high), self.start, self.stop)
        return line(math.log10(value))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart) within the domain, at most ``most``."""
    if not high > low:
        return [low]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10, 20) if _within(low, high, m * power) <= most)
    first = math.ceil(low / step - 1e-9)
    # Multiples of the step, not a running sum: 0.1 + 0.2 must not become a label.
    return [round((first + i) * step, 12) + 0.0 for i in range(_within(low, high, step))]


def decades(low: float, high: float, most: int = 6) -> list[float]:
    """Powers of ten within the domain, thinned to at most ``most``."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    stride = max(1, math.ceil((last - first + 1) / most))
    return [10.0**power for power in range(first, last + 1, stride)]


def _within(low: float, high: float, step: float) -> int:
    return math.floor(high / step + 1e-9) - math.ceil(low / step - 1e-9) + 1
