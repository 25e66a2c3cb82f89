"""Contrast of the style sheet's colours, after WCAG 2.2 (text 4.5, graphics 3)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STYLE = (files("synthgen.report") / "templates/style.css").read_text("utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    for block in re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)
)
THEMES = {"light": LIGHT, "dark": LIGHT | DARK}
Colour = tuple[float, ...]


def rgb(text: str) -> Colour:
    return tuple(int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))


def luminance(colour: Colour) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, two: Colour) -> float:
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_formula() -> None:
    assert contrast(rgb("#000000"), rgb("#ffffff")) == pytest.approx(21)
    assert contrast(rgb("#777777"), rgb("#ffffff")) == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_readable(theme: str) -> None:
    colours = THEMES[theme]
    grounds = ("paper", "soft", "augment-tint", "keep-tint", "unsure-tint")
    pairs = [(text, ground) for text in ("ink", "muted") for ground in grounds]
    pairs += [(accent, f"{accent}-tint") for accent in ("augment", "keep", "unsure")]
    pairs += [(accent, "paper") for accent in ("augment", "keep", "unsure")]
    for text, ground in pairs:
        assert contrast(rgb(colours[text]), rgb(colours[ground])) >= 4.5, (text, ground)


@pytest.mark.parametrize("theme", THEMES)
def test_graphics_stand_out(theme: str) -> None:
    colours = THEMES[theme]
    for mark in ("real", "synthetic", "augment", "keep", "muted", "ink"):
        assert contrast(rgb(colours[mark]), rgb(colours["paper"])) >= 3, mark


@pytest.mark.parametrize("theme", THEMES)
def test_ranks_in_the_heat_map_are_readable_and_shades_fall(theme: str) -> None:
    colours = THEMES[theme]
    shades = [
        1.0,
        *(float(o) for o in re.findall(r"\.heat \.s\d \{ fill-opacity: ([\d.]+)", STYLE)),
    ]
    assert len(shades) == 7
    assert shades == sorted(shades, reverse=True)
    paper, fill = rgb(colours["paper"]), rgb(colours["keep"])
    for place, opacity in enumerate(shades):
        ground = tuple(opacity * f + (1 - opacity) * p for f, p in zip(fill, paper, strict=True))
        light_text = place < 2 or (place == 2 and theme == "dark")
        text = paper if light_text else rgb(colours["ink"])
        assert contrast(text, ground) >= 4.5, place
