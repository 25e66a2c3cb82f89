"""Two leaks that make any verdict worthless: test rows that are known from training, and a column
that gives the target away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from synthgen.data.keys import is_key
from synthgen.data.overrides import did_you_mean
from synthgen.data.schema import Task
from synthgen.data.table import Table
from synthgen.errors import DataError

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Marks: TypeAlias = NDArray[np.uint64]

# ---- test rows that are known from training ---------------------------------------------------

LEVEL = 0.001
"""The chance with which coincidences alone raise a flag, at most, where rows are independent."""
INFLATION = 3
"""By how much dependence among the training rows inflates the variance of the expected share."""
FEWEST_KNOWN = 5
"""Test rows beyond the expected ones that are worth a word: single ones may be chance."""
KNOWN_SHARE = 0.005
"""The same as a share: fewer cannot move an accuracy by half a point, the usual least effect."""


@dataclass(frozen=True)
class Overlap:
    """Test rows that resemble a training row in one way."""

    rows: int
    expected: float
    """How many would if training and test rows were drawn alike: the share of training rows that
    resemble another training row, times the test rows."""
    beyond_chance: bool
    """Whether ``rows`` is clearly more than that."""


@dataclass(frozen=True)
class Contamination:
    """What test rows share with training rows; a test row may count in several ways."""

    target: str
    test_rows: int
    copies: Overlap
    """Equal to a training row in all columns, keys of rows apart."""
    relabelled: Overlap
    """Equal to one in all features, but not in the target."""
    near: Overlap
    """Equal to one in the target and in all features but one."""
    near_columns: tuple[str, ...]
    """Features in which near copies differ, at most three, those furthest beyond the expected
    first: the ones beyond chance, or else any."""


def contamination(
    train: pd.DataFrame, test: pd.DataFrame, target: str, seed: int = 0
) -> Contamination:
    """How many test rows stand among the training rows, exactly or nearly, beside how many would
    by coincidence; missing equals missing. Time is linear in the cells.

    A coarse table repeats itself. How likely a new row is to meet one of the training rows is
    estimated by the share of training rows that meet another one: for exact copies this is the
    Good-Turing estimate (Good, Biometrika 40, 1953). A count is beyond chance if

    - its tail probability is at most :data:`LEVEL` under a beta-binomial distribution: binomial,
      with a rate that is known only as well as a third of the training rows would tell it were
      they independent (copies come in pairs and clusters), and one more copy than there is; and
    - at least :data:`FEWEST_KNOWN` and :data:`KNOWN_SHARE` of the test rows are in excess.

    Where the training rows themselves repeat as much (rows were multiplied before the tables were
    divided), that is what is expected, and nothing stands out. ``seed`` draws the hash functions.

    Raises :class:`DataError` where ``test`` lacks a column of ``train``, or both lack the target.
    """
    for name in [target, *train.columns]:
        for frame, which in ((train, "training"), (test, "test")):
            if name not in frame.columns:
                raise DataError(
                    f"The {which} rows have no column {name!r}.",
                    did_you_mean(name, frame.columns),
                )
    features = [name for name in train.columns if name != target]
    # Where all features look like keys they are all there is to compare.
    compared = [name for name in features if not is_key(train[name])] or features
    if not len(train) or not len(test):
        none = Overlap(0, 0.0, False)
        return Contamination(target, len(test), none, none, none, ())

    rng = np.random.default_rng(seed)
    both = {n: pd.concat([train[n], test[n]], ignore_index=True) for n in [*compared, target]}
    marks = {name: _marks(cells, rng) for name, cells in both.items()}
    whole = _total([*marks.values()])
    is_test = np.arange(len(whole)) >= len(train)
    same = _held(whole, is_test)
    copies = same > ~is_test  # A training row is no copy of itself.
    # Rows that agree but for one column, less those that agree in it too.
    relabelled = _held(whole - marks[target], is_test) > same
    near = {name: _held(whole - marks[name], is_test) > same for name in compared}
    any_near = np.any([*near.values()], axis=0) if near else np.zeros_like(is_test)
    return Contamination(
        target,
        len(test),
        _overlap(copies, is_test),
        _overlap(relabelled, is_test),
        _overlap(any_near, is_test),
        _standing_out({name: _overlap(rows, is_test) for name, rows in near.items()}),
    )


def _marks(cells: pd.Series[Any], rng: np.random.Generator) -> Marks:
    """Shape (n,): a random number per distinct value. The sum over columns is a hash of the row
    (two rows collide with probability 2**-64) from which a column can be taken away."""
    codes, values = pd.factorize(cells)
    # The last entry is where factorize's -1 for a missing cell points.
    numbers = rng.integers(2**64, size=len(values) + 1, dtype=np.uint64)
    marks: Marks = numbers[codes]
    return marks


def _total(marks: list[Marks]) -> Marks:
    """Sums over columns, modulo 2**64."""
    total: Marks = np.stack(marks).sum(axis=0, dtype=np.uint64)
    return total


def _held(marks: Marks, is_test: NDArray[np.bool_]) -> Integers:
    """Shape (n,): how many training rows have the row's mark, itself included."""
    codes, values = pd.factorize(marks)
    counts: Integers = np.bincount(codes[~is_test], minlength=len(values))[codes]
    return counts


