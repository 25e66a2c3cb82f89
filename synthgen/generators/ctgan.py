"""CTGAN, tuned: a conditional GAN for tables after Xu et al. 2019 (arXiv 1907.00503).

The networks are the paper's; what is played for is not. Numeric columns are quantiles instead of
Gaussian modes; the critic judges single rows, without dropout, by the relativistic loss with
penalties on both kinds of rows (:mod:`~synthgen.generators.relativistic`); fake rows hold one code
per column, as real ones do; averaged weights sample, and their marginals are calibrated
(:mod:`~synthgen.generators.ctgan_calibration`). ``ctgan-paper`` is the original. What each change
gains is in docs/log.md.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from synthgen.data.table import Columnar
from synthgen.encoding import MAX_CODES, Encoder, Wide, fit_encoder
from synthgen.generators.base import Generator
from synthgen.generators.ctgan_activation import Activated, Activation
from synthgen.generators.ctgan_calibration import Calibration
from synthgen.generators.ctgan_conditions import Conditions, TrainingBatches
from synthgen.generators.ctgan_critic import Critic
from synthgen.generators.ctgan_generator import ConditionalGenerator, Pass
from synthgen.generators.ctgan_sampler import CTGANSampler, SamplerParts
from synthgen.generators.relativistic import critic_step, generator_step
from synthgen.generators.tabular_batches import check_rows, gumbel_noise, to_device
from synthgen.generators.tabular_files import fingerprint, read_model
from synthgen.generators.tabular_training import train_network
from synthgen.generators.tabular_validation import Validation, hold_out
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.parallel import ALONE, Ranks, descend
from synthgen.training.randomness import derive, initialisation, stream


class CTGAN(Generator):
    """Hyper-parameters. The defaults are the recipe of docs/log.md."""

    parallel: ClassVar[bool] = True

    name: Literal["ctgan"] = "ctgan"
    embedding_dim: int = Field(default=128, ge=1)
    """Size of the generator's noise input."""
    generator_dim: tuple[PositiveInt, ...] = (256, 256)
    """Sizes of the generator's residual layers."""
    discriminator_dim: tuple[PositiveInt, ...] = Field(default=(256, 256), min_length=1)
    """Sizes of the critic's hidden layers."""
    generator_lr: float = Field(default=5e-4, gt=0)
    """Learning rate of the generator's Adam (betas 0 and 0.99)."""
    discriminator_lr: float = Field(default=5e-4, gt=0)
    """Learning rate of the critic's Adam (betas 0 and 0.99)."""
    batch_size: int = Field(default=500, ge=2)
    """Rows per step. A table with fewer rows gets smaller batches."""
    gradient_penalty: float = Field(default=0.3, ge=0)
    """Weight of the penalties on the critic's gradient at real and at fake rows (R1 and R2)."""
    temperature: float = Field(default=0.2, gt=0)
    """Of the Gumbel-softmax through which gradients pass while training."""
    epochs: int = Field(default=300, ge=1)
    """Passes over the training rows, in number of batches."""
    numeric: Literal["modes", "quantiles"] = "quantiles"
    """Encoding of numeric columns: quantiles, or the paper's mode-specific normalisation."""
    max_codes: int = Field(default=MAX_CODES, ge=2)
    """Codes at most of a discrete column other than the target. Of more values the most frequent
    have codes of their own, up to half of them; the others share the rest."""
    ema: float | None = Field(default=0.999, gt=0, lt=1)
    """Decay of an exponential moving average of the generator's weights, which is then what
    samples; None: the weights themselves, which swing with the game."""
    calibrate: bool = True
    """Bring the marginals of the trained generator to those of the training rows."""
    validation: Validation | None = None
    """Score the generator by held-out training rows, to stop early or to keep the best weights."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds after which training ends (encoding the table does not count). How far it comes in
    that time depends on the machine: once the limit cuts a training short, the same seed no
    longer gives the same bytes."""

    def fit(self, train: Columnar, context: Context) -> CTGANSampler:
        """Train on these rows only. Raises :class:`~synthgen.errors.TrainingError`."""
        seed, device = context.seed, context.device
        check_rows(train)
        encoder = fit_encoder(
            train, numeric=self.numeric, seed=derive(seed, "encoder"), max_codes=self.max_codes
        )
        fitted, held_out = hold_out(train, self.validation, derive(seed, "validation"))
        data = to_device(encoder.encode(fitted), device)
        spans = encoder.spans
        wide = Wide.of(spans, device)
        told = encoder.target_span
        conditions = Conditions.of(spans, wide, told)
        batches = TrainingBatches.of(data, wide, conditions, log=False)
        activation = Activation.straight_through(
            spans, wide, self.temperature, masked=self.numeric == "quantiles"
        )
        ranks = context.ranks
        # Batch normalisation needs two rows, and every process as many.
        batch = max(2, min(self.batch_size, len(data)) // ranks.size) * ranks.size
        part = ranks.part(batch)

        with initialisation(derive(seed, "weights")):
            generator = self._generator(encoder, ranks).to(device)
            critic = Critic(wide.width, len(conditions or ()), self.discriminator_dim, 1).to(device)
        generator_adam = _adam(generator, self.generator_lr)
        critic_adam = _adam(critic, self.discriminator_lr)
        ema = Ema(generator, self.ema) if self.ema is not None else None
        network = ema.module if ema else generator
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
            traced, fake, condition = generate(random)
            real, real_condition = batches.real(batch, condition, random, part)
            loss_critic, penalty = critic_step(
                critic, real, fake.rows, real_condition, traced.condition, self.gradient_penalty
            )
            descend(critic_adam, ranks)
            traced, fake, _ = generate(random)
            loss, by_rows = generator_step(
                critic, real, fake.rows, real_condition, traced.condition
            )
            by_raw = activation.by_raw(fake, by_rows)
            if conditions and traced.condition is not None:
                loss = loss + conditions.cross_entropy(
                    traced.raw[:, wide.scalars :], traced.condition, by_raw[:, wide.scalars :]
                )
            generator.set_gradients(traced, by_raw)
            descend(generator_adam, ranks)
            if ema:
                ema.update(number)
            return {"loss_generator": loss, "loss_critic": loss_critic, "gradient_penalty": penalty}

        def sampler() -> CTGANSampler:
            fitted = CTGANSampler(self, encoder, told, deepcopy(network).cpu().eval())
            if not self.calibrate:
                return fitted
            uniform = self.numeric == "quantiles"
            return fitted.calibrated(derive(seed, "calibration"), scalars=uniform)

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
        config, encoder, parts = read_model(path, CTGAN, CTGAN._parts)
        return CTGANSampler(
            config, encoder, encoder.target_span, parts.generator, parts.calibration
        )

    def _parts(self, encoder: Encoder) -> SamplerParts:
        calibration = Calibration(encoder.spans) if self.calibrate else None
        return SamplerParts(self._generator(encoder), calibration)

    def _generator(self, encoder: Encoder, ranks: Ranks = ALONE) -> ConditionalGenerator:
        return ConditionalGenerator.of(
            encoder.spans, encoder.target_span, self.embedding_dim, self.generator_dim, ranks
        )


def _adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=lr, betas=(0.0, 0.99), fused=True)
