"""Do synthetic rows repeat real ones? Counts beside what held-out rows do; and what a
differentially private generator guarantees."""

from __future__ import annotations

from dataclasses import dataclass

from synthgen.report.sections.scores import ScoreRow, score_rows
from synthgen.results import Privacy, Report


@dataclass(frozen=True)
class PrivacyView:
    scores: tuple[ScoreRow, ...]
    formal: tuple[str, ...]
    """Paragraphs on differential privacy; none where there is none."""


def build(report: Report) -> PrivacyView:
    return PrivacyView(score_rows(report, "privacy"), formal(report))


def guarantee(known: Privacy) -> str:
    """One sentence: what is private, and by how much."""
    if not known.secret_noise:
        return (
            "NO PRIVACY: the noise follows from the published seed (insecure_seeded_noise), so "
            "that anybody can take it off again; this is for tests only."
        )
    return (
        f"Experimental: the model, and rows drawn from it alone, are differentially private with "
        f"epsilon {known.epsilon:.3g} and delta {known.delta:.2g} (tables that differ in one row; "
        "the number of rows is public)."
    )


def formal(report: Report) -> tuple[str, ...]:
    """The guarantee, what it does not cover, and how it was spent."""
    known = report.privacy
    if known is None:
        return ()
    if not known.secret_noise:
        return (guarantee(known),)
    limits = (
        "That covers the folder model/ and what synthgen sample draws from it. It does not cover "
        "this report, the verdict and its measurements, the split, synthetic.parquet and the "
        "augmented file, which holds the real rows: all of these were made from real rows without "
        f"noise. Each of the {report.verdict.resamples} resamples behind the verdict fitted the "
        "generator anew; budgets of fits on the same rows add up where they are published."
    )
    spent = (
        f"Spent on {known.preprocessing_queries} noisy histograms for bounds, categories and "
        f"frequencies (noise {known.preprocessing_noise:.3g} rows; epsilon "
        f"{known.preprocessing_epsilon:.3g} if they were all; {known.categories_delta:.2g} of "
        f"delta), and on {known.steps} steps of the critic (noise multiplier "
        f"{known.noise_multiplier:.3g}, sample rate {known.sample_rate:.3g}, gradients clipped to "
        f"{known.max_grad_norm:.3g}); composed by {known.accountant}."
    )
    return guarantee(known), limits, spent
