"""What the report says of differential privacy."""

from __future__ import annotations

from synthgen.report import card, render
from synthgen.report.sections.privacy import build, formal, guarantee
from synthgen.results import Privacy
from tests.report.conftest import MakeReport

KNOWN = Privacy(
    epsilon=2.9998,
    delta=1e-5,
    rows=10_000,
    accountant="RDP of Opacus 1.6.0",
    noise_multiplier=1.234,
    sample_rate=0.05,
    steps=2000,
    max_grad_norm=1.0,
    preprocessing_epsilon=0.9,
    preprocessing_queries=30,
    preprocessing_noise=24.6,
    categories_delta=1e-6,
    secret_noise=True,
)


def test_without_a_private_generator_nothing_is_claimed(make_report: MakeReport) -> None:
    report = make_report()
    assert formal(report) == ()
    assert build(report).formal == ()
    assert "no formal privacy is claimed" in card(report)
    assert "no formal privacy is claimed" in render(report)


def test_the_guarantee_its_limits_and_its_price_are_said(make_report: MakeReport) -> None:
    report = make_report().model_copy(update={"privacy": KNOWN})
    first, limits, spent = formal(report)
    assert first.startswith("Experimental")
    assert "epsilon 3 " in first
    assert "delta 1e-05" in first
    assert "does not cover" in limits
    assert f"{report.verdict.resamples} resamples" in limits
    assert "30 noisy histograms" in spent
    assert "2000 steps" in spent
    for page in (card(report), render(report)):
        assert "Experimental" in page
        assert "no formal privacy" not in page


def test_seeded_noise_is_shouted_about(make_report: MakeReport) -> None:
    known = KNOWN.model_copy(update={"secret_noise": False})
    said = guarantee(known)
    assert said.startswith("NO PRIVACY")
    assert "epsilon" not in said
    assert formal(make_report().model_copy(update={"privacy": known})) == (said,)
