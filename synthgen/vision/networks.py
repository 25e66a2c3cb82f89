"""The network of a classifier: the default one, or any by its import path."""

from __future__ import annotations

from importlib import import_module
from typing import TypeVar

import torch
from torch import Tensor, nn

from synthgen.errors import ConfigError
from synthgen.vision.small_cnn import SmallCnn

N = TypeVar("N", bound=nn.Module)


def placed(network: N, device: str) -> N:
    """The network itself on the device, its weights laid out as
    :func:`~synthgen.vision.pixels.normalised` lays out images."""
    network.to(device)
    # PyTorch's own annotations lack this form.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def build(path: str | None, channels: int, size: int, classes: int) -> nn.Module:
    """:class:`~synthgen.vision.small_cnn.SmallCnn`, or what ``module:attribute`` makes when called
    with channels, size and classes.

    It takes images (n, channels, size, size) of mean 0 and deviation 1 to logits (n, classes).
    Raises :class:`~synthgen.errors.ConfigError` for a path that leads nowhere, and for a result
    that is not such a module.
    """
    if path is None:
        return SmallCnn(channels, size, classes)
    module, _, attribute = path.partition(":")
    if not module or not attribute:
        raise ConfigError(f"network {path!r} is not an import path", "write it as module:attribute")
    try:
        make = getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"network {path!r} cannot be imported: {error}",
            "check the spelling, and that the module is installed or on PYTHONPATH",
        ) from error
    try:
        network = make(channels, size, classes)
        if not isinstance(network, nn.Module):
            raise TypeError(f"it makes a {type(network).__name__}")
        with torch.no_grad():
            # In evaluation mode, so that the statistics of batch normalisation stay.
            logits = network.eval()(torch.zeros(2, channels, size, size))
    except Exception as error:
        raise ConfigError(
            f"network {path!r} fails with {channels} channels, size {size} and {classes} classes: "
            f"{type(error).__name__}: {error}",
            "make it a callable of channels, size and classes that returns a torch module for "
            "images of shape (n, channels, size, size)",
        ) from error
    if not isinstance(logits, Tensor) or logits.shape != (2, classes):
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ConfigError(
            f"network {path!r} returns {shape} for two images and {classes} classes",
            "return logits of shape (n, classes)",
        )
    return network
