"""A report as a run on labelled images would write it, with real PNGs and made-up numbers."""

from __future__ import annotations

import io
import math
import random
from base64 import b64encode
from typing import Any

from PIL import Image, ImageDraw

from synthgen.results import (
    Curve,
    CurvePoint,
    Decision,
    Difference,
    Interval,
    Picture,
    Provenance,
    RealEquivalents,
    Recipe,
    Report,
    Score,
    Sealed,
    Verdict,
)
from tests.report.conftest import difference

CLASSES = ("airplane", "bird", "cat", "frog", "ship")
GAINS = {
    "cgan": 0.9,
    "cgan-filtered": 1.9,
    "cgan-weighted": 1.4,
    "cgan-mixed": 1.6,
    "class_weights": 0.1,
    "flips_crops": 0.8,
    "randaugment": 0.4,
    "mixup": -0.3,
    "oversample": 0.2,
    "placebo": -0.1,
}
METRICS = ("balanced_accuracy", "roc_auc", "recall_at_precision", "log_loss")
ARMS: dict[Decision, tuple[str | None, Recipe | None]] = {
    "augment": ("cgan-filtered", Recipe(ratio=0.5, filter="teacher", augmentation="flips_crops")),
    "do-not-augment": ("flips_crops", Recipe(augmentation="flips_crops")),
    "inconclusive": (None, None),
}
SENTENCES: dict[Decision, str] = {
    "augment": "Augment: filtered synthetic images from cgan (0.5 per training image) raise "
    "balanced accuracy by 1.9 points (95 % interval 1.1 to 2.7), from 77.2 to 79.1, as much as "
    "about 1,300 more real images (410 to 3,900) would; the strongest cheap alternative, random "
    "crops and allowed flips, changes it by 0.8 points (95 % interval 0.0 to 1.6).",
    "do-not-augment": "Do not augment: synthetic images from cgan change balanced accuracy by 0.9 "
    "points (95 % interval 0.1 to 1.7), which is no useful gain over random crops and allowed "
    "flips; use random crops and allowed flips instead, for a gain of 0.8 points (95 % interval "
    "0.0 to 1.6).",
    "inconclusive": "Inconclusive: synthetic images from cgan change balanced accuracy by 0.9 "
    "points (95 % interval 0.1 to 1.7), too uncertain to tell whether it is worth 0.5 points or "
    "more; about 31,000 training images would tell; no cheap alternative is likely to help either.",
}
BY_CLASSIFIER = {"extractor": "classifier", "version": "4c3b9f0a71d2", "resize": "none"}
BY_INCEPTION = {
    "extractor": "inception-v3-2015-12-05",
    "version": "6726825d0af5f729",
    "resize": "bilinear to 299 x 299 as TensorFlow 1, no antialiasing",
}
PIXELS = {"extractor": "pixels", "version": "1", "resize": "averaged to 16 x 16"}


