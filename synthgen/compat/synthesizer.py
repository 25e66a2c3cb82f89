"""What both classes share: seeds, device, fitting, sampling, saving and loading."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias, TypeVar

import numpy as np
import pandas as pd
import torch
from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress
from sklearn.utils import check_random_state

from synthgen import config as configuration
from synthgen.benchmark.threads import single_thread
from synthgen.compat import model_file
from synthgen.compat.training_data import Data, Form, Label, read_training_data
from synthgen.data.overrides import did_you_mean
from synthgen.errors import ConfigError
from synthgen.generators.base import Generator, Sampler, Where
from synthgen.generators.ctgan_paper import CTGANPaper
from synthgen.generators.ctgan_sampler import CTGANSampler
from synthgen.generators.tvae import TVAE, TVAESampler
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.stages import device as device_of
from synthgen.training.context import Context

G = TypeVar("G", bound=Generator)
RandomState: TypeAlias = (
    int | np.integer[Any] | tuple[np.random.RandomState, torch.Generator] | None
)
Record: TypeAlias = Mapping[str, float]
_SEEDS = np.iinfo(np.int32).max


class Synthesizer(ABC):
    """Base of the two classes, which add their arguments and their table of losses."""

    ALGORITHM: ClassVar[type[CTGANPaper] | type[TVAE]]
    LOSSES: ClassVar[tuple[str, ...]]
    """The columns of ``loss_values``."""

    def __init__(
        self, generator: Generator, *, verbose: bool, enable_gpu: bool, cuda: bool | str | None
    ) -> None:
        self._generator = generator
        self._verbose = verbose
        self._enable_gpu = _wants_gpu(enable_gpu, cuda)
        self._random: tuple[int, int] | None = None
        self._sampler: Sampler | None = None
        self._form = Form(array=False, labels=())
        self.loss_values = pd.DataFrame(columns=list(self.LOSSES))
        self.set_device(cuda if isinstance(cuda, str) else None)

    def set_random_state(self, random_state: RandomState) -> None:
        """Fix what the next calls of ``fit`` and ``sample`` draw, each call something else.

        A whole number of at least 0, or a pair of which the ``RandomState`` gives one; None (as
        at first): each call draws its seed from NumPy's global generator, so that
        ``numpy.random.seed`` fixes it. The state travels with ``save``. Raises
        :class:`~synthgen.errors.ConfigError` for anything else.
        """
        match random_state:
            case None:
                self._random = None
            case (np.random.RandomState() as state, torch.Generator()):
                self._random = int(state.randint(_SEEDS)), 0
            case int() | np.integer() if random_state >= 0:
                self._random = int(random_state), 0
            case _:
                raise ConfigError(
                    f"random_state is {random_state!r}",
                    "give a whole number from 0 on, None, or (RandomState, torch.Generator)",
                )

    def set_device(self, device: str | torch.device | None) -> None:
        """What trains: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` ...; None: as ``enable_gpu`` says.

        Rows are always drawn on the CPU, where the same seed gives the same rows whatever device
        trained. Raises :class:`~synthgen.errors.ConfigError` for what is no device and
        :class:`~synthgen.errors.MachineError` for one that is not there.
        """
        wanted = str(device) if device else ("auto" if self._enable_gpu else "cpu")
        self._device = device_of(
            configuration.build({"data": {"target": ""}, "device": wanted}),
        )

    def save(self, path: str | Path) -> None:
        """Write one file, a zip archive of safetensors and JSON; an existing one is replaced.

        Raises :class:`~synthgen.errors.ConfigError` before ``fit`` and
        :class:`~synthgen.errors.MachineError` where the file cannot be written.
        """
        state = {
            "class": type(self).__name__,
            "verbose": self._verbose,
            "enable_gpu": self._enable_gpu,
            "random": self._random,
            "array": self._form.array,
            "labels": self._form.labels,
            "loss_values": self.loss_values.to_dict("list"),
        }
        model_file.write(Path(path), self._fitted(), state)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """What ``save`` wrote, which then samples what the saved object would have.

        Raises :class:`~synthgen.errors.DataError` for any other file. A pickle, such as the
        ``ctgan`` package saves, is refused without being opened.
        """
        sampler, state = model_file.read(Path(path), cls.__name__, cls.ALGORITHM())
        assert isinstance(sampler, CTGANSampler | TVAESampler)
        model = cls.__new__(cls)
        Synthesizer.__init__(
            model,
            sampler.config,
            verbose=state["verbose"],
            enable_gpu=state["enable_gpu"],
            cuda=None,
        )
        model._sampler = sampler
        model._random = tuple(state["random"]) if state["random"] else None
        model._form = Form(state["array"], tuple(state["labels"]))
        model.loss_values = pd.DataFrame(state["loss_values"], columns=list(cls.LOSSES))
        return model

    def _fit(self, generator: Generator, data: object, discrete_columns: Iterable[Label]) -> None:
        table, form = read_training_data(data, discrete_columns)
        records: list[Record] = []
        console = Console(stderr=True)
        with single_thread(), Progress(console=console, disable=not self._verbose) as progress:
            bar = progress.add_task("")

            def log(record: Record) -> None:
                records.append(record)
                text, steps = self._text(record), record["steps"]
                progress.update(bar, completed=record["step"], total=steps, description=text)

            context = Context(
                self._seed(),
                device=self._device,
                log=log,
                log_every=self._log_every(generator, len(table)),
            )
            self._sampler = generator.fit(table, context)
        self._form = form
        self.loss_values = self._losses(records)

    def _sample(self, n: object, column: Label | None, value: object) -> Data:
        sampler = self._fitted()
        if not isinstance(n, int | np.integer) or n < 0:
            raise ConfigError(f"{n!r} rows were asked for", "give a whole number from 0 on")
        where = self._where(column, value)
        with single_thread():
            return self._form.give_back(sampler.sample(int(n), seed=self._seed(), where=where))

    def _where(self, column: Label | None, value: Any) -> Where | None:
        if column is None and value is None:
            return None
        if column is None or value is None:
            given, lacking = ("column", "value") if value is None else ("value", "column")
            raise ConfigError(
                f"condition_{given} is given without condition_{lacking}", "give both, or neither"
            )
        name = self._form.name(column)
        schema = self._fitted().encoder.schema
        discrete = [column.name for column in schema.discrete]
        if name not in discrete:
            raise ConfigError(
                f"column {name!r} was not fitted as a discrete one: it cannot be conditioned on",
                f"list it in discrete_columns, or use another one. {did_you_mean(name, discrete)}",
            )
        return {name: value}

    def _fitted(self) -> CTGANSampler | TVAESampler:
        if not isinstance(self._sampler, CTGANSampler | TVAESampler):
            raise ConfigError(
                f"this {type(self).__name__} has not been fitted",
                f"call fit first, or {type(self).__name__}.load for a saved one",
            )
        return self._sampler

    def _seed(self) -> int:
        """A fresh one for every call."""
        if self._random is None:
            return int(check_random_state(None).randint(_SEEDS))
        seed, calls = self._random
        self._random = seed, calls + 1
        return derive(seed, f"call {calls}")

    @abstractmethod
    def _log_every(self, generator: Generator, rows: int) -> int:
        """Steps between two records of the training."""

    @abstractmethod
    def _losses(self, records: list[Record]) -> pd.DataFrame:
        """The records as ``loss_values``."""

    @abstractmethod
    def _text(self, record: Record) -> str:
        """The losses of a record for the progress bar."""


def build(kind: type[G], values: Mapping[str, Any], names: Mapping[str, str]) -> G:
    """The generator of these hyper-parameters. Raises ConfigError, in which a field is called what
    ``names`` (ours to the caller's) says."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        if not first["loc"]:
            raise ConfigError(message, "choose a batch_size that is a multiple of pac") from None
        field = str(first["loc"][0])
        default = kind.model_fields[field].default
        raise ConfigError(
            f"{names.get(field, field)}={values[field]!r}: {message}",
            f"leave it out for the default, {default!r}",
        ) from None


def _wants_gpu(enable_gpu: bool, cuda: bool | str | None) -> bool:
    if cuda and not enable_gpu:
        raise ConfigError(
            f"enable_gpu is False and cuda is {cuda!r}", "give one of them, enable_gpu"
        )
    return enable_gpu if cuda is None else bool(cuda)
