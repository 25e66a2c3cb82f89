from __future__ import annotations

import pytest
import torch

from synthgen.vision.class_balance import class_balanced_weights

LABELS = torch.tensor([0] * 90 + [1] * 9 + [3])


def test_weights_follow_the_effective_number() -> None:
    weights = class_balanced_weights(LABELS, 4, 0.9)
    effective = [(1 - 0.9**n) / (1 - 0.9) for n in (90, 9, 1)]
    assert weights[2] == 0
    assert weights[[0, 1, 3]].mean() == pytest.approx(1)
    assert (weights[1] / weights[0]).item() == pytest.approx(effective[0] / effective[1])
    assert (weights[3] / weights[0]).item() == pytest.approx(effective[0])


def test_the_limits_are_no_weights_and_inverse_frequencies() -> None:
    assert class_balanced_weights(LABELS, 4, 0).tolist() == [1, 1, 0, 1]
    inverse = class_balanced_weights(LABELS, 4, 1)
    assert (inverse[[0, 1, 3]] * torch.tensor([90, 9, 1])).std() < 1e-5
    near = class_balanced_weights(LABELS, 4, 1 - 1e-9)
    assert torch.allclose(near, inverse, atol=1e-4)


def test_an_image_counts_as_its_weight() -> None:
    labels, weights = torch.tensor([0, 0, 0, 0, 1]), torch.tensor([1.0, 0.5, 0.5, 1.0, 1.0])
    found = class_balanced_weights(labels, 2, sample_weights=weights)
    assert torch.equal(found, class_balanced_weights(torch.tensor([0, 0, 0, 1]), 2))
