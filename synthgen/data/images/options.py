"""How images are to be read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Side = Annotated[int, Field(ge=1, le=4096)]


class ImageOptions(BaseModel):
    """Size, colour, and the limits beyond which a source is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: Side | tuple[Side, Side] | None = Field(
        default=None,
        description="Pixels a side, or height and width; None: the size that all images have.",
    )
    resize: Literal["crop", "pad", "stretch"] = Field(
        default="crop",
        description="Images of another shape: cut to the middle, padded with black, or stretched.",
    )
    channels: Literal[1, 3] | None = Field(
        default=None, description="1: grey, 3: colour; None: grey if every image is."
    )
    max_pixels: int = Field(
        default=2**26,
        ge=1,
        # Pillow's own limit is twice its MAX_IMAGE_PIXELS.
        le=178_956_970,
        description="Pixels that an image may have; one with more is not decoded.",
    )
    max_files: int = Field(default=2_000_000, ge=1, description="Files that a source may hold.")
    max_bytes: int = Field(
        default=2**33,
        ge=1,
        description="Bytes that an archive may have unpacked, and all pixels in memory.",
    )

    @property
    def height_width(self) -> tuple[int, int] | None:
        return (self.size, self.size) if isinstance(self.size, int) else self.size
