"""The network of the default classifier: plain convolutions, small and fast on one core.

In the manner of airbench (Jordan 2024, arXiv 2404.00498): blocks of convolution, pooling, batch
normalisation and activation, and a global maximum before the linear layer. Its whitening layer,
scaled head and second convolution per block are left out, and the first layer halves the side.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

WIDTHS = (32, 64, 128, 128)
"""Channels after the first layer and after each block."""


class SmallCnn(nn.Module):
    """Images (n, channels, size, size), of mean 0 and deviation 1, to logits (n, classes).

    240,000 parameters with ten classes. The first layer divides the side by 1 (below 16 pixels), 2
    (below 64) or 4, and each of three blocks halves it as long as it is at least 4.
    """

    def __init__(self, channels: int, size: int, classes: int) -> None:
        super().__init__()
        stride = 1 if size < 16 else 2 if size < 64 else 4
        kernel, padding = (3, 1) if stride == 1 else (2 * stride, stride // 2)
        layers: list[nn.Module] = [
            nn.Conv2d(channels, WIDTHS[0], kernel, stride, padding, bias=False),
            nn.BatchNorm2d(WIDTHS[0]),
            nn.ReLU(inplace=True),
        ]
        side = (size + 2 * padding - kernel) // stride + 1
        for before, after in pairwise(WIDTHS):
            layers.append(nn.Conv2d(before, after, 3, padding=1, bias=False))
            if side >= 4:
                layers.append(nn.MaxPool2d(2))
                side //= 2
            layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.body = nn.Sequential(*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten())
        self.head = nn.Linear(WIDTHS[-1], classes)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.body(images))
        return logits
