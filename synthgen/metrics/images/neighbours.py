"""Nearest neighbours by exact search, a block of distances at a time."""

from __future__ import annotations

import torch
from torch import Tensor

_CELLS = 1 << 23
"""Distances held in memory at once (64 MB in float64)."""
_SPARE = 4
"""Neighbours that are looked at again beyond those asked for."""


def nearest(
    queries: Tensor, records: Tensor, count: int = 1, *, dtype: torch.dtype = torch.float64
) -> tuple[Tensor, Tensor]:
    """Euclidean distances, ascending, and places of the ``count`` records nearest to each query;
    shapes (n, count), float64 and int64. Inputs are (n, d) and (m, d) with m >= count.

    Candidates are found through the product of the two sets, with rounding errors of ``dtype``;
    their distances are then taken from the differences, so that of equal rows is exactly 0.
    """
    middle = records.mean(0, dtype=dtype)
    known = records.to(dtype) - middle
    squares = known.square().sum(1)
    kept = min(count + _SPARE, len(records))
    distances, places = [], []
    for block in torch.split(queries, _rows(len(records), kept * queries.shape[1])):
        # The square of the query itself is the same for all records and does not order them.
        scores = torch.addmm(squares, block.to(dtype) - middle, known.T, alpha=-2)
        found = scores.topk(kept, largest=False).indices
        gaps = records[found].double() - block[:, None].double()
        exact, order = gaps.square().sum(2).sqrt().sort(dim=1, stable=True)
        distances.append(exact[:, :count])
        places.append(found.gather(1, order)[:, :count])
    return torch.cat(distances), torch.cat(places)


def radii(points: Tensor, k: int) -> Tensor:
    """Distance of each point (n, d) to its k-th nearest among the others, (n,) float64; n > k."""
    # The point itself, or another at distance 0, comes first.
    return nearest(points, points, k + 1)[0][:, k]


def within(queries: Tensor, centres: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
    """In how many balls each query lies, and whether each ball holds a query; shapes (n,) and (m,).

    The balls have the ``centres`` (m, d) and the radii ``reach`` (m,), their surface included.
    """
    middle = centres.mean(0, dtype=torch.float64)
    known = centres.double() - middle
    squares, limits = known.square().sum(1), reach.double().square()
    # What two float64 sums of squares of this size differ by when they should be equal.
    slack = 1e-14 * centres.shape[1] * (squares.max() + limits)
    counts = []
    held = torch.zeros(len(centres), dtype=torch.bool, device=centres.device)
    for block in torch.split(queries, _rows(len(centres), queries.shape[1])):
        points = block.double() - middle
        distances = torch.addmm(squares, points, known.T, alpha=-2)
        inside = distances + points.square().sum(1, keepdim=True) <= limits + slack
        counts.append(inside.sum(1))
        held |= inside.any(0)
    return torch.cat(counts), held


def _rows(records: int, each: int) -> int:
    """How many queries make a block."""
    return max(1, _CELLS // max(records, each))
