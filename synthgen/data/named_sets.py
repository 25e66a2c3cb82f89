"""Data sets by name: those that scikit-learn carries, and OpenML's."""

from __future__ import annotations

import re
import warnings
from difflib import get_close_matches
from typing import Any
from urllib.error import URLError

import pandas as pd

from synthgen.errors import ConfigError, DataError, MachineError

SKLEARN = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")


def load_sklearn(name: str) -> pd.DataFrame:
    """A set that comes with scikit-learn. Where its target has class names, column ``target``
    holds them as text."""
    import sklearn.datasets

    if name not in SKLEARN:
        nearest = get_close_matches(name, SKLEARN, n=1) or SKLEARN
        raise ConfigError(
            f"scikit-learn carries no data set {name!r}.",
            f"Use {' or '.join(f'sklearn:{known}' for known in nearest)}.",
        )
    bunch: Any = getattr(sklearn.datasets, f"load_{name}")(as_frame=True)
    frame: pd.DataFrame = bunch.frame
    names = bunch.get("target_names")
    if "target" in frame and names is not None and isinstance(names[0], str):
        frame["target"] = pd.Series(names[frame["target"]], dtype=object)
    return frame


def load_openml(name: str) -> pd.DataFrame:
    """``NAME``, ``NAME@VERSION`` or a data set's number; features and target as OpenML types them.

    Raises :class:`MachineError` where OpenML cannot be reached and :class:`DataError` where it
    has no such set.
    """
    import sklearn.datasets

    title, _, version = name.partition("@")
    wanted: dict[str, Any] = {"name": title}
    if title.isdigit():
        wanted = {"data_id": int(title)}
    elif version:
        wanted["version"] = int(version) if version.isdigit() else version
    try:
        with warnings.catch_warnings():
            # It warns of several active versions; the oldest one is taken, as documented there.
            warnings.simplefilter("ignore", UserWarning)
            bunch: Any = sklearn.datasets.fetch_openml(
                **wanted, as_frame=True, parser="auto", n_retries=1
            )
    except URLError as error:
        raise MachineError(
            f"OpenML cannot be reached for {name!r}: {error.reason}.",
            "Check the network, or download the set elsewhere and give the file.",
        ) from None
    except (ValueError, sklearn.datasets._openml.OpenMLError) as error:
        first = re.sub(r"\s+", " ", str(error))[:200]
        raise DataError(
            f"OpenML has no usable data set {name!r}: {first}",
            "Look its name up on openml.org; a version is given as NAME@VERSION.",
        ) from None
    return bunch.frame
