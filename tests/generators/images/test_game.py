"""A step of the game against a plain re-statement of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from synthgen.generators.images.augmentation.ada import ADA
from synthgen.generators.images.augmentation.diffaugment import DiffAugment
from synthgen.generators.images.game import Game
from synthgen.generators.images.losses import LOSSES
from synthgen.generators.images.networks.build import build_critic, build_generator
from synthgen.generators.images.networks.shape import ImageShape
from synthgen.training.randomness import initialisation

SHAPE, CLASSES, LATENT, BATCH, LR = ImageShape(1, 8, 8), 3, 5, 6, 0.1


class Repeated:
    """The same images and classes whatever is asked, for which a plain sum can be written down."""

    def __init__(self) -> None:
        random = torch.Generator().manual_seed(3)
        self.images = torch.rand(BATCH, 1, 8, 8, generator=random) * 2 - 1
        self.classes = torch.tensor([0, 1, 2, 0, 1, 2])

    def real(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        return self.images[:n], self.classes[:n]

    def labels(self, n: int, random: torch.Generator) -> Tensor:
        return self.classes.flip(0)[:n]


def game(**changes: Any) -> Game:
    told_generator = changes.pop("told_generator", "concatenation")
    told_critic = changes.pop("told_critic", "none")
    norm = changes.pop("norm", "none")
    network = changes.pop("network", "dcgan")
    # Initial weights of DCGAN are so small that all gradients are nearly 0.
    scale = {"r3gan": 1, "mlp": 2}.get(network, 20)
    with initialisation(1):
        generator = build_generator(network, SHAPE, CLASSES, LATENT, 2, told_generator)
        critic = build_critic(network, SHAPE, CLASSES, 2, told_critic, norm)
    for module in (generator, critic):
        for parameter in module.parameters():
            parameter.data *= scale
    given: dict[str, Any] = {
        "generator": generator,
        "critic": critic,
        "generator_adam": torch.optim.SGD(generator.parameters(), LR),
        "critic_adam": torch.optim.SGD(critic.parameters(), LR),
        "batches": Repeated(),
        "loss": LOSSES[changes.pop("loss", "non-saturating")],
        "penalty": "none",
        "penalty_weight": 2.0,
        "penalty_every": 1,
        "auxiliary_weight": 0.7,
        "augmentation": None,
        "latent_dim": LATENT,
        "batch": BATCH,
        "parts": 1,
        "critic_steps": 1,
        "apart": norm == "batch",
    }
    return Game(**given | changes)


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weights(module: torch.nn.Module) -> list[Tensor]:
    return [p.detach().clone() for p in module.parameters()]


CASES: list[dict[str, Any]] = [
    {},
    {"loss": "minimax", "told_critic": "concatenation"},
    {"loss": "least-squares", "told_critic": "projection", "norm": "batch"},
    {"loss": "hinge", "told_critic": "projection", "network": "resnet"},
    {"loss": "wasserstein", "penalty": "gradient-penalty"},
    {"loss": "relativistic", "penalty": "r1-r2", "network": "r3gan"},
    {"loss": "relativistic", "penalty": "r1", "told_critic": "auxiliary"},
    {"loss": "non-saturating", "told_critic": "auxiliary", "network": "mlp"},
]


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: "-".join(map(str, case.values())) or "plain"
)
def test_a_step_descends_both_losses(case: dict[str, Any]) -> None:
    played = game(**case)
    apart = played.apart
    with initialisation(0):
        other = game(**case)  # the same weights, for the plain statement
    draws = random(7)
    z = torch.randn(BATCH, LATENT, generator=draws)
    mix = torch.rand(BATCH, 1, 1, 1, generator=draws)
    real, labels = other.batches.real(BATCH, draws)
    fake_labels = other.batches.labels(BATCH, draws)
    critic, generator, loss = other.critic, other.generator, other.loss

    def both(x: Tensor, y: Tensor) -> Any:
        if apart:
            return critic(x, labels), critic(y, fake_labels)
        judged = critic(torch.cat([x, y]), torch.cat([labels, fake_labels]))
        parts = [None if p is None else p.split(BATCH) for p in judged]
        return [type(judged)(parts[0][k], parts[1] and parts[1][k]) for k in range(2)]

    fake = generator(z, fake_labels)
    at_real, at_fake = both(real, fake.detach())
    total = loss.critic(at_real.values, at_fake.values)
    if at_real.classes is not None:
        total = total + 0.7 * cross_entropy(at_real.classes, labels)
        total = total + 0.7 * cross_entropy(at_fake.classes, fake_labels)
    if other.penalty == "gradient-penalty":
        x = (mix * real + (1 - mix) * fake.detach()).requires_grad_()
        (slope,) = torch.autograd.grad(critic(x, labels).values.sum(), x, create_graph=True)
        total = total + 2.0 * (slope.flatten(1).norm(dim=1) - 1).square().mean()
    if other.penalty in ("r1", "r1-r2"):
        pairs = [(real, labels), (fake.detach(), fake_labels)][: 1 + (other.penalty == "r1-r2")]
        for images, classes in pairs:
            x = images.clone().requires_grad_()
            (slope,) = torch.autograd.grad(critic(x, classes).values.sum(), x, create_graph=True)
            total = total + slope.square().flatten(1).sum(1).mean()  # 2 * 1/2
    other.critic_adam.zero_grad()
    total.backward()
    other.critic_adam.step()

    judged = critic(fake, fake_labels)
    ahead = critic(real, labels).values.detach() if loss.paired else judged.values
    total = loss.generator(ahead, judged.values)
    if judged.classes is not None:
        total = total + 0.7 * cross_entropy(judged.classes, fake_labels)
    other.generator_adam.zero_grad()
    total.backward()
    other.generator_adam.step()

    before = weights(played.generator), weights(played.critic)
    said = played.step(1, random(7))
    for module, wanted, old in zip(
        (played.generator, played.critic), (generator, critic), before, strict=True
    ):
        assert any((a - b).abs().max() > 1e-4 for a, b in zip(weights(module), old, strict=True))
        for a, b in zip(module.parameters(), wanted.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-5)
    assert all(value.dim() == 0 and value.isfinite() for value in said.values())


def test_parts_of_a_batch_add_up_to_it() -> None:
    whole, parts = game(told_critic="projection"), game(told_critic="projection", parts=2)
    # Both halves of the batch are alike, and so is the noise.
    for each in (whole, parts):
        each.batches.images = each.batches.images[:3].repeat(2, 1, 1, 1)  # type: ignore[attr-defined]
        each.batches.classes = torch.tensor([0, 1, 2, 0, 1, 2])  # type: ignore[attr-defined]
        each.batches.labels = lambda n, _: torch.tensor([2, 1, 0, 2, 1, 0])[:n]  # type: ignore[method-assign]
        each.generator.eval()
    noise = torch.randn(3, LATENT, generator=random())
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(torch, "randn", lambda n, *_, **__: noise.repeat(n // 3, 1))
        whole.step(1, random())
        parts.step(1, random())
    for name in ("critic", "generator"):
        pairs = zip(weights(getattr(whole, name)), weights(getattr(parts, name)), strict=True)
        for a, b in pairs:
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_lazy_penalties_are_due_now_and_then() -> None:
    lazy = game(loss="wasserstein", penalty="r1", penalty_every=4)
    said = [lazy.step(number, random(number)) for number in range(1, 9)]
    assert ["penalty" in losses for losses in said] == [False, False, False, True] * 2
    assert all(losses["penalty"] > 0 for losses in said[3::4])


def test_clipped_weights_stay_in_bounds() -> None:
    clipped = game(loss="wasserstein", penalty="clip", penalty_weight=0.05)
    clipped.step(1, random())
    assert max(p.abs().max() for p in clipped.critic.parameters()) <= 0.05


def test_several_critic_steps_for_one_of_the_generator() -> None:
    calls: list[str] = []
    several = game(critic_steps=3)
    for name in ("critic_adam", "generator_adam"):
        step = getattr(several, name).step
        getattr(several, name).step = lambda *_, n=name, s=step: (calls.append(n), s())
    several.step(1, random())
    assert calls == ["critic_adam"] * 3 + ["generator_adam"]


@pytest.mark.parametrize("augmentation", [DiffAugment(), ADA()])
def test_augmentation_reaches_both_players(augmentation: Any) -> None:
    if isinstance(augmentation, ADA):
        augmentation.probability.fill_(0.9)
    plain, augmented = game(), game(augmentation=augmentation)
    for each in (plain, augmented):
        each.step(1, random())
    for name in ("critic", "generator"):
        pairs = zip(weights(getattr(plain, name)), weights(getattr(augmented, name)), strict=True)
        assert any(not torch.allclose(a, b) for a, b in pairs)
    if isinstance(augmentation, ADA):
        assert augmentation.probability.item() != pytest.approx(0.9, abs=1e-9)


def test_nothing_of_the_critic_is_left_frozen_and_none_of_its_gradients_are_the_generators() -> (
    None
):
    each = game()
    each.step(1, random())
    assert all(p.requires_grad for p in each.critic.parameters())
    kept = [p.grad.clone() for p in each.critic.parameters() if p.grad is not None]
    each._generator_step([each._fake(random(), learn=True)], random())
    for parameter, gradient in zip(each.critic.parameters(), kept, strict=True):
        assert parameter.grad is not None
        assert torch.equal(parameter.grad, gradient)


def test_planes_say_the_class() -> None:
    from synthgen.generators.images.networks.conditioning import Planes

    planes = Planes(1, 3, "concatenation")
    images, labels = torch.zeros(4, 1, 2, 2), torch.tensor([2, 0, 1, 2])
    seen = planes(images, labels)
    assert seen.shape == (4, 4, 2, 2)
    assert torch.equal(seen[:, 1:, 1, 0], one_hot(labels, 3).float())