def _overlap(found: NDArray[np.bool_], is_test: NDArray[np.bool_]) -> Overlap:
    from scipy.stats import betabinom

    known, own = int(found[is_test].sum()), int(found[~is_test].sum())
    n_test, n_train = int(is_test.sum()), int((~is_test).sum())
    expected = own / n_train * n_test
    odds = 1 + own / INFLATION, (1 + n_train - own) / INFLATION
    chance = betabinom.sf(known - 1, n_test, *odds)
    enough = known - expected >= max(FEWEST_KNOWN, KNOWN_SHARE * n_test)
    return Overlap(known, expected, bool(enough and chance <= LEVEL))


def _standing_out(near: dict[str, Overlap]) -> tuple[str, ...]:
    found = [name for name in near if near[name].rows]
    found.sort(key=lambda name: near[name].expected - near[name].rows)
    return tuple([name for name in found if near[name].beyond_chance][:3] or found[:3])


# ---- a column that gives the target away ------------------------------------------------------

PERFECT: dict[Task, float] = {"classification": 0.99, "regression": 0.98}
"""ROC-AUC, or R^2, from which a single column is suspect."""
LEFT_OVER = 5.0
"""All other columns together must leave so many times the error (1 - score) that the one leaves."""
LEFT_OVER_SEVERAL = 20.0
"""The same for the best of several that are suspect: honest features may say the same (petals of
irises), and all of them are missing from the others."""
LEAST_LEFT_OVER = 0.03
"""And at least this error: where the others do nearly as well, the problem is an easy one."""
FEWEST = 20
"""Classes of fewer rows are left out; a quantity needs twice as many rows."""
MOST_CLASSES = 20
"""The most frequent classes that are told apart; further ones are left out."""
FOLDS = 5
LOOKUP_ROWS = 30_000
MODEL_ROWS = 4_000
COMMON = 0.01
"""Equal rows beyond this share of all, and beyond ten, are a frequent pattern and not copies of a
record: kept together in one fold, they would be something that the other folds never saw."""


@dataclass(frozen=True)
class Giveaway:
    """A column that alone predicts the target almost perfectly, where the others do not.

    Scores are cross-validated within the training rows: ROC-AUC, each class against the rest, mean
    over the classes; for regression R^2 of the target's ranks.
    """

    column: str
    task: Task
    score: float
    others: float
    """The score that all columns reach together which are neither this one nor ``besides``."""
    besides: tuple[str, ...]
    """Further columns that alone predict the target almost perfectly."""


@dataclass(frozen=True)
class _Rows:
    """``values`` (n, c): ranks of the distinct numbers (NaN where missing) or codes of a column.
    ``aims`` (n, k): an indicator per class (of two classes, one), or ranks in 0 to 1, (n, 1).
    ``folds`` (n,): 0 to FOLDS - 1."""

    values: Floats
    aims: Floats
    folds: Integers
    task: Task

    def take(self, rows: Integers) -> _Rows:
        return _Rows(self.values[rows], self.aims[rows], self.folds[rows], self.task)


