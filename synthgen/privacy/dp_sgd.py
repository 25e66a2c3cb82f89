"""DP-SGD (Abadi et al. 2016, arXiv 1607.00133) with the optimizer of Opacus (Yousefpour et al.
2021, arXiv 2109.12298) and noise of our own source. Importing this imports Opacus."""

from __future__ import annotations

import torch
from opacus.optimizers import DPOptimizerFastGradientClipping
from torch import Tensor, nn
from torch.nn import functional

from synthgen.privacy.noise import Noise, summed_normal


class SecretNoiseOptimizer(DPOptimizerFastGradientClipping):  # type: ignore[misc]
    """Takes sums of clipped gradients from ``p.grad``, adds noise, divides by the expected number
    of rows and steps; the noise is what ``noise`` gives."""

    noise: Noise

    def add_noise(self) -> None:
        std = self.noise_multiplier * self.max_grad_norm
        for p in self.params:
            drawn = torch.from_numpy(summed_normal(self.noise, p.numel(), std))
            # In float64: rounding the sum hides what it was made of.
            noisy = p.summed_grad.double() + drawn.view_as(p).to(p.device)
            p.grad = noisy.to(p.dtype)


class PrivateCritic:
    """A critic and its optimizer, which learns from real rows by DP-SGD.

    The logistic loss of Goodfellow et al. 2014 has a gradient for every row on its own. Gradients
    of fake rows are clipped like those of real ones, not for privacy but for a fair game (Bie et
    al. 2023, arXiv 2302.02936).
    """

    def __init__(
        self,
        critic: nn.Sequential,
        adam: torch.optim.Optimizer,
        *,
        multiplier: float,
        max_grad_norm: float,
        batch: int,
    ) -> None:
        """``critic``: dense layers, and functions of single numbers between them; ``batch``: real
        rows on average."""
        self._critic, self._max_grad_norm = critic, max_grad_norm
        self._optimizer = SecretNoiseOptimizer(
            adam,
            noise_multiplier=multiplier,
            max_grad_norm=max_grad_norm,
            expected_batch_size=batch,
        )

    def learn(self, real: Tensor, fake: Tensor, noise: Noise) -> None:
        """One step. ``real`` (any number, width) is a Poisson sample; ``fake`` is of no row."""
        signs = torch.ones(len(real) + len(fake), device=fake.device)
        signs[: len(real)] = -1
        self._optimizer.zero_grad(set_to_none=True)
        rows = torch.cat([real, fake])
        clipped_gradients(self._critic, rows, signs, self._max_grad_norm)
        self._optimizer.noise = noise
        self._optimizer.step()

    def judge(self, fake: Tensor) -> Tensor:
        """The generator's loss on these rows: -log of the probability to be taken for real ones."""
        return functional.softplus(-self._critic(fake)).mean()


def clipped_gradients(critic: nn.Sequential, rows: Tensor, signs: Tensor, limit: float) -> None:
    """Set the ``grad`` of the critic's parameters to the sum over ``rows`` (n, width) of the
    gradients of ``softplus(sign * value)``, each scaled to an L2 norm of ``limit`` at most.

    The gradient of a row is the outer product of what goes into a dense layer and of the loss's
    gradient by what comes out, so its norm needs no gradient (Goodfellow 2015, arXiv 1510.01799).
    """
    inputs, outputs, dense = [], [], []
    h = rows
    for layer in critic:
        if isinstance(layer, nn.Linear):
            inputs.append(h.detach())
            h = layer(h)
            outputs.append(h)
            dense.append(layer)
        else:
            h = layer(h)
    loss = functional.softplus(signs * h.squeeze(1)).sum()
    backward = torch.autograd.grad(loss, outputs)
    squares = sum(
        b.square().sum(1) * (i.square().sum(1) + 1) for i, b in zip(inputs, backward, strict=True)
    )
    scale = (limit / (torch.as_tensor(squares).sqrt() + 1e-6)).clamp(max=1.0)
    for layer, i, b in zip(dense, inputs, backward, strict=True):
        scaled = b * scale[:, None]
        layer.weight.grad = scaled.t() @ i
        layer.bias.grad = scaled.sum(0)
