"""Results -> HTML, a data card, and a few lines for the terminal."""

from synthgen.report.datacard import card
from synthgen.report.page import render
from synthgen.report.reading import load
from synthgen.report.terminal import summary

__all__ = ["card", "load", "render", "summary"]
