from __future__ import annotations

import math
from typing import Any

import pytest
from pydantic import ValidationError

from synthgen.benchmark.settings import DecideSettings


def test_defaults_are_valid_and_survive_json() -> None:
    settings = DecideSettings()
    assert settings.metric == "roc_auc"
    assert settings.ratios == (0.25, 0.5, 1.0, "balanced")
    assert DecideSettings.model_validate_json(settings.model_dump_json()) == settings


@pytest.mark.parametrize("ratio", [0, -0.5, 100.5, math.inf, math.nan])
def test_absurd_ratios_are_refused_with_the_reason(ratio: float) -> None:
    with pytest.raises(ValidationError, match="above 0 and at most 100, or 'balanced'"):
        DecideSettings(ratios=(ratio,))


@pytest.mark.parametrize("ratio", [1e-3, 100, "balanced"])
def test_extreme_but_sensible_ratios_are_taken(ratio: Any) -> None:
    assert DecideSettings(ratios=(ratio,)).ratios == (ratio,)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"ratios": ("half",)}, "ratios"),
        ({"ratios": (0.5, 0.5)}, "stands twice"),
        ({"ratios": ()}, "ratios"),
        ({"arms": ("smote",)}, "'nothing' is missing"),
        ({"arms": ("nothing", "prayer")}, "arms"),
        ({"learners": ()}, "learners"),
        ({"learners": ("logistic", "logistic")}, "stands twice"),
        ({"resamples": 2}, "resamples"),
        ({"metric": "log_loss"}, "metric"),
        ({"test_share": 0.9}, "test_share"),
        ({"confidence": 1.0}, "confidence"),
        ({"minimum_effect": -0.1}, "minimum_effect"),
        ({"max_rows": 3}, "max_rows"),
        ({"resample": 10}, "resample"),
    ],
)
def test_wrong_settings_are_named(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DecideSettings.model_validate(wrong)