def giveaways(train: Table, seed: int, group: str | None = None) -> list[Giveaway]:
    """Columns that alone predict the target almost perfectly, in table order.

    One column is read in three ways: by the order of its values, which finds noisy copies; by a
    tree, which finds ranges and missing cells (both at most :data:`MODEL_ROWS` rows); and by a
    lookup, which finds codes that refine the target (at most :data:`LOOKUP_ROWS` rows). The best
    one counts. Where columns are suspect by
    :data:`PERFECT`, a random forest (Breiman, Machine Learning 45, 2001) on all that are not says
    what the rest can do; two leaks thus do not hide each other. Columns are named where the rest
    leaves far more error, so a problem that is merely easy raises no alarm; nor does one of which
    most columns are suspect.

    Folds keep copies of a row together, and with ``group`` all rows of one value of that column.
    Rows are drawn with ``seed``, as many of each class as there are up to its part of the limit.

    Raises ``ValueError`` where the table has no target.
    """
    task = train.schema.task
    names = [c.name for c in train.schema.modelled if c.name != train.schema.target]
    rng = np.random.default_rng(seed)
    labels = _classes(train)
    rows = _sample(labels, LOOKUP_ROWS, rng)
    if len(names) < 2 or not len(rows):
        return []
    many = _rows(train.take(rows), labels[rows], names, group, rng)
    few = many.take(_sample(labels[rows], MODEL_ROWS, rng))
    if len(np.unique(few.folds)) < 2:
        return []
    ways = ((_order, few), (_tree, few), (_lookup, many))
    scores = np.array([max(_score(way, of, [j]) for way, of in ways) for j in range(len(names))])
    suspects = np.flatnonzero(scores >= PERFECT[task])
    rest = np.flatnonzero(scores < PERFECT[task])
    if not len(suspects) or len(suspects) > len(rest):
        return []
    others = max(_score(_forest, few, rest.tolist()), float(scores[rest].max()))
    if len(suspects) > 1 and 1 - others < LEFT_OVER_SEVERAL * (1 - scores.max()):
        return []
    return [
        Giveaway(
            names[j], task, float(scores[j]), others, tuple(names[i] for i in suspects if i != j)
        )
        for j in suspects
        if 1 - others >= max(LEFT_OVER * (1 - scores[j]), LEAST_LEFT_OVER)
    ]


def _classes(train: Table) -> Integers:
    """Shape (n,): numbers of the classes that are told apart; -1 for rows left out. A quantity is
    one class."""
    if train.schema.task == "regression":
        known = np.isfinite(train.targets)
        enough = len(np.unique(train.targets[known])) > 1 and known.sum() >= 2 * FEWEST
        return np.where(known & enough, 0, -1)
    labels = train.labels
    counts = np.bincount(labels[labels >= 0])
    frequent = np.argsort(-counts, kind="stable")[:MOST_CLASSES]
    kept = frequent[counts[frequent] >= FEWEST]
    places = np.full(len(counts) + 2, -1)  # The last two: labels missing or not listed.
    if len(kept) > 1:
        places[kept] = np.arange(len(kept))
    return places[labels]


def _sample(labels: Integers, size: int, rng: np.random.Generator) -> Integers:
    """Positions, ascending: of each class at most its part of ``size``, of -1 none."""
    classes = range(int(labels.max(initial=-1)) + 1)
    drawn = [
        rng.permutation(np.flatnonzero(labels == label))[: size // len(classes)]
        for label in classes
    ]
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, dtype=np.int64)


def _rows(
    table: Table, labels: Integers, names: list[str], group: str | None, rng: np.random.Generator
) -> _Rows:
    from scipy.stats import rankdata

    discrete = {c.name for c in table.schema.discrete}
    columns = [table.codes(n) if n in discrete else table.numbers(n) for n in names]
    # Trees compute in float32, which neither holds nor tells apart all numbers; ranks it does.
    values = [rankdata(column, method="dense", nan_policy="omit") for column in columns]
    if table.schema.task == "regression":
        aims = rankdata(table.targets)[:, None] / len(table)
    else:
        classes = int(labels.max()) + 1
        # Of two classes one indicator says it all.
        aims = np.eye(classes)[labels][:, classes == 2 :]
    return _Rows(
        np.column_stack(values).astype(np.float64),
        aims,
        _folds(table, group, rng),
        table.schema.task,
    )


def _folds(table: Table, group: str | None, rng: np.random.Generator) -> Integers:
    if group is None:
        modelled = [table.frame[column.name] for column in table.schema.modelled]
        units = pd.factorize(_total([_marks(column, rng) for column in modelled]))[0]
        units[np.bincount(units)[units] > max(10, COMMON * len(units))] = -1
    else:
        units = pd.factorize(table.frame[group])[0]
    # Frequent rows and rows without a group stand alone.
    alone = np.flatnonzero(units < 0)
    units[alone] = units.max(initial=-1) + 1 + np.arange(len(alone))
    folds: Integers = rng.integers(FOLDS, size=int(units.max()) + 1)[units]
    return folds


Model: TypeAlias = Callable[[_Rows, list[int]], Floats]
"""Of some columns of these rows: out-of-fold predictions of ``aims``, shape (n, k)."""


