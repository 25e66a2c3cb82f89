"""TVAE: a variational autoencoder for tables (Xu et al. 2019, arXiv 1907.00503, section 4.5).

The decoder gives, for every column, a softmax over its codes and, for a numeric one, a normal
distribution of its scalar around a tanh, with one learned standard deviation per column.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from synthgen.data.table import Columnar, Table
from synthgen.encoding import MAX_CODES, Encoded, Encoder, Wide, fit_encoder
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import draw_until, resolve
from synthgen.generators.tabular_batches import (
    Epochs,
    check_rows,
    to_device,
    unseen_codes,
)
from synthgen.generators.tabular_files import fingerprint, read_model, write_model
from synthgen.generators.tabular_training import train_network
from synthgen.generators.tabular_validation import Validation, hold_out
from synthgen.training.checkpoints import Stateful
from synthgen.training.context import Context
from synthgen.training.ema import Ema
from synthgen.training.randomness import derive, draw_seed, draw_stream, initialisation, stream

TRIES = 50
"""Draws at most for a sample with conditions, all of which are met by rejection."""
CHUNK_ENTRIES = 2**21
"""Rows are sampled in chunks of about so many entries of a wide row: 8 MiB."""
SIGMA = (0.01, 1.0)
"""Bounds of the learned standard deviations."""


class TVAE(Generator):
    """Hyper-parameters, with the defaults of the ``ctgan`` package's TVAE."""

    name: Literal["tvae"] = "tvae"
    embedding_dim: int = Field(default=128, ge=1)
    """Size of the latent vector."""
    compress_dims: tuple[PositiveInt, ...] = (128, 128)
    """Sizes of the encoder's hidden layers."""
    decompress_dims: tuple[PositiveInt, ...] = (128, 128)
    """Sizes of the decoder's hidden layers."""
    lr: float = Field(default=1e-3, gt=0)
    """Learning rate of Adam."""
    weight_decay: float = Field(default=1e-5, ge=0)
    """L2 penalty of Adam."""
    loss_factor: float = Field(default=2.0, gt=0)
    """Weight of the reconstruction against the divergence from the prior."""
    batch_size: int = Field(default=500, ge=1)
    """Rows per step; the last batch of an epoch may be smaller."""
    epochs: int = Field(default=300, ge=1)
    """Passes over the training rows."""
    numeric: Literal["modes", "quantiles"] = "modes"
    """Encoding of numeric columns: the paper's mode-specific normalisation, or quantiles."""
    max_codes: int = Field(default=MAX_CODES, ge=2)
    """Codes at most of a discrete column other than the target. Of more values the most frequent
    have codes of their own, up to half of them; the others share the rest."""
    ema: float | None = Field(default=None, gt=0, lt=1)
    """Decay of an exponential moving average of the decoder's weights, which is then what
    samples; None: the weights themselves."""
    validation: Validation | None = None
    """Score the decoder by held-out training rows, to stop early or to keep the best weights."""
    time_limit: float | None = Field(default=None, gt=0)
    """Seconds after which training ends (encoding the table does not count). How far it comes in
    that time depends on the machine: once the limit cuts a training short, the same seed no
    longer gives the same bytes."""

    def fit(self, train: Columnar, context: Context) -> TVAESampler:
        """Train on these rows only. Raises :class:`~synthgen.errors.TrainingError`."""
        seed, device = context.seed, context.device
        check_rows(train)
        encoder = fit_encoder(
            train, numeric=self.numeric, seed=derive(seed, "encoder"), max_codes=self.max_codes
        )
        fitted, held_out = hold_out(train, self.validation, derive(seed, "validation"))
        data = to_device(encoder.encode(fitted), device)
        wide = Wide.of(encoder.spans, device)
        with initialisation(derive(seed, "weights")):
            inference = Inference(wide.width, self.compress_dims, self.embedding_dim).to(device)
            decoder = self._decoder(encoder).to(device)
        adam = torch.optim.Adam(
            [*inference.parameters(), *decoder.parameters()],
            lr=self.lr,
            weight_decay=self.weight_decay,
            fused=True,
        )
        ema = Ema(decoder, self.ema) if self.ema is not None else None
        network = ema.module if ema else decoder
        shuffled = Epochs(len(data), self.batch_size, derive(seed, "epochs"), device)
        draws = derive(seed, "steps")

        def step(number: int) -> dict[str, Tensor]:
            rows = shuffled.rows(number)
            codes, scalars = data.codes[rows].long(), data.scalars[rows]
            mean, log_variance = inference(wide.expand(codes, scalars))
            random = stream(draws, number, device)
            noise = torch.randn(mean.shape, generator=random, device=device)
            raw = decoder(mean + noise * (log_variance / 2).exp())
            misfit = reconstruction(wide, raw, codes, scalars, decoder.sigma)
            divergence = kl_divergence(mean, log_variance)
            adam.zero_grad(set_to_none=True)
            (self.loss_factor * misfit + divergence).backward()  # type: ignore[no-untyped-call]
            adam.step()
            with torch.no_grad():
                decoder.sigma.clamp_(*SIGMA)
            if ema:
                ema.update(number)
            return {"loss_reconstruction": misfit, "loss_divergence": divergence}

        def sampler() -> TVAESampler:
            return TVAESampler(self, encoder, deepcopy(network).cpu().eval())

        parts: dict[str, Stateful] = {"inference": inference, "decoder": decoder, "adam": adam}
        if ema:
            parts["ema"] = ema
        return train_network(
            step,
            parts=parts,
            network=network,
            sampler=sampler,
            generator=self,
            steps_per_epoch=shuffled.steps,
            held_out=held_out,
            fingerprint=fingerprint(self, encoder, data, seed),
            context=context,
        )

    def load(self, path: Path) -> TVAESampler:
        """Read what :meth:`TVAESampler.save` wrote; its hyper-parameters are the file's own.

        Raises :class:`~synthgen.errors.DataError` where that is not a whole TVAE model.
        """
        return TVAESampler(*read_model(path, TVAE, TVAE._decoder))

    def _decoder(self, encoder: Encoder) -> Decoder:
        scalars = sum(span.scalar for span in encoder.spans)
        width = sum(span.size for span in encoder.spans) + scalars
        return Decoder(self.embedding_dim, self.decompress_dims, width, scalars)


