"""Where the weights of Inception-v3 are."""

from __future__ import annotations

import os
from pathlib import Path

from synthgen.errors import ConfigError
from synthgen.vision.inception_features import download_weights

DOWNLOAD = "download"


def inception_weights(wanted: str) -> Path:
    """The file that the setting names; ``download`` is a file in the user's cache, which is fetched
    unless it is there and whole.

    Raises ConfigError for a file that is not there, and as
    :func:`~synthgen.vision.inception_features.download_weights` does.
    """
    if wanted != DOWNLOAD:
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise ConfigError(
                f"inception: there is no file {wanted}",
                "name a file with the weights, or say download, or leave it out",
            )
        return path
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = cache / "synthgen" / "inception-v3-2015-12-05.pth"
    download_weights(path)
    return path
