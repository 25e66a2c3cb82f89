"""What size an image has at each stage of a network."""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 4
"""Pixels of the smaller side of the smallest stage: 4 to 7."""


@dataclass(frozen=True)
class ImageShape:
    channels: int
    height: int
    width: int

    def stages(self) -> list[tuple[int, int]]:
        """(height, width) from the smallest stage up to the image's own, each half of the next,
        rounded up."""
        sizes = [(self.height, self.width)]
        while min(sizes[0]) >= 2 * LEAST:
            height, width = sizes[0]
            sizes.insert(0, (-(-height // 2), -(-width // 2)))
        return sizes
