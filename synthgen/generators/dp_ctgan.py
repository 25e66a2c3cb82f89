"""DP-CTGAN: a conditional GAN for tables with differential privacy. Experimental.

As DPGAN (Xie et al. 2018, arXiv 1802.06739) and DP-CTGAN (Fang et al. 2022): the critic alone sees
real rows, and learns from them by DP-SGD; the generator learns from the critic, which costs nothing
more. Before that, bounds, categories and frequencies come from noisy counts. All of it is paid from
one budget, see docs/differential-privacy.md.

Two things differ from those papers. Real rows are not chosen by their category, which would break
the accounting of Poisson samples: conditions are the generator's alone, which a cross-entropy makes
obey, and the critic judges whole rows. And at the end the generator's marginal distributions are
set to the noisy counts, which are known better than what the critic could teach of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import Field, PositiveInt, field_validator
from torch import Tensor, nn

from synthgen.data.schema import Schema, Value
from synthgen.data.table import Columnar, Table
from synthgen.encoding import Encoded, Encoder, Wide
from synthgen.generators.base import Generator, Where
from synthgen.generators.ctgan_activation import Activated, Activation
from synthgen.generators.ctgan_calibration import Calibration
from synthgen.generators.ctgan_conditions import Conditions, ConditionSampler
from synthgen.generators.ctgan_generator import ConditionalGenerator, Pass
from synthgen.generators.ctgan_sampler import CTGANSampler, SamplerParts
from synthgen.generators.description import damaged, read_privacy
from synthgen.generators.tabular_batches import check_rows, gumbel_noise
from synthgen.generators.tabular_files import read_model, rows_fingerprint, write_model
from synthgen.privacy.accounting import (
    Ledger,
    calibrated,
    check_opacus,
    epsilon_of,
    usual_delta,
)
from synthgen.privacy.encoder import Facts, Price, private_encoder, queries, seen_as
from synthgen.privacy.noise import Noise, SeededNoise, SystemNoise, chosen
from synthgen.results import Privacy
from synthgen.training.checkpoints import Checkpoints, Stateful
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.loop import loop
from synthgen.training.randomness import derive, initialisation, stream

LISTS = 0.1
"""The share of delta that private lists of categories take."""
TEMPERATURE = 0.2
"""Of the Gumbel-softmax that stands for drawing categories while training."""


class DPCTGAN(Generator):
    """Hyper-parameters. (epsilon, delta) is of one model and all rows drawn from it, for tables
    that differ in one row; the number of rows is public."""

    name: Literal["dp-ctgan"] = "dp-ctgan"
    epsilon: float = Field(default=3.0, gt=0)
    """Privacy budget; 1 is strong, 10 is weak. A larger one needs less noise."""
    delta: float | None = Field(default=None, gt=0, lt=1)
    """Probability that the guarantee may fail with; None: 1e-5, or a tenth of 1/rows if that is
    less."""
    preprocessing: float = Field(default=0.3, gt=0, lt=1)
    """What bounds, categories and frequencies may cost, as a share of epsilon if they were all. As
    the two are composed, the critic is left with more than the rest."""
    bounds: dict[str, tuple[float, float]] = Field(default={})
    """Columns whose smallest and largest value are known without these rows (times in seconds since
    1970): they need not be found."""
    categories: dict[str, tuple[Value, ...]] = Field(default={})
    """Columns whose values are known without these rows; the others' are listed privately, so that
    values of few rows are lost."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """To which the critic's gradient of each row is clipped."""
    batch_size: int = Field(default=500, ge=2)
    """Rows per critic step on average: each row is taken with probability batch_size / rows."""
    epochs: int = Field(default=100, ge=1)
    """Passes of the critic over the training rows, on average. More of them need more noise in
    each."""
    discriminator_steps: int = Field(default=1, ge=1)
    """Critic updates for each generator update."""
    embedding_dim: int = Field(default=64, ge=1)
    """Size of the generator's noise input."""
    generator_dim: tuple[PositiveInt, ...] = Field(default=(128, 128), min_length=1)
    """Sizes of the generator's residual layers."""
    discriminator_dim: tuple[PositiveInt, ...] = Field(default=(128, 128), min_length=1)
    """Sizes of the critic's hidden layers. A large critic gets much noise."""
    generator_lr: float = Field(default=5e-4, gt=0)
    """Learning rate of the generator's Adam (betas 0.5 and 0.9)."""
    discriminator_lr: float = Field(default=2e-3, gt=0)
    """Learning rate of the critic's Adam (betas 0.5 and 0.9)."""
    ema: float = Field(default=0.995, gt=0, lt=1)
    """Decay of an exponential moving average of the generator's weights, which samples."""
    insecure_seeded_noise: bool = False
    """Draw the noise from the seed, which is published with the results: the same bytes each time,
    and NO PRIVACY. For tests."""

    @field_validator("bounds")
    @classmethod
    def _ascending(cls, bounds: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, (low, high) in bounds.items():
            if not (math.isfinite(low) and math.isfinite(high) and low < high):
                raise ValueError(f"the bounds of {name!r} are not two ascending numbers")
        return bounds

    @field_validator("categories")
    @classmethod
    def _different(cls, given: dict[str, tuple[Value, ...]]) -> dict[str, tuple[Value, ...]]:
        for name, values in given.items():
            if not values or len(set(values)) < len(values):
                raise ValueError(f"the categories of {name!r} are none, or one is there twice")
        return given

    def fit(self, train: Columnar, context: Context) -> DPCTGANSampler:
        """Train on these rows only.

        Raises :class:`~synthgen.errors.TrainingError`, :class:`~synthgen.errors.MachineError`
        without Opacus, :class:`~synthgen.errors.ConfigError` for an epsilon that no noise reaches,
        and :class:`~synthgen.errors.DataError` where the noise hides all of a column.
        """
        check_opacus()
        check_rows(train)
        from synthgen.privacy.dp_sgd import PrivateCritic

        seed, device = context.seed, context.device
        noise: Noise = SystemNoise()
        if self.insecure_seeded_noise:
            noise = SeededNoise(derive(seed, "noise"))
        n = len(train)
        batch = min(self.batch_size, n)
        steps_per_epoch = max(1, round(n / (batch * self.discriminator_steps)))
        steps = self.epochs * steps_per_epoch
        plan = self._plan(train, batch / n, steps * self.discriminator_steps)

        # A resumed training must not ask the rows again: what they answered is in its checkpoint.
        fingerprint = rows_fingerprint(self, train, seed)
        saved = context.checkpoints and Checkpoints(context.checkpoints, fingerprint).latest()
        if saved:
            encoder = Encoder.from_json(json.loads(saved["answers"]["encoder"]))
        else:
            encoder = private_encoder(
                train,
                plan.facts,
                plan.price,
                noise=noise.at(0),
                seed=derive(seed, "encoder"),
            )
        data = encoder.encode(seen_as(train, encoder.schema))
        data = Encoded(data.codes.to(device), data.scalars.to(device))
        wide = Wide.of(encoder.spans, device)
        told = encoder.discrete_spans
        conditions = Conditions.of(encoder.spans, wide, told)
        counts = [encoder.counts[k].to(device) for k in told]
        asked = ConditionSampler.of(counts, log=False) if told else None
        activation = Activation(wide, TEMPERATURE)

        with initialisation(derive(seed, "weights")):
            generator = self._generator(encoder).to(device)
            critic = critic_of(wide.width, self.discriminator_dim).to(device)
        generator_adam = _adam(generator, self.generator_lr)
        critic_adam = _adam(critic, self.discriminator_lr)
        private = PrivateCritic(
            critic,
            critic_adam,
            multiplier=plan.multiplier,
            max_grad_norm=self.max_grad_norm,
            batch=batch,
        )
        ema = Ema(generator, self.ema)
        ledger = Ledger([(plan.preprocessing, 1.0, 1)])
        draws = derive(seed, "steps")
        fakes = max(2, batch)  # batch normalisation needs two rows

        def generate(random: torch.Generator) -> tuple[Pass, Activated]:
            """A pass through the generator, and the fake rows it ends in."""
            z = torch.randn(fakes, self.embedding_dim, generator=random, device=device)
            traced = generator.traced(z, asked.draw(fakes, random) if asked else None)
            return traced, activation.of(traced.raw, gumbel_noise(wide.codes, fakes, random))

        def step(number: int) -> dict[str, Tensor]:
            random = stream(draws, number, device)
            for k in range(self.discriminator_steps):
                secret = noise.at((number - 1) * self.discriminator_steps + k + 1)
                rows = torch.from_numpy(chosen(secret, n, plan.rate)).to(device)
                real = wide.expand(data.codes[rows], data.scalars[rows])
                ledger.add(plan.multiplier, plan.rate)
                private.learn(real, generate(random)[1].rows, secret)
            traced, fake = generate(random)
            judged = fake.rows.clone().requires_grad_()
            loss = private.judge(judged)
            by_raw = activation.by_raw(fake, torch.autograd.grad(loss, judged)[0])
            disobedience = torch.zeros_like(loss)
            if conditions and traced.condition is not None:
                disobedience = conditions.cross_entropy(
                    traced.raw[:, wide.scalars :], traced.condition, by_raw[:, wide.scalars :]
                )
            generator.set_gradients(traced, by_raw)
            generator_adam.step()
            ema.update(number)
            # Nothing that was computed from a real row is returned: it would be logged.
            return {"loss_generator": loss, "loss_conditions": disobedience}

        parts: dict[str, Stateful] = {
            "generator": generator,
            "critic": critic,
            "generator_adam": generator_adam,
            "critic_adam": critic_adam,
            "ema": ema,
            "ledger": ledger,
            "answers": _Answers(encoder),
        }
        loop(
            step,
            steps=steps,
            parts=parts,
            context=context,
            fingerprint=fingerprint,
            steps_per_epoch=steps_per_epoch,
        )
        # The marginals of the noisy counts: that reads nothing private once more.
        rows_of = CTGANSampler(self, encoder, told, deepcopy(ema.module).cpu().eval())
        calibrated_rows = rows_of.calibrated(derive(seed, "calibration"), scalars=True)
        return DPCTGANSampler(calibrated_rows, self._privacy(plan, ledger, n))

    def load(self, path: Path) -> DPCTGANSampler:
        """Read what :meth:`DPCTGANSampler.save` wrote; its hyper-parameters are the file's own.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole DP-CTGAN model.
        """
        config, encoder, parts = read_model(path, DPCTGAN, DPCTGAN._parts)
        privacy = read_privacy(path)
        if privacy is None:
            raise damaged(path, DPCTGAN, KeyError("privacy"))
        rows = CTGANSampler(
            config, encoder, encoder.discrete_spans, parts.generator, parts.calibration
        )
        return DPCTGANSampler(rows, privacy)

    def _plan(self, train: Columnar, rate: float, times: int) -> _Plan:
        """How the budget is spent."""
        facts = Facts(self.bounds, self.categories)
        asked, lists = queries(train.schema, facts)
        delta = usual_delta(len(train)) if self.delta is None else self.delta
        for_lists = LISTS * delta if lists else 0.0
        rest = delta - for_lists
        before = calibrated(self.preprocessing * self.epsilon, rest, 1.0, 1)
        multiplier = calibrated(self.epsilon, rest, rate, times, ((before, 1.0, 1),))
        price = Price(before * math.sqrt(asked), for_lists / max(lists, 1))
        return _Plan(facts, price, asked, delta, for_lists, before, multiplier, rate)

    def _privacy(self, plan: _Plan, ledger: Ledger, rows: int) -> Privacy:
        rest = plan.delta - plan.for_lists
        return Privacy(
            epsilon=epsilon_of(ledger.history, rest),
            delta=plan.delta,
            rows=rows,
            accountant=f"RDP of Opacus {version('opacus')}",
            noise_multiplier=plan.multiplier,
            sample_rate=plan.rate,
            steps=ledger.steps,
            max_grad_norm=self.max_grad_norm,
            preprocessing_epsilon=epsilon_of(ledger.history[:1], rest),
            preprocessing_queries=plan.queries,
            preprocessing_noise=plan.price.std,
            categories_delta=plan.for_lists,
            secret_noise=not self.insecure_seeded_noise,
        )

    def _parts(self, encoder: Encoder) -> SamplerParts:
        return SamplerParts(self._generator(encoder), Calibration(encoder.spans))

    def _generator(self, encoder: Encoder) -> ConditionalGenerator:
        return ConditionalGenerator.of(
            encoder.spans, encoder.discrete_spans, self.embedding_dim, self.generator_dim
        )


@dataclass(frozen=True)
class _Plan:
    facts: Facts
    price: Price
    queries: int
    delta: float
    for_lists: float
    preprocessing: float
    """The noise multiplier that all noisy counts together amount to."""
    multiplier: float
    rate: float


class _Answers:
    """The private encoder as a part of the checkpoints."""

    def __init__(self, encoder: Encoder) -> None:
        self._text = json.dumps(encoder.to_json())

    def state_dict(self) -> dict[str, Any]:
        return {"encoder": self._text}

    def load_state_dict(self, state: dict[str, Any], /) -> None:
        self._text = state["encoder"]


def critic_of(width: int, hidden: Sequence[int]) -> nn.Sequential:
    """Dense layers with LeakyReLU(0.2). No batch normalisation: it would mix rows."""
    layers: list[nn.Module] = []
    for size in hidden:
        layers += [nn.Linear(width, size), nn.LeakyReLU(0.2)]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, 1))


def _adam(network: nn.Module, lr: float) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=lr, betas=(0.5, 0.9))


@dataclass(frozen=True)
class DPCTGANSampler:
    """A trained generator, all of which may be published. It samples on the CPU.

    Rows come in the model's own schema: columns, kinds and storage types are the training table's,
    but categories and bounds are private. A category that few rows hold is not there.
    """

    rows: CTGANSampler
    privacy: Privacy

    @property
    def encoder(self) -> Encoder:
        return self.rows.encoder

    @property
    def schema(self) -> Schema:
        return self.encoder.schema

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`.

        Of several conditions, the network is told the one that the fewest rows meet; the others are
        met by rejection. No training row is looked at, not even to avoid copies.
        """
        return self.rows.sample(n, seed=seed, where=where)

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        rows, more = self.rows, {"privacy": self.privacy.model_dump(mode="json")}
        parts = SamplerParts(rows.network, rows.calibration)
        write_model(path, rows.config, rows.encoder, parts, more)
