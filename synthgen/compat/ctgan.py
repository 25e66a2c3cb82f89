"""``CTGAN`` with the arguments of the ``ctgan`` package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

import pandas as pd

from synthgen.compat.synthesizer import Record, Synthesizer, build
from synthgen.compat.training_data import Data, Label
from synthgen.errors import ConfigError
from synthgen.generators.base import Generator
from synthgen.generators.ctgan_paper import CTGANPaper

_NAMES = {
    "generator_weight_decay": "generator_decay",
    "discriminator_weight_decay": "discriminator_decay",
}


class CTGAN(Synthesizer):
    """A conditional GAN for tables (Xu et al. 2019), as the paper has it.

    The arguments, their order and their defaults are those of ``ctgan`` 0.12; what they mean is
    said at :class:`synthgen.CTGANPaper`. ``enable_gpu`` trains on a GPU where there is
    one; ``cuda`` is its older name, and may name a device such as ``"cuda:1"``. ``verbose`` shows
    a progress bar on standard error. Two further ones are ours, and mostly better: ``ema=0.999``
    averages the generator's weights, and ``numeric="quantiles"`` is the other encoding of numbers.
    Much better than this algorithm is :class:`synthgen.CTGAN`, its tuned successor.

    ``loss_values`` has a row per epoch, which counts from 0, with the epoch's mean losses; no row
    before ``fit``.

    Raises :class:`~synthgen.errors.ConfigError` for values that cannot be, such as a
    ``batch_size`` that is odd or no multiple of ``pac``.
    """

    ALGORITHM = CTGANPaper
    LOSSES: ClassVar[tuple[str, ...]] = ("Epoch", "Generator Loss", "Discriminator Loss")

    def __init__(
        self,
        embedding_dim: int = 128,
        generator_dim: Sequence[int] = (256, 256),
        discriminator_dim: Sequence[int] = (256, 256),
        generator_lr: float = 2e-4,
        generator_decay: float = 1e-6,
        discriminator_lr: float = 2e-4,
        discriminator_decay: float = 1e-6,
        batch_size: int = 500,
        discriminator_steps: int = 1,
        log_frequency: bool = True,
        verbose: bool = False,
        epochs: int = 300,
        pac: int = 10,
        enable_gpu: bool = True,
        cuda: bool | str | None = None,
        *,
        ema: float | None = None,
        numeric: Literal["modes", "quantiles"] = "modes",
    ) -> None:
        generator = build(
            self.ALGORITHM,
            {
                "embedding_dim": embedding_dim,
                "generator_dim": generator_dim,
                "discriminator_dim": discriminator_dim,
                "generator_lr": generator_lr,
                "generator_weight_decay": generator_decay,
                "discriminator_lr": discriminator_lr,
                "discriminator_weight_decay": discriminator_decay,
                "batch_size": batch_size,
                "discriminator_steps": discriminator_steps,
                "log_frequency": log_frequency,
                "epochs": epochs,
                "pac": pac,
                "ema": ema,
                "numeric": numeric,
            },
            _NAMES,
        )
        if generator.batch_size % 2:
            raise ConfigError(f"batch_size {batch_size} is odd", "choose an even batch_size")
        super().__init__(generator, verbose=verbose, enable_gpu=enable_gpu, cuda=cuda)

    def fit(
        self,
        train_data: Data,
        discrete_columns: Iterable[Label] = (),
        epochs: int | None = None,
    ) -> None:
        """Train on a frame, or on an array of shape (rows, columns).

        ``discrete_columns`` are names, or positions in an array. All other columns are quantities,
        which may have missing cells. ``epochs`` goes before the constructor's. Raises
        :class:`~synthgen.errors.ConfigError` for a discrete column that does not exist,
        :class:`~synthgen.errors.DataError` for text in a column that is not discrete, and
        :class:`~synthgen.errors.TrainingError` where losses stay NaN.
        """
        generator = self._generator
        if epochs is not None:
            generator = build(type(generator), {**dict(generator), "epochs": epochs}, _NAMES)
        self._fit(generator, train_data, discrete_columns)

    def sample(
        self,
        n: int,
        condition_column: Label | None = None,
        condition_value: object = None,
    ) -> Data:
        """``n`` rows as the training data came: a frame of the same columns and dtypes, or an
        array.

        With a condition, a discrete column and one of its categories, *every* row has it; where
        a bounded number of tries does not find ``n``, fewer come with a
        :class:`~synthgen.errors.ShortfallWarning`. Raises
        :class:`~synthgen.errors.ConfigError` before ``fit`` and for an unknown column or category.
        """
        return self._sample(n, condition_column, condition_value)

    def _log_every(self, generator: Generator, rows: int) -> int:
        assert isinstance(generator, CTGANPaper)
        # An epoch's number of steps: each record is of one epoch.
        return max(1, rows // generator.batch_size)

    def _losses(self, records: list[Record]) -> pd.DataFrame:
        # The loop writes records between the ends of epochs too; each is the mean of its steps.
        frame = pd.DataFrame(records, columns=["step", "epoch", "loss_generator", "loss_critic"])
        steps = frame["step"].diff().fillna(frame["step"])
        sums = frame[["loss_generator", "loss_critic"]].mul(steps, axis=0).groupby(frame["epoch"])
        means = sums.sum().div(steps.groupby(frame["epoch"]).sum(), axis=0).reset_index()
        means["epoch"] = means["epoch"].astype("int64") - 1
        return means.set_axis(list(self.LOSSES), axis=1)

    def _text(self, record: Record) -> str:
        return (
            f"generator {record['loss_generator']:+.2f}, critic {record['loss_critic']:+.2f}, "
            f"epoch {record['epoch']:.0f}"
        )
