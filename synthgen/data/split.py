"""Which rows to learn from and which to test on."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.stats import rankdata

from synthgen.data import times
from synthgen.data.checks import check_target, task_of
from synthgen.data.dtypes import family
from synthgen.data.keys import is_key
from synthgen.data.overrides import did_you_mean
from synthgen.data.schema import Task
from synthgen.data.values import moments
from synthgen.errors import ConfigError, DataError

Positions: TypeAlias = NDArray[np.int64]

TRIES = 16
"""Random deals of whole groups, of which the best is taken."""
MANY = 2000
"""Groups of mixed class from which one deal is as good as the best of many."""
BINS = 10
"""Ranges at most that a quantity is stratified by."""
COMMON_SHARE, COMMON_ROWS = 0.02, 30
"""A row that makes up more of the table than this is common: a feature of what the rows come from,
not an accident of their collection."""


def split_rows(
    frame: pd.DataFrame,
    *,
    target: str,
    share: float,
    seed: int,
    group: str | None = None,
    time: str | None = None,
    task: Task | None = None,
) -> tuple[Positions, Positions]:
    """Positions of the training rows and of the test rows, ascending; ``share`` of them (0 to 1)
    are for testing.

    - Exact copies of a row, keys of rows apart, are on one side. A *common* row (more than 2 % of
      the rows, at least 30, of the most frequent class) is the exception: future rows will be
      copies of it too, and with all of them on one side neither side would look like the whole.
    - Every class is in both parts, in its share as nearly as copies and groups allow. A target that
      is a quantity is dealt likewise by ranges of about equal numbers of rows, ten at most.
    - ``group``: all rows with one value of this column are on one side.
    - ``time``: the test rows are the latest; rows of the same time stay together, and so do
      groups, which count as late as their latest row. Classes and ``seed`` have no say then.
    - ``task``: of the table that these rows are a part of; by default that of these rows without
      overrides (:func:`synthgen.data.checks.task_of`).

    Raises :class:`DataError` where a part would lack a class, or hold one number only as the
    target, or a column is not fit for its role; :class:`ConfigError` where ``share`` is not
    between 0 and 1.
    """
    if not 0 < share < 1:
        raise ConfigError(
            f"The test share is {share}.", "Give a number between 0 and 1, such as 0.2."
        )
    task = task or task_of(frame, target)
    check_target(frame, target, task)
    values = pd.factorize(frame[target], sort=True)[0].astype(np.int64)
    units = _scattered(_copies(frame, target), values if task == "classification" else None)
    if group is not None:
        units = _joined(units, _groups(frame, group))
    rng = np.random.default_rng(seed)
    strata = _bins(values, units, share) if task == "regression" else values
    if time is not None:
        test = _latest(_clock(frame, time), units, share)
    elif group is not None:
        test = _whole_groups(units, strata, share, rng)
    else:
        test = _per_class(units, strata, share, rng, even=task == "regression")
    if task == "regression":
        _check_spread(values, test, target)
    elif time is not None:
        _check_later_classes(values, test)
    else:
        _check_classes(values, test)
    return np.flatnonzero(~test), np.flatnonzero(test)


def _bins(values: Positions, units: Positions, share: float) -> Positions:
    """Shape (n,): bins of a quantity, given by its ranks, of about equal numbers of rows.

    Equal values are in one bin. On average a bin holds units enough for one in either part, but
    there are two bins at least, and each has two units, so that both parts have both ends.
    """
    few = int(len(np.unique(units)) * min(share, 1 - share))
    count = min(max(few, 2), BINS)
    # By the mean rank of equal values: a value that many rows hold has the middle of its range.
    place = np.floor((rankdata(values) - 0.5) / len(values) * count)
    bins: Positions = pd.factorize(place, sort=True)[0].astype(np.int64)
    pairs = np.unique(bins * (int(units.max()) + 1) + units)
    held = np.bincount(pairs // (int(units.max()) + 1))
    return _merged(held)[bins]


def _merged(held: Positions) -> Positions:
    """The bins' numbers once neighbours are joined until each has two units."""
    numbers = np.zeros(len(held), dtype=np.int64)
    number = units = 0
    for place, more in enumerate(held.tolist()):
        numbers[place] = number
        units += more
        if units >= 2:
            number, units = number + 1, 0
    # Whatever is left over at the end goes to the last whole bin.
    return np.minimum(numbers, max(number - 1, 0))


def _copies(frame: pd.DataFrame, target: str) -> Positions:
    """Shape (n,): the same number for exact copies of a row, whatever key each carries.

    Rows are compared by a 64-bit hash; a collision would only keep two rows together.
    """
    features = [name for name in frame.columns if name != target]
    plain = [name for name in features if not is_key(frame[name])]
    # Where all features look like keys they are all there is to compare.
    compared = frame[[*(plain or features), target]]
    hashes = pd.util.hash_pandas_object(compared, index=False).to_numpy()
    # Numbered by first appearance, not by hash: a changed cell must not deal all rows anew.
    units: Positions = pd.factorize(hashes)[0].astype(np.int64)
    return units


