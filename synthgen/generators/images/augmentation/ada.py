"""Adaptive augmentation (Karras et al. 2020, arXiv 2006.06676): each transformation is applied with
a probability that rises while the critic knows the training images by heart.

Of the paper's transformations those of its best-performing part, pixel blits, geometry and colour
(appendix B). All geometric ones of an image are one affine map, sampled bilinearly with reflected
borders; the paper's wavelet filters against aliasing are left out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

TARGET = 0.6
"""Of the mean sign of the critic's values for real images (section 3.1)."""
IMAGES = 500_000
"""Images in which the probability goes from 0 to 1 at most."""
SHIFT = 1 / 8
"""Of the sides, at most, where an image is moved by whole pixels."""


class ADA(nn.Module):
    """Its state is the probability, which checkpoints have to hold."""

    probability: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("probability", torch.zeros(()))

    def __call__(self, images: Tensor, random: torch.Generator) -> Tensor:
        """(n, channels, height, width) in [-1, 1]; the same shape comes back."""
        return self.coloured(self.moved(images, random), random)

    @torch.no_grad()
    def adapt(self, values: Tensor) -> None:
        """After a step in which the critic gave real images these values (n,)."""
        step = (values.sign().mean() - TARGET).sign() * (len(values) / IMAGES)
        self.probability.add_(step).clamp_(0, 1)

    def moved(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Flips, quarter turns, shifts, scaling in both directions, and turns."""
        n, _, height, width = images.shape
        draw = _Draw(n, self.probability, random, images.device)
        # From where each pixel of the result comes. Coordinates run from -1 to 1 in both
        # directions, while a turn is one of pixels.
        aspect = width / height
        places = torch.eye(3, device=images.device).expand(n, 3, 3)
        flip = draw.chosen(1 - 2 * draw.integers(2).float(), 1.0)
        places = places @ _scaling(flip, torch.ones_like(flip))
        quarter = draw.chosen(draw.integers(4).float(), 0.0) * (math.pi / 2)
        places = places @ _turn(quarter, aspect)
        shift = [draw.chosen(draw.uniform(-SHIFT, SHIFT), 0.0) for _ in range(2)]
        across, down = (shift[0] * width).round() / width, (shift[1] * height).round() / height
        places = places @ _shift(2 * across, 2 * down)
        scale = draw.chosen((0.2 * math.log(2) * draw.normal()).exp(), 1.0)
        places = places @ _scaling(scale, scale)
        # Two turns around a stretch: together they are as likely as one (equation 15).
        half = 1 - (1 - self.probability).sqrt()
        before = draw.chosen(draw.uniform(-math.pi, math.pi), 0.0, half)
        places = places @ _turn(before, aspect)
        stretch = draw.chosen((0.2 * math.log(2) * draw.normal()).exp(), 1.0)
        places = places @ _scaling(stretch, 1 / stretch)
        after = draw.chosen(draw.uniform(-math.pi, math.pi), 0.0, half)
        places = places @ _turn(after, aspect)
        slide = [draw.chosen(0.125 * draw.normal(), 0.0) * 2 for _ in range(2)]
        places = places @ _shift(*slide)
        grid = affine_grid(places[:, :2], list(images.shape), align_corners=False)
        return grid_sample(
            images, grid.to(images.dtype), padding_mode="reflection", align_corners=False
        )

    def coloured(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Brightness, contrast, and of three channels also inverted luma, hue and saturation."""
        n, channels = images.shape[:2]
        draw = _Draw(n, self.probability, random, images.device)
        shift = draw.chosen(0.2 * draw.normal(), 0.0)
        factor = draw.chosen((0.5 * math.log(2) * draw.normal()).exp(), 1.0)
        if channels == 1:
            invert = draw.chosen(1 - 2 * draw.integers(2).float(), 1.0)
            scale = (invert * factor)[:, None, None, None]
            return images * scale + (factor * shift)[:, None, None, None]
        # In colours, luma is what lies along the direction of grey, hue an angle around it.
        along = torch.full((3, 3), 1 / 3, device=images.device)
        identity = torch.eye(3, device=images.device)
        invert = draw.chosen(draw.integers(2).float(), 0.0)[:, None, None]
        colours = identity - 2 * invert * along
        angle = draw.chosen(draw.uniform(-math.pi, math.pi), 0.0)
        colours = _around_grey(angle) @ colours
        saturation = draw.chosen((math.log(2) * draw.normal()).exp(), 1.0)[:, None, None]
        colours = (along + (identity - along) * saturation) @ colours
        colours = colours * factor[:, None, None]
        mixed = torch.einsum("nij,njhw->nihw", colours.to(images.dtype), images)
        return mixed + (factor * shift)[:, None, None, None].to(images.dtype)


class _Draw:
    """Parameters (n,) of one transformation of each image."""

    def __init__(
        self, n: int, probability: Tensor, random: torch.Generator, device: torch.device
    ) -> None:
        self.n, self.probability, self.random, self.device = n, probability, random, device

    def uniform(self, low: float, high: float) -> Tensor:
        share = torch.rand(self.n, generator=self.random, device=self.device)
        return low + (high - low) * share

    def normal(self) -> Tensor:
        return torch.randn(self.n, generator=self.random, device=self.device)

    def integers(self, end: int) -> Tensor:
        return torch.randint(end, (self.n,), generator=self.random, device=self.device)

    def chosen(self, values: Tensor, neutral: float, probability: Tensor | None = None) -> Tensor:
        """The values where the transformation is applied, the neutral one elsewhere."""
        share = torch.rand(self.n, generator=self.random, device=self.device)
        applied = share < (self.probability if probability is None else probability)
        return torch.where(applied, values, neutral)


def _map(rows: list[list[Tensor]]) -> Tensor:
    return torch.stack([torch.stack(row, -1) for row in rows], -2)


def _scaling(across: Tensor, down: Tensor) -> Tensor:
    zero, one = torch.zeros_like(across), torch.ones_like(across)
    return _map([[1 / across, zero, zero], [zero, 1 / down, zero], [zero, zero, one]])


def _shift(across: Tensor, down: Tensor) -> Tensor:
    zero, one = torch.zeros_like(across), torch.ones_like(across)
    return _map([[one, zero, -across], [zero, one, -down], [zero, zero, one]])


def _turn(angle: Tensor, aspect: float) -> Tensor:
    """Around the middle, of an image ``aspect`` times as wide as high."""
    zero, one = torch.zeros_like(angle), torch.ones_like(angle)
    cos, sin = angle.cos(), angle.sin()
    return _map([[cos, sin / aspect, zero], [-sin * aspect, cos, zero], [zero, zero, one]])


def _around_grey(angle: Tensor) -> Tensor:
    """(n, 3, 3): rotations around (1, 1, 1) (Rodrigues' formula)."""
    identity = torch.eye(3, device=angle.device)
    cross = (identity.roll(1, 0) - identity.roll(-1, 0)) / math.sqrt(3)
    cos, sin = angle.cos()[:, None, None], angle.sin()[:, None, None]
    return cos * identity + sin * cross + (1 - cos) / 3
