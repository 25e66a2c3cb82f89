"""Losses against their definitions and torch's own, penalties against a critic whose gradient is
known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from synthgen.generators.images.losses import LOSSES
from synthgen.generators.images.penalties.clip import clip_
from synthgen.generators.images.penalties.gradient import flatness, unit_slope

REAL, FAKE = torch.tensor([2.0, -0.5, 0.3]), torch.tensor([-1.0, 0.7, 4.0])


def test_minimax_is_cross_entropy() -> None:
    ones, zeros = torch.ones(3), torch.zeros(3)
    expected = binary_cross_entropy_with_logits(REAL, ones)
    expected = expected + binary_cross_entropy_with_logits(FAKE, zeros)
    for name in ("minimax", "non-saturating"):
        torch.testing.assert_close(LOSSES[name].critic(REAL, FAKE), expected)  # type: ignore[index]
    saturating = -binary_cross_entropy_with_logits(FAKE, zeros)
    torch.testing.assert_close(LOSSES["minimax"].generator(REAL, FAKE), saturating)
    torch.testing.assert_close(
        LOSSES["non-saturating"].generator(REAL, FAKE), binary_cross_entropy_with_logits(FAKE, ones)
    )


@pytest.mark.parametrize(
    ("name", "critic", "generator"),
    [
        ("least-squares", (1 + 2.25 + 0.49 + 1 + 0.49 + 16) / 6, (4 + 0.09 + 9) / 6),
        ("hinge", (0 + 1.5 + 0.7) / 3 + (0 + 1.7 + 5) / 3, -3.7 / 3),
        ("wasserstein", (3.7 - 1.8) / 3, -3.7 / 3),
    ],
)
def test_losses_by_hand(name: str, critic: float, generator: float) -> None:
    loss = LOSSES[name]  # type: ignore[index]
    assert loss.critic(REAL, FAKE).item() == pytest.approx(critic)
    assert loss.generator(REAL, FAKE).item() == pytest.approx(generator)


def test_the_relativistic_loss_judges_pairs() -> None:
    loss = LOSSES["relativistic"]
    pairs = [torch.log(1 + torch.exp(f - r)) for r, f in zip(REAL, FAKE, strict=True)]
    torch.testing.assert_close(loss.critic(REAL, FAKE), torch.stack(pairs).mean())
    torch.testing.assert_close(loss.generator(REAL, FAKE), loss.critic(FAKE, REAL))
    assert loss.paired


@pytest.mark.parametrize("name", list(LOSSES))
def test_a_generator_wants_higher_values_and_a_critic_lower_ones_for_fakes(name: str) -> None:
    loss = LOSSES[name]  # type: ignore[index]
    fake = torch.tensor([-0.5, 0.2, 0.4], requires_grad=True)
    (up,) = torch.autograd.grad(loss.generator(REAL, fake), fake)
    (down,) = torch.autograd.grad(loss.critic(REAL, fake), fake)
    assert (up < 0).all()
    least = fake.detach() if name == "least-squares" else torch.ones(3)
    assert (down * least > 0).all()


class Linear(nn.Module):
    """The critic ``x . w``, whose gradient is w everywhere, and its square."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([[[3.0, 0.0], [0.0, -4.0]]]))

    def forward(self, x: Tensor) -> Tensor:
        return (x * self.w).sum((1, 2, 3))


def test_penalties_of_a_linear_critic() -> None:
    critic, images = Linear(), torch.randn(5, 1, 2, 2)
    mix = torch.rand(5, 1, 1, 1)
    slope = unit_slope(critic, images, images.flip(0), mix)
    assert slope.item() == pytest.approx(16)  # |w| = 5
    (by_w,) = torch.autograd.grad(slope, critic.w)
    torch.testing.assert_close(by_w, 2 * 4 * critic.w.detach() / 5)
    flat = flatness(critic, images)
    assert flat.item() == pytest.approx(12.5)
    (by_w,) = torch.autograd.grad(flat, critic.w)
    torch.testing.assert_close(by_w, critic.w.detach())


def test_the_gradient_penalty_looks_between_the_pair() -> None:
    """Of the critic ``|x|**2`` the gradient is 2x."""
    real, fake = torch.full((2, 1, 1, 1), 3.0), torch.full((2, 1, 1, 1), -1.0)
    mix = torch.tensor([0.25, 1.0]).view(2, 1, 1, 1)
    slope = unit_slope(lambda x: x.square().sum((1, 2, 3)), real, fake, mix)
    assert slope.item() == pytest.approx(((0 - 1) ** 2 + (6 - 1) ** 2) / 2)
    flat = flatness(lambda x: x.square().sum((1, 2, 3)), torch.cat([real, fake]))
    assert flat.item() == pytest.approx((36 + 4) / 2 / 2)


def test_clipping() -> None:
    critic = Linear()
    clip_(critic, 0.01)
    assert critic.w.flatten().tolist() == pytest.approx([0.01, 0, 0, -0.01])
