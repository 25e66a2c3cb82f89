"""What limits a verdict: failures, missing measurements, capped rows."""

from __future__ import annotations

from collections import Counter

from synthgen.benchmark.arms import ROWS
from synthgen.benchmark.comparison import Comparison


def limits(board: Comparison) -> list[str]:
    """A sentence each."""
    return [*_failures(board), *_missing(board), *_capped(board)]


def _failures(board: Comparison) -> list[str]:
    settings = board.settings
    counts: Counter[tuple[str, str]] = Counter()
    example: dict[tuple[str, str], str] = {}
    for result in board.results:
        stages: dict[str, str] = {}
        for failure in result.failures:
            what = f"{failure.stage} {failure.learner}" if failure.learner else failure.stage
            stages.setdefault(what, failure.message)
        # Rows that cannot be split fail for all sources alike: told once.
        source = "every arm" if "split" in stages else result.job.source.name
        if source == "every arm" and result.job.source.name != ROWS:
            continue
        for what, message in stages.items():
            counts[source, what] += 1
            example.setdefault((source, what), message)
    return [
        f"{'training rows alone' if source == ROWS else source}: "
        f"{'too few rows came' if what == 'shortfall' else f'{what} failed'} in "
        f"{count} of {settings.resamples} resamples ({example[source, what]})."
        for (source, what), count in counts.items()
    ]


def _missing(board: Comparison) -> list[str]:
    """Resamples that no source measured, or only some."""
    seen = {result.job.resample for result in board.results}
    count = board.settings.resamples - len(seen)
    if count <= 0:
        return []
    return [
        f"{count} of {board.settings.resamples} resamples were not measured; the interval is "
        "honest for those that were, and wider than it would have been."
    ]


def _capped(board: Comparison) -> list[str]:
    sizes = board.sizes
    if sizes is None or sizes.used >= sizes.available:
        return []
    return [
        f"Measured on {sizes.used:,} of {sizes.available:,} training rows: what helps few rows "
        "may help many less."
    ]
