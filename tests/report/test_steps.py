"""What to do now: the recipe as steps that work."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthgen.report.steps import steps
from synthgen.results import Recipe, Report
from tests.report.image_reports import images

MakeReport = Callable[..., Report]


def told(made: Report, **verdict: Any) -> list[str]:
    whole = made.model_copy(update={"verdict": made.verdict.model_copy(update=verdict)})
    return [step.replace("\N{NO-BREAK SPACE}", " ") for step in steps(whole)]


def test_augmenting_names_file_rows_and_learner(make_rich: MakeReport) -> None:
    first, *others = told(make_rich(), recipe=Recipe(ratio=0.5))
    assert first == (
        "Train your classifier (gradient boosting did best) on the augmented file of this run: "
        "26,049 training rows and 13,024 synthetic rows from ctgan (0.5 synthetic per training "
        "row)."
    )
    assert not any("weights.csv" in step or "probability" in step for step in others)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("density_ratio", "by the density ratio filter: those that a classifier takes for real"),
        ("teacher", "by the teacher filter: those whose class"),
        ("boundary", "by the boundary filter: those near the border"),
    ],
)
def test_a_filter_is_named_in_words(make_rich: MakeReport, kind: Any, words: str) -> None:
    first = told(make_rich(), recipe=Recipe(ratio=0.5, filter=kind))[0]
    assert f"selected from twice as many {words}" in first


def test_a_numeric_target_is_not_called_a_class(make_rich: MakeReport) -> None:
    recipe = Recipe(ratio=0.5, filter="teacher", balanced=True)
    said = " ".join(told(make_rich(), recipe=recipe, metric="r2"))
    assert "Train your model" in said
    assert "those whose number" in said
    assert "every part of the target's range counts the same" in said
    assert "class" not in said


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(ratio=0.5, weight=0.3), "a synthetic row counts 0.3 of a real one."),
        (Recipe(ratio=0.5, balanced=True), "every class counts the same in total."),
        (
            Recipe(ratio=0.5, weight=0.3, balanced=True),
            "a synthetic row counts 0.3 of a real one, and every class counts the same in total.",
        ),
    ],
)
def test_weights_are_in_a_file_beside(make_rich: MakeReport, recipe: Recipe, words: str) -> None:
    (step,) = [s for s in told(make_rich(), recipe=recipe) if "weights.csv" in s]
    assert step.endswith(words)
    assert "one per row in the same order" in step


def test_the_threshold_predicts_what_the_multipliers_do(make_rich: MakeReport) -> None:
    multipliers = (0.62, 1.61)
    (step,) = [
        s
        for s in told(make_rich(), recipe=Recipe(ratio=1.0, multipliers=multipliers))
        if "probability" in s
    ]
    found = re.search(r"Predict >50K where its probability is above (0\.\d+), and <=50K", step)
    assert found is not None
    second = np.linspace(0, 1, 1001)
    by_product = np.column_stack([1 - second, second]) * multipliers
    away = np.abs(second - float(found[1])) > 0.001  # the number is rounded
    assert ((second > float(found[1])) == by_product.argmax(axis=1))[away].all()
    assert "0.62 for <=50K, 1.61 for >50K" in step
    assert "with the probabilities of gradient boosting" in step


def test_many_classes_have_multipliers(make_rich: MakeReport) -> None:
    three = make_rich("do-not-augment", classes=("a", "b", "c"))
    recipe = Recipe(multipliers=(0.5, 1.0, 2.0))
    assert (
        "Predict the class with the largest probability times multiplier, with the probabilities "
        "of gradient boosting: 0.5 for a, 1 for b, 2 for c."
    ) in told(three, recipe=recipe)
    forty = make_rich("do-not-augment", classes=tuple(f"c{i}" for i in range(40)))
    recipe = Recipe(multipliers=tuple(1 + i / 40 for i in range(40)))
    assert any(
        "in report.json, in the order of the classes" in s for s in told(forty, recipe=recipe)
    )


@pytest.mark.parametrize("multipliers", [None, (1.0, 1.0)])
def test_equal_multipliers_need_no_step(make_rich: MakeReport, multipliers: Any) -> None:
    made = make_rich("do-not-augment")
    said = told(made, recipe=Recipe(multipliers=multipliers))
    assert "Predict the likeliest class, as usual." in said
    assert not any("multiplier" in step for step in said)


def test_classes_without_names_are_counted(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment").model_copy(update={"by_class": []})
    said = told(made, recipe=Recipe(multipliers=(0.6, 1.8)))
    assert any(s.startswith("Predict the second class where its probability is") for s in said)
    lost = told(made, recipe=Recipe(multipliers=(0.0, float("nan"))))
    assert not any("nan" in step for step in lost)


@pytest.mark.parametrize(
    ("arm", "metric", "words"),
    [
        ("class_weights", "roc_auc", 'class_weight="balanced"'),
        ("threshold", "roc_auc", "Predict >50K where its probability is above 0.265"),
        ("oversample", "roc_auc", "imbalanced-learn: RandomOverSampler"),
        ("smote", "roc_auc", "imbalanced-learn: SMOTE"),
        ("smote", "r2", "--generator smote"),
        ("density_weights", "r2", "weights.csv"),
    ],
)
@pytest.mark.parametrize("decision", ["do-not-augment", "inconclusive"])
def test_a_cheap_arm_comes_with_its_recipe(
    make_rich: MakeReport, decision: str, arm: str, metric: str, words: str
) -> None:
    recipe = Recipe(multipliers=(0.6, 5 / 3) if arm == "threshold" else None)
    said = told(make_rich(decision), arm=arm, metric=metric, recipe=recipe)
    assert words in said[1]
    assert said[0].startswith("Use ")


def test_after_harm_no_missing_gain_is_claimed(make_rich: MakeReport) -> None:
    made = make_rich("do-not-augment")
    assert made.verdict.harmed
    assert not any("would have shown" in step for step in told(made))
    assert any("would have shown" in step for step in told(made, harmed=[]))


def test_rows_that_would_settle_it(make_rich: MakeReport) -> None:
    made = make_rich("inconclusive")
    assert told(made)[-1] == (
        "To measure an effect as small as 0.5 points takes about 61,000 training rows (you have "
        "26,049)."
    )
    far = told(made, rows_needed=2_700_000)[-1]
    assert far.endswith("takes more than 100 times your 26,049 training rows.")
    assert not any("To measure" in s for s in told(made, rows_needed=26_000))
    assert not any("To measure" in s for s in told(made, rows_needed=None))


def test_too_few_of_a_class_asks_for_rows_and_for_no_budget(make_rich: MakeReport) -> None:
    said = told(make_rich("inconclusive"), scarce=2.0, rows_needed=3000)
    assert "about 3,000 training rows like yours" in said[-1]
    assert not any("--budget" in s for s in said)


@pytest.mark.parametrize("resamples", [2, 4])
def test_resamples_that_were_not_measured_are_the_first_to_ask_for(
    make_rich: MakeReport, resamples: int
) -> None:
    said = told(make_rich("inconclusive"), resamples=resamples, unmeasured=3)
    assert not any("rarest" in s for s in said)
    assert any("not measured" in s or "were not" in s for s in said)


def test_a_score_that_is_almost_perfect_asks_for_nothing(make_rich: MakeReport) -> None:
    said = told(make_rich("inconclusive"), room=0.002)
    assert "within 0.2 points of a perfect one" in said[-1]
    assert not any("settle" in s for s in said[1:])
    said = told(make_rich("do-not-augment"), room=0.002, harmed=[])
    assert said[-1] == "There is hardly anything left to gain: the score is close to perfect."


def test_the_ratio_that_the_user_fixed_is_told(make_rich: MakeReport) -> None:
    said = told(make_rich(), recipe=Recipe(ratio=0.5), ratio="balanced")
    assert "as many per class as it takes to balance the classes" in said[0]


# ---- images -----------------------------------------------------------------------------------


def test_augmenting_names_the_set_and_its_images() -> None:
    first = told(images(), recipe=Recipe(ratio=0.5))[0]
    assert first == (
        "Train your classifier (small CNN did best) on the augmented set of this run: "
        "2,500 training images and 1,250 synthetic images from cgan (0.5 synthetic per training "
        "image)."
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("flips_crops", "of its side{mirror}."),
        ("randaugment", "of its side{mirror}, then apply one operation of RandAugment"),
        ("mixup", "of its side{mirror}, then blend pairs of them by MixUp"),
    ],
)
@pytest.mark.parametrize(
    ("mirrored", "mirror"), [(True, " and mirror half of them"), (False, ", but mirror none")]
)
def test_an_augmentation_is_told_as_a_step(
    kind: Any, words: str, mirrored: bool, mirror: str
) -> None:
    recipe = Recipe(ratio=0.5, augmentation=kind)
    augmented = told(images(mirrored=mirrored), recipe=recipe)
    other = images("do-not-augment", mirrored=mirrored)
    instead = told(other, arm=kind, recipe=Recipe(augmentation=kind))
    for said in (augmented, instead):
        (step,) = [step for step in said if words.format(mirror=mirror) in step]
        assert step.startswith("In training, at every step anew, move each image at random")


def test_without_a_word_on_mirrors_none_is_mirrored() -> None:
    made = images()
    bare = made.provenance.model_copy(update={"config": {}})
    said = told(made.model_copy(update={"provenance": bare}))
    assert any("but mirror none" in step for step in said)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(ratio=0.5, weight=0.3), ": a synthetic image counts 0.3 of a real one."),
        (
            Recipe(ratio=0.5, weight=0.3, balanced=True),
            ": a synthetic image counts 0.3 of a real one, and smaller classes count more, by "
            "their effective numbers of images.",
        ),
    ],
)
def test_weights_of_images_go_by_their_names(recipe: Recipe, words: str) -> None:
    (step,) = [s for s in told(images(), recipe=recipe) if "weights.csv" in s]
    assert step.endswith(words)
    assert "its sample_weight in weights.csv" in step
    assert "where image is its name in the set" in step


def test_balancing_images_is_told_for_images() -> None:
    made = images("do-not-augment")
    for arm, words in (("class_weights", "0.999 ** n"), ("oversample", "Repeat images")):
        said = " ".join(told(made, arm=arm, recipe=Recipe(balanced=arm == "class_weights")))
        assert words in said
        assert "scikit-learn" not in said
        assert "imbalanced-learn" not in said


def test_the_placebo_is_of_images() -> None:
    said = told(images("inconclusive"), arm="placebo")
    assert said[0].startswith("Use duplicated images (placebo) until")
    assert told(images("do-not-augment"), arm=None)[0].startswith("Train on your own images as")