def _scattered(units: Positions, labels: Positions | None) -> Positions:
    """A unit of its own for each copy of a common row. Copies of other classes than the most
    frequent one stay together however many they are: such rows may have been multiplied to balance
    the classes, and then knowing one is knowing all."""
    sizes = np.bincount(units)[units]
    common = (sizes > COMMON_SHARE * len(units)) & (sizes >= COMMON_ROWS)
    if labels is not None:
        common &= labels == np.bincount(labels).argmax()
    scattered = units.copy()
    scattered[common] = units.max() + 1 + np.arange(np.count_nonzero(common))
    return scattered


def common_rows(frame: pd.DataFrame, target: str, task: Task) -> list[int]:
    """How many copies there are of each row that :func:`split_rows` deals like different ones."""
    values = pd.factorize(frame[target], sort=True)[0].astype(np.int64)
    units = _copies(frame, target)
    scattered = _scattered(units, values if task == "classification" else None)
    counts = np.bincount(units[scattered != units])
    return sorted(counts[counts > 0].tolist(), reverse=True)


def _groups(frame: pd.DataFrame, group: str) -> Positions:
    _check_present(frame, group, "group")
    codes: Positions = pd.factorize(frame[group])[0].astype(np.int64)
    # A row without a group stands alone.
    alone = np.flatnonzero(codes < 0)
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(len(alone))
    return codes


def _joined(first: Positions, second: Positions) -> Positions:
    """Rows that share either number, directly or through others, get one number."""
    offset = int(first.max()) + 1
    size = offset + int(second.max()) + 1
    links = coo_matrix((np.ones(len(first), dtype=np.int8), (first, second + offset)), (size, size))
    _, parts = connected_components(links, directed=False)
    units: Positions = parts[first].astype(np.int64)
    return units


def _per_class(
    units: Positions, labels: Positions, share: float, rng: np.random.Generator, *, even: bool
) -> NDArray[np.bool_]:
    """Copies are of one class, so each class is dealt on its own, and its count comes out exact
    unless copies are in the way. ``even``: the classes are of one size, whose rounding would add
    up, so that what one has too few or too many of is made up for by the next."""
    test = np.zeros(len(units), dtype=bool)
    owed = 0.0
    for label in range(int(labels.max()) + 1):
        rows = np.flatnonzero(labels == label)
        _, unit, sizes = np.unique(units[rows], return_inverse=True, return_counts=True)
        if len(sizes) < 2:
            raise _inseparable("copies of one row")
        quota = len(rows) * share + owed
        test[rows] = _deal(sizes, quota, rng)[unit]
        if even:
            # Not more than one row: copies must not be made up for elsewhere on the scale.
            owed = float(np.clip(quota - np.count_nonzero(test[rows]), -1, 1))
    return test


