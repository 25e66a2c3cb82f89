from __future__ import annotations

import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from synthgen.metrics.images import neighbours
from synthgen.metrics.images.neighbours import nearest, radii, within
from tests.metrics.images.clouds import cloud


@pytest.fixture(params=[1 << 23, 100])
def cells(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once, and by blocks of one or two queries."""
    monkeypatch.setattr(neighbours, "_CELLS", request.param)


@pytest.mark.usefixtures("cells")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_neighbours_are_scikit_learns(dtype: torch.dtype) -> None:
    queries, records = cloud(37, 6), cloud(61, 6, 1) + 100  # far off: little precision is left
    queries += 100
    distances, places = nearest(queries, records, 4, dtype=dtype)
    theirs = NearestNeighbors(n_neighbors=4, algorithm="brute").fit(records.numpy())
    expected, rows = theirs.kneighbors(queries.numpy())
    assert places.tolist() == rows.tolist()
    assert torch.allclose(distances, torch.from_numpy(expected), atol=1e-9)


def test_an_equal_row_is_at_distance_0() -> None:
    records = cloud(50, 300).float() * 1000
    distances, places = nearest(records.flip(0), records, dtype=torch.float32)
    assert (distances == 0).all()
    assert torch.equal(places[:, 0], torch.arange(50).flip(0))
    assert nearest(records[:3], records[:1])[1].tolist() == [[0], [0], [0]]


@pytest.mark.usefixtures("cells")
def test_balls_are_counted_as_by_hand() -> None:
    points, queries = cloud(40, 3), cloud(29, 3, 1)
    gaps = torch.cdist(points, points)
    reach = gaps.sort(1).values[:, 3]
    assert torch.allclose(radii(points, 3), reach)
    inside = torch.cdist(queries, points) <= reach
    counts, held = within(queries, points, reach)
    assert torch.equal(counts, inside.sum(1))
    assert torch.equal(held, inside.any(0))


def test_the_surface_belongs_to_the_ball() -> None:
    grid = torch.cartesian_prod(*[torch.arange(4.0)] * 3) + 1000
    counts, held = within(grid, grid, torch.ones(64))
    # Each point lies in its own ball and in those of its neighbours along the axes.
    expected = (
        torch.cdist(grid - 1000, grid - 1000, compute_mode="donot_use_mm_for_euclid_dist") <= 1
    )
    assert torch.equal(counts, expected.sum(1))
    assert held.all()
    still = torch.ones(5, 2)
    assert within(still, still, torch.zeros(5))[0].tolist() == [5] * 5
