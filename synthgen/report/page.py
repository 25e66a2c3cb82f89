"""``report.html``: one file that asks nobody for anything, from ``report.json`` alone."""

from __future__ import annotations

import math
from base64 import b64encode
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synthgen.report.sections import SECTIONS
from synthgen.report.text import truncated, visible
from synthgen.report.wording import noun
from synthgen.results import Report


def render(report: Report) -> str:
    """The page as HTML; the same report gives the same bytes.

    Nothing in it is loaded from elsewhere and nothing in it runs: its security policy allows its
    own style sheet, by hash, and the pictures that it holds itself, if there are any. Names and
    sentences may hold any text.
    """
    pages = environment()
    style = pages.get_template("style.css").render()
    return pages.get_template("page.html").render(
        title=report.title,
        decision=report.verdict.decision,
        style=Markup(style),
        style_hash=b64encode(sha256(style.encode()).digest()).decode(),
        modality=report.modality,
        noun=noun(report.modality),
        pictures=bool(report.pictures),
        sections=[(one, one.build(report)) for one in SECTIONS if one.shown(report)],
    )


def coordinate(value: float) -> str:
    """A number of the drawing with two decimals at most. ValueError if it is not finite."""
    if not math.isfinite(value):
        raise ValueError("a coordinate is not finite")
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _shown(value: object) -> object:
    """Applied to every expression of the templates, before escaping."""
    if isinstance(value, Markup):
        return value
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"a template prints {type(value).__name__}, not text")


@cache
def environment() -> Environment:
    pages = Environment(
        loader=PackageLoader("synthgen.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    pages.filters |= {"at": coordinate, "truncated": truncated}
    return pages
