"""The trained generator of CTGAN as few matrix products: what it is in evaluation mode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from synthgen.generators.ctgan_generator import ConditionalGenerator


@dataclass(frozen=True)
class Folded:
    """Batch normalisation by running statistics is linear: it is part of the weights before it."""

    noise: list[Tensor]
    """(embedding_dim, size) per layer."""
    inner: list[list[Tensor]]
    """Per layer (size of an earlier one, size) for each of those before it."""
    constant: list[Tensor]
    """(conditions, size) per layer, or (1, size) without conditions."""

    @classmethod
    def of(cls, network: ConditionalGenerator, constants: Tensor) -> Self:
        """``constants`` (width,) are added to the output; they may be minus infinity."""
        noise, inner, constant = [], [], []
        for k in range(len(network.sizes)):
            scale: Tensor = torch.ones(())
            shift = constants
            if k < len(network.norms):
                norm: torch.nn.BatchNorm1d = network.norms[k]  # type: ignore[assignment]
                assert norm.running_mean is not None
                assert norm.running_var is not None
                scale = norm.weight * (norm.running_var + norm.eps).rsqrt()
                shift = norm.bias - norm.running_mean * scale
            told = network.condition[k] if len(network.condition[k]) else torch.zeros(1, 1)
            noise.append(network.noise[k] * scale)
            constant.append((told + network.bias[k]) * scale + shift)
            inner.append(
                [w * scale for w in torch.split(network.inner[k - 1], network.sizes[:k])]
                if k
                else []
            )
        return cls(noise, inner, constant)

    def __call__(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Raw output (batch, width) for noise (batch, embedding_dim) and the numbers of the
        conditions (batch,)."""
        hidden: list[Tensor] = []
        for k, (noise, constant) in enumerate(zip(self.noise, self.constant, strict=True)):
            if condition is None:
                out = torch.addmm(constant[0], z, noise)
            else:
                out = constant.index_select(0, condition).addmm_(z, noise)
            for earlier, weights in zip(hidden, self.inner[k], strict=True):
                out.addmm_(earlier, weights)
            hidden.append(out.relu_() if k < len(self.inner) - 1 else out)
        return out
