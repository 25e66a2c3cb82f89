"""A configuration file with every setting and what it means."""

from __future__ import annotations

import textwrap

import yaml
from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from synthgen.config.build import build


def commented(generator: str) -> str:
    """A YAML configuration with every setting of the generator's modality at its default and its
    description above it.

    Raises ConfigError for an unknown generator.
    """
    config = build({"data": {"target": "TARGET"}, "generator": {"name": generator}})
    lines = [
        "# A synthgen configuration. Run it with: synthgen augment --config THIS_FILE",
        "# Lines that you leave out keep the default shown here. Lines behind a # show what holds",
        "# without a budget; if you leave them out, the budget and the data decide.",
        *(
            ["# Of images: synthgen config init --generator cdcgan"]
            if config.modality == "table"
            else []
        ),
        *_section(config, ""),
    ]
    return "\n".join(lines) + "\n"


def _section(section: BaseModel, indent: str) -> list[str]:
    lines = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        described = field.description or (type(value).__doc__ or "").split("\n")[0]
        if described and (field.description or isinstance(value, BaseModel)):
            text = f"{indent}# "
            lines += textwrap.wrap(described, 96, initial_indent=text, subsequent_indent=text)
        if isinstance(value, BaseModel):
            lines += [f"{indent}{name}:", *_section(value, indent + "  ")]
            continue
        plain = to_jsonable_python(value)
        if name == "candidates":  # with their defaults: names say as much
            plain = [candidate["name"] for candidate in plain]
        shown = yaml.safe_dump(plain, default_flow_style=True, allow_unicode=True, width=1000)
        # YAML ends a lone scalar with a document mark.
        text = shown.removesuffix("...\n").strip()
        lines.append(f"{indent}{'# ' if name in _BUDGETED else ''}{name}: {text}")
    return lines


_BUDGETED = (
    *("resamples", "ratios", "filters", "weights", "every_ratio", "max_rows"),
    *("epochs", "steps", "candidates"),
)
