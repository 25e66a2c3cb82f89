"""What limits a verdict: failures, missing measurements, capped rows."""

from __future__ import annotations

from collections import Counter

from synthgen.benchmark.arms import ROWS
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.schedule import dropped


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
        f"{f'training {settings.unit}s alone' if source == ROWS else source}: "
        f"{f'too few {settings.unit}s came' if what == 'shortfall' else f'{what} failed'} in "
        f"{count} of {settings.resamples} resamples ({example[source, what]})."
        for (source, what), count in counts.items()
    ]


def _missing(board: Comparison) -> list[str]:
    count = unmeasured(board)
    if count <= 0:
        return []
    return [
        f"{count} of {board.settings.resamples} resamples were not measured to the end; the "
        "interval is honest for those that were, and wider than it would have been."
    ]


def unmeasured(board: Comparison) -> int:
    """Resamples that were asked for and some source was not measured in, though it was not
    dropped: the run was interrupted, or out of time."""
    lost = dropped(board.results, board.settings)
    seen: dict[str, set[int]] = {}
    for result in board.results:
        if any(arm.name not in lost for arm in result.job.source.arms):
            seen.setdefault(result.job.source.name, set()).add(result.job.resample)
    return board.settings.resamples - min(map(len, seen.values()), default=0)


def _capped(board: Comparison) -> list[str]:
    sizes, unit = board.sizes, board.settings.unit
    if sizes is None or sizes.used >= sizes.available:
        return []
    return [
        f"Measured on {sizes.used:,} of {sizes.available:,} training {unit}s: what helps few "
        f"{unit}s may help many less."
    ]
