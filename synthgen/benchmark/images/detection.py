"""How well a classifier tells generated images from real ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from synthgen.benchmark.images.learners import Labelled, Training, predict
from synthgen.benchmark.scoring import Asked, Predicted, score_all
from synthgen.results import Recipe


def detection(
    training: Training,
    learner: str,
    known: tuple[Labelled, Labelled],
    unseen: tuple[Labelled, Labelled],
    seed: int,
) -> float | None:
    """ROC-AUC on ``unseen`` (real, generated) images of the learner, trained to tell the two sides
    of ``known``; 0.5: not at all. It is not shown the class that an image has or was made for."""
    training = replace(training, classes=2)
    seen, judged = _by_origin(*known), _by_origin(*unseen)
    model = training.train(learner, seen, seed, Recipe(), len(seen))
    predicted = Predicted.of(predict(model, judged))
    scores = score_all("classification", judged.labels.numpy(), predicted, Asked(1))
    return scores["roc_auc"]


def _by_origin(real: Labelled, generated: Labelled) -> Labelled:
    """Both sides, labelled 1 for real and 0 for generated."""
    origin = torch.from_numpy(np.repeat([1, 0], [len(real), len(generated)]))
    return Labelled(torch.cat([real.pixels, generated.pixels]), origin)
