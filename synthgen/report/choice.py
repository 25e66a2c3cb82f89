"""What a generator that chooses among others took, and why, in one notice."""

from __future__ import annotations

from collections.abc import Sequence

from synthgen.results import Choice, Contender


def sentence(choice: Choice) -> str:
    """The chosen generator with the scores of all, what failed, and what the resamples chose."""
    said = [_chosen(choice)]
    said += [f"{c.name} could not be trained: {c.failure}" for c in choice.candidates if c.failure]
    if choice.resamples:
        times = [f"{name} {_times(count)}" for name, count in choice.resamples.items()]
        said.append(f"Inside the resamples, where it chose anew, it took {_listed(times)}")
    return ". ".join(said)


def _chosen(choice: Choice) -> str:
    taken = next(c for c in choice.candidates if c.name == choice.chosen)
    if taken.auc is None:
        return (
            f"auto took {choice.chosen}, the first of its candidates that could be trained: the "
            "training rows are too few to compare them"
        )
    others = [c for c in choice.candidates if c is not taken and c.auc is not None]
    scores = [f"{c.name} {_auc(c)}" for c in others]
    beside = f"; {_listed(scores)}" if scores else ""
    ahead = any(c.auc < taken.auc for c in others if c.auc is not None)
    tie = ", the first of those not told apart from the best" if ahead else ""
    return (
        f"auto chose {choice.chosen}{tie}: a classifier tells its rows from "
        f"{choice.held_out:,} held-out training rows with a ROC-AUC of "
        f"{_auc(taken)} ± {taken.standard_error:.3f}{beside} (0.5: not at all)"
    )


def _auc(contender: Contender) -> str:
    return f"{contender.auc:.3f}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _listed(items: Sequence[str]) -> str:
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
