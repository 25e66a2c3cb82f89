"""What a gain is worth in real rows, by the learning curve of the data at hand.

The score with a share k of the n real training rows is taken to follow the inverse power law

    score(k n) = score(n) + slope * (1 - k**-c) / c,    slope > 0,  0 <= c <= 2,

which is the a - b n**-c that describes most learning curves (Hestness et al., "Deep learning
scaling is predictable, empirically", 2017; Viering and Loog, "The shape of learning curves:
a review", IEEE TPAMI 45, 2023), written so that its limit c = 0 is the straight line in log n: what
is left where the scores do not level off. ``slope`` is what one more e-fold of rows would bring at
n. The fit is by least squares on the mean scores, the best c together with its slope.

The fit is trusted from n / 10 to 10 n, no further; power laws hold neither for a few rows, where
scores approach those of guessing, nor for ever.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LIMIT = 10.0
"""How many times more, or fewer, rows than n the curve is extrapolated to."""
_STEP = 0.01
_EXPONENTS = _STEP * np.arange(201, dtype=np.float64)
"""Parametric learners near their best have c = 1; beyond 2 a curve has all but ended."""
_DRAWS = 2000
_FLAT = 1e-12
"""Rises of mean scores below this are rounding."""


@dataclass(frozen=True)
class RealEquivalents:
    """Additional real rows, rounded; below 0 rows that one could do without.

    None: cannot be said. A value that equals ``ceiling`` means that many or more, and one that
    equals ``floor`` that many fewer or even fewer.
    """

    rows: int | None
    low: int | None
    high: int | None
    ceiling: int
    floor: int


def real_equivalents(
    scores: NDArray[np.float64],
    rows: NDArray[np.int64],
    gains: NDArray[np.float64],
    *,
    test_ratio: float,
    confidence: float,
) -> RealEquivalents:
    """How many more real rows would bring the mean of ``gains``.

    ``scores`` (J, m), higher is better: those of J resamples without any augmentation, trained on
    ``rows`` (m,) real rows, ascending; the last is n. Only the proportions of ``rows`` matter to
    the curve, so for resamples of different sizes take the means. ``gains`` (J,): what an arm adds
    at n in the same resamples. ``test_ratio`` is n_test / n_train of a split at n.

    A flat or falling curve gives None. The interval is that of 2,000 draws of mean scores and mean
    gain together from a multivariate t distribution with J - 1 degrees of freedom and the
    covariance of the resamples times 1 / J + test_ratio: the distribution behind the corrected
    interval (:mod:`synthgen.benchmark.statistics`), which is what it comes down to, on the scale of
    rows, where the curve is known. In a draw with a flat curve a gain is worth as many rows as can
    be said. One resample gives no interval.

    Raises ValueError for shapes that do not fit, fewer than two numbers of rows, rows that do not
    ascend from 1 or more, and scores or gains that are not finite.
    """
    data = _checked(scores, rows, gains)
    n = int(rows[-1])
    x = np.log(rows / n)
    mean = data.mean(axis=0)
    ceiling, floor = round(n * (LIMIT - 1)), round(n * (1 / LIMIT - 1))
    slope, exponent = _fit(mean[None, :-1], x)
    if slope[0] <= 0:
        return RealEquivalents(None, None, None, ceiling, floor)
    value = float(_more(mean[None, -1], slope, exponent)[0])
    if len(data) < 2:
        return RealEquivalents(round(n * value), None, None, ceiling, floor)
    draws = _draw(data, mean, 1 / len(data) + test_ratio)
    found = _more(draws[:, -1], *_fit(draws[:, :-1], x))
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    # Near the limits of the exponent the value can be an extreme one among the draws.
    return RealEquivalents(
        rows=round(n * value),
        low=round(n * min(float(low), value)),
        high=round(n * max(float(high), value)),
        ceiling=ceiling,
        floor=floor,
    )


def rows_for(
    gain: float,
    scores: NDArray[np.float64],
    rows: NDArray[np.int64],
    *,
    test_ratio: float,
    confidence: float,
) -> RealEquivalents:
    """How many more real rows would bring a given ``gain``, such as the smallest useful one.

    As :func:`real_equivalents`; the interval is that of the curve alone.
    """
    gains = np.full(len(scores), gain)
    return real_equivalents(scores, rows, gains, test_ratio=test_ratio, confidence=confidence)


def _checked(
    scores: NDArray[np.float64], rows: NDArray[np.int64], gains: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shape (J, m + 1): scores and gain of each resample."""
    if scores.ndim != 2 or rows.shape != scores.shape[1:] or gains.shape != scores.shape[:1]:
        raise ValueError("scores must be (J, m), rows (m,) and gains (J,)")
    if len(scores) < 1 or len(rows) < 2:
        raise ValueError("a curve needs a resample with two numbers of rows")
    if rows[0] < 1 or (np.diff(rows) <= 0).any():
        raise ValueError("numbers of rows must ascend from 1 or more")
    data = np.column_stack([scores, gains])
    if not np.isfinite(data).all():
        raise ValueError("scores and gains must be finite")
    return data


