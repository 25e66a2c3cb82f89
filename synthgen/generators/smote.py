"""SMOTE: new rows of a class between a row of that class and one of its nearest neighbours.

Chawla, Bowyer, Hall and Kegelmeyer, "SMOTE: Synthetic Minority Over-sampling Technique", JAIR 16,
2002; the interpolation is imbalanced-learn's. Which of its three forms runs follows from the
columns: SMOTE for numbers alone, SMOTE-NC for numbers and categories, SMOTEN for categories alone.

Where the target is a quantity, all rows are one class and the target is one more of their numbers:
it has a part in the distance, and is interpolated by the factor of the others. Torgo, Ribeiro,
Pfahringer and Branco, "SMOTE for Regression", EPIA 2013, give a new row the mean of its parents'
targets weighted by nearness, which for numbers is the same; their relevance function, which picks
rare targets for over-sampling, is left out.

What imbalanced-learn leaves to its caller is decided here:

- Each number is scaled by its spread within the class, so that no unit dominates the distance.
- A missing category is a category of its own, chosen by vote among the neighbours like any other.
- A missing number is replaced by the class's median, and each column that has some gets a scaled
  0/1 indicator beside it, interpolated like a number. So rows with the same gaps are neighbours,
  and a synthetic cell is missing if it is missing in the nearer of its two parents. That keeps
  the share and the place of gaps that more than k rows have alike, and of others about half.
- SMOTE and SMOTE-NC compare rows in a dense float32 matrix, in a third of the time of the sparse
  one; neighbours are found once, in ``fit``. SMOTEN compares all pairs anew in every call, so it
  works on :data:`PAIRED` rows of the class at most, drawn afresh per batch.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from synthgen.data.schema import Schema
from synthgen.data.table import Columnar, Table
from synthgen.data.values import MISSING
from synthgen.errors import ConfigError, DataError
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import draw_until, resolve, warn_shortfall
from synthgen.generators.rows import Rows, protect
from synthgen.training.context import Context

TRIES = 20
"""Draws at most for conditions on other columns than the target."""
BATCH = 10_000
"""Rows interpolated at once: imbalanced-learn holds every neighbour of every new row densely."""
PAIRED = 3_000
"""Rows of a class that SMOTEN compares with each other in one call: 72 MB of distances."""


class Smote(Generator):
    """Interpolates between training rows of one class, or between any rows where the target is a
    quantity; needs a target column.

    Every synthetic row lies between two training rows, so SMOTE keeps no secret of theirs: the
    saved model holds the training rows as they may be shared (see
    :mod:`synthgen.generators.rows`). Numbers come back within the schema's bounds and in its
    decimals, categories only as some neighbour holds them.
    """

    name: Literal["smote"] = "smote"
    k_neighbors: int = Field(default=5, ge=1)
    """Neighbours of its own class that a row is interpolated with or that vote on its categories;
    a class with fewer other rows uses all of them."""

    def fit(self, train: Columnar, context: Context) -> SmoteSampler:
        """Find each row's neighbours.

        Raises :class:`~synthgen.errors.ConfigError` without a target and
        :class:`~synthgen.errors.DataError` where a class (or the table, if the target is a
        quantity) has a single row, which could only be repeated, or where there is no column
        beside the target.
        """
        rows = protect(train, context.seed)
        if rows.schema.target is None:
            raise ConfigError(
                "smote interpolates within a class, and the table has no target column",
                "name the target, or use another generator",
            )
        if len(rows.schema.modelled) == 1:
            raise DataError(
                f"there is no column beside the target {rows.schema.target!r} to interpolate",
                "give columns that say something about the target",
            )
        labels = _labels(rows)
        neighbours: dict[int, NDArray[np.int32]] = {}
        for label in np.unique(labels[labels != MISSING]):
            members = rows.take(np.flatnonzero(labels == label))
            if len(members) == 1:
                raise _lone(rows.schema)
            space = _Space.of(members)
            if space.numbers.shape[1] > 0:
                nearest = _Neighbours(min(self.k_neighbors, len(members) - 1))
                _, _, found = _between(space, nearest, 1, np.random.RandomState(0))
                neighbours[int(label)] = found
        return SmoteSampler(self, rows, neighbours)

    def load(self, path: Path) -> SmoteSampler:
        """Read what :meth:`SmoteSampler.save` wrote."""
        generator, rows, arrays = Rows.load(path, Smote)
        neighbours = {int(label): found for label, found in arrays.items()}
        return SmoteSampler(generator, rows, neighbours)


@dataclass(frozen=True)
class SmoteSampler:
    """The training rows, and per class code the positions of each row's nearest rows within the
    class, itself first: int32 of shape (members, k + 1); none for classes that SMOTEN draws."""

    generator: Smote
    rows: Rows
    neighbours: Mapping[int, NDArray[np.int32]]

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`: a condition on the target is exact,
        others are met by drawing again; without one, classes come by their training frequency."""
        conditions = resolve(self.rows.schema, where)
        labels = _labels(self.rows)
        known = labels[labels != MISSING]
        target = self.rows.schema.target
        if target in conditions:
            column = next(c for c in self.rows.schema.discrete if c.name == target)
            known = known[known == column.values.index(conditions.pop(target))]
        if len(known) == 0:
            if n > 0:
                warn_shortfall(0, n, where or {}, "no training row is of this class")
            return self.rows.take(known).table(seed)
        classes, counts = np.unique(known, return_counts=True)

        def draw(count: int, attempt: int) -> Table:
            rng = np.random.default_rng([seed, attempt])
            drawn = rng.choice(classes, count, p=counts / counts.sum())
            rows = self.rows.take(np.zeros(count, dtype=np.int64))
            for label in np.unique(drawn):
                places = np.flatnonzero(drawn == label)
                for batch in np.array_split(places, -(-len(places) // BATCH)):
                    new = self._interpolated(int(label), len(batch), rng)
                    rows.continuous[batch], rows.discrete[batch] = new.continuous, new.discrete
            return rows.table(seed)

        return draw_until(draw, n, where if conditions else None, tries=TRIES, seed=seed)

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        neighbours = {str(label): found for label, found in self.neighbours.items()}
        self.rows.save(path, self.generator, **neighbours)

    def _interpolated(self, label: int, count: int, rng: np.random.Generator) -> Rows:
        """``count`` new rows of the class ``label``."""
        labels = _labels(self.rows)
        members = np.flatnonzero(labels == label)
        space = _Space.of(self.rows.take(members))
        random = np.random.RandomState(int(rng.integers(2**32)))
        if label in self.neighbours:
            known = _Neighbours(known=self.neighbours[label])
            numbers, categories, _ = _between(space, known, count, random)
            return space.rows(numbers, categories)
        voted = np.empty((count, 0), dtype=np.int64)
        if _inputs(self.rows.schema):
            paired = rng.choice(members, min(len(members), PAIRED), replace=False)
            kept = np.concatenate([paired, np.flatnonzero(labels != label)])
            k = min(self.generator.k_neighbors, len(paired) - 1)
            categories = _categories(self.rows.take(kept))
            voted = _voted(categories, labels[kept], label, k, count, random)
        return space.rows(np.empty((count, 0)), voted)


@dataclass(frozen=True)
class _Space:
    """The rows of one class as imbalanced-learn takes them, and the way back."""

    origin: Rows
    base: NDArray[np.float64]
    """Numbers with medians in the gaps, then gap indicators: shape (members, numbers + gapped)."""
    gapped: NDArray[np.bool_]
    """Which numbers are missing in some rows of the class, but not in all."""
    scale: NDArray[np.float64]
    """What each column of ``base`` is divided by; 0 where it does not vary and is left out."""

    @classmethod
    def of(cls, rows: Rows) -> _Space:
        gaps = np.isnan(rows.continuous)
        share = gaps.mean(axis=0)
        filled = rows.continuous.copy()
        for column in np.flatnonzero(share > 0):
            known = filled[~gaps[:, column], column]
            filled[gaps[:, column], column] = np.median(known) if len(known) else 0.0
        gapped = (share > 0) & (share < 1)
        base = np.column_stack([filled, gaps[:, gapped]])
        spread = base.std(axis=0)
        varies = (base.min(axis=0) < base.max(axis=0)) & (spread > 0)
        # A power of two, so that scaling and scaling back leave every spike and integer exact.
        scale = np.where(varies, np.exp2(np.rint(np.log2(np.where(varies, spread, 1)))), 0)
        return cls(rows, base, gapped, scale)

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Shape (members, varying columns of ``base``): scaled."""
        varies = self.scale > 0
        scaled: NDArray[np.float64] = self.base[:, varies] / self.scale[varies]
        return scaled

    def rows(self, numbers: NDArray[np.float64], categories: NDArray[np.int64]) -> Rows:
        """New rows of this class from scaled numbers and categories, of shape (n, features)."""
        varies = self.scale > 0
        base = np.repeat(self.base[:1], len(numbers), axis=0)
        base[:, varies] = numbers * self.scale[varies]
        width = self.origin.continuous.shape[1]
        continuous = base[:, :width]
        missing = np.zeros(continuous.shape, dtype=bool)
        missing[:, self.gapped] = base[:, width:] > 0.5
        missing[:, np.isnan(self.origin.continuous).all(axis=0)] = True
        schema = self.origin.schema
        discrete = np.repeat(self.origin.discrete[:1], len(numbers), axis=0)
        for place, column in enumerate(_inputs(schema)):
            codes = categories[:, place]
            codes = np.where(codes == len(schema.discrete[column].values), MISSING, codes)
            discrete[:, column] = codes
        return Rows(schema, np.where(missing, np.nan, continuous), discrete)


class _Neighbours:
    """The k nearest rows of each row, itself first, in the form that imbalanced-learn asks for:
    searched in a dense float32 matrix, or ``known`` from an earlier search."""

    def __init__(self, count: int = 0, known: NDArray[np.int32] | None = None) -> None:
        self.count = count
        self.known = known

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"count": self.count, "known": self.known}

    def fit(self, X: Any) -> _Neighbours:
        if self.known is None:
            from sklearn.neighbors import NearestNeighbors

            dense = X.toarray() if hasattr(X, "toarray") else X
            # Distances do not depend on the origin, and float32 is finest around zero.
            dense = (dense - dense.mean(axis=0)).astype(np.float32)
            search = NearestNeighbors(n_neighbors=self.count + 1, algorithm="brute").fit(dense)
            self.known = search.kneighbors(dense, return_distance=False).astype(np.int32)
        return self

    def kneighbors(self, X: Any, return_distance: bool) -> NDArray[np.int32] | None:
        return self.known

    def kneighbors_graph(self, X: Any) -> Any:
        raise NotImplementedError("imbalanced-learn wants it to be there and does not call it")


def _labels(rows: Rows) -> NDArray[np.int64]:
    """Shape (n,): the target's codes, MISSING where missing; 0 in all rows for a quantity."""
    target = rows.schema.target
    assert target is not None
    if rows.schema.task == "regression":
        return np.zeros(len(rows), dtype=np.int64)
    return rows.codes(target)


def _lone(schema: Schema) -> DataError:
    if schema.task == "regression":
        return DataError(
            "the table has a single row, which smote could only repeat",
            "collect more rows, or use another generator",
        )
    # Unnamed: a value that few rows hold is not to be quoted.
    return DataError(
        f"a class of column {schema.target!r} has a single row, which smote could only repeat",
        "collect more rows of it, leave it out, or use another generator",
    )


def _inputs(schema: Schema) -> list[int]:
    """The places of the discrete columns beside the target."""
    return [i for i, column in enumerate(schema.discrete) if column.name != schema.target]


def _categories(rows: Rows) -> NDArray[np.int64]:
    """Shape (n, discrete columns beside the target): codes, missing as one code more."""
    sizes = np.array([len(column.values) for column in rows.schema.discrete], dtype=np.int64)
    codes = np.where(rows.discrete == MISSING, sizes, rows.discrete)
    return codes[:, _inputs(rows.schema)]


def _between(
    space: _Space, nearest: _Neighbours, count: int, random: np.random.RandomState
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int32]]:
    """SMOTE or SMOTE-NC: ``count`` rows of scaled numbers, their categories, and the members'
    neighbours."""
    from imblearn.over_sampling import SMOTE, SMOTENC

    categories = _categories(space.origin)
    matrix = np.column_stack([space.numbers, categories])
    width = space.numbers.shape[1]
    options = {
        "sampling_strategy": {0: len(matrix) + count},
        "k_neighbors": nearest,
        "random_state": random,
    }
    if categories.shape[1] > 0:
        smote = SMOTENC(list(range(width, matrix.shape[1])), **options)
    else:
        smote = SMOTE(**options)
    # imbalanced-learn refuses a single class, so the first row stands in for another one.
    labels = np.zeros(len(matrix) + 1, dtype=np.int64)
    labels[-1] = 1
    new = _drawn(smote, np.vstack([matrix, matrix[:1]]), labels)
    return new[:, :width], new[:, width:].astype(np.int64), smote.nn_k_.known


def _voted(
    categories: NDArray[np.int64],
    labels: NDArray[np.int64],
    label: int,
    k: int,
    count: int,
    random: np.random.RandomState,
) -> NDArray[np.int64]:
    """SMOTEN: ``count`` rows of categories, each voted by the neighbours of a row of ``label``."""
    from imblearn.over_sampling import SMOTEN

    if (labels == label).all():  # As above: imbalanced-learn refuses a single class.
        categories = np.vstack([categories, categories[:1]])
        labels = np.append(labels, label + 1)
    strategy = {label: np.count_nonzero(labels == label) + count}
    smoten = SMOTEN(sampling_strategy=strategy, k_neighbors=k, random_state=random)
    return _drawn(smoten, categories, labels)


def _drawn(sampler: Any, matrix: NDArray[Any], labels: NDArray[np.int64]) -> NDArray[Any]:
    """The rows that an imbalanced-learn sampler adds to the matrix."""
    with warnings.catch_warnings():
        # It finds more rows than the largest class has worth a warning; they were asked for.
        warnings.filterwarnings("ignore", message="After over-sampling")
        resampled, _ = sampler.fit_resample(matrix, labels)
    added: NDArray[Any] = resampled[len(matrix) :]
    return added
