"""An auto-regressive network over discretised columns, after TabularARGN (Tiwald et al. 2025,
arXiv 2501.12012), with a fixed order of the columns.

By the chain rule a row's probability is a product of one conditional distribution per column,
each given the columns before it. Numbers are cut into bins of about equal counts, so every factor
is a softmax over a column's codes, and the whole is trained by maximum likelihood: no game to
keep in balance, no mode to miss. The target comes first, so a condition on it holds exactly.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from synthgen.data.table import Columnar, Table
from synthgen.encoding import MAX_CODES, Encoded, Encoder, fit_encoder
from synthgen.generators.arn_network import Conditionals
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import draw_until, resolve
from synthgen.generators.factors import Factors
from synthgen.generators.held_out import Likelihood, divide
from synthgen.generators.tabular_batches import Epochs, check_rows, gumbel_noise, unseen_codes
from synthgen.generators.tabular_files import fingerprint, read_model, write_model
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.loop import loop
from synthgen.training.randomness import derive, draw_seed, draw_stream, initialisation, stream

TRIES = 50
"""Draws at most for a sample with conditions on other columns than the target."""
CHUNK = 4096
"""Rows that are sampled at once."""


class ARN(Generator):
    """Hyper-parameters. A column's part of the network sees the columns before it."""

    name: Literal["arn"] = "arn"
    bins: int = Field(default=100, ge=2)
    """Bins at most that a numeric column is cut into; within a bin values follow their ranks."""
    rows_per_bin: int = Field(default=20, ge=5)
    """Training rows that a bin should have at least: small tables get fewer bins."""
    max_codes: int = Field(default=MAX_CODES, ge=2)
    """Codes at most of a discrete column other than the target. Of more values the most frequent
    have codes of their own, up to half of them; the others share the rest."""
    embedding_dim: int = Field(default=16, ge=1)
    """Numbers that stand for a column's code where later columns look at it."""
    hidden_dim: int = Field(default=128, ge=1)
    """Units per hidden layer of each column."""
    layers: int = Field(default=2, ge=1)
    """Hidden layers of each column."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Share of the hidden units that is left out in training."""
    lr: float = Field(default=1e-3, gt=0)
    """Learning rate of AdamW."""
    weight_decay: float = Field(default=1e-2, ge=0)
    """Decoupled weight decay of AdamW."""
    batch_size: int = Field(default=256, ge=1)
    """Rows per step; the last batch of an epoch may be smaller."""
    epochs: int = Field(default=100, ge=1)
    """Passes over the training rows at most."""
    ema: float | None = Field(default=0.99, gt=0, lt=1)
    """Decay of an exponential moving average of the weights, which is then what is judged and
    what samples; None: the weights themselves."""
    held_out: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of the training rows that is not trained on, and tells when to stop."""
    patience: int = Field(default=5, ge=1)
    """Epochs in a row without a better likelihood of the held-out rows after which training ends;
    the best weights are kept."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds after which training ends (encoding the table does not count). How far it comes in
    that time depends on the machine: once the limit cuts a training short, the same seed no
    longer gives the same bytes."""

    def fit(self, train: Columnar, context: Context) -> ARNSampler:
        """Train on these rows only. Raises :class:`~synthgen.errors.TrainingError`."""
        seed, device = context.seed, context.device
        check_rows(train)
        encoder = fit_encoder(
            train, numeric="quantiles", seed=derive(seed, "encoder"), max_codes=self.max_codes
        )
        encoded = encoder.encode(train)
        factors = Factors.fitting(encoder, self.bins, self.rows_per_bin)
        codes = factors.join(encoded).to(device)
        fitted, judged = divide(codes, self.held_out, derive(seed, "held out"))
        with initialisation(derive(seed, "weights")):
            network = self._network(encoder).to(device)
        network.start_from(fitted)
        decayed = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        adam = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": self.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=self.lr,
            fused=True,
        )
        ema = Ema(network, self.ema) if self.ema is not None else None
        sampling = ema.module if ema else network
        shuffled = Epochs(len(fitted), self.batch_size, derive(seed, "epochs"), device)
        draws = derive(seed, "steps")

        def step(number: int) -> dict[str, Tensor]:
            rows = fitted[shuffled.rows(number)].long()
            random = stream(draws, number, device)
            loss = network(rows, network.masks(len(rows), random)).sum(1).mean()
            adam.zero_grad(set_to_none=True)
            loss.backward()
            adam.step()
            if ema:
                ema.update(number)
            return {"loss": loss}

        steps = self.epochs * shuffled.steps
        watch = Likelihood(
            sampling, sampling, judged, patience=self.patience, steps=steps, context=context
        )
        parts: dict[str, Stateful] = {"network": network, "adam": adam, "watch": watch}
        if ema:
            parts["ema"] = ema
        loop(
            step,
            steps=steps,
            parts=parts,
            context=context,
            fingerprint=fingerprint(self, encoder, encoded, seed),
            steps_per_epoch=shuffled.steps,
            examine=watch.examine,
            examine_every=shuffled.steps,
            time_limit=self.time_limit,
        )
        watch.select()
        return ARNSampler(self, encoder, deepcopy(sampling).cpu().eval())

    def load(self, path: Path) -> ARNSampler:
        """Read what :meth:`ARNSampler.save` wrote; its hyper-parameters are the file's own.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole model of this kind.
        """
        return ARNSampler(*read_model(path, ARN, ARN._network))

    def _network(self, encoder: Encoder) -> Conditionals:
        factors = Factors.fitting(encoder, self.bins, self.rows_per_bin)
        return Conditionals(factors, self.embedding_dim, self.hidden_dim, self.layers, self.dropout)


@dataclass(frozen=True)
class ARNSampler:
    """Trained conditional distributions. It samples on the CPU, whatever device trained it: the
    same seed gives the same rows before saving and after loading, on any machine of one kind."""

    config: ARN
    encoder: Encoder
    network: Conditionals

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`.

        A condition on the target holds by construction, others are met by rejection. Values that
        no training row showed are never drawn, in spite of a condition.
        """
        where = resolve(self.encoder.schema, where)
        first = self.network.factors.order[0]
        span = self.encoder.spans[first]
        wanted = None
        tries = TRIES
        if span.column in where:
            code = self.encoder.code_of(span.column, where[span.column])
            if int(self.encoder.counts[first][code]):
                wanted = code
            else:
                tries = 1

        def draw(count: int, attempt: int) -> Table:
            own = draw_seed(seed, attempt)
            return self.encoder.decode(self.encoded(count, own, wanted), seed=own, where=where)

        return draw_until(draw, n, where, tries=tries, seed=seed)

    @torch.inference_mode()
    def encoded(self, n: int, seed: int, wanted: int | None = None) -> Encoded:
        """``n`` rows, whose first column has the code ``wanted``. Row i depends on the seed and on
        i alone."""
        factors = self.network.factors
        unseen = factors.spread(unseen_codes(self.encoder.counts))
        found = []
        for number in range(max(1, -(-n // CHUNK))):
            random = draw_stream(seed, number)
            noise = gumbel_noise(CHUNK, factors.width, random)
            codes = self.network.draw(noise + unseen, wanted)
            places = torch.rand(CHUNK, factors.scalars, generator=random)
            found.append(factors.part(codes, places))
        return Encoded(
            torch.cat([one.codes for one in found])[:n],
            torch.cat([one.scalars for one in found])[:n],
        )

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        write_model(path, self.config, self.encoder, self.network)
