"""The synthesizers of SDV 2 (the Synthetic Data Vault) behind our protocol, as references.

SDV sees protected training rows only (see :mod:`synthgen.generators.rows`): columns ``c0``, ``c1``
and so on of float64 numbers (times in seconds) and of codes as text, described by metadata made
from our schema. So its stored model holds no rare category and no extreme value, and no name of a
column can confuse it. Bounds, decimals and dtypes are restored by us, hence its options about them
are not offered.

SDV is under the Business Source License; it is installed by ``pip install synthgen[sdv]`` only.
"""

from __future__ import annotations

import io
import warnings
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from synthgen.data.schema import Ordered, Schema
from synthgen.data.table import Columnar, Table
from synthgen.data.values import MISSING
from synthgen.errors import ConfigError, MachineError, TrainingError
from synthgen.generators.base import Generator, Where
from synthgen.generators.conditions import draw_until
from synthgen.generators.description import damaged, read_description, write_description
from synthgen.generators.rows import Rows, protect
from synthgen.training.context import Context

Distribution = Literal["norm", "beta", "truncnorm", "uniform", "gamma", "gaussian_kde"]

TRIES = 20
"""Draws at most for conditions: SDV's own conditional sampling rejects in the same way."""
FOLDER = "sdv"
MODEL = "synthesizer.pkl"
README = f"""\
{MODEL} is SDV's own format, not synthgen's: what SDV {{version}} writes with cloudpickle.

Loading a pickle runs code from the file. Do not load it unless you trust whoever gave it to you;
synthgen does so only where the generator's field trust_pickle is true.
"""
_TABLE = "table"


class SDVGenerator(Generator):
    """What the four have in common: every field but ``name`` and ``trust_pickle`` is an argument
    of SDV's class, under SDV's name and with SDV's default."""

    name: str
    trust_pickle: bool = False
    """Allows loading a saved model, which runs code from the file: SDV saves with cloudpickle."""

    @abstractmethod
    def synthesizer(self, metadata: Any, device: str) -> Any:
        """SDV's object, not yet fitted."""

    def fit(self, train: Columnar, context: Context) -> SDVSampler:
        """Fit SDV's synthesizer on protected rows; its losses are logged at the end.

        It writes no checkpoints, so a killed fit begins anew. Raises
        :class:`~synthgen.errors.MachineError` where SDV is not installed and
        :class:`~synthgen.errors.TrainingError` where it fails.
        """
        rows = protect(train, context.seed)
        with _contained(context.seed):
            from sdv.metadata import Metadata

            try:
                synthesizer = self.synthesizer(
                    Metadata.load_from_dict(_metadata(rows.schema)), context.device
                )
                synthesizer.fit({_TABLE: _frame(rows)})
            except Exception as error:
                # Its message may quote data, so only the kind is passed on.
                raise TrainingError(
                    f"{self.name}: SDV failed with {type(error).__name__}",
                    "try other hyper-parameters, or another generator",
                ) from error
        self.report(synthesizer, context)
        return SDVSampler(self, rows.schema, synthesizer)

    def report(self, synthesizer: Any, context: Context) -> None:
        """Log the training curve where there is one."""

    def load(self, path: Path) -> SDVSampler:
        """Read what :meth:`SDVSampler.save` wrote, running code from it: refused with
        :class:`~synthgen.errors.ConfigError` unless ``trust_pickle`` is set."""
        file = path / FOLDER / MODEL
        if not self.trust_pickle:
            raise ConfigError(
                f"{file} is SDV's own pickle-based format, and loading it runs code from it",
                "set the generator's trust_pickle to true if you trust whoever wrote the file",
            )
        _, schema = read_description(path, type(self))
        with _contained(0):
            from sdv.utils import load_synthesizer

            try:
                synthesizer = load_synthesizer(file)
            except Exception as error:
                raise damaged(path, type(self), error) from error
        return SDVSampler(self, schema, synthesizer)


