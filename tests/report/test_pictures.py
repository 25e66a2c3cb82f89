"""Pictures in the page: as they are in the run's folder, pixel by pixel."""

from __future__ import annotations

import io
import re
from base64 import b64decode

import pytest
from PIL import Image
from pydantic import ValidationError

from synthgen.report import render
from synthgen.report.sections import SECTIONS
from synthgen.report.sections.pictures import build
from synthgen.results import Picture
from tests.report.image_reports import images, picture

IMG = re.compile(r'<img src="data:image/png;base64,([^"]+)" alt="([^"]*)" width="(\d+)"')


def test_the_pictures_stand_after_fidelity_and_only_where_there_are_any() -> None:
    names = [section.name for section in SECTIONS]
    assert names[names.index("fidelity") + 1] == "pictures"
    html = render(images())
    assert html.index('<section id="fidelity"') < html.index('<section id="pictures"')
    without = render(images().model_copy(update={"pictures": []}))
    assert "pictures" not in without.split("</style>")[1]
    assert "img-src" not in without
    assert "; img-src data:; " in html


def test_the_page_holds_the_very_pngs() -> None:
    made = images()
    found = IMG.findall(render(made))
    assert [(png, alt) for png, alt, _ in found] == [(p.png, p.title) for p in made.pictures]
    shown = Image.open(io.BytesIO(b64decode(found[0][0])))
    assert shown.size == (made.pictures[0].width, made.pictures[0].height)
    for one in made.pictures:
        assert f"<h3>{one.title}</h3>\n<p>{one.caption} <span" in render(made)
        assert f"<code>pictures/{one.name}.png</code>" in render(made)


@pytest.mark.parametrize(
    ("size", "drawn"),
    [
        ((85, 34), (680, 272)),  # the largest factor
        ((300, 100), (900, 300)),
        ((960, 960), (960, 960)),
        ((100, 300), (200, 600)),  # the height decides
        ((2000, 40), (2000, 40)),  # the page cuts it to its width
    ],
)
def test_small_ones_are_drawn_larger_by_a_whole_factor(
    size: tuple[int, int], drawn: tuple[int, int]
) -> None:
    own = picture("a", "A", "", 1).model_copy(update={"width": size[0], "height": size[1]})
    (view,) = build(images().model_copy(update={"pictures": [own]})).pictures
    assert (view.width, view.height) == drawn


def test_a_picture_has_a_size() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        Picture(name="a", title="A", caption="", width=0, height=10, png="")


def test_what_is_no_base64_stays_inside_its_attribute() -> None:
    evil = picture("a", '"><script>', '" onerror="x', 1).model_copy(update={"png": '"><script>'})
    html = render(images().model_copy(update={"pictures": [evil]}))
    assert "<script>" not in html
    assert 'src="data:image/png;base64,&#34;&gt;&lt;script&gt;"' in html
