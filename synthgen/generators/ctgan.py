"""CTGAN: a conditional GAN for tables (Xu et al. 2019, arXiv 1907.00503).

A residual generator and a PacGAN critic play a Wasserstein game with gradient penalty
(Gulrajani et al. 2017). Training-by-sampling shows rare categories as often as their
log-frequency, and a cross-entropy term makes the generator obey the condition it is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

import torch
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor, nn

from synthgen.data.table import Columnar, Table
from synthgen.encoding import MAX_CODES, Encoded, Encoder, fit_encoder
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import draw_until, resolve
from synthgen.generators.ctgan_conditions import Conditions, ConditionSampler, TrainingBatches
from synthgen.generators.ctgan_networks import ConditionalGenerator, Critic
from synthgen.generators.tabular_batches import (
    Wide,
    check_rows,
    gumbel_noise,
    to_device,
    unseen_codes,
)
from synthgen.generators.tabular_files import fingerprint, read_model, write_model
from synthgen.generators.tabular_validation import Validation, Watch, hold_out
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.loop import loop
from synthgen.training.randomness import derive, draw_seed, draw_stream, initialisation, stream

TRIES = 20
"""Draws at most for a sample with conditions."""
CHUNK_ENTRIES = 2**21
"""Rows are sampled in chunks of about so many entries of the widest layer: 8 MiB."""


class CTGAN(Generator):
    """Hyper-parameters, with the defaults of the ``ctgan`` package (the paper's, but one critic
    step for each generator step), save for the average of the weights, which that lacks."""

    name: Literal["ctgan"] = "ctgan"
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
    ema: float | None = Field(default=0.999, gt=0, lt=1)
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
        conditions = Conditions.of(encoder.spans, wide.layout)
        batches = TrainingBatches.of(data, wide, conditions, log=self.log_frequency)
        packs = max(1, min(self.batch_size, len(data)) // self.pac)
        batch = max(2, packs * self.pac)  # batch normalisation needs two rows
        packs = batch // self.pac

        with initialisation(derive(seed, "weights")):
            generator = self._generator(encoder).to(device)
            critic = Critic(wide.width, len(conditions or ()), self.discriminator_dim, self.pac).to(
                device
            )
        generator_adam = _adam(generator, self.generator_lr, self.generator_weight_decay)
        critic_adam = _adam(critic, self.discriminator_lr, self.discriminator_weight_decay)
        ema = Ema(generator, self.ema) if self.ema is not None else None
        draws = derive(seed, "steps")

        def generate(random: torch.Generator) -> tuple[Tensor, Tensor, Tensor | None]:
            """Fake rows, raw and activated, and the conditions they were given."""
            z = torch.randn(batch, self.embedding_dim, generator=random, device=device)
            condition = batches.conditions(batch, random)
            raw = generator(z, condition)
            noise = gumbel_noise(batch, wide.codes, random)
            return raw, wide.activate(raw, noise, self.temperature), condition

        def step(number: int) -> dict[str, Tensor]:
            random = stream(draws, number, device)
            for _ in range(self.discriminator_steps):
                with torch.no_grad():
                    _, fake, condition = generate(random)
                real, real_condition = batches.real(batch, condition, random)
                mix = torch.rand(packs, 1, generator=random, device=device)
                masks = critic.masks(3 * packs, random)
                distance, penalty = critic_losses(
                    critic, real, fake, real_condition, condition, mix, masks
                )
                update(critic_adam, distance + self.gradient_penalty * penalty)
            raw, fake, condition = generate(random)
            masks = critic.masks(packs, random)
            loss = generator_loss(critic, fake, condition, masks)
            if conditions and condition is not None:
                loss = loss + conditions.cross_entropy(raw[:, wide.scalars :], condition).mean()
            update(generator_adam, loss)
            if ema:
                ema.update(number)
            return {"loss_generator": loss, "loss_critic": distance, "gradient_penalty": penalty}

        network = ema.module if ema else generator

        def sampler() -> CTGANSampler:
            return CTGANSampler(self, encoder, deepcopy(network).cpu().eval())

        steps_per_epoch = max(1, len(data) // batch)
        steps = self.epochs * steps_per_epoch
        parts: dict[str, Stateful] = {
            "generator": generator,
            "critic": critic,
            "generator_adam": generator_adam,
            "critic_adam": critic_adam,
            **({"ema": ema} if ema else {}),
        }
        watch = None
        if self.validation and held_out:
            watch = Watch(self.validation, held_out, network, sampler, steps, context)
            parts["watch"] = watch
        loop(
            step,
            steps=steps,
            parts=parts,
            context=context,
            fingerprint=fingerprint(self, encoder, data, seed),
            steps_per_epoch=steps_per_epoch,
            examine=watch.examine if watch else None,
            examine_every=self.validation.every * steps_per_epoch if self.validation else 1,
            time_limit=self.time_limit,
        )
        if watch:
            watch.select()
        return sampler()

    def load(self, path: Path) -> CTGANSampler:
        """Read what :meth:`CTGANSampler.save` wrote; its hyper-parameters are the file's own.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole CTGAN model.
        """
        return CTGANSampler(*read_model(path, CTGAN, CTGAN._generator))

    def _generator(self, encoder: Encoder) -> ConditionalGenerator:
        conditions = sum(span.size for span in encoder.spans if span.discrete)
        width = sum(span.size + span.scalar for span in encoder.spans)
        return ConditionalGenerator(self.embedding_dim, conditions, self.generator_dim, width)


def critic_losses(
    critic: Critic,
    real: Tensor,
    fake: Tensor,
    real_condition: Tensor | None,
    fake_condition: Tensor | None,
    mix: Tensor,
    masks: Sequence[Tensor],
) -> tuple[Tensor, Tensor]:
    """The critic's estimate of minus the Wasserstein distance, which it minimises, and the
    gradient penalty (Gulrajani et al. 2017, equation 3) without its weight.

    ``real`` and ``fake`` (batch, width) without gradient; ``mix`` (packs, 1) in [0, 1] places
    each pack's interpolate; ``masks`` are dropout masks for real, fake and interpolated packs.
    """
    packs = len(mix)
    both_conditions = None
    if real_condition is not None and fake_condition is not None:
        both_conditions = torch.cat([real_condition, fake_condition])
    entered = critic.enter(torch.cat([real, fake]), both_conditions)
    scores = critic.score(entered, [mask[: 2 * packs] for mask in masks])
    distance = scores[packs:].mean() - scores[:packs].mean()
    # The first layer is linear: what enters for the interpolates is interpolated itself.
    between = entered[packs:].detach().lerp(entered[:packs].detach(), mix)
    gradient = critic.input_gradient(between, [mask[2 * packs :] for mask in masks])
    penalty = (torch.linalg.vector_norm(gradient, dim=1) - 1).square().mean()
    return distance, penalty


def generator_loss(
    critic: Critic, fake: Tensor, condition: Tensor | None, masks: Sequence[Tensor]
) -> Tensor:
    """The adversarial loss of fake rows; the cross-entropy of the conditions adds to it."""
    return -critic.score(critic.enter(fake, condition), masks).mean()


def _adam(network: nn.Module, lr: float, weight_decay: float) -> torch.optim.Adam:
    return torch.optim.Adam(
        network.parameters(), lr=lr, betas=(0.5, 0.9), weight_decay=weight_decay, fused=True
    )


def update(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step on this optimizer's parameters; those of the other network get no gradient."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    optimizer.zero_grad(set_to_none=True)
    loss.backward(inputs=parameters)  # type: ignore[no-untyped-call]
    optimizer.step()


@dataclass(frozen=True)
class CTGANSampler:
    """A trained generator. It samples on the CPU, whatever device trained it: the same seed
    gives the same rows before saving and after loading, on any machine of one kind."""

    config: CTGAN
    encoder: Encoder
    network: ConditionalGenerator

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`.

        Of several conditions, the generator is given the one that the fewest training rows meet;
        the others are met by rejection.
        """
        where = resolve(self.encoder.schema, where)
        rows, wanted = self._rarest(where)

        def draw(count: int, attempt: int) -> Table:
            own = draw_seed(seed, attempt)
            return self.encoder.decode(self.encoded(count, own, wanted), seed=own, where=where)

        # What no training row showed is never drawn: one draw says so.
        return draw_until(draw, n, where, tries=TRIES if rows else 1, seed=seed)

    @torch.inference_mode()
    def encoded(self, n: int, seed: int, wanted: int | None = None) -> Encoded:
        """``n`` rows under the condition number ``wanted``, or under conditions that follow the
        training rows' frequencies. Row i depends on the seed and on i alone.

        A row whose likeliest category is that of its condition has it; else the row disobeys,
        and its category is drawn like all others.
        """
        wide = Wide.of(self.encoder.spans)
        conditions = Conditions.of(self.encoder.spans, wide.layout)
        frequencies = self._frequencies() if conditions else None
        unseen = unseen_codes(self.encoder.counts)
        chunk = max(1, CHUNK_ENTRIES // sum(self.network.sizes))
        codes, scalars = [], []
        for number in range(max(1, -(-n // chunk))):
            random = draw_stream(seed, number)
            z = torch.randn(chunk, self.config.embedding_dim, generator=random)
            condition = None
            if frequencies:
                condition = frequencies.draw(chunk, random)
                if wanted is not None:
                    condition = torch.full_like(condition, wanted)
            raw = self.network(z, condition)
            logits = raw[:, wide.scalars :] + unseen
            drawn = wide.layout.argmax(logits + gumbel_noise(chunk, wide.codes, random))
            if conditions and condition is not None:
                conditions.impose(drawn, logits, condition)
            codes.append(drawn)
            scalars.append(raw[:, : wide.scalars].tanh())
        return Encoded(torch.cat(codes)[:n], torch.cat(scalars)[:n])

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        write_model(path, self.config, self.encoder, self.network)

    def _frequencies(self) -> ConditionSampler:
        return ConditionSampler.of(self._counts(), log=False)

    def _counts(self) -> list[Tensor]:
        pairs = zip(self.encoder.spans, self.encoder.counts, strict=True)
        return [count for span, count in pairs if span.discrete]

    def _rarest(self, where: Where) -> tuple[int, int | None]:
        """Of these conditions the one that the fewest training rows meet: how many rows those
        are, and its number. Without conditions the number is None."""
        first, found = 0, []
        for span, count in zip(self.encoder.spans, self.encoder.counts, strict=True):
            if span.column in where:
                code = self.encoder.code_of(span.column, where[span.column])
                found.append((int(count[code]), first + code))
            first += span.size if span.discrete else 0
        return min(found, default=(1, None))
