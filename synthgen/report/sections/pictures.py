"""Images to be looked at: no figure says what the eye sees."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.results import Picture, Report

WIDEST, TALLEST, LARGEST = 960, 720, 8
"""In pixels of the page, and as a factor."""


@dataclass(frozen=True)
class PictureView:
    """``width`` and ``height`` as they are drawn, the PNG's times a whole number."""

    title: str
    caption: str
    file: str
    """Where it is in the run's folder."""
    source: str
    width: int
    height: int


@dataclass(frozen=True)
class PicturesView:
    pictures: list[PictureView]


def build(report: Report) -> PicturesView:
    return PicturesView([_view(one) for one in report.pictures])


def shown(report: Report) -> bool:
    return bool(report.pictures)


def _view(one: Picture) -> PictureView:
    # A broken factor would draw some pixels wider than others.
    factor = max(1, min(WIDEST // one.width, TALLEST // one.height, LARGEST))
    return PictureView(
        title=one.title,
        caption=one.caption,
        file=f"pictures/{one.name}.png",
        source=f"data:image/png;base64,{one.png}",
        width=one.width * factor,
        height=one.height * factor,
    )
