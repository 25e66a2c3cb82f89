"""Rows from a trained generator of CTGAN's family."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from synthgen.data.schema import Value
from synthgen.data.table import Table
from synthgen.encoding import Encoded, Encoder, Wide
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import draw_until, resolve
from synthgen.generators.ctgan_calibration import Calibration
from synthgen.generators.ctgan_conditions import Conditions, ConditionSampler
from synthgen.generators.ctgan_folded import Folded
from synthgen.generators.ctgan_generator import ConditionalGenerator
from synthgen.generators.tabular_batches import unseen_codes
from synthgen.generators.tabular_files import write_model
from synthgen.training.randomness import draw_seed, draw_stream, stream

TRIES = 20
"""Draws at most for a sample with conditions."""
CALIBRATION_ROWS, CALIBRATION_ENTRIES = (4_096, 16_384), 2**25
"""Rows of the generator by which it is calibrated: as many as trained it, within these bounds, but
not more entries than that, unless they are fewer than 1,024 rows."""
CHUNK_ROWS, CHUNK_ENTRIES = 2_048, 2**22
"""Rows that pass the network at once, so that what they need stays near the processor; fewer where
they have more entries, 16 MiB of them."""


class SamplerParts(nn.Module):
    """What the file of a model holds."""

    def __init__(self, generator: ConditionalGenerator, calibration: Calibration | None) -> None:
        super().__init__()
        self.generator, self.calibration = generator, calibration


@dataclass(frozen=True)
class CTGANSampler:
    """A trained generator. It samples on the CPU, whatever device trained it: the same seed
    gives the same rows before saving and after loading, on any machine of one kind.

    The network is told a category, and the row gets it. Asked for no category it is told one of
    the target, as often as the training rows have it: the share of a class in a sample is then
    that of the training rows. (Left to the network, which sees the classes of other columns'
    conditions only, it drifts by ten points and more from one training to the next.)
    """

    config: Generator
    encoder: Encoder
    told: tuple[int, ...]
    """Positions of the spans that the network can be told the codes of, in order."""
    network: ConditionalGenerator
    calibration: Calibration | None = None

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`.

        Of several conditions, the network is told the one that the fewest training rows meet; the
        others, and those that it cannot be told, are met by rejection.
        """
        where = resolve(self.encoder.schema, where)
        met, wanted = self._rarest(where)

        def draw(count: int, attempt: int) -> Table:
            own = draw_seed(seed, attempt)
            return self.encoder.decode(self.encoded(count, own, wanted), seed=own, where=where)

        # What no training row showed is never drawn: one draw says so.
        return draw_until(draw, n, where, tries=TRIES if met else 1, seed=seed)

    @torch.inference_mode()
    def encoded(self, n: int, seed: int, wanted: int | None = None) -> Encoded:
        """``n`` rows under the condition number ``wanted``, or under conditions that follow the
        training rows' frequencies. Row i depends on the seed and on i alone."""
        spans = self.encoder.spans
        wide = Wide.of(spans)
        conditions = Conditions.of(spans, wide, self.told)
        usual = self._usual_conditions()
        constants = torch.zeros(wide.width)
        constants[wide.scalars :] = unseen_codes(self.encoder.counts)
        if self.calibration:
            constants[wide.scalars :] += self.calibration.logits
        network = Folded.of(self.network, constants)
        chunk = max(1, min(CHUNK_ROWS, CHUNK_ENTRIES // sum(self.network.sizes)))
        codes, scalars = [], []
        for number in range(max(1, -(-n // chunk))):
            random = draw_stream(seed, number)
            z = torch.randn(chunk, self.network.embedding_dim, generator=random)
            condition = usual.draw(chunk, random) if usual else None
            if condition is not None and wanted is not None:
                condition.fill_(wanted)
            raw = network(z, condition)
            drawn = wide.draw_(raw[:, wide.scalars :].T.contiguous(), random)
            if conditions and condition is not None:
                conditions.impose(drawn, condition)
            codes.append(drawn)
            places = raw[:, : wide.scalars].tanh()
            scalars.append(self.calibration.place(places) if self.calibration else places)
        return Encoded(torch.cat(codes)[:n], torch.cat(scalars)[:n])

    def save(self, path: Path) -> None:
        """Write ``model.safetensors`` and ``model.json``."""
        write_model(path, self.config, self.encoder, SamplerParts(self.network, self.calibration))

    @torch.inference_mode()
    def calibrated(self, seed: int, *, scalars: bool) -> CTGANSampler:
        """The same generator with the training rows' marginals; ``scalars`` says whether those of
        the encoder are uniform."""
        spans = self.encoder.spans
        wide = Wide.of(spans)
        random = stream(seed, 0)
        least, most = CALIBRATION_ROWS
        rows = min(max(int(self.encoder.counts[0].sum()), least), most)
        rows = min(rows, max(CALIBRATION_ENTRIES // wide.width, 1_024))
        z = torch.randn(rows, self.network.embedding_dim, generator=random)
        usual = self._usual_conditions()
        raw = self.network(z, usual.draw(len(z), random) if usual else None)
        calibration = Calibration(spans)
        calibration.fit_logits(raw, spans, self.encoder.counts, fixed=self.encoder.target_span)
        if scalars:
            calibration.fit_knots(raw, spans, self.encoder.counts, random)
        return replace(self, calibration=calibration)

    def _usual_conditions(self) -> ConditionSampler | None:
        """The conditions of rows of which nothing is asked: on the target if the network is told
        it, else on any column that it is told. None where it is told nothing."""
        if not self.told:
            return None
        target = self.encoder.target_span
        if target and target[0] in self.told:
            first = sum(self.encoder.spans[k].size for k in self.told if k < target[0])
            return ConditionSampler.of([self.encoder.counts[target[0]]], log=False, first=first)
        return ConditionSampler.of([self.encoder.counts[k] for k in self.told], log=False)

    def _rarest(self, where: Mapping[str, Value]) -> tuple[bool, int | None]:
        """Whether training rows meet each of these conditions, and the number of the condition
        to tell the network: of those it can be told, the one that the fewest rows meet."""
        first, met, known = 0, True, []
        pairs = zip(self.encoder.spans, self.encoder.counts, strict=True)
        for k, (span, count) in enumerate(pairs):
            if span.column in where:
                code = self.encoder.code_of(span.column, where[span.column])
                met = met and bool(count[code])
                known += [(int(count[code]), first + code)] if k in self.told else []
            first += span.size if k in self.told else 0
        return met, min(known)[1] if met and known else None