def images(decision: Decision = "augment", *, mirrored: bool = False) -> Report:
    """All that a report on images can hold."""
    draw = random.Random(5)
    differences = [
        difference(arm, learner, metric, gain * (1 if learner == "best" else 0.95), 0.8)
        for arm, gain in GAINS.items()
        for learner in ("best", "small-cnn")
        for metric in METRICS
    ]
    main = {d.arm: d for d in differences if (d.learner, d.metric) == ("best", METRICS[0])}
    arm, recipe = ARMS[decision]
    lead = main[arm or "cgan"]
    train, drawn = 2500, 1250
    return Report(
        modality="images",
        title="animals-and-ships.zip · 5 classes",
        verdict=Verdict(
            decision=decision,
            arm=arm,
            recipe=recipe,
            ratio=0.5 if decision == "augment" else None,
            metric=METRICS[0],
            difference=lead.mean,
            interval=lead.interval,
            confidence=0.95,
            sentence=SENTENCES[decision],
            reasons=["cgan is told from real images with ROC-AUC 0.93 (0.5: not at all)."],
            alternatives=sorted((d for d in main.values() if d.arm != arm), key=lambda d: -d.mean),
            minimum_effect=0.005,
            detectable_effect=0.012,
            resamples=10,
            learners=["small-cnn"],
            learner="small-cnn",
            cheap="flips_crops",
            equivalents=RealEquivalents(
                rows=1310, low=410, high=3900, ceiling=22_500, floor=-2250, useful=420
            ),
            dropped={"placebo": 4},
            rows_needed=31_000,
        ),
        differences=differences,
        by_class=[
            difference(one, "best", metric, gain * draw.uniform(0.5, 1.5), 1.3).model_copy(
                update={"part": part}
            )
            for one, gain in GAINS.items()
            for part in CLASSES
            for metric in (*METRICS, "recall", "precision")
        ],
        learning_curve=[
            CurvePoint(rows=rows, score=score)
            for rows, score in ((352, 0.741), (703, 0.7602), (1406, 0.772))
        ],
        sealed=[_sealed(lead, metric) for metric in ("balanced_accuracy", "log_loss")],
        scores=_scores(),
        marginals=[],
        pair_trends=None,
        curves=[
            Curve(
                name=f"loss_{side}",
                steps=list(range(0, 4000, 20)),
                values=[sign * math.exp(-s / 900) + draw.gauss(0, 0.1) for s in range(0, 4000, 20)],
            )
            for side, sign in (("critic", -1.2), ("generator", 0.6))
        ],
        columns=[],
        classes={
            name: {"train": 500, "test": 120 + i, "synthetic": 250, "augmented": 750}
            for i, name in enumerate(CLASSES)
        },
        pictures=pictures(),
        notices=["3 groups of near duplicates are kept on one side of every split."],
        provenance=Provenance(
            source="../shared/data/image/animals-and-ships.zip",
            source_sha256="5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
            rows={"train": train, "test": 610, "synthetic": drawn, "augmented": train + drawn},
            target="class",
            generator="cgan",
            seed=0,
            budget="standard",
            device="cpu",
            versions={"synthgen": "0.1.0", "torch": "2.13.0"},
            config={
                "data": {"source": "../shared/data/image/animals-and-ships.zip"},
                "decide": {"mirrored": mirrored, "max_rows": None},
                "generator": {"name": "cgan", "steps": 4000},
            },
            command="synthgen augment --config THIS_RUN/config.yaml --out NEW_FOLDER",
        ),
    )


def pictures() -> list[Picture]:
    """A grid of small images, one that is tiny, and one wider than a page."""
    return [
        picture("classes", "Classes", "Real images to the left, synthetic ones to the right.", 5),
        picture("drift", "Fixed noise", "The same noise over the training.", 1),
        picture("neighbours", "Nearest training images", "Each beside what is closest.", 70),
    ]


def picture(name: str, title: str, caption: str, across: int, side: int = 16) -> Picture:
    """A PNG of ``across`` times two small images."""
    draw = random.Random(across)
    canvas = Image.new("RGB", (across * (side + 1), 2 * (side + 1)), "white")
    pen = ImageDraw.Draw(canvas)
    for place in range(2 * across):
        x, y = place % across * (side + 1), place // across * (side + 1)
        colour = tuple(draw.randrange(256) for _ in range(3))
        pen.rectangle((x, y, x + side - 1, y + side - 1), fill=colour)
        pen.ellipse((x + 3, y + 3, x + side - 4, y + side - 4), fill=(colour[1], 255, 40))
    written = io.BytesIO()
    canvas.save(written, "PNG")
    return Picture(
        name=name,
        title=title,
        caption=caption,
        width=canvas.width,
        height=canvas.height,
        png=b64encode(written.getvalue()).decode("ascii"),
    )


def figure(metric: str, value: float, reference: float, **more: Any) -> Score:
    """A score as a metric of images gives it."""
    title, pillar, goal = _KINDS[metric]
    origin = {"reference": "train"} | more.pop("origin", BY_CLASSIFIER)
    numbers = more.pop("images", {"reference": 2500, "synthetic": 610})
    return Score.model_validate(
        {
            **{"metric": metric, "title": title, "pillar": pillar, "goal": goal},
            **{"value": value, "reference": reference},
            "detail": {**more, "images": numbers, "origin": origin},
        }
    )