class _Trained(SDVGenerator):
    """Those with a training loop."""

    epochs: PositiveInt = 300
    """Passes over the training rows."""
    batch_size: PositiveInt = 500
    """Training rows per step."""
    embedding_dim: PositiveInt = 128
    """Size of the noise."""

    def report(self, synthesizer: Any, context: Context) -> None:
        losses = synthesizer.get_loss_values().groupby("Epoch").mean(numeric_only=True)
        for epoch, record in losses.drop(columns="Batch", errors="ignore").iterrows():
            named = {str(k).lower().replace(" ", "_"): float(v) for k, v in record.items()}
            context.log({"step": float(epoch + 1), "steps": float(self.epochs), **named})

    def _arguments(self, device: str) -> dict[str, Any]:
        chosen = self.model_dump(exclude={"name", "trust_pickle"})
        return {**chosen, "enable_gpu": device != "cpu"}


class _Adversarial(_Trained):
    """Those that train a critic."""

    generator_dim: tuple[PositiveInt, ...] = (256, 256)
    """Widths of the generator's layers."""
    discriminator_dim: tuple[PositiveInt, ...] = (256, 256)
    """Widths of the discriminator's layers."""
    generator_lr: PositiveFloat = 2e-4
    """Learning rate of the generator."""
    generator_decay: float = Field(default=1e-6, ge=0)
    """Weight decay of the generator."""
    discriminator_lr: PositiveFloat = 2e-4
    """Learning rate of the discriminator."""
    discriminator_decay: float = Field(default=1e-6, ge=0)
    """Weight decay of the discriminator."""
    discriminator_steps: PositiveInt = 1
    """Discriminator steps per generator step."""
    log_frequency: bool = True
    """Whether training conditions are drawn by the logarithm of the category's frequency."""
    pac: PositiveInt = 10
    """Rows that the discriminator sees together; batch_size is a multiple of it, and even."""

    @model_validator(mode="after")
    def _batches(self) -> Self:
        if self.batch_size % 2 or self.batch_size % self.pac:
            raise ValueError(f"batch_size has to be even and a multiple of pac={self.pac}")
        return self


class SDVCTGAN(_Adversarial):
    """SDV's CTGANSynthesizer: the ``ctgan`` package, with its known faults."""

    name: Literal["sdv-ctgan"] = "sdv-ctgan"

    def synthesizer(self, metadata: Any, device: str) -> Any:
        from sdv.single_table import CTGANSynthesizer

        return CTGANSynthesizer(metadata, **self._arguments(device))


class SDVCopulaGAN(_Adversarial):
    """SDV's CopulaGANSynthesizer: CTGAN on numbers made normal by a copula."""

    name: Literal["sdv-copulagan"] = "sdv-copulagan"
    default_distribution: Distribution = "beta"
    """Family that each number is fitted with."""

    def synthesizer(self, metadata: Any, device: str) -> Any:
        from sdv.single_table import CopulaGANSynthesizer

        return CopulaGANSynthesizer(metadata, **self._arguments(device))


class SDVTVAE(_Trained):
    """SDV's TVAESynthesizer: the ``ctgan`` package's TVAE."""

    name: Literal["sdv-tvae"] = "sdv-tvae"
    compress_dims: tuple[PositiveInt, ...] = (128, 128)
    """Widths of the encoder's layers."""
    decompress_dims: tuple[PositiveInt, ...] = (128, 128)
    """Widths of the decoder's layers."""
    l2scale: float = Field(default=1e-5, ge=0)
    """Weight decay."""
    loss_factor: PositiveFloat = 2
    """Weight of the reconstruction against the divergence."""

    def synthesizer(self, metadata: Any, device: str) -> Any:
        from sdv.single_table import TVAESynthesizer

        return TVAESynthesizer(metadata, **self._arguments(device))


class SDVGaussianCopula(SDVGenerator):
    """SDV's GaussianCopulaSynthesizer: marginals joined by a normal copula."""

    name: Literal["sdv-gaussian-copula"] = "sdv-gaussian-copula"
    default_distribution: Distribution = "beta"
    """Family that each column is fitted with."""

    def synthesizer(self, metadata: Any, device: str) -> Any:
        from sdv.single_table import GaussianCopulaSynthesizer

        return GaussianCopulaSynthesizer(metadata, default_distribution=self.default_distribution)


