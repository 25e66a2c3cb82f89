"""Batch normalisation (Ioffe & Szegedy 2015, arXiv 1502.03167) over the rows of all processes, and
its gradients in closed form."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthgen.training.parallel import Ranks

Statistics = tuple[Tensor, Tensor]
"""Mean and inverse standard deviation of a batch, (features,) each."""


@torch.no_grad()
def normalise(norm: nn.BatchNorm1d, x: Tensor, ranks: Ranks) -> tuple[Tensor, Statistics]:
    """As ``norm(x)`` for this process's rows (rows, features), with the statistics of all
    processes' rows in training mode. They are what :func:`normalise_backward` needs."""
    if ranks.size == 1 or not norm.training:
        normal, mean, inverse = torch.native_batch_norm(
            x, norm.weight, norm.bias, norm.running_mean, norm.running_var,
            norm.training, norm.momentum or 0.0, norm.eps,
        )  # fmt: skip
        return normal, (mean, inverse)
    mean = x.mean(0)
    ranks.average_([mean])
    centred = x - mean
    variance = centred.square().mean(0)
    ranks.average_([variance])
    inverse = (variance + norm.eps).rsqrt()
    if norm.running_mean is not None and norm.running_var is not None:
        rows = len(x) * ranks.size
        momentum = norm.momentum or 0.0
        norm.running_mean.lerp_(mean, momentum)
        norm.running_var.lerp_(variance * (rows / (rows - 1)), momentum)
    return centred * (inverse * norm.weight) + norm.bias, (mean, inverse)


@torch.no_grad()
def normalise_backward(
    norm: nn.BatchNorm1d, x: Tensor, statistics: Statistics, gradient: Tensor, ranks: Ranks
) -> Tensor:
    """The gradient by ``x``, given that by the normalised rows; sets ``grad`` of the weight and
    the bias by this process's rows.

    With several processes all gradients are of the mean over this process's rows, whose average
    over the processes is the gradient of the mean over all rows.
    """
    mean, inverse = statistics
    if ranks.size == 1:
        by_x, norm.weight.grad, norm.bias.grad = torch.ops.aten.native_batch_norm_backward(
            gradient, x, norm.weight, norm.running_mean, norm.running_var, mean, inverse,
            True, norm.eps, [True, True, True],
        )  # fmt: skip
        return by_x  # type: ignore[no-any-return]
    normal = (x - mean) * inverse
    weight_grad, bias_grad = (gradient * normal).sum(0), gradient.sum(0)
    norm.weight.grad, norm.bias.grad = weight_grad.clone(), bias_grad.clone()
    ranks.average_([weight_grad, bias_grad])
    rows = len(x)
    by_x = gradient - (bias_grad + normal * weight_grad) / rows
    return by_x * (inverse * norm.weight)