def _draw(
    data: NDArray[np.float64], mean: NDArray[np.float64], factor: float
) -> NDArray[np.float64]:
    """Shape (draws, m + 1). The resamples themselves, weighted by normal numbers, have their
    sample covariance, which need not have full rank."""
    rng = np.random.default_rng(0)
    degrees = len(data) - 1
    normal = rng.standard_normal((_DRAWS, len(data))) @ (data - mean)
    radius = np.sqrt(factor / rng.chisquare(degrees, (_DRAWS, 1)))
    return mean + radius * normal


def _fit(
    means: NDArray[np.float64], x: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Slopes and exponents (R,) of R mean curves (R, m) at log(rows / n) x (m,); slope 0: flat.

    For a given exponent the least squares are linear, and the best exponent is the one whose
    curve correlates most with the means.
    """
    # Two points lie on a curve of any exponent.
    exponents = _EXPONENTS if len(x) > 2 else _EXPONENTS[:1]
    centred = means - means.mean(axis=1, keepdims=True)
    basis = _rise(exponents[:, None], x)
    fits = centred @ (basis / np.linalg.norm(basis, axis=1, keepdims=True)).T
    best = _peak(fits)
    found = _rise(best[:, None], x)
    slope = (centred * found).sum(axis=1) / (found * found).sum(axis=1)
    flat = np.ptp(means, axis=1) < _FLAT
    return np.where(flat, 0.0, np.maximum(slope, 0.0)), best


def _rise(c: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(1 - k**-c) / c for x = log k, less its mean over the points."""
    rise = np.where(c > 0, -np.expm1(-c * x) / np.where(c > 0, c, 1.0), x)
    centred: NDArray[np.float64] = rise - rise.mean(axis=1, keepdims=True)
    return centred


def _peak(fits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The exponents (R,) where ``fits`` (R, G) are largest, by a parabola through the largest value
    and its neighbours on the grid."""
    best = fits.argmax(axis=1)
    peak: NDArray[np.float64] = best * _STEP
    inside = np.flatnonzero((best > 0) & (best < fits.shape[1] - 1))
    left, top, right = (fits[inside, best[inside] + step] for step in (-1, 0, 1))
    peak[inside] += _STEP * (right - left) / (2 * (2 * top - left - right))
    return peak


def _more(
    gain: NDArray[np.float64], slope: NDArray[np.float64], exponent: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Shape (R,): additional rows as multiples of n, from 1/10 - 1 to 10 - 1. More than the curve
    has left is the most that can be said; so is anything where the curve is flat."""
    # A slope of less than rounding stands for a flat curve: its gains lie beyond the limits.
    share = gain / np.maximum(slope, _FLAT)
    with np.errstate(divide="ignore"):
        curved = -np.log1p(-np.minimum(exponent * share, 1.0)) / np.where(exponent > 0, exponent, 1)
    x = np.where(exponent > 0, curved, share)
    more: NDArray[np.float64] = np.expm1(np.clip(x, -math.log(LIMIT), math.log(LIMIT)))
    return more