def _dense(inputs: int, sizes: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for size in sizes:
        layers += [nn.Linear(inputs, size), nn.ReLU()]
        inputs = size
    return nn.Sequential(*layers)


class Inference(nn.Module):
    """The encoder: a wide row to mean and log variance of its latent vector."""

    def __init__(self, width: int, hidden: Sequence[int], embedding_dim: int) -> None:
        super().__init__()
        self.hidden = _dense(width, hidden)
        last = hidden[-1] if hidden else width
        self.mean = nn.Linear(last, embedding_dim)
        self.log_variance = nn.Linear(last, embedding_dim)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        features = self.hidden(rows)
        return self.mean(features), self.log_variance(features)


class Decoder(nn.Module):
    """A latent vector to a raw wide row; ``sigma`` holds a standard deviation per scalar."""

    def __init__(self, embedding_dim: int, hidden: Sequence[int], width: int, scalars: int) -> None:
        super().__init__()
        self.hidden = _dense(embedding_dim, hidden)
        self.out = nn.Linear(hidden[-1] if hidden else embedding_dim, width)
        self.sigma = nn.Parameter(torch.full((scalars,), 0.1))

    def forward(self, latent: Tensor) -> Tensor:
        raw: Tensor = self.out(self.hidden(latent))
        return raw


def reconstruction(
    wide: Wide, raw: Tensor, codes: Tensor, scalars: Tensor, sigma: Tensor
) -> Tensor:
    """Negative log-likelihood of the rows (without the normal distribution's constant), per row:
    cross-entropy of the codes, and of each scalar ``(x - tanh)^2 / 2 sigma^2 + log sigma``."""
    logits = raw[:, wide.scalars :]
    chosen = logits.gather(1, codes + wide.offsets)
    misfit = wide.logsumexp(logits).sum() - chosen.sum()
    errors = (scalars - raw[:, : wide.scalars].tanh()).square().sum(0)
    misfit = misfit + (errors / (2 * sigma.square())).sum()
    return misfit / len(raw) + sigma.log().sum()


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Of the latent distribution from the standard normal one, per row."""
    terms = 1 + log_variance - mean.square() - log_variance.exp()
    return -0.5 * terms.sum() / len(mean)


@dataclass(frozen=True)
class TVAESampler:
    """A trained decoder. It samples on the CPU, whatever device trained it: the same seed gives
    the same rows before saving and after loading, on any machine of one kind."""

    config: TVAE
    encoder: Encoder
    network: Decoder

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`; conditions are met by rejection."""
        where = resolve(self.encoder.schema, where)

        def draw(count: int, attempt: int) -> Table:
            own = draw_seed(seed, attempt)
            return self.encoder.decode(self.encoded(count, own), seed=own, where=where)

        return draw_until(draw, n, where, tries=TRIES, seed=seed)

    @torch.inference_mode()
    def encoded(self, n: int, seed: int) -> Encoded:
        """``n`` rows, of which row i depends on the seed and on i alone."""
        wide = Wide.of(self.encoder.spans)
        unseen = unseen_codes(self.encoder.counts)
        chunk = max(1, CHUNK_ENTRIES // max(wide.width, self.config.embedding_dim))
        codes, scalars = [], []
        for number in range(max(1, -(-n // chunk))):
            random = draw_stream(seed, number)
            raw = self.network(torch.randn(chunk, self.config.embedding_dim, generator=random))
            codes.append(wide.draw_((raw[:, wide.scalars :] + unseen).T.contiguous(), random))
            placed = raw[:, : wide.scalars].tanh()
            spread = torch.randn(placed.shape, generator=random) * self.network.sigma
            scalars.append((placed + spread).clamp(-1, 1))
        return Encoded(torch.cat(codes)[:n], torch.cat(scalars)[:n])

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        write_model(path, self.config, self.encoder, self.network)
