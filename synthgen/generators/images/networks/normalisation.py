"""What holds the weights or activations of a critic's convolutions in bounds."""

from __future__ import annotations

from typing import Literal, TypeAlias

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

CriticNorm: TypeAlias = Literal["none", "batch", "layer", "spectral"]


def normalised(layer: nn.Module, features: int, norm: CriticNorm) -> nn.Module:
    """The layer with what follows it: batch normalisation, layer normalisation over channels and
    pixels (as Gulrajani et al. 2017 have it beside a gradient penalty), or its weight divided by
    its largest singular value (Miyato et al. 2018, arXiv 1802.05957)."""
    if norm == "batch":
        return nn.Sequential(layer, nn.BatchNorm2d(features))
    if norm == "layer":
        return nn.Sequential(layer, nn.GroupNorm(1, features))
    return spectral(layer, norm)


def spectral(layer: nn.Module, norm: CriticNorm) -> nn.Module:
    """The layer, its weight normalised if that is the norm of the critic."""
    return spectral_norm(layer) if norm == "spectral" else layer
