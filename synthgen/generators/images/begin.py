"""Training that begins with the weights of a saved model, for other images or classes.

Critic layers next to the image can be kept as they are, as they see what all images have in common
(FreezeD: Mo, Cho & Shin 2020, arXiv 2002.10964).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from synthgen.data.images.images import Class
from synthgen.errors import ConfigError

Build = Callable[[int], nn.Module]
"""A network for so many classes."""


@torch.no_grad()
def begin_(
    network: nn.Module,
    weights: Mapping[str, Tensor],
    build: Build,
    classes: Sequence[Class],
    known: Sequence[Class],
) -> None:
    """Give ``network`` (for ``classes``) the weights of another one (for the classes ``known``);
    what belongs to a class goes by its name, and of a new class stays as it is.

    Raises :class:`~synthgen.errors.ConfigError` for weights of a network of other sizes.
    """
    along = _class_dimensions(build, len(classes))
    own = network.state_dict()
    if own.keys() != weights.keys():
        raise _other_network()
    pairs = [(k, known.index(name)) for k, name in enumerate(classes) if name in known]
    for name, tensor in own.items():
        given = weights[name]
        dimension = along.get(name)
        if dimension is None:
            if given.shape != tensor.shape:
                raise _other_network()
            tensor.copy_(given)
            continue
        # What belongs to classes stands behind all else.
        first = tensor.shape[dimension] - len(classes)
        theirs, rows = given.movedim(dimension, 0), tensor.movedim(dimension, 0)
        if len(theirs) != first + len(known) or theirs.shape[1:] != rows.shape[1:]:
            raise _other_network()
        rows[:first] = theirs[:first]
        for k, j in pairs:
            rows[first + k] = theirs[first + j]


def freeze_(stages: Sequence[Sequence[nn.Module]], number: int) -> None:
    """Keep the weights of so many of a critic's stages, the one next to the image first, as they
    are. Raises :class:`~synthgen.errors.ConfigError` for more than it has."""
    if number > len(stages):
        raise ConfigError(
            f"frozen is {number}, but the critic has {len(stages)} stages",
            f"choose a number up to {len(stages)}",
        )
    for stage in stages[:number]:
        for module in stage:
            module.requires_grad_(False)


def _class_dimensions(build: Build, classes: int) -> dict[str, int]:
    """Along which dimension a tensor has something for each class: the one that grows with them."""
    with torch.device("meta"):
        one, more = build(classes).state_dict(), build(classes + 1).state_dict()
    found = {}
    for name, tensor in one.items():
        for dimension, (size, larger) in enumerate(
            zip(tensor.shape, more[name].shape, strict=True)
        ):
            if size != larger:
                found[name] = dimension
    return found


def _other_network() -> ConfigError:
    return ConfigError(
        "the model to begin with has other networks than these settings ask for",
        "use its own settings (model.json has them): network, width, latent_dim, told_generator, "
        "told_critic, critic_norm, and images of the same size and channels",
    )
