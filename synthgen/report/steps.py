"""What to do now, most important first."""

from __future__ import annotations

from synthgen.report import advice, image_recipe, numbers, recipe
from synthgen.report.wording import REGRESSION, name, noun, phrase, source
from synthgen.results import OUT_OF_REACH, Recipe, Report, Verdict

_NEXT_BUDGET = {"quick": "standard", "standard": "thorough"}


def steps(report: Report) -> list[str]:
    """Sentences, each a thing to do."""
    match report.verdict.decision:
        case "augment":
            return _augment(report)
        case "do-not-augment":
            return _keep(report)
        case "inconclusive":
            return _find_out(report)


def _augment(report: Report) -> list[str]:
    verdict = report.verdict
    done = verdict.recipe or Recipe(ratio=verdict.ratio)
    if verdict.ratio is not None:  # what the user fixed
        done = done.model_copy(update={"ratio": verdict.ratio})
    made = f" from {name(source(verdict.arm))}" if verdict.arm else ""
    how = recipe.rows(done, report)
    model = "model" if verdict.metric in REGRESSION else "classifier"
    known = f" ({name(verdict.learner)} did best)" if verdict.learner else ""
    return [
        f"Train your {model}{known} on the augmented {_whole(report)} of this run"
        f"{_held(report)}{made}" + (f" ({how})." if how else "."),
        *recipe.weights(done, report),
        *image_recipe.augmentation(done, report),
        *recipe.prediction(done, report),
        f"Keep validating and testing on real {noun(report.modality)}s only.",
        f"Expect {advice.effect(verdict)}. If the lower end would not be worth the trouble, "
        "leave your data as they are.",
    ]


def _whole(report: Report) -> str:
    """What the run handed over: images are many files, or one."""
    return "set" if report.modality == "images" else "file"


def _held(report: Report) -> str:
    rows, unit = report.provenance.rows, noun(report.modality)
    real, drawn = rows.get("train"), rows.get("augmented", 0) - rows.get("train", 0)
    if real is None or drawn <= 0:
        return ""
    return (
        f": {numbers.counted(real, f'training {unit}')} and "
        f"{numbers.counted(drawn, f'synthetic {unit}')}"
    )


def _keep(report: Report) -> list[str]:
    verdict, unit = report.verdict, noun(report.modality)
    shown = advice.effects(verdict)
    if verdict.arm is not None and verdict.arm != "nothing":
        found = [
            f"Use {phrase(verdict.arm, report.modality)} instead, which trains no generator: "
            f"{advice.effect(verdict)}.",
            *recipe.cheap(report),
        ]
    else:
        found = [f"Train on your own {unit}s as they are; nothing was shown to beat them."]
    if report.provenance.rows.get("synthetic"):
        found.append(
            f"The synthetic {unit}s of this run are there to be looked at; leave them out."
        )
    if full(verdict):
        return [*found, "There is hardly anything left to gain: the score is close to perfect."]
    better = "a better classifier" if report.modality == "images" else "better features"
    more = f"If the score is too low, more real {unit}s or {better} are the way"
    if verdict.harmed:
        return [*found, f"{more}."]
    if verdict.room is not None and verdict.detectable_effect > verdict.room:
        return [*found, f"{more}."]  # No gain as large as that is possible.
    sees = shown.amount(verdict.detectable_effect)
    return [*found, f"{more}: a gain of {sees} from synthetic {unit}s would have shown."]


def full(verdict: Verdict) -> bool:
    """Whether the training rows alone come too close to a perfect score for a useful gain."""
    return verdict.room is not None and verdict.room < verdict.minimum_effect


def _find_out(report: Report) -> list[str]:
    verdict, budget = report.verdict, report.provenance.budget
    unit = noun(report.modality)
    shown = advice.effects(verdict)
    sees, wants = shown.amount(verdict.detectable_effect), shown.amount(verdict.minimum_effect)
    if verdict.arm is None or verdict.arm == "nothing":
        found = [f"Train on your own {unit}s as they are until the question is settled."]
    else:
        found = [
            f"Use {phrase(verdict.arm, report.modality)} until the question is settled: "
            f"{advice.effect(verdict)}.",
            *recipe.cheap(report),
        ]
    if verdict.unmeasured and not advice.measured(verdict):
        return [
            *found,
            f"{numbers.counted(verdict.unmeasured, 'resample')} of the budget were not measured, "
            "and the others are too few. Run it again, without --now and with a longer "
            "decide.time_limit.",
        ]
    if not advice.measured(verdict):
        return [
            *found,
            "Nothing could be measured; the reasons say why. Merge or remove the rarest classes"
            f"{'' if report.modality == 'images' else ' of the target'}, or collect more of their "
            f"{unit}s.",
        ]
    if verdict.scarce is not None:
        needed = verdict.rows_needed
        about = f"about {numbers.significant(needed or 0, 2)} training {unit}s like yours"
        many = f" ({about})" if needed else ""
        return [
            *found,
            f"Collect more {unit}s of the rarest class{many}: no budget makes up for them.",
        ]
    if full(verdict):
        return [
            *found,
            f"Leave it at that: the score of your {unit}s alone is within "
            f"{shown.amount(verdict.room or 0)} of a perfect one, and effects from {wants} on "
            "count as useful.",
        ]
    if verdict.unmeasured:
        found.append(
            f"For a finer answer let all resamples be measured: {verdict.unmeasured} were not."
        )
    larger = _NEXT_BUDGET.get(budget)
    if larger:
        found.append(
            f"For a finer answer run it again with --budget {larger}: this one would have found "
            f"{sees} or more."
        )
    have = report.provenance.rows.get("train")
    if verdict.rows_needed is not None and verdict.rows_needed > (have or 0):
        found.append(
            f"To measure an effect as small as {wants} takes "
            f"{_rows(verdict.rows_needed, have, unit)}."
        )
    elif not larger:
        found.append(
            f"For a finer answer collect more real {unit}s: the largest budget is already in use."
        )
    return found


def _rows(needed: int, have: int | None, unit: str) -> str:
    """How many training rows; beyond some hundred times those at hand the number says nothing."""
    about = f"about {numbers.significant(needed, 2)} training {unit}s"
    if have is None:
        return about
    if needed > OUT_OF_REACH * have:
        return f"more than {OUT_OF_REACH} times your {numbers.count(have)} training {unit}s"
    return f"{about} (you have {numbers.count(have)})"
