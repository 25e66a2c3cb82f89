"""One typed configuration: YAML in, JSON Schema out, errors that name the field.

The command line's options, ``--config FILE`` and ``--set a.b=value`` are merged into one
:class:`Config`, of a table or of images; what the budget decides is filled in by :func:`resolve` or
:func:`resolve_images` once the training rows are known, and that resolved configuration is what the
run directory keeps.
"""

from __future__ import annotations

from synthgen.config.budget import resolve, resolve_images, with_budget
from synthgen.config.build import build, json_schema, modality_of, read, save
from synthgen.config.commented import commented
from synthgen.config.images import ImageConfig
from synthgen.config.sections import PLACE, Budget, Config
from synthgen.config.tables import DataConfig, TableConfig, absorb_metadata
from synthgen.config.text import assignment, load, merge
from synthgen.config.unions import generators

__all__ = [
    "PLACE",
    "Budget",
    "Config",
    "DataConfig",
    "ImageConfig",
    "TableConfig",
    "absorb_metadata",
    "assignment",
    "build",
    "commented",
    "generators",
    "json_schema",
    "load",
    "merge",
    "modality_of",
    "read",
    "resolve",
    "resolve_images",
    "save",
    "with_budget",
]