def _deal(sizes: Positions, quota: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which units to take so that their sizes sum to about ``quota``: at least one, never all."""
    taken = _fill(sizes, quota, rng)
    smallest = np.argmin(sizes)
    if not taken.any():
        taken[smallest] = True
    elif taken.all():
        taken[smallest] = False
    return taken


def _fill(sizes: Positions, quota: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which units to take at random so that their sizes sum to ``quota`` as nearly as may be."""
    order = rng.permutation(len(sizes))
    copies, singles = order[sizes[order] > 1], order[sizes[order] == 1]
    taken = np.zeros(len(sizes), dtype=bool)
    # Units of several rows get their part of the quota; single rows fill up what is left.
    limit = quota * float(sizes[copies].sum()) / float(sizes.sum())
    total = 0
    for unit, size in zip(copies.tolist(), sizes[copies].tolist(), strict=True):
        if total + size <= limit:
            taken[unit] = True
            total += size
    more = min(len(singles), max(0, round(quota - total)))
    taken[singles[:more]] = True
    left = copies[~taken[copies]]
    if len(left):
        gap = quota - total - more
        gains = np.abs(gap) - np.abs(gap - sizes[left])
        if gains.max() > 0:
            taken[left[np.argmax(gains)]] = True
    return taken


def _whole_groups(
    units: Positions, labels: Positions, share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Units may hold several classes. The best of some random deals is taken: units of mixed
    class one by one to the side that lacks them more, then those of one class to fill up."""
    count = int(units.max()) + 1
    table = np.zeros((count, int(labels.max()) + 1))
    np.add.at(table, (units, labels), 1)
    mixed = np.flatnonzero((table > 0).sum(axis=1) > 1)
    pure = [
        np.flatnonzero((table[:, k] > 0) & ((table > 0).sum(axis=1) == 1))
        for k in range(table.shape[1])
    ]
    totals = table.sum(axis=0)
    best, least = np.zeros(count, dtype=bool), np.inf
    for _ in range(TRIES if len(mixed) <= MANY else 1):
        taken = np.zeros(count, dtype=bool)
        taken[mixed] = _diffuse(table[mixed], totals, share, rng)
        for k, own in enumerate(pure):
            if len(own):
                quota = share * totals[k] - table[taken, k].sum()
                taken[own] = _fill(table[own, k].astype(np.int64), max(0.0, quota), rng)
        _repair(taken, table)
        error = np.abs(table[taken].sum(axis=0) / totals - share).sum()
        if error < least:
            best, least = taken, error
    return best[units]


def _diffuse(
    table: NDArray[np.float64], totals: NDArray[np.float64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Units in random order, each to the side that keeps all classes nearest to their share of
    what has been dealt so far; a class weighs by the share of its rows, not by their number."""
    taken = np.zeros(len(table), dtype=bool)
    scaled = table / totals
    debt = np.zeros(table.shape[1])
    for unit in rng.permutation(len(table)):
        debt += share * scaled[unit]
        # Taking pays off where |debt - unit|^2 < |debt|^2.
        if scaled[unit] @ (scaled[unit] - 2 * debt) < 0:
            taken[unit] = True
            debt -= scaled[unit]
    return taken


def _repair(taken: NDArray[np.bool_], table: NDArray[np.float64]) -> None:
    """Move the smallest fitting unit for each class that one side lacks, if there is one."""
    sizes = table.sum(axis=1)
    for _ in range(2 * table.shape[1]):
        test, train = table[taken].sum(axis=0), table[~taken].sum(axis=0)
        if (test > 0).all() and (train > 0).all():
            return
        to_test = not (test > 0).all()
        lacking = int(np.argmin(test if to_test else train))
        source = train if to_test else test
        there = (taken != to_test) & (table[:, lacking] > 0)
        # Its classes must not vanish from the side that it leaves.
        stays = ((table < source) | (table == 0)).all(axis=1)
        fitting = np.flatnonzero(there & stays)
        if not len(fitting):
            return
        taken[fitting[np.argmin(sizes[fitting])]] = to_test


def _latest(clock: Positions, units: Positions, share: float) -> NDArray[np.bool_]:
    latest = np.zeros(int(units.max()) + 1, dtype=np.int64)
    np.maximum.at(latest, units, clock)
    late = latest[units]
    # Rows at or after each moment but the first: the possible test parts.
    _, at = np.unique(late, return_counts=True)
    after = at[::-1].cumsum()[::-1][1:]
    if not len(after):
        raise DataError(
            "All rows have the same time: there is no later part to test on.",
            "Leave out the time column, or give a test file.",
        )
    moment = np.unique(late)[1:][np.argmin(np.abs(after - share * len(late)))]
    test: NDArray[np.bool_] = late >= moment
    return test


def _check_classes(labels: Positions, test: NDArray[np.bool_]) -> None:
    classes = len(np.unique(labels))
    if any(len(np.unique(labels[part])) < classes for part in (test, ~test)):
        raise _inseparable("rows of one group")


def _check_later_classes(labels: Positions, test: NDArray[np.bool_]) -> None:
    train_classes, test_classes = np.unique(labels[~test]), np.unique(labels[test])
    if len(test_classes) < 2 or not np.isin(test_classes, train_classes).all():
        raise DataError(
            "Split by time, the test part has one class only, or one that the earlier rows lack.",
            "Use another test share, leave out the time column, or give a test file.",
        )


def _check_spread(values: Positions, test: NDArray[np.bool_], target: str) -> None:
    for part, rows in (("test", test), ("training", ~test)):
        if len(np.unique(values[rows])) < 2:
            raise DataError(
                f"The target {target!r} would have fewer than two different values in the {part} "
                "part.",
                "Use another test share, leave out the group or time column, or give a test file.",
            )


def _clock(frame: pd.DataFrame, time: str) -> Positions:
    """Ranks of the times, in their order."""
    _check_present(frame, time, "time")
    series = frame[time]
    gone = int(series.isna().sum())
    if gone:
        raise DataError(
            f"The time column {time!r} is missing in {gone} of {len(frame)} rows.",
            "Remove those rows, or split without it.",
        )
    match family(series):
        case "integer" | "real" | "timedelta":
            moment = series
        case "datetime":
            moment = moments(series, None)
        case "text":
            formats = times.formats_of(pd.Series(series.unique(), dtype=object))
            if len(formats) != 1:
                raise _no_clock(time, "does not hold times in one format that can be told")
            moment = moments(series, formats[0])
        case other:
            raise _no_clock(time, f"holds {other} values")
    ranks: Positions = pd.factorize(moment, sort=True)[0].astype(np.int64)
    return ranks


def _no_clock(time: str, why: str) -> DataError:
    return DataError(
        f"The time column {time!r} {why}.", "Write its times as 2024-12-31, or as numbers."
    )


def _check_present(frame: pd.DataFrame, name: str, role: str) -> None:
    if name not in frame.columns:
        raise DataError(
            f"The table has no column {name!r} to use as the {role}.",
            did_you_mean(name, frame.columns),
        )


def _inseparable(what: str) -> DataError:
    return DataError(
        f"A class of the target consists of {what}: it cannot be both learned from and tested on.",
        "Merge or remove such classes, or give a test file.",
    )
