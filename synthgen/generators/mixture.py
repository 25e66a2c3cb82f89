"""A mixture of product distributions over discretised columns, fitted by expectation-maximisation
(Dempster, Laird and Rubin, JRSS B 39, 1977); the latent class model for tables of any kind.

Within a component the columns are independent, so any condition on discrete columns only changes
the components' weights: rows that meet it are drawn exactly, without rejection, whichever columns
it names. Numbers are cut into bins of about equal counts, and a component's distribution over
bins is smoothed along their order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from synthgen.data.table import Columnar, Table
from synthgen.encoding import MAX_CODES, Encoded, Encoder, fit_encoder
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import draw_until, resolve
from synthgen.generators.factors import Factors, count_codes
from synthgen.generators.held_out import Likelihood, divide
from synthgen.generators.tabular_batches import check_rows, gumbel_noise, unseen_codes
from synthgen.generators.tabular_files import fingerprint, read_model, write_model
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.loop import loop
from synthgen.training.randomness import derive, draw_seed, draw_stream, stream

CHUNK = 4096
"""Rows that are sampled at once, or weighed at once in a step."""
FEWEST = 10
"""Rows that a component must stand for: with fewer it would describe them, and not a population.
Twice what a category needs to be shown."""


class Mixture(Generator):
    """Hyper-parameters."""

    name: Literal["mixture"] = "mixture"
    components: int = Field(default=200, ge=1)
    """Components at most: a table of n rows gets n / ``rows_per_component`` of them."""
    rows_per_component: int = Field(default=50, ge=FEWEST)
    """Training rows that there should be for each component."""
    bins: int = Field(default=100, ge=2)
    """Bins at most that a numeric column is cut into; within a bin values follow their ranks."""
    rows_per_bin: int = Field(default=20, ge=5)
    """Training rows that a bin should have at least: small tables get fewer bins."""
    max_codes: int = Field(default=MAX_CODES, ge=2)
    """Codes at most of a discrete column other than the target. Of more values the most frequent
    have codes of their own, up to half of them; the others share the rest."""
    smoothing: float = Field(default=1.0, gt=0)
    """Rows' worth of the column's overall distribution that every component is given."""
    bandwidth: float = Field(default=0.03, ge=0)
    """Standard deviation, as a share of all ranks, of the kernel that smooths numeric columns."""
    epochs: int = Field(default=200, ge=1)
    """Steps of expectation-maximisation at most, each over all rows."""
    rows: int = Field(default=200_000, ge=100)
    """Training rows used at most, drawn at random."""
    held_out: float = Field(default=0.1, gt=0, lt=0.5)
    """Share of the training rows that is not fitted, and tells when to stop."""
    patience: int = Field(default=5, ge=1)
    """Steps in a row without a better likelihood of the held-out rows after which fitting ends;
    the best components are kept."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds after which fitting ends (encoding the table does not count). How far it comes in
    that time depends on the machine: once the limit cuts a training short, the same seed no
    longer gives the same bytes."""

    def fit(self, train: Columnar, context: Context) -> MixtureSampler:
        """Fit to these rows only. Raises :class:`~synthgen.errors.TrainingError`."""
        seed, device = context.seed, context.device
        check_rows(train)
        encoder = fit_encoder(
            train, numeric="quantiles", seed=derive(seed, "encoder"), max_codes=self.max_codes
        )
        encoded = encoder.encode(train)
        factors = Factors.fitting(encoder, self.bins, self.rows_per_bin)
        codes = factors.join(encoded).to(device)
        used = stream(derive(seed, "rows"), 0)
        codes = codes[torch.randperm(len(codes), generator=used)[: self.rows].to(device)]
        fitted, judged = divide(codes, self.held_out, derive(seed, "held out"))
        components = self._components(encoder)
        model = Components(factors, components, self.smoothing, self.bandwidth).to(device)
        model.start_from(fitted, stream(derive(seed, "weights"), 0, device))

        def step(number: int) -> dict[str, Tensor]:
            return {"loss": model.improve(fitted, fewest=FEWEST)}

        watch = Likelihood(
            model, model, judged, patience=self.patience, steps=self.epochs, context=context
        )
        parts: dict[str, Stateful] = {"model": model, "watch": watch}
        loop(
            step,
            steps=self.epochs,
            parts=parts,
            context=context,
            fingerprint=fingerprint(self, encoder, encoded, seed),
            examine=watch.examine,
            time_limit=self.time_limit,
        )
        watch.select()
        return MixtureSampler(self, encoder, deepcopy(model).cpu().eval())

    def load(self, path: Path) -> MixtureSampler:
        """Read what :meth:`MixtureSampler.save` wrote; its hyper-parameters are the file's own.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole model of this kind.
        """
        return MixtureSampler(*read_model(path, Mixture, Mixture._model))

    def _components(self, encoder: Encoder) -> int:
        rows = int(encoder.counts[0].sum())
        return max(1, min(self.components, rows // self.rows_per_component))

    def _model(self, encoder: Encoder) -> Components:
        factors = Factors.fitting(encoder, self.bins, self.rows_per_bin)
        return Components(factors, self._components(encoder), self.smoothing, self.bandwidth)


class Components(nn.Module):
    """Log-weights (components,) and log-probabilities of every code (codes, components)."""

    weights: Tensor
    codes: Tensor
    overall: Tensor
    starts: Tensor

    def __init__(
        self, factors: Factors, components: int, smoothing: float, bandwidth: float
    ) -> None:
        super().__init__()
        self.factors, self.smoothing = factors, smoothing
        self.register_buffer("weights", torch.full((components,), -math.log(components)))
        self.register_buffer("codes", torch.zeros(factors.width, components))
        self.register_buffer("overall", torch.zeros(factors.width))
        starts = torch.tensor([own.start for own in factors.slices])
        self.register_buffer("starts", starts, persistent=False)
        for number in set(factors.bins) - {0, 1} if bandwidth > 0 else ():
            self.register_buffer(_kernel_of(number), _kernel(number, bandwidth), persistent=False)

    def start_from(self, rows: Tensor, random: torch.Generator) -> None:
        """Begin with components that each lean towards one of these rows (n, factors)."""
        counts = count_codes(self.factors, rows).float()
        self.overall.copy_(counts / len(rows))
        chosen = torch.randint(
            len(rows), (len(self.weights),), generator=random, device=rows.device
        )
        towards = torch.zeros_like(self.codes)
        towards.scatter_(0, (rows[chosen] + self.starts).T, 1.0)
        # As if each had met so many rows like the one it leans towards as the smoothing has.
        self._set(torch.ones_like(self.weights), towards * self.smoothing)

    def forward(self, rows: Tensor) -> Tensor:
        """(n,): minus the log-likelihood of each row (n, factors)."""
        return -self._joint(rows).logsumexp(1)

    def improve(self, rows: Tensor, *, fewest: float) -> Tensor:
        """One step of expectation-maximisation; the mean loss of the rows before it. Components
        that stand for fewer than ``fewest`` rows are given up."""
        counts = torch.zeros_like(self.codes)
        sizes = torch.zeros_like(self.weights)
        loss = torch.zeros((), device=rows.device)
        for part in torch.split(rows, CHUNK):
            part = part.long()
            joint = self._joint(part)
            total = joint.logsumexp(1, keepdim=True)
            shares = (joint - total).exp()
            loss -= total.sum()
            sizes += shares.sum(0)
            for k, own in enumerate(self.factors.slices):
                counts[own].index_add_(0, part[:, k], shares)
        # A table with fewer rows keeps its largest component. What is given up forgets its rows.
        small = sizes < sizes.max().clamp(max=fewest)
        self._set(sizes.masked_fill(small, 0.0), counts.masked_fill(small, 0.0))
        return loss / len(rows)

    def draw(self, noise: Tensor, uniform: Tensor, wanted: Mapping[int, int]) -> Tensor:
        """int64 (n, factors): codes by Gumbel ``noise`` (n, codes) of components that are drawn by
        numbers ``uniform`` (n,) in [0, 1); the factors in ``wanted`` have the codes given."""
        weights = self.weights.double()
        for factor, code in wanted.items():
            weights = weights + self.codes[self.factors.slices[factor].start + code].double()
        shares = (weights - weights.logsumexp(0)).exp().cumsum(0)
        component = torch.searchsorted(shares, uniform.double() * shares[-1], right=True)
        component = component.clamp(max=len(shares) - 1)
        scores = self.codes.T[component] + noise
        drawn = [
            torch.full((len(noise),), wanted[k]) if k in wanted else scores[:, own].argmax(1)
            for k, own in enumerate(self.factors.slices)
        ]
        return torch.stack(drawn, dim=1)

    def _joint(self, rows: Tensor) -> Tensor:
        """(n, components): log of the probability of component and row together."""
        summed = functional.embedding_bag(rows + self.starts, self.codes, mode="sum")
        joint: Tensor = summed + self.weights
        return joint

    def _set(self, sizes: Tensor, counts: Tensor) -> None:
        """From rows (components,) and counts of codes (codes, components) to probabilities."""
        # As good as never, and a finite number.
        self.weights.copy_((sizes / sizes.sum()).clamp(min=1e-30).log())
        for own, bins in zip(self.factors.slices, self.factors.bins, strict=True):
            smooth = counts[own]
            kernel = getattr(self, _kernel_of(bins), None)
            if kernel is not None:
                smooth = torch.cat([kernel @ smooth[:bins], smooth[bins:]])
            mixed = smooth + self.smoothing * self.overall[own, None]
            self.codes[own] = (mixed / mixed.sum(0)).clamp(min=1e-12).log()


def _kernel_of(bins: int) -> str:
    """What the buffer of the kernel for so many bins is called."""
    return f"kernel_{bins}"


def _kernel(bins: int, bandwidth: float) -> Tensor:
    """(bins, bins): normal weights of neighbouring bins; every column sums to 1."""
    place = torch.arange(bins) / bins
    kernel = torch.exp(-0.5 * ((place[:, None] - place[None, :]) / bandwidth).square())
    return kernel / kernel.sum(0)


@dataclass(frozen=True)
class MixtureSampler:
    """Fitted components. It samples on the CPU, whatever device fitted it: the same seed gives the
    same rows before saving and after loading, on any machine of one kind."""

    config: Mixture
    encoder: Encoder
    network: Components

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`; all conditions hold by construction.
        Values that no training row showed are never drawn, in spite of a condition."""
        where = resolve(self.encoder.schema, where)
        wanted: dict[int, int] = {}
        seen = True
        for factor, span in enumerate(self.network.factors.order):
            column = self.encoder.spans[span].column
            if column in where:
                code = self.encoder.code_of(column, where[column])
                wanted[factor] = code
                seen &= bool(self.encoder.counts[span][code])

        def draw(count: int, attempt: int) -> Table:
            own = draw_seed(seed, attempt)
            return self.encoder.decode(
                self.encoded(count, own, wanted if seen else {}), seed=own, where=where
            )

        return draw_until(draw, n, where, tries=1, seed=seed)

    @torch.inference_mode()
    def encoded(self, n: int, seed: int, wanted: Mapping[int, int] | None = None) -> Encoded:
        """``n`` rows, in which the factors ``wanted`` have these codes. Row i depends on the seed
        and on i alone."""
        factors = self.network.factors
        unseen = factors.spread(unseen_codes(self.encoder.counts))
        found = []
        for number in range(max(1, -(-n // CHUNK))):
            random = draw_stream(seed, number)
            noise = gumbel_noise(CHUNK, factors.width, random) + unseen
            uniform = torch.rand(CHUNK, generator=random)
            codes = self.network.draw(noise, uniform, wanted or {})
            places = torch.rand(CHUNK, factors.scalars, generator=random)
            found.append(factors.part(codes, places))
        return Encoded(
            torch.cat([one.codes for one in found])[:n],
            torch.cat([one.scalars for one in found])[:n],
        )

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        write_model(path, self.config, self.encoder, self.network)