def _score(model: Model, rows: _Rows, columns: list[int]) -> float:
    from sklearn.metrics import r2_score, roc_auc_score

    predicted = model(rows, columns)
    if rows.task == "regression":
        return float(r2_score(rows.aims, predicted))
    return float(roc_auc_score(rows.aims, predicted, average="macro"))


def _order(rows: _Rows, columns: list[int]) -> Floats:
    """Ranks of the values, missing ones first, that rise or fall as the aim does; nothing but the
    direction is fitted."""
    from scipy.stats import rankdata

    values = rows.values[:, columns[0]]
    ranks = rankdata(np.where(np.isnan(values), -np.inf, values)) / len(values)
    rising = (ranks - ranks.mean()) @ rows.aims >= 0
    directed: Floats = np.where(rising, ranks[:, None], 1 - ranks[:, None])
    return directed


def _lookup(rows: _Rows, columns: list[int]) -> Floats:
    """Mean target of the rows with the same value, and of one row with the overall mean; values
    that hardly repeat say nothing."""
    values = rows.values[:, columns[0]]
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    mean = rows.aims.mean(axis=0)
    if 2 * len(distinct) > len(values):
        return np.tile(mean, (len(values), 1))
    cells = codes * FOLDS + rows.folds

    def elsewhere(weights: Floats | None) -> Floats:
        """Sums over the rows of equal value in all other folds."""
        size = len(distinct) * FOLDS
        sums = np.bincount(cells, weights, minlength=size).reshape(-1, FOLDS)
        rest: Floats = (sums.sum(axis=1, keepdims=True) - sums)[codes, rows.folds]
        return rest

    counts = elsewhere(None)
    return np.column_stack(
        [(elsewhere(aim) + mean[k]) / (counts + 1) for k, aim in enumerate(rows.aims.T)]
    )


def _tree(rows: _Rows, columns: list[int]) -> Floats:
    from sklearn.tree import DecisionTreeRegressor

    # Leaves of 20 rows would leave a small table without a split.
    leaf = min(20, max(2, len(rows.folds) // 100))
    tree = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=0)
    return _cross_validated(tree, rows, columns)


def _forest(rows: _Rows, columns: list[int]) -> Floats:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=50, min_samples_leaf=3, max_features="sqrt", random_state=0
    )
    return _cross_validated(forest, rows, columns)


def _cross_validated(model: Any, rows: _Rows, columns: list[int]) -> Floats:
    """Regression of the aims; on indicators the squared error is the Gini impurity of a
    classification."""
    values = rows.values[:, columns]
    # One aim alone has to have one dimension.
    aims = rows.aims[:, 0] if rows.aims.shape[1] == 1 else rows.aims
    predicted = np.empty_like(aims)
    for fold in np.unique(rows.folds):
        inside = rows.folds == fold
        predicted[inside] = model.fit(values[~inside], aims[~inside]).predict(values[inside])
    return predicted.reshape(rows.aims.shape)


# ---- for the user -----------------------------------------------------------------------------


def notices(known: Contamination | None = None, giving_away: Sequence[Giveaway] = ()) -> list[str]:
    """A sentence per finding, naming columns and counts, for those beyond chance."""
    found = [] if known is None else _known(known)
    return found + [_giving_away(giveaway) for giveaway in giving_away]


def _known(known: Contamination) -> list[str]:
    differing = " or ".join(repr(name) for name in known.near_columns)
    texts = [
        (known.copies, "stand among the training rows too", "flatter"),
        (
            known.relabelled,
            f"equal a training row in all columns but the target {known.target!r}",
            "mislead",
        ),
        (
            known.near,
            f"equal a training row in all columns but one, mostly {differing}",
            "flatter",
        ),
    ]
    return [
        f"{overlap.rows} of {known.test_rows} test rows {what} "
        f"({overlap.expected:.0f} expected by coincidence): scores on the test rows {effect}"
        for overlap, what, effect in texts
        if overlap.beyond_chance
    ]


def _giving_away(giveaway: Giveaway) -> str:
    measure = "ROC-AUC" if giveaway.task == "classification" else "R² of ranks"
    but = " and ".join(repr(name) for name in giveaway.besides)
    rest = f"all other columns but {but}" if but else "all other columns"
    return (
        f"Column {giveaway.column!r} alone predicts the target almost perfectly "
        f"({measure} {giveaway.score:.3f}; {rest} together {max(giveaway.others, 0):.2f}): "
        "if it is only known after the target, leave it out, or the verdict means nothing"
    )
