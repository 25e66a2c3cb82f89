"""Dropping clear losers before all resamples are measured.

A generator that already does much harm need not be fitted in the resamples that are left. At a few
looks planned in advance, a candidate whose useful gain over ``nothing`` is ruled out, at a level
far stricter than the final one, and whose mean is a loss, is dropped: it is *rejected* and costs no
further fits. This is stopping for futility (Jennison and Turnbull, *Group Sequential Methods with
Applications to Clinical Trials*, 2000), with the crude and safe way to account for several looks:
each has an equal part of the error to spend, and the union bound adds them up.

What that does to the verdict, provided that only candidates are dropped (a cheap arm can prevent
an *augment*, so it is always measured in full), and that dropped ones stay in Holm's family with a
p-value of 1:

- A false *augment* becomes no more likely. Holm's adjusted p-values only rise when one of the
  p-values does, so each arm shown to help in spite of dropping would have been shown to help
  without it.
- A false *do not augment* becomes more likely by at most ``spend``, however many candidates there
  are. It takes the rejection of every candidate, hence of one whose true gain is useful; the looks
  drop that one with a chance of at most ``spend`` altogether. Where the final interval against
  ``nothing`` would reject it in 2.5 % of all cases, it is now at most 3 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from synthgen.benchmark.statistics import corrected

SPEND = 0.005
"""The chance, at most, that the looks together drop an arm whose true gain is useful."""
_FEWEST = 3
"""Differences without which no look is taken: two have one degree of freedom."""


def looks(resamples: int) -> tuple[int, ...]:
    """Numbers of finished resamples, of ``resamples`` planned ones, after which to look.

    Evenly spaced: one look for 4 planned resamples, two from 8, three from 16; none for fewer
    than 4, as each look sees at least three resamples and must leave one to save.
    """
    if resamples <= _FEWEST:
        return ()
    count = 1 if resamples < 8 else 2 if resamples < 16 else 3
    return tuple(max(_FEWEST, math.ceil(resamples * k / (count + 1))) for k in range(1, count + 1))


def clear_loser(
    differences: Sequence[float],
    planned: int,
    test_ratio: float,
    minimum: float,
    spend: float = SPEND,
    step: float = 0.0,
) -> bool:
    """Whether to drop an arm at a look, given its differences to ``nothing`` so far.

    At each number of resamples in ``looks(planned)`` it is called once, with the differences of
    the resamples up to there by number, not in the order in which they were finished; a resample
    in which the arm failed leaves its difference out. The test is one-sided, at level
    ``spend / len(looks(planned))``: the corrected statistic (mean - minimum) / error against
    Student's t. ``minimum`` >= 0 is the smallest useful gain, ``test_ratio`` n_test / n_train
    of a split, and ``step`` by how much one test row changes a score that counts rows.

    Under the model of :mod:`synthgen.benchmark.statistics`, an arm with a true gain of at least
    ``minimum`` is dropped at any of the looks with a chance of at most ``spend``. An arm with
    fewer than three differences, or whose differences are all the same and so show no error
    (with ``step`` 0), is kept. Raises ValueError for more differences than planned.
    """
    if len(differences) > planned:
        raise ValueError(f"{len(differences)} differences, but {planned} resamples were planned")
    if len(differences) < _FEWEST or not looks(planned):
        return False
    level = spend / len(looks(planned))
    estimate = corrected(differences, test_ratio, 1 - 2 * level, step=step)
    return estimate.error > 0 and estimate.mean < 0 and estimate.high < minimum


def rows_needed(detectable: float, wanted: float, rows: int) -> int:
    """Rows at which an effect of ``wanted`` > 0 would be detectable, if ``rows`` make one of
    ``detectable`` >= 0 so and the error falls with the square root of the rows.

    That holds where the spread of the differences comes from the test rows and splits keep their
    shares. Rounded up to two significant digits. Raises ValueError for a ``wanted`` of 0 or less.
    """
    if wanted <= 0:
        raise ValueError("no number of rows makes an effect of nothing detectable")
    needed = rows * (detectable / wanted) ** 2
    step = int(10.0 ** max(0, math.floor(math.log10(max(needed, 1.0))) - 1))
    # The small term keeps rounding errors from adding a whole step.
    return math.ceil(needed / step - 1e-9) * step
