"""CTGAN as its paper has it: a conditional GAN for tables (Xu et al. 2019, arXiv 1907.00503).

A residual generator and a PacGAN critic play a Wasserstein game with gradient penalty
(Gulrajani et al. 2017). Training-by-sampling shows rare categories as often as their
log-frequency, and a cross-entropy term makes the generator obey the condition it is given.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import ClassVar, Literal, Self

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from synthgen.data.table import Columnar
from synthgen.encoding import MAX_CODES, Encoder, Wide, fit_encoder
from synthgen.generators.base import Generator
from synthgen.generators.ctgan_activation import Activated, Activation
from synthgen.generators.ctgan_conditions import Conditions, TrainingBatches
from synthgen.generators.ctgan_critic import Critic
from synthgen.generators.ctgan_generator import ConditionalGenerator, Pass
from synthgen.generators.ctgan_sampler import CTGANSampler, SamplerParts
from synthgen.generators.tabular_batches import (
    check_rows,
    gumbel_noise,
    to_device,
)
from synthgen.generators.tabular_files import fingerprint, read_model
from synthgen.generators.tabular_training import train_network
from synthgen.generators.tabular_validation import Validation, hold_out
from synthgen.generators.wasserstein import critic_step, generator_step
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.parallel import ALONE, Ranks, descend
from synthgen.training.randomness import derive, initialisation, stream


class CTGANPaper(Generator):
    """Hyper-parameters, with the defaults of the ``ctgan`` package (the paper's, but one critic
    step for each generator step)."""

    parallel: ClassVar[bool] = True

    name: Literal["ctgan-paper"] = "ctgan-paper"
    embedding_dim: int = Field(default=128, ge=1)
    """Size of the generator's noise input."""
    generator_dim: tuple[PositiveInt, ...] = (256, 256)
    """Sizes of the generator's residual layers."""
    discriminator_dim: tuple[PositiveInt, ...] = Field(default=(256, 256), min_length=1)
    """Sizes of the critic's hidden layers."""
    generator_lr: float = Field(default=2e-4, gt=0)
    """Learning rate of the generator's Adam (betas 0.5 and 0.9)."""
    generator_weight_decay: float = Field(default=1e-6, ge=0)
    """L2 penalty of the generator's Adam."""
    discriminator_lr: float = Field(default=2e-4, gt=0)
    """Learning rate of the critic's Adam (betas 0.5 and 0.9)."""
    discriminator_weight_decay: float = Field(default=1e-6, ge=0)
    """L2 penalty of the critic's Adam."""
    batch_size: int = Field(default=500, ge=2)
    """Rows per step, a multiple of ``pac``. A table with fewer rows gets smaller batches."""
    pac: int = Field(default=10, ge=1)
    """Rows that the critic judges at once, against mode collapse."""
    discriminator_steps: int = Field(default=1, ge=1)
    """Critic updates for each generator update."""
    gradient_penalty: float = Field(default=10.0, ge=0)
    """Weight of the critic's gradient penalty."""
    temperature: float = Field(default=0.2, gt=0)
    """Of the Gumbel-softmax that stands for drawing categories while training."""
    log_frequency: bool = True
    """Training conditions follow the logarithm of the categories' frequency, so that rare ones
    are seen; False: the frequency itself. Unconditional samples follow the frequency always."""
    epochs: int = Field(default=300, ge=1)
    """Passes over the training rows, in number of batches."""
    numeric: Literal["modes", "quantiles"] = "modes"
    """Encoding of numeric columns: the paper's mode-specific normalisation, or quantiles."""
    max_codes: int = Field(default=MAX_CODES, ge=2)
    """Codes at most of a discrete column other than the target. Of more values the most frequent
    have codes of their own, up to half of them; the others share the rest."""
    ema: float | None = Field(default=None, gt=0, lt=1)
    """Decay of an exponential moving average of the generator's weights, which is then what
    samples; None, as in the paper: the weights themselves, which swing with the game."""
    validation: Validation | None = None
    """Score the generator by held-out training rows, to stop early or to keep the best weights."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds after which training ends (encoding the table does not count). How far it comes in
    that time depends on the machine: once the limit cuts a training short, the same seed no
    longer gives the same bytes."""

    @model_validator(mode="after")
    def _whole_packs(self) -> Self:
        if self.batch_size % self.pac:
            raise ValueError(f"batch_size {self.batch_size} is not a multiple of pac {self.pac}")
        return self

    def fit(self, train: Columnar, context: Context) -> CTGANSampler:
        """Train on these rows only. Raises :class:`~synthgen.errors.TrainingError`."""
        seed, device = context.seed, context.device
        check_rows(train)
        encoder = fit_encoder(
            train, numeric=self.numeric, seed=derive(seed, "encoder"), max_codes=self.max_codes
        )
        fitted, held_out = hold_out(train, self.validation, derive(seed, "validation"))
        data = to_device(encoder.encode(fitted), device)
        wide = Wide.of(encoder.spans, device)
        activation = Activation(wide, self.temperature)
        told = encoder.discrete_spans
        conditions = Conditions.of(encoder.spans, wide, told)
        batches = TrainingBatches.of(data, wide, conditions, log=self.log_frequency)
        ranks = context.ranks
        packs = max(1, min(self.batch_size, len(data)) // self.pac // ranks.size)
        # Batch normalisation needs two rows, and every process as many.
        packs = max(packs, -(-2 // self.pac)) * ranks.size
        batch = packs * self.pac
        part, own_packs = ranks.part(batch), ranks.part(packs)

        with initialisation(derive(seed, "weights")):
            generator = self._generator(encoder, ranks).to(device)
            critic = Critic(wide.width, len(conditions or ()), self.discriminator_dim, self.pac).to(
                device
            )
        generator_adam = _adam(generator, self.generator_lr, self.generator_weight_decay)
        critic_adam = _adam(critic, self.discriminator_lr, self.discriminator_weight_decay)
        ema = Ema(generator, self.ema) if self.ema is not None else None
        draws = derive(seed, "steps")

        def generate(random: torch.Generator) -> tuple[Pass, Activated, Tensor | None]:
            """A pass through the generator, the fake rows it ends in, and the whole batch's
            conditions."""
            z = torch.randn(batch, self.embedding_dim, generator=random, device=device)
            condition = batches.conditions(batch, random)
            noise = gumbel_noise(wide.codes, batch, random)
            traced = generator.traced(z[part], None if condition is None else condition[part])
            return traced, activation.of(traced.raw, noise[:, part]), condition

        def step(number: int) -> dict[str, Tensor]:
            random = stream(draws, number, device)
            for _ in range(self.discriminator_steps):
                traced, fake, condition = generate(random)
                real, real_condition = batches.real(batch, condition, random, part)
                mix = torch.rand(packs, 1, generator=random, device=device)[own_packs]
                masks = critic.masks(packs, random, own_packs, times=3)
                distance, penalty = critic_step(
                    critic, real, fake.rows, real_condition, traced.condition, mix, masks,
                    self.gradient_penalty,
                )  # fmt: skip
                descend(critic_adam, ranks)
            traced, fake, _ = generate(random)
            masks = critic.masks(packs, random, own_packs)
            loss, by_rows = generator_step(critic, fake.rows, traced.condition, masks)
            by_raw = activation.by_raw(fake, by_rows)
            if conditions and traced.condition is not None:
                loss = loss + conditions.cross_entropy(
                    traced.raw[:, wide.scalars :], traced.condition, by_raw[:, wide.scalars :]
                )
            generator.set_gradients(traced, by_raw)
            descend(generator_adam, ranks)
            if ema:
                ema.update(number)
            return {"loss_generator": loss, "loss_critic": distance, "gradient_penalty": penalty}

        network = ema.module if ema else generator

        def sampler() -> CTGANSampler:
            return CTGANSampler(self, encoder, told, deepcopy(network).cpu().eval())

        parts: dict[str, Stateful] = {
            "generator": generator,
            "critic": critic,
            "generator_adam": generator_adam,
            "critic_adam": critic_adam,
        }
        if ema:
            parts["ema"] = ema
        return train_network(
            step,
            parts=parts,
            network=network,
            sampler=sampler,
            generator=self,
            steps_per_epoch=max(1, len(data) // batch),
            held_out=held_out,
            fingerprint=fingerprint(self, encoder, data, seed),
            context=context,
        )

    def load(self, path: Path) -> CTGANSampler:
        """Read what :meth:`CTGANSampler.save` wrote; its hyper-parameters are the file's own.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole CTGAN model.
        """
        config, encoder, parts = read_model(path, CTGANPaper, CTGANPaper._parts)
        return CTGANSampler(config, encoder, encoder.discrete_spans, parts.generator)

    def _parts(self, encoder: Encoder) -> SamplerParts:
        return SamplerParts(self._generator(encoder), None)

    def _generator(self, encoder: Encoder, ranks: Ranks = ALONE) -> ConditionalGenerator:
        return ConditionalGenerator.of(
            encoder.spans, encoder.discrete_spans, self.embedding_dim, self.generator_dim, ranks
        )


def _adam(network: nn.Module, lr: float, weight_decay: float) -> torch.optim.Adam:
    return torch.optim.Adam(
        network.parameters(), lr=lr, betas=(0.5, 0.9), weight_decay=weight_decay, fused=True
    )
