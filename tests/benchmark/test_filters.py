from __future__ import annotations

import numpy as np
import pytest

from synthgen.benchmark.filters import fit_detector, fit_filter, realness, with_target
from synthgen.benchmark.learners import Rows, rows_of
from tests.benchmark.worlds import World


def _rows(shift: float, n: int, seed: int, flip: float = 0.0) -> Rows:
    """Two classes two apart along one number, all of it shifted; some labels wrong."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    x = rng.normal(2.0 * labels + shift, 1.0)
    wrong = rng.random(n) < flip
    return Rows(x[:, None], (), np.where(wrong, 1 - labels, labels), 2)


def test_density_ratio_moves_the_rows_towards_the_real_ones() -> None:
    real, made = _rows(0.0, 2000, 0), _rows(1.0, 2000, 1)
    selection = fit_filter("density_ratio", real, made, 0)
    fresh = _rows(1.0, 4000, 2)
    kept = fresh.take(selection.keep(fresh, 2000, 0))
    assert len(kept) == 2000
    assert abs(kept.values.mean() - 1.0) < abs(fresh.values.mean() - 1.0) - 0.15
    # A weighted draw, not the likeliest rows: the spread stays.
    assert kept.values.std() > 0.8 * real.values.std()


def test_density_ratio_sees_labels_that_do_not_fit() -> None:
    real, made = _rows(0.0, 3000, 0), _rows(0.0, 3000, 1, flip=0.5)
    selection = fit_filter("density_ratio", real, made, 0)
    fresh = _rows(0.0, 4000, 2, flip=0.5)
    kept = fresh.take(selection.keep(fresh, 2000, 0))

    def agreement(rows: Rows) -> float:
        return float(np.mean((rows.values[:, 0] > 1) == rows.labels))

    assert agreement(kept) > agreement(fresh) + 0.1


def test_the_teacher_keeps_in_each_class_the_rows_that_look_like_it() -> None:
    selection = fit_filter("teacher", _rows(0.0, 2000, 0), _rows(0.0, 2, 0), 0)
    fresh = _rows(0.0, 1000, 2)
    kept = fresh.take(selection.keep(fresh, 500, 0))
    assert np.bincount(kept.labels).tolist() == [250, 250]
    assert kept.values[kept.labels == 1].mean() > fresh.values[fresh.labels == 1].mean() + 0.5
    assert kept.values[kept.labels == 0].mean() < fresh.values[fresh.labels == 0].mean() - 0.5


def test_the_boundary_keeps_the_rows_between_the_classes() -> None:
    selection = fit_filter("boundary", _rows(0.0, 2000, 0), _rows(0.0, 2, 0), 0)
    fresh = _rows(0.0, 1000, 2)
    kept = fresh.take(selection.keep(fresh, 500, 0))
    assert np.bincount(kept.labels).tolist() == [250, 250]
    assert np.abs(kept.values - 1.0).mean() < np.abs(fresh.values - 1.0).mean() - 0.3


def test_for_numbers_the_teacher_keeps_those_that_it_misses_least() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    real = Rows(x[:, None], (), 3 * x + rng.normal(0, 0.1, 2000), 0)
    noisy = Rows(x[:, None], (), 3 * x + rng.normal(0, 2.0, 2000), 0)
    kept = noisy.take(fit_filter("teacher", real, real, 0).keep(noisy, 1000, 0))
    assert len(kept) == 1000
    missed = np.abs(kept.labels - 3 * kept.values[:, 0])
    assert missed.max() < np.median(np.abs(noisy.labels - 3 * noisy.values[:, 0])) + 0.5
    detector = fit_detector(real, noisy, 0)
    assert realness(detector, real).mean() > realness(detector, noisy).mean() + 0.2


@pytest.mark.parametrize("kind", ["density_ratio", "teacher", "boundary"])
def test_the_same_seed_keeps_the_same_rows_and_never_more_than_there_are(kind: str) -> None:
    rows = rows_of(World(gaps=0.1).table(300, 0))
    selection = fit_filter(kind, rows, rows, 0)  # type: ignore[arg-type]
    first, second = (selection.keep(rows, 150, 3) for _ in range(2))
    assert first.tolist() == second.tolist() == sorted(set(first.tolist()))
    assert abs(len(first) - 150) <= 1
    assert len(selection.keep(rows.take(np.arange(7)), 20, 0)) == 7
    assert len(selection.keep(rows.take(np.arange(0)), 20, 0)) == 0


def test_the_target_becomes_a_column() -> None:
    rows = rows_of(World().table(50, 0))
    wide = with_target(rows, None)
    assert wide.sizes == (*rows.sizes, 2)
    assert wide.values[:, -1].tolist() == rows.labels.tolist()
