"""The report of a run on images: what was drawn against the sealed images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import numpy as np

from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.images.sealed import sealed_scores
from synthgen.benchmark.threads import single_thread
from synthgen.config import ImageConfig
from synthgen.data.images.images import Images
from synthgen.generators.images.album import album
from synthgen.metrics.images.scores import (
    ImageTrio,
    default_extractor,
    score_accuracy,
    score_images,
)
from synthgen.pipeline import models
from synthgen.pipeline.contents import PROGRESS, verdict
from synthgen.pipeline.events import Event, Notify
from synthgen.pipeline.facts import curves, given_anyway, provenance
from synthgen.pipeline.further import further
from synthgen.pipeline.images.contents import (
    AUGMENTED,
    SYNTHETIC,
    layout,
    sealed_images,
    settings,
    synthetic_images,
    training_images,
)
from synthgen.pipeline.images.doubts import doubts
from synthgen.pipeline.images.draw import draw_recipe, training_of
from synthgen.pipeline.images.inception import inception_weights
from synthgen.pipeline.machine import device
from synthgen.pipeline.recipes import chosen_recipe
from synthgen.pipeline.seeds import derive
from synthgen.pipeline.shortfall import shortfalls
from synthgen.pipeline.trainlog import read as read_log
from synthgen.results import Recipe, Report, Score
from synthgen.runs import Run
from synthgen.vision.features import Extractor
from synthgen.vision.inception_features import InceptionFeatures

FEATURES = "features"
"""Where a run keeps the classifier whose features its figures are taken of."""


def report(run: Run, board: Comparison, notify: Notify) -> Report:
    """Everything that the report shows; ``board`` is what ``decide`` measured."""
    config, form = settings(run), layout(run)
    train = training_images(run)
    test = sealed_images(run, train)
    record = json.loads((run / "sample.json").read_text("utf-8"))
    drawn = synthetic_images(run, train)
    # Fidelity is about images as the model gives them, unconditionally; privacy about all.
    free = drawn.take(np.arange(min(record["unconditional"], len(train))))
    chosen = drawn.take(np.arange(*record["chosen"]))
    answer, steps = verdict(run), training_of(train, config).steps
    with single_thread():
        extractors = _extractors(run, config, train)
        trio = ImageTrio(train, test, free, derive(config.seed, "evaluate"))
        everything = ImageTrio(train, test, drawn, trio.seed)
        fidelity, notices = score_images(trio, "fidelity", extractors)
        privacy, more = score_images(everything, "privacy", extractors)
        accuracy, further = score_accuracy(trio, steps=steps, device=device(config))
        notify(Event("evaluate", 1, 2))
        recipe = chosen_recipe(config, answer) if len(chosen) else Recipe()
        utility, sealed = sealed_scores(
            train,
            [chosen if len(chosen) else free, *_further(run, config, train, recipe)],
            test,
            config.decide,
            training_of(train, config),
            arm=(answer.arm if len(chosen) and answer.arm else config.generator.name),
            learner=answer.learner or config.decide.learners[0],
            recipe=recipe,
            seed=derive(config.seed, "sealed"),
        )
        sampler = models.load(run.path).sampler
        progress = run / PROGRESS
        pictures = album(
            sampler,
            train,
            free,
            extractors[0],
            seed=derive(config.seed, "album"),
            progress=progress if progress.is_dir() else None,
        )
    log = read_log(run / "train.jsonl")
    told = [*notices, *more, *further, *doubts(board, log, accuracy, len(train.classes))]
    if len(chosen) == 0 and len(free):
        told.append(
            "The augmented set holds no synthetic images; the utility scores on the sealed images "
            f"show what adding {len(free)} would have done"
        )
    anyway = given_anyway(config, len(chosen), answer.decision == "augment", "images")
    return Report(
        modality="images",
        title=config.data.source or "images",
        verdict=answer,
        differences=board.differences(),
        by_class=board.by_class(),
        learning_curve=board.curve_points(),
        sealed=sealed,
        scores=[*utility, *_distinct([*accuracy, *fidelity, *privacy])],
        marginals=[],
        pair_trends=None,
        curves=curves(run / "train.jsonl"),
        columns=[],
        classes=_classes(train, test, drawn, chosen),
        notices=[
            *json.loads((run / "notices.json").read_text("utf-8")),
            *record["notices"],
            *told,
            *([anyway] if anyway is not None else []),
        ],
        pictures=pictures,
        provenance=provenance(
            run,
            nameless="images in memory",
            sha=form.sha256,
            rows={
                "train": len(train),
                "test": len(test),
                "synthetic": len(drawn),
                "augmented": len(train) + len(chosen),
            },
            hashed=[
                name
                for stem in ("split/train", "split/test", "verdict.json", SYNTHETIC, AUGMENTED)
                for name in (stem if stem.endswith(".json") else f"{stem}{form.extension}",)
                if (run / name).exists()
            ],
        ),
    )


def _extractors(run: Run, config: ImageConfig, train: Images) -> list[Extractor]:
    own = default_extractor(
        train,
        folder=run.scratch(FEATURES),
        seed=derive(config.seed, "features"),
        device=device(config),
    )
    if config.inception is None:
        return [own]
    return [own, InceptionFeatures(inception_weights(config.inception), device(config))]


def _distinct(scores: Sequence[Score]) -> list[Score]:
    """In their order, those of one metric and one origin once."""
    found = {(one.metric, str(one.detail.get("origin"))): one for one in scores}
    return list(found.values())


def _further(run: Run, config: ImageConfig, train: Images, recipe: Recipe) -> Iterator[Images]:
    """What each of them gives."""
    for sampler, own in further(run, config, train):
        with shortfalls([]):
            drawn, more = draw_recipe(sampler, train, recipe, own)
        if more:
            images = more[0].images
            for part in more[1:]:
                images = images.concat(part.images)
        else:
            share = recipe.ratio if isinstance(recipe.ratio, float) else 1.0
            count = min(len(drawn.images), round(share * len(train)))
            images = drawn.images.take(np.arange(count))
        yield images


def _classes(
    train: Images, test: Images, drawn: Images, chosen: Images
) -> dict[str, dict[str, int]]:
    """How many images of each class there are."""
    sets = {"train": train, "test": test, "synthetic": drawn}
    counts = {name: images.counts() for name, images in sets.items()}
    counts["augmented"] = counts["train"] + chosen.counts()
    return {
        str(name): {part: int(count[k]) for part, count in counts.items()}
        for k, name in enumerate(train.classes)
    }
