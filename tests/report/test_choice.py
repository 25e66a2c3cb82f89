"""What is said of a generator that chose among others."""

from __future__ import annotations

from synthgen.report.choice import sentence
from synthgen.results import Choice, Contender


def contender(name: str, auc: float | None, failure: str | None = None) -> Contender:
    error = None if auc is None else 0.0104
    return Contender(name=name, auc=auc, standard_error=error, failure=failure)


def test_the_scores_of_all_are_named() -> None:
    found = [contender("mixture", 0.6), contender("arn", 0.5123), contender("tvae", 0.93)]
    assert sentence(Choice(chosen="arn", held_out=1200, candidates=found)) == (
        "auto chose arn: a classifier tells its rows from 1,200 held-out training rows with a "
        "ROC-AUC of 0.512 ± 0.010; mixture 0.600 and tvae 0.930 (0.5: not at all)"
    )


def test_a_tie_is_called_one_and_a_failure_named() -> None:
    found = [contender("mixture", 0.51), contender("arn", 0.5), contender("ctgan", None, "it fell")]
    text = sentence(
        Choice(
            chosen="mixture",
            held_out=100,
            candidates=found,
            resamples={"mixture": 4, "arn": 1},
        )
    )
    assert text.startswith("auto chose mixture, the first of those not told apart from the best:")
    assert "ctgan could not be trained: it fell" in text
    assert text.endswith("where it chose anew, it took mixture 4 times and arn once")


def test_nothing_is_made_up_where_nothing_was_compared() -> None:
    found = [contender("mixture", None), contender("arn", None)]
    text = sentence(Choice(chosen="mixture", held_out=0, candidates=found))
    assert "too few to compare" in text
    assert "AUC" not in text
