"""Do synthetic images crowd around training images more than images never seen?"""

from __future__ import annotations

import torch
from scipy.stats import fisher_exact

from synthgen.metrics.base import NotComputable
from synthgen.metrics.images.base import Figure, Sides
from synthgen.metrics.images.neighbours import nearest
from synthgen.training.randomness import derive

QUANTILE = 0.05
LEAST = 40
"""Fewer held-out images than this cannot be halved and still have such a quantile."""
ROUNDING = 1e-5
"""Of the features' mean length: a distance that counts as none."""
SUSPECTS = 100
"""Synthetic images named at most."""


def memorisation(sides: Sides, quantile: float = QUANTILE) -> Figure:
    """Share of synthetic images at least as close to a training image as the closest ``quantile``
    of held-out images are; 0 to 1. About ``quantile`` is ideal, 1 means copies.

    The reference side must be what the generator was trained on. One half of the held-out images
    sets the distance, the other half's share is the floor. Shares do not depend on the number of
    images asked, so all synthetic ones are. The space is the features': run it on those of a
    network, and on :class:`~synthgen.vision.pixel_features.PixelFeatures`.

    ``detail``: ``threshold``; ``p_value``, of Fisher's exact test that the synthetic share is no
    larger than the other half's; ``median_ratio``, the median distance of synthetic images over
    that of held-out ones (None where that is 0); and up to 100 ``suspects`` below the threshold,
    closest first, each with its place, that of its training image, and the distance.

    Raises :class:`~synthgen.metrics.base.NotComputable` for fewer than 40 held-out images.
    """
    if len(sides.holdout) < LEAST:
        raise NotComputable(f"it needs {LEAST} held-out images")
    order = torch.randperm(
        len(sides.holdout), generator=torch.Generator().manual_seed(derive(sides.seed, "halves"))
    ).to(sides.holdout.device)
    usual = _distances(sides, sides.holdout)[0][order]
    setting, other = usual.tensor_split(2)
    threshold = setting.quantile(quantile)
    distances, originals = _distances(sides, sides.synthetic)
    # What a network says of an image differs by rounding with the images beside it.
    slack = ROUNDING * sides.reference.norm(dim=1).double().mean()
    close, others_close = (found <= threshold + slack for found in (distances, other))
    table = [
        [int(close.sum()), int((~close).sum())],
        [int(others_close.sum()), int((~others_close).sum())],
    ]
    suspects = distances.argsort()[: min(SUSPECTS, table[0][0])]
    median = float(usual.median())
    return Figure(
        metric="memorisation",
        title="Images closer to training images than unseen ones",
        pillar="privacy",
        goal="target",
        value=float(close.double().mean()),
        floor=float(others_close.double().mean()),
        origin=sides.origin,
        reference_images=len(sides.reference),
        images=len(sides.synthetic),
        detail={
            "quantile": quantile,
            "threshold": float(threshold),
            "p_value": float(fisher_exact(table, alternative="greater").pvalue),
            "median_ratio": float(distances.median()) / median if median > 0 else None,
            "floor_images": len(other),
            "suspects": [
                {"image": image, "original": original, "distance": distance}
                for image, original, distance in zip(
                    suspects.tolist(),
                    originals[suspects].tolist(),
                    distances[suspects].tolist(),
                    strict=True,
                )
            ],
        },
    )


def _distances(sides: Sides, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    # Single precision finds the neighbours, double their distances.
    found, places = nearest(images, sides.reference, dtype=torch.float32)
    return found[:, 0], places[:, 0]
