"""One step of the game between a generator and a critic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from synthgen.generators.images.augmentation.ada import ADA
from synthgen.generators.images.augmentation.diffaugment import DiffAugment
from synthgen.generators.images.losses import Adversarial
from synthgen.generators.images.networks.conditioning import Judged
from synthgen.generators.images.penalties import PenaltyName
from synthgen.generators.images.penalties.clip import clip_
from synthgen.generators.images.penalties.gradient import flatness, unit_slope

Augmentation = ADA | DiffAugment | None
STEEP: tuple[PenaltyName, ...] = ("gradient-penalty", "r1", "r1-r2")
"""Penalties that are part of the loss."""


class Batches(Protocol):
    """Where a step gets real images and the classes of fake ones from."""

    def real(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Images (n, channels, height, width) in [-1, 1] and their classes (n,)."""
        ...

    def labels(self, n: int, random: torch.Generator) -> Tensor:
        """Classes (n,) as often as the training images have them."""
        ...


@dataclass(frozen=True)
class Game:
    """The players and the rules. Nothing in a step waits for the device."""

    generator: nn.Module
    critic: nn.Module
    generator_adam: torch.optim.Optimizer
    critic_adam: torch.optim.Optimizer
    batches: Batches
    loss: Adversarial
    penalty: PenaltyName
    penalty_weight: float
    penalty_every: int
    """A penalty is due in every so many steps, with so many times the weight (Karras et al. 2020,
    arXiv 1912.04958, section 3.1)."""
    auxiliary_weight: float
    augmentation: Augmentation
    latent_dim: int
    batch: int
    parts: int
    """A batch goes through the networks in so many parts, where memory is short."""
    critic_steps: int
    apart: bool
    """Real and fake images go through the critic apart, for its normalisation tells batches."""

    def step(self, number: int, random: torch.Generator) -> dict[str, Tensor]:
        """The critic's steps, then the generator's. ``number`` counts from 1."""
        said: dict[str, Tensor] = {}
        for k in range(self.critic_steps):
            due = number % self.penalty_every == 0
            kept = k == self.critic_steps - 1 and self.parts == 1
            fakes = [self._fake(random, learn=kept) for _ in range(self.parts)]
            said = self._critic_step(fakes, random, due=due)
        if self.parts > 1:
            fakes = [self._fake(random, learn=False) for _ in range(self.parts)]
        return said | self._generator_step(fakes, random)

    @torch.no_grad()
    def critique(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """The critic's values (n,) of real images, and of as many fake ones, as they are."""
        real, labels = self.batches.real(n, random)
        z = torch.randn(n, self.latent_dim, generator=random, device=random.device)
        fake_labels = self.batches.labels(n, random)
        values = []
        for network in (self.generator, self.critic):
            network.eval()
        for k in range(0, n, self.batch):
            part = slice(k, k + self.batch)
            fake = self.generator(z[part], fake_labels[part])
            values.append(
                [
                    self.critic(images, classes).values
                    for images, classes in ((real[part], labels[part]), (fake, fake_labels[part]))
                ]
            )
        for network in (self.generator, self.critic):
            network.train()
        at_real, at_fake = zip(*values, strict=True)
        return torch.cat(at_real), torch.cat(at_fake)

    def _fake(self, random: torch.Generator, *, learn: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Noise, classes, and the images made of them."""
        n, device = self.batch // self.parts, random.device
        z = torch.randn(n, self.latent_dim, generator=random, device=device)
        labels = self.batches.labels(n, random)
        with torch.set_grad_enabled(learn), self._fast(device):
            return z, labels, self.generator(z, labels)

    def _critic_step(
        self,
        fakes: list[tuple[Tensor, Tensor, Tensor]],
        random: torch.Generator,
        *,
        due: bool,
    ) -> dict[str, Tensor]:
        self.critic_adam.zero_grad()
        losses, penalties, values = [], [], []
        for _, fake_labels, fake in fakes:
            real, labels = self.batches.real(len(fake), random)
            real, fake = self._seen(real, random), self._seen(fake.detach(), random)
            with self._fast(random.device):
                judged, judged_fake = self._judged(real, labels, fake, fake_labels)
                loss = self.loss.critic(judged.values, judged_fake.values)
                if judged.classes is not None and judged_fake.classes is not None:
                    told = cross_entropy(judged.classes, labels)
                    told = told + cross_entropy(judged_fake.classes, fake_labels)
                    loss = loss + self.auxiliary_weight * told
            losses.append(loss.detach())
            if due and self.penalty in STEEP:
                penalty = self._penalty(real, labels, fake, fake_labels, random)
                penalties.append(penalty.detach())
                loss = loss + self.penalty_weight * self.penalty_every * penalty
            (loss / self.parts).backward()  # type: ignore[no-untyped-call]
            values.append(judged.values.detach())
        self.critic_adam.step()
        if self.penalty == "clip":
            clip_(self.critic, self.penalty_weight)
        if isinstance(self.augmentation, ADA):
            self.augmentation.adapt(torch.cat(values))
        said = {"loss_critic": torch.stack(losses).mean()}
        if penalties:
            said["penalty"] = torch.stack(penalties).mean()
        return said

    def _generator_step(
        self, fakes: list[tuple[Tensor, Tensor, Tensor]], random: torch.Generator
    ) -> dict[str, Tensor]:
        self.generator_adam.zero_grad()
        # What this saves is a third of the critic's way back.
        learned = [p for group in self.critic_adam.param_groups for p in group["params"]]
        for parameter in learned:
            parameter.requires_grad_(False)
        losses = []
        for z, labels, made in fakes:
            with self._fast(random.device):
                fake = made if made.requires_grad else self.generator(z, labels)
                judged = self.critic(self._seen(fake, random), labels)
                values = judged.values.new_zeros(())
                if self.loss.paired:
                    with torch.no_grad():
                        real, real_labels = self.batches.real(len(fake), random)
                        values = self.critic(self._seen(real, random), real_labels).values
                loss = self.loss.generator(values, judged.values)
                if judged.classes is not None:
                    loss = loss + self.auxiliary_weight * cross_entropy(judged.classes, labels)
            (loss / self.parts).backward()  # type: ignore[no-untyped-call]
            losses.append(loss.detach())
        for parameter in learned:
            parameter.requires_grad_(True)
        self.generator_adam.step()
        return {"loss_generator": torch.stack(losses).mean()}

    def _judged(
        self, real: Tensor, labels: Tensor, fake: Tensor, fake_labels: Tensor
    ) -> tuple[Judged, Judged]:
        if self.apart:
            return self.critic(real, labels), self.critic(fake, fake_labels)
        n = len(real)
        values, classes = self.critic(torch.cat([real, fake]), torch.cat([labels, fake_labels]))
        if classes is None:
            return Judged(values[:n], None), Judged(values[n:], None)
        return Judged(values[:n], classes[:n]), Judged(values[n:], classes[n:])

    def _penalty(
        self,
        real: Tensor,
        labels: Tensor,
        fake: Tensor,
        fake_labels: Tensor,
        random: torch.Generator,
    ) -> Tensor:
        """In full precision: it is a gradient's gradient."""
        if self.penalty == "gradient-penalty":
            mix = torch.rand(len(real), 1, 1, 1, generator=random, device=random.device)
            return unit_slope(lambda x: self.critic(x, labels).values, real, fake, mix)
        at_real = flatness(lambda x: self.critic(x, labels).values, real)
        if self.penalty == "r1":
            return at_real
        return at_real + flatness(lambda x: self.critic(x, fake_labels).values, fake)

    def _seen(self, images: Tensor, random: torch.Generator) -> Tensor:
        return images if self.augmentation is None else self.augmentation(images, random)

    def _fast(self, device: torch.device) -> torch.autocast:
        return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")
