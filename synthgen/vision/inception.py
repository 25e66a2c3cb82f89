"""Inception-v3 (Szegedy et al. 2015, arXiv 1512.00567) as the Fréchet inception distance knows it.

The network of TensorFlow's ``inception-2015-12-05``, which Heusel et al. 2017 (arXiv 1706.08500)
measured with, under the parameter names of its port to PyTorch, ``pt_inception-2015-12-05``. It
differs from the paper and from torchvision's network in three ways: averages at an edge are over
the pixels that are there; the last block's pooling takes the maximum; there are 1008 classes.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

SIDE = 299
DIMENSION = 2048
CLASSES = 1008


class Conv(nn.Module):
    """Convolution, batch normalisation, rectifier."""

    def __init__(
        self,
        before: int,
        after: int,
        kernel: int | tuple[int, int],
        stride: int = 1,
        padding: int | tuple[int, int] = 0,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(after, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        normal: Tensor = self.bn(self.conv(x))
        return functional.relu(normal)


def _average(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class BlockA(nn.Module):
    """The paper's figure 5, at 35 x 35: 224 channels and those of the pooled branch."""

    def __init__(self, before: int, pooled: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(before, 64, 1)
        self.branch5x5_1 = Conv(before, 48, 1)
        self.branch5x5_2 = Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Conv(before, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, padding=1)
        self.branch_pool = Conv(before, pooled, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = [
            self.branch1x1(x),
            self.branch5x5_2(self.branch5x5_1(x)),
            self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
            self.branch_pool(_average(x)),
        ]
        return torch.cat(parts, 1)


class ReductionA(nn.Module):
    """From 35 x 35 to 17 x 17 (figure 10): 288 to 768 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3 = Conv(288, 384, 3, stride=2)
        self.branch3x3dbl_1 = Conv(288, 64, 1)
        self.branch3x3dbl_2 = Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        parts = [
            self.branch3x3(x),
            self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
            functional.max_pool2d(x, 3, stride=2),
        ]
        return torch.cat(parts, 1)


class BlockC(nn.Module):
    """Figure 6, at 17 x 17: convolutions of 7 x 7 in two factors; 768 to 768 channels."""

    def __init__(self, inner: int) -> None:
        super().__init__()
        self.branch1x1 = Conv(768, 192, 1)
        self.branch7x7_1 = Conv(768, inner, 1)
        self.branch7x7_2 = Conv(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7_3 = Conv(inner, 192, (7, 1), padding=(3, 0))
        self.branch7x7dbl_1 = Conv(768, inner, 1)
        self.branch7x7dbl_2 = Conv(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_3 = Conv(inner, inner, (1, 7), padding=(0, 3))
        self.branch7x7dbl_4 = Conv(inner, inner, (7, 1), padding=(3, 0))
        self.branch7x7dbl_5 = Conv(inner, 192, (1, 7), padding=(0, 3))
        self.branch_pool = Conv(768, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        parts = [
            self.branch1x1(x),
            self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
            self.branch7x7dbl_5(self.branch7x7dbl_4(double)),
            self.branch_pool(_average(x)),
        ]
        return torch.cat(parts, 1)


class ReductionB(nn.Module):
    """From 17 x 17 to 8 x 8: 768 to 1280 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.branch3x3_1 = Conv(768, 192, 1)
        self.branch3x3_2 = Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = Conv(768, 192, 1)
        self.branch7x7x3_2 = Conv(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Conv(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        factored = self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x)))
        parts = [
            self.branch3x3_2(self.branch3x3_1(x)),
            self.branch7x7x3_4(factored),
            functional.max_pool2d(x, 3, stride=2),
        ]
        return torch.cat(parts, 1)


class BlockE(nn.Module):
    """Figure 7, at 8 x 8: branches that part into (1, 3) and (3, 1); to 2048 channels."""

    def __init__(self, before: int, *, maximum: bool) -> None:
        super().__init__()
        self.branch1x1 = Conv(before, 320, 1)
        self.branch3x3_1 = Conv(before, 384, 1)
        self.branch3x3_2a = Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = Conv(before, 448, 1)
        self.branch3x3dbl_2 = Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = Conv(before, 192, 1)
        self._maximum = maximum

    def forward(self, x: Tensor) -> Tensor:
        single = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        pooled = functional.max_pool2d(x, 3, stride=1, padding=1) if self._maximum else _average(x)
        parts = [
            self.branch1x1(x),
            self.branch3x3_2a(single),
            self.branch3x3_2b(single),
            self.branch3x3dbl_3a(double),
            self.branch3x3dbl_3b(double),
            self.branch_pool(pooled),
        ]
        return torch.cat(parts, 1)


class InceptionV3(nn.Module):
    """Images (n, 3, 299, 299) in [-1, 1] to pool3 features (n, 2048)."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Conv(3, 32, 3, stride=2)
        self.Conv2d_2a_3x3 = Conv(32, 32, 3)
        self.Conv2d_2b_3x3 = Conv(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Conv(64, 80, 1)
        self.Conv2d_4a_3x3 = Conv(80, 192, 3)
        self.Mixed_5b = BlockA(192, pooled=32)
        self.Mixed_5c = BlockA(256, pooled=64)
        self.Mixed_5d = BlockA(288, pooled=64)
        self.Mixed_6a = ReductionA()
        self.Mixed_6b = BlockC(inner=128)
        self.Mixed_6c = BlockC(inner=160)
        self.Mixed_6d = BlockC(inner=160)
        self.Mixed_6e = BlockC(inner=192)
        self.Mixed_7a = ReductionB()
        self.Mixed_7b = BlockE(1280, maximum=False)
        self.Mixed_7c = BlockE(2048, maximum=True)
        self.fc = nn.Linear(DIMENSION, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(images)))
        x = self.Conv2d_3b_1x1(functional.max_pool2d(x, 3, stride=2))
        x = functional.max_pool2d(self.Conv2d_4a_3x3(x), 3, stride=2)
        x = self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x)))
        x = self.Mixed_6c(self.Mixed_6b(self.Mixed_6a(x)))
        x = self.Mixed_6e(self.Mixed_6d(x))
        last: Tensor = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        return last.mean((2, 3))
