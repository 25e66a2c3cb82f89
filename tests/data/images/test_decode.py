"""Every mode and format by its stated conversion; damaged files by their reason."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synthgen.data.images.decode import BadImageError, decode, encode_png
from tests.data.images.made import coded, pixels, png

LIMIT = 10**6
GREY = pixels(1)
COLOUR = pixels(2, (6, 5, 3))


def reason(data: bytes, limit: int = LIMIT) -> str:
    with pytest.raises(BadImageError) as caught:
        decode(data, limit)
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("BMP", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ],
)
def test_lossless_formats(kind: str, options: dict[str, Any]) -> None:
    np.testing.assert_array_equal(
        decode(coded(Image.fromarray(COLOUR), kind, **options), LIMIT), COLOUR
    )
    np.testing.assert_array_equal(
        decode(coded(Image.fromarray(GREY), kind, **options), LIMIT), GREY
    )


def test_lossy_formats() -> None:
    even = Image.new("RGB", (16, 16), (200, 100, 50))
    for kind in ("JPEG", "WEBP"):
        assert np.abs(decode(coded(even, kind), LIMIT).astype(int) - [200, 100, 50]).max() <= 4
    np.testing.assert_array_equal(decode(coded(Image.fromarray(GREY), "GIF"), LIMIT), GREY)


def test_colour_with_equal_channels_is_grey() -> None:
    assert decode(coded(Image.fromarray(GREY).convert("RGB")), LIMIT).shape == (6, 5)


def test_one_bit() -> None:
    bits = Image.fromarray(GREY > 127)
    assert bits.mode == "1"
    np.testing.assert_array_equal(decode(coded(bits), LIMIT), np.where(GREY > 127, 255, 0))


def test_palette() -> None:
    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3), "L").convert("P")
    image.putpalette([10, 20, 30] * 3 + [1, 2, 3] * 253)
    found = decode(coded(image), LIMIT)
    assert found[0, 0].tolist() == [10, 20, 30]
    assert found[1, 2].tolist() == [1, 2, 3]


def test_transparency_is_over_white() -> None:
    image = Image.new("RGBA", (2, 1), (200, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    assert decode(coded(image), LIMIT).tolist() == [[[200, 0, 0], [255, 255, 255]]]
    half = Image.new("LA", (1, 1), (0, 128))
    assert decode(coded(half), LIMIT).tolist() == [[127]]
    palette = Image.new("P", (1, 1), 0)
    palette.putpalette([9, 9, 9])
    assert decode(coded(palette, transparency=0), LIMIT).tolist() == [[255]]
    grey = Image.fromarray(np.array([[7, 8]], dtype=np.uint8))
    assert decode(coded(grey, transparency=7), LIMIT).tolist() == [[255, 8]]


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
def test_other_colour_spaces(mode: str) -> None:
    image = Image.fromarray(COLOUR).convert(mode)
    expected = np.asarray(image.convert("RGB"))
    np.testing.assert_array_equal(decode(coded(image, "TIFF"), LIMIT), expected)


def test_16_bits_are_scaled() -> None:
    values = np.array([[0, 1, 128, 129, 257, 32768, 65535]], dtype=np.uint16)
    expected = [[0, 0, 0, 1, 1, 128, 255]]
    for kind in ("PNG", "TIFF"):
        assert decode(coded(Image.fromarray(values), kind), LIMIT).tolist() == expected


def test_32_bits_are_scaled() -> None:
    values = np.array([[0, 2**30, 2**31 - 1]], dtype=np.int32)
    data = coded(Image.fromarray(values), "TIFF")
    assert decode(data, LIMIT).tolist() == [[0, 128, 255]]
    negative = np.array([[-1, 5]], dtype=np.int32)
    assert "negative" in reason(coded(Image.fromarray(negative), "TIFF"))
    # The tag of the sample format, turned from signed to unsigned.
    tag = struct.pack("<HHIHH", 339, 3, 1, 2, 0)
    assert tag in data
    unsigned = data.replace(tag, struct.pack("<HHIHH", 339, 3, 1, 1, 0))
    assert decode(unsigned, LIMIT).tolist() == [[0, 64, 127]]


def test_real_numbers() -> None:
    values = np.array([[0, 0.5, 1]], dtype=np.float32)
    assert decode(coded(Image.fromarray(values), "TIFF"), LIMIT).tolist() == [[0, 128, 255]]
    for wrong in (-0.1, 1.1, np.nan, np.inf):
        odd = np.array([[0, wrong]], dtype=np.float32)
        assert "range 0 to 1" in reason(coded(Image.fromarray(odd), "TIFF"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation(kind: str, turn: int) -> None:
    upright = Image.new("L", (32, 16), 0)
    upright.paste(255, (0, 0, 16, 8))
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    stored = upright.transpose(Image.Transpose(undo[turn])) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    options = {"lossless": True} if kind == "WEBP" else {}
    found = decode(coded(stored, kind, exif=exif, **options), LIMIT)
    np.testing.assert_allclose(found.astype(int), np.asarray(upright).astype(int), atol=3)


def test_the_content_tells_the_format() -> None:
    assert decode(coded(Image.fromarray(GREY), "JPEG"), LIMIT).shape == GREY.shape


def test_what_is_no_image() -> None:
    assert reason(b"") == "is empty"
    for data in (b"just text", b"\x89PNG", b"\xff\xd8\xff", b"GIF89a", b"%PDF-1.4"):
        assert reason(data)
    # Formats beyond the documented ones are not tried.
    assert reason(coded(Image.fromarray(GREY), "PPM")).startswith("is no PNG, JPEG")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP"])
def test_cut_and_damaged_files_are_named_or_decoded(kind: str) -> None:
    whole = coded(Image.fromarray(pixels(3, (40, 40, 3))), kind)
    for part in (0.2, 0.5, 0.8):
        assert reason(whole[: int(len(whole) * part)])
    rng = np.random.default_rng(0)
    for _ in range(60):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), 8):
            damaged[place] = rng.integers(256)
        with suppress(BadImageError):
            assert decode(bytes(damaged), LIMIT).dtype == np.uint8


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_frames(kind: str) -> None:
    frames = [Image.fromarray(pixels(i, (8, 8, 3))) for i in range(3)]
    data = coded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert reason(data) == "is animated or has pages: 3 frames"


def test_a_camera_file_with_previews_is_its_first_picture() -> None:
    frames = [Image.new("L", (8, 8), value) for value in (200, 100)]
    data = coded(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert decode(data, LIMIT).mean() == 200


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb(side: int) -> bytes:
    """A PNG file of a hundred bytes whose header speaks of so many pixels a side."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_bombs_are_refused_by_their_header(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", never)
    assert "more than 67,108,864 pixels" in reason(bomb(50_000), 2**26)
    assert "12000 × 12000 pixels, more than 67,108,864" in reason(bomb(12_000), 2**26)


@pytest.mark.parametrize("shape", [(1, 6, 5), (3, 6, 5)])
def test_png_loses_nothing(shape: tuple[int, ...]) -> None:
    image = pixels(4, shape)
    found = decode(encode_png(image), LIMIT)
    np.testing.assert_array_equal(
        found if found.ndim == 2 else found.transpose(2, 0, 1),
        image if len(image) > 1 else image[0],
    )


def test_trailing_bytes_do_no_harm() -> None:
    np.testing.assert_array_equal(decode(png(1) + b"more", LIMIT), GREY)