_KINDS = {
    "frechet": ("Fréchet distance", "fidelity", "min"),
    "kernel": ("Kernel distance", "fidelity", "min"),
    "inception_score": ("Inception score", "fidelity", "max"),
    "precision": ("Precision", "fidelity", "max"),
    "recall": ("Recall", "fidelity", "max"),
    "density": ("Density", "fidelity", "target"),
    "coverage": ("Coverage", "fidelity", "max"),
    "frechet_per_class": ("Fréchet distance per class", "fidelity", "min"),
    "sliced_wasserstein": ("Sliced Wasserstein distance", "fidelity", "min"),
    "pyramid_distance": ("Sliced Wasserstein distance of patches", "fidelity", "min"),
    "classification_accuracy": ("Classification accuracy score", "utility", "max"),
    "memorisation": ("Images closer to training images than unseen ones", "privacy", "target"),
    "image_copies": ("Copies of training images", "privacy", "min"),
}


def _scores() -> list[Score]:
    of_classes = {
        CLASSES[code]: {"value": value, "floor": floor, "images": 120 + code}
        for code, (value, floor) in enumerate(
            ((38.2, 21.5), (61.7, 22.1), (70.3, 30.9), (35.0, 19.2), (29.4, 28.8))
        )
    }
    accuracies = {
        CLASSES[code]: {"value": value, "floor": floor, "images": 120 + code}
        for code, (value, floor) in enumerate(
            ((0.71, 0.79), (0.42, 0.66), (0.48, 0.6), (0.7, 0.8), (0.83, 0.82))
        )
    }
    suspects = [{"image": 7, "original": 1234, "distance": 0.8}] * 34
    copies = [{"image": 7, "original": 1234, "exact": True, "flipped": False}] * 2
    return [
        Score(
            metric="balanced_accuracy",
            title="Balanced accuracy, trained on training and synthetic images",
            pillar="utility",
            goal="max",
            value=0.781,
            reference=0.769,
            detail={"small-cnn": 0.781, "small-cnn_reference": 0.769},
        ),
        figure(
            *("classification_accuracy", 0.628, 0.734),
            classes=accuracies,
            images={"reference": 610, "synthetic": 1250},
            origin={
                "extractor": "small-cnn",
                "version": "464 steps, seed 0",
                "resize": "none",
                "reference": "test",
            },
        ),
        figure("frechet", 14.31, 3.87, features=128, singular=False),
        figure("frechet", 61.2, 44.9, origin=BY_INCEPTION, features=2048, singular=True),
        figure("kernel", 0.0312, -0.0004, deviation=0.0021, floor_deviation=0.0009),
        figure("frechet_per_class", 46.92, 24.5, classes=of_classes, left_out=[], features=128),
        figure(
            *("inception_score", 3.91, 4.42),
            deviation=0.11,
            images={"reference": 0, "synthetic": 610},
        ),
        figure("precision", 0.812, 0.871, k=3),
        figure("recall", 0.402, 0.866, k=3),
        figure("density", 0.93, 1.01, k=5),
        figure("coverage", 0.71, 0.95, k=5),
        figure("sliced_wasserstein", 0.21, 0.08, directions=256),
        figure(
            *("pyramid_distance", 0.151, 0.052),
            origin={"extractor": "pixels", "version": "laplacian-7x7", "resize": "none"},
            directions=256,
        ),
        figure(
            *("memorisation", 0.0272, 0.0492),
            **{"p_value": 0.981, "median_ratio": 1.08, "floor_images": 305, "suspects": suspects},
            images={"reference": 2500, "synthetic": 1250},
        ),
        figure(
            *("memorisation", 0.0608, 0.0525),
            **{"p_value": 0.31, "median_ratio": None, "floor_images": 305, "suspects": suspects},
            images={"reference": 2500, "synthetic": 1250},
            origin=PIXELS,
        ),
        figure(
            *("image_copies", 0.0016, 0.0),
            **{"exact": 0.0008, "floor_images": 610, "copies": copies},
            images={"reference": 2500, "synthetic": 1250},
            origin={"extractor": "pixels", "version": "copies-1", "resize": "none"},
        ),
    ]


def _sealed(lead: Difference, metric: str) -> Sealed:
    one = difference(lead.arm, "best", metric, lead.mean * 100, 1.0)
    return Sealed(
        arm=lead.arm,
        learner="small-cnn",
        metric=metric,
        baseline=one.baseline,
        mean=one.mean,
        interval=Interval(low=one.interval.low, high=one.interval.high),
        p_value=one.p_value,
        seeds=3,
        rows=610,
    )
