"""Geometry of the charts: plain numbers in, plain numbers out; the templates draw them.

Horizontal positions are percentages of the drawing's width, so that a chart fills a phone as well
as a desk without distorting its text; each module says what its vertical unit is.
"""
