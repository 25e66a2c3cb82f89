"""The bytes of one image to grey or RGB pixels. All conversions of modes are here."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from synthgen.data.quoting import shown

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")
EXTENSIONS = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
)
_SAMPLE_FORMAT, _SIGNED = 339, 2
"""A tag of TIFF and its value for signed integers."""


class BadImageError(Exception):
    """Why one image cannot be used, as the end of a sentence that begins with its name."""


def decode(data: bytes, max_pixels: int) -> NDArray[np.uint8]:
    """Shape (height, width) if the image is grey, (height, width, 3) if it is not.

    The format is told by the content, and the number of pixels by the header before anything is
    decoded. The image is turned as its EXIF orientation says. Raises :class:`BadImageError`.
    """
    if not data:
        raise BadImageError("is empty")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.width * image.height > max_pixels:
                raise BadImageError(
                    f"has {image.width} × {image.height} pixels, more than {max_pixels:,}"
                )
            # The further pictures of a camera's MPO file are previews of the first.
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            if frames > 1:
                raise BadImageError(f"is animated or has pages: {frames} frames")
            ImageOps.exif_transpose(image, in_place=True)
            return grey_if_equal(_eight_bits(image))
    except BadImageError:
        raise
    except UnidentifiedImageError:
        raise BadImageError("is no PNG, JPEG, BMP, GIF, TIFF or WebP image") from None
    except Image.DecompressionBombError:
        raise BadImageError(f"has more than {max_pixels:,} pixels") from None
    except MemoryError:
        raise BadImageError("needs more memory than there is") from None
    except Exception as error:
        # Damaged bytes make Pillow's parsers raise almost anything.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadImageError(f"cannot be decoded: {shown(reason)}") from None


def _eight_bits(image: Image.Image) -> NDArray[np.uint8]:
    """Modes of Pillow to pixels: deep greys by their range, transparency over white, all else
    (palettes, 1 bit, CMYK, YCbCr) by Pillow's own conversion."""
    if image.mode.startswith("I;16"):
        return _scaled(np.asarray(image).astype(np.float64), 2**16 - 1)
    if image.mode == "I":
        return _integers(image)
    if image.mode == "F":
        return unit_range(np.asarray(image))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return np.asarray(Image.alpha_composite(white, rgba).convert("RGB"))
    if image.mode in ("1", "L"):
        return np.asarray(image.convert("L"))
    if image.mode in ("RGB", "RGBX", "P", "CMYK", "YCbCr", "LA", "RGBA", "PA"):
        return np.asarray(image.convert("RGB"))
    raise BadImageError(f"has the mode {image.mode}, which is not supported")


def _integers(image: Image.Image) -> NDArray[np.uint8]:
    values = np.asarray(image)
    tags = getattr(image, "tag_v2", {})
    signed = _SIGNED in np.atleast_1d(tags.get(_SAMPLE_FORMAT, 1))
    if not signed:
        # Pillow has no unsigned mode of 32 bits: large values have become negative.
        return _scaled(values.view(np.uint32).astype(np.float64), 2**32 - 1)
    if values.min() < 0:
        raise BadImageError("has negative values")
    return _scaled(values.astype(np.float64), 2**31 - 1)


def unit_range(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Numbers in [0, 1] to 0..255. Raises :class:`BadImageError` for others."""
    # Written so that NaN is refused too.
    if values.size and not (values.min() >= 0 and values.max() <= 1):
        raise BadImageError("has real numbers outside of the range 0 to 1")
    return _scaled(values.astype(np.float64), 1)


def _scaled(values: NDArray[np.float64], top: int) -> NDArray[np.uint8]:
    return np.rint(values * (255 / top)).astype(np.uint8)


def grey_if_equal(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """One of the three channels where all are the same."""
    if pixels.ndim == 2:
        return pixels
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    if np.array_equal(red, green) and np.array_equal(red, blue):
        return red
    return pixels


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Shape (channels, height, width), to the bytes of a PNG file, which loses nothing."""
    buffer = io.BytesIO()
    square = pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0))
    Image.fromarray(square).save(buffer, "PNG")
    return buffer.getvalue()
