"""Fréchet distance within classes: good images of the wrong class do not count as good."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from synthgen.data.images.images import Class
from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import Figure, Sides, equal
from synthgen.metrics.images.frechet import frechet_distance


def frechet_per_class(
    sides: Sides,
    reference: Tensor,
    holdout: Tensor,
    synthetic: Tensor,
    classes: Sequence[Class],
    least: int = 10,
) -> Figure:
    """Mean over the classes of the Fréchet distance between the images of a class; 0 upwards.

    The tensors are the three sides' labels, int64 (n,), positions in ``classes``. A class with
    fewer than ``least`` images on a side is left out and named in ``detail.left_out``;
    ``detail.classes`` holds each other class's value, floor and number of images by its name. Of a
    class without any image nothing is said.
    """
    found: dict[str, dict[str, float]] = {}
    left_out: list[str] = []
    images = references = 0
    for label in torch.unique(torch.cat([reference, holdout, synthetic])).tolist():
        members = [labels == label for labels in (reference, holdout, synthetic)]
        if min(int(member.sum()) for member in members) < least:
            left_out.append(str(classes[label]))
            continue
        part = Sides(
            sides.reference[members[0]],
            sides.holdout[members[1]],
            sides.synthetic[members[2]],
            sides.origin,
            sides.seed,
        )
        drawn, stand_in = equal(part)
        found[str(classes[label])] = {
            "value": frechet_distance(part.reference, drawn),
            "floor": frechet_distance(part.reference, stand_in),
            "images": len(drawn),
        }
        images += len(drawn)
        references += len(part.reference)
    if not found:
        raise NotComputable(f"no class has {least} images on each side")
    return Figure(
        metric="frechet_per_class",
        title="Fréchet distance per class",
        pillar="fidelity",
        goal="min",
        value=sum(entry["value"] for entry in found.values()) / len(found),
        floor=sum(entry["floor"] for entry in found.values()) / len(found),
        origin=sides.origin,
        reference_images=references,
        images=images,
        detail={"classes": found, "left_out": left_out, "features": sides.dimension},
    )
