"""A fitted network with its encoder and hyper-parameters as two files: tensors and JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from synthgen.data.table import Columnar
from synthgen.encoding import Encoded, Encoder
from synthgen.generators.base import Generator
from synthgen.generators.description import DESCRIPTION, FORMAT, damaged
from synthgen.training.randomness import initialisation

G = TypeVar("G", bound=Generator)
N = TypeVar("N", bound=nn.Module)
WEIGHTS = "model.safetensors"


NOTHING: Mapping[str, Any] = {}


def write_model(
    path: Path,
    generator: Generator,
    encoder: Encoder,
    network: nn.Module,
    more: Mapping[str, Any] = NOTHING,
) -> None:
    """Write ``model.safetensors`` and ``model.json``, which says ``more`` if there is any, into the
    existing directory ``path``."""
    weights = {name: tensor.contiguous() for name, tensor in network.state_dict().items()}
    save_file(weights, path / WEIGHTS)
    text = json.dumps({**_described(generator, encoder), **more}, indent=1)
    (path / DESCRIPTION).write_text(text + "\n", encoding="utf-8")


def fingerprint(generator: Generator, encoder: Encoder, data: Encoded, seed: int) -> str:
    """What tells one training from another: its hyper-parameters, rows and seed."""
    digest = hashlib.sha256(json.dumps([_described(generator, encoder), seed]).encode())
    for tensor in (data.codes, data.scalars):
        # The numbers as they lie in memory: a copy of them could be gigabytes.
        digest.update(tensor.cpu().contiguous().numpy().reshape(-1).data)
    return digest.hexdigest()


def rows_fingerprint(generator: Generator, train: Columnar, seed: int) -> str:
    """The same for a training that has no encoder yet, or another one each time."""
    settings = [generator.model_dump(mode="json"), train.schema.model_dump(mode="json"), seed]
    digest = hashlib.sha256(json.dumps(settings).encode())
    for continuous in train.schema.continuous:
        digest.update(train.numbers(continuous.name).tobytes())
    for discrete in train.schema.discrete:
        digest.update(train.codes(discrete.name).tobytes())
    return digest.hexdigest()


def read_model(path: Path, kind: type[G], build: Callable[[G, Encoder], N]) -> tuple[G, Encoder, N]:
    """What :func:`write_model` wrote: hyper-parameters, encoder, and the network for sampling,
    which ``build`` makes and the file fills.

    Raises :class:`~synthgen.errors.DataError` for what is not a whole model of this kind.
    """
    try:
        description: dict[str, Any] = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        generator = kind.model_validate(description["generator"])
        encoder = Encoder.from_json({**description["encoder"], "schema": description["schema"]})
        with initialisation(0):
            network = build(generator, encoder)
        network.load_state_dict(load_file(path / WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise damaged(path, kind, error) from error
    return generator, encoder, network.eval()


def _described(generator: Generator, encoder: Encoder) -> dict[str, Any]:
    encoding = encoder.to_json()
    return {
        "format": FORMAT,
        "generator": generator.model_dump(mode="json"),
        "schema": encoding.pop("schema"),
        "encoder": encoding,
    }
