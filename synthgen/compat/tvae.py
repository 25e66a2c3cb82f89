"""``TVAE`` with the arguments of the ``ctgan`` package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import pandas as pd

from synthgen.compat.synthesizer import Record, Synthesizer, build
from synthgen.compat.training_data import Data, Label
from synthgen.generators import tvae as algorithm
from synthgen.generators.base import Generator

_NAMES = {"weight_decay": "l2scale"}


class TVAE(Synthesizer):
    """A variational autoencoder for tables (Xu et al. 2019).

    The arguments, their order and their defaults are those of ``ctgan`` 0.12; what they mean is
    said at :class:`synthgen.generators.tvae.TVAE`. ``enable_gpu``, ``cuda``, ``verbose``, ``ema``
    and ``numeric`` are as in :class:`synthgen.compat.CTGAN`.

    ``loss_values`` has a row per batch; epochs and the batches of each count from 0; no row before
    ``fit``.

    Raises :class:`~synthgen.errors.ConfigError` for values that cannot be.
    """

    ALGORITHM = algorithm.TVAE
    LOSSES: ClassVar[tuple[str, ...]] = ("Epoch", "Batch", "Loss")

    def __init__(
        self,
        embedding_dim: int = 128,
        compress_dims: Sequence[int] = (128, 128),
        decompress_dims: Sequence[int] = (128, 128),
        l2scale: float = 1e-5,
        batch_size: int = 500,
        epochs: int = 300,
        loss_factor: float = 2,
        enable_gpu: bool = True,
        verbose: bool = False,
        cuda: bool | str | None = None,
        *,
        ema: float | None = None,
        numeric: Literal["modes", "quantiles"] = "modes",
    ) -> None:
        generator = build(
            self.ALGORITHM,
            {
                "embedding_dim": embedding_dim,
                "compress_dims": compress_dims,
                "decompress_dims": decompress_dims,
                "weight_decay": l2scale,
                "batch_size": batch_size,
                "epochs": epochs,
                "loss_factor": loss_factor,
                "ema": ema,
                "numeric": numeric,
            },
            _NAMES,
        )
        super().__init__(generator, verbose=verbose, enable_gpu=enable_gpu, cuda=cuda)

    def fit(self, train_data: Data, discrete_columns: Iterable[Label] = ()) -> None:
        """As :meth:`synthgen.compat.CTGAN.fit`."""
        self._fit(self._generator, train_data, discrete_columns)

    def sample(
        self,
        samples: int,
        condition_column: Label | None = None,
        condition_value: object = None,
    ) -> Data:
        """As :meth:`synthgen.compat.CTGAN.sample`; here conditions are met by rejection alone."""
        return self._sample(samples, condition_column, condition_value)

    def _log_every(self, generator: Generator, rows: int) -> int:
        return 1

    def _losses(self, records: list[Record]) -> pd.DataFrame:
        frame = pd.DataFrame(records)
        epoch = frame["epoch"].astype("int64") - 1
        loss = self._loss_factor * frame["loss_reconstruction"] + frame["loss_divergence"]
        columns = [epoch, epoch.groupby(epoch).cumcount(), loss]
        return pd.concat(columns, axis=1).set_axis(list(self.LOSSES), axis=1)

    def _text(self, record: Record) -> str:
        loss = self._loss_factor * record["loss_reconstruction"] + record["loss_divergence"]
        return f"loss {loss:+.2f}, epoch {record['epoch']:.0f}"

    @property
    def _loss_factor(self) -> float:
        assert isinstance(self._generator, algorithm.TVAE)
        return self._generator.loss_factor