@dataclass(frozen=True)
class SDVSampler:
    """A fitted synthesizer of SDV."""

    generator: SDVGenerator
    schema: Schema
    synthesizer: Any

    def sample(self, n: int, *, seed: int, where: Where | None = None) -> Table:
        """As :meth:`synthgen.generators.base.Sampler.sample`; conditions by rejection."""

        def draw(count: int, attempt: int) -> Table:
            return _rows(self._drawn(count, [seed, attempt]), self.schema).table(seed)

        return draw_until(draw, n, where, tries=TRIES, seed=seed)

    def save(self, path: Path) -> None:
        """Write ``model.json`` and the folder ``sdv``, which is in SDV's own format."""
        from sdv import version

        folder = path / FOLDER
        folder.mkdir()
        with _contained(0):
            self.synthesizer.save(folder / MODEL)
        readme = README.format(version=version.community)
        (folder / "README.txt").write_text(readme, encoding="utf-8")
        write_description(path, self.generator, self.schema)

    def _drawn(self, count: int, entropy: list[int]) -> pd.DataFrame:
        sequence = np.random.SeedSequence(entropy)
        with _contained(0):
            self.synthesizer.reset_sampling()
            # Private, but the only way: else SDV begins every sample with one and the same seed.
            self.synthesizer._set_random_state(int(sequence.generate_state(1)[0]))
            # The transformers place missing values, each by a generator of its own.
            for transformer in self.synthesizer.get_transformers().values():
                (child,) = sequence.spawn(1)
                if transformer is not None:
                    state = np.random.RandomState(int(child.generate_state(1)[0]))
                    transformer.set_random_state(state, "reverse_transform")
            drawn: pd.DataFrame = self.synthesizer.sample(count)[_TABLE]
        return drawn


def _names(schema: Schema) -> tuple[list[str], list[str]]:
    """SDV's names of the continuous and of the discrete columns, numbered in table order."""
    place = {column.name: f"c{i}" for i, column in enumerate(schema.modelled)}
    return [place[c.name] for c in schema.continuous], [place[c.name] for c in schema.discrete]


def _metadata(schema: Schema) -> dict[str, Any]:
    continuous, discrete = _names(schema)
    columns: dict[str, dict[str, Any]] = {name: {"sdtype": "numerical"} for name in continuous}
    for name, column in zip(discrete, schema.discrete, strict=True):
        columns[name] = {"sdtype": "categorical"}
        if isinstance(column, Ordered):
            order = [str(code) for code in range(len(column.values))]
            nullable = {"range_is_nullable": column.missing}
            columns[name] = {"sdtype": "ordinal", "range_values": order, **nullable}
    return {"METADATA_SPEC_VERSION": "V2", "tables": {_TABLE: {"columns": columns}}}


def _frame(rows: Rows) -> pd.DataFrame:
    continuous, discrete = _names(rows.schema)
    frame = pd.DataFrame(rows.continuous, columns=continuous)
    for name, codes in zip(discrete, rows.discrete.T, strict=True):
        text = pd.Series(codes).astype(str).astype(object)
        frame[name] = text.where(codes != MISSING, None)
    # Table order, so that columns are modelled in the order in which SDV would meet them.
    return frame[sorted(frame.columns, key=lambda name: int(name[1:]))]


def _rows(frame: pd.DataFrame, schema: Schema) -> Rows:
    continuous, discrete = _names(schema)
    codes = frame[discrete].apply(pd.to_numeric).fillna(MISSING)
    return Rows(
        schema, frame[continuous].to_numpy(np.float64), codes.to_numpy(np.float64).astype(np.int64)
    )


@contextmanager
def _contained(seed: int) -> Iterator[None]:
    """Room for a call to SDV: it draws from the global generators of NumPy and torch (seeded
    here, restored afterwards), warns and prints a lot (dropped), and starts a process per core
    for work that takes a second (done in this one). :class:`MachineError` if it is absent."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            import joblib
            import sdv  # noqa: F401
            import torch
        except ImportError as error:
            raise MachineError(
                f"SDV is not installed ({error.name} is missing)",
                "pip install 'synthgen[sdv]', in a clone: "
                "pip install -c constraints.txt -e '.[sdv]'",
            ) from error
        state = np.random.get_state()  # noqa: NPY002
        with joblib.parallel_config(backend="sequential"), torch.random.fork_rng():
            np.random.seed(np.random.SeedSequence(seed).generate_state(1))  # noqa: NPY002
            torch.manual_seed(seed)
            try:
                yield
            finally:
                np.random.set_state(state)  # noqa: NPY002
