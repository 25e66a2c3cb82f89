from __future__ import annotations

import pytest
import torch
from scipy.stats import beta, kstest

from synthgen.vision.mixup import mixup


def test_images_and_targets_are_blended_with_the_same_partner_and_share() -> None:
    values = torch.arange(50.0) ** 2
    images, targets = mixup(
        values.view(50, 1, 1, 1).expand(50, 3, 2, 2),
        torch.stack([values, values**2], 1),
        0.5,
        torch.Generator().manual_seed(0),
    )
    assert images.shape == (50, 3, 2, 2)
    assert torch.allclose(images[:, 0, 0, 0], targets[:, 0])
    # Of the two partners, x and y, both target columns tell the same share.
    assert (targets[:, 1] >= targets[:, 0] ** 2 * (1 - 1e-5)).all()
    assert not torch.allclose(targets[:, 0], values)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_shares_are_beta_distributed(alpha: float) -> None:
    count = 4000
    order_free = torch.eye(2, dtype=torch.float64).repeat(count // 2, 1)
    _, targets = mixup(torch.zeros(count, 1), order_free, alpha, torch.Generator().manual_seed(1))
    first = targets[::2, 0]
    # A partner of the same class leaves 1; about half of the others tell the share.
    shares = first[first < 1]
    assert kstest(shares.numpy(), beta(alpha, alpha).cdf).pvalue > 1e-3


def test_a_tiny_alpha_leaves_nearly_every_image_whole() -> None:
    classes = torch.eye(2, dtype=torch.float64).repeat(500, 1)
    _, targets = mixup(torch.zeros(1000, 1), classes, 0.01, torch.Generator().manual_seed(1))
    assert torch.allclose(targets.sum(1), torch.ones(1000, dtype=torch.float64))
    assert ((targets.max(1).values > 0.99).double().mean()) > 0.9


def test_rows_keep_their_weights_in_sum() -> None:
    weights = torch.rand(30, 4)
    _, targets = mixup(torch.zeros(30, 1), weights, 1.0, torch.Generator().manual_seed(0))
    assert targets.shape == (30, 4)
    assert (targets <= weights.max(0).values + 1e-6).all()
