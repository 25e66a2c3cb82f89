"""Values of a label column to classes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synthgen.data.images.images import Class, class_order
from synthgen.errors import DataError


def as_class(value: Any, source: str, target: str) -> Class | None:
    """The value as a class, None where it is missing. Truth values and whole real numbers are
    spelled as Python does: ``True``, ``1.0``. Raises :class:`DataError` for anything else."""
    match value:
        case None:
            return None
        case str():
            return value if value.strip() else None
        case bool() | np.bool_():
            return str(bool(value))
        case int() | np.integer():
            return int(value)
        case float() | np.floating():
            number = float(value)
            if math.isnan(number):
                return None
            if number.is_integer():
                return str(number)
            what = "numbers with fractions"
        case _:
            if type(value).__name__ in ("NAType", "NaTType"):
                return None
            what = f"values of the type {type(value).__name__}"
    raise DataError(
        f"{source}: the target {target!r} holds {what}, which are no classes.",
        "Choose a target of whole numbers or text.",
    )


def coded(
    values: Iterable[Class], declared: Iterable[Class]
) -> tuple[NDArray[np.int64], tuple[Class, ...]]:
    """Positions in the sorted classes, and those: all that occur or are declared. Where some are
    numbers and some text, all are text."""
    values, known = list(values), {*declared}
    known |= set(values)
    if len({isinstance(name, str) for name in known}) > 1:
        values, known = [str(value) for value in values], {str(name) for name in known}
    classes = tuple(sorted(known, key=class_order))
    places = {name: place for place, name in enumerate(classes)}
    return np.array([places[value] for value in values], dtype=np.int64), classes
