"""Which jobs are due: resample by resample, in blocks, with clear losers left out after each.

What is due depends on the results so far and on nothing else, so any executor in any order, and a
run that was killed and goes on, ends with the same jobs. After any number of them the measured
resamples are complete but for the last block, and conclude honestly, with a wider interval.
"""

from __future__ import annotations

from collections.abc import Sequence

from synthgen.benchmark.arms import Source
from synthgen.benchmark.comparison import Comparison
from synthgen.benchmark.records import Job, JobResult
from synthgen.benchmark.sequential import clear_loser, looks
from synthgen.benchmark.settings import DecideSettings


def due(
    settings: DecideSettings, sources: Sequence[Source], seed: int, results: Sequence[JobResult]
) -> list[Job]:
    """The jobs of the first block that is not complete, less those that have a result. Empty when
    all is done."""
    known = {result.job.name for result in results}
    start = 0
    for end in _ends(settings):
        missing = [
            job
            for job in _block(settings, sources, seed, results, start, end)
            if job.name not in known
        ]
        if missing:
            return missing
        start = end
    return []


def remaining(
    settings: DecideSettings, sources: Sequence[Source], seed: int, results: Sequence[JobResult]
) -> int:
    """How many jobs are left if no further arm is dropped."""
    known = {result.job.name for result in results}
    start, count = 0, 0
    for end in _ends(settings):
        block = _block(settings, sources, seed, results, start, end)
        count += sum(job.name not in known for job in block)
        start = end
    return count


def dropped(results: Sequence[JobResult], settings: DecideSettings) -> dict[str, int]:
    """The clear losers among the arms in question, and after how many resamples each was one."""
    found: dict[str, int] = {}
    for end in _ends(settings)[:-1]:
        found |= {arm: end for arm in _losers(results, settings, end) if arm not in found}
    return found


def _ends(settings: DecideSettings) -> tuple[int, ...]:
    looked = looks(settings.resamples) if settings.drop_losers else ()
    return (*looked, settings.resamples)


def _block(
    settings: DecideSettings,
    sources: Sequence[Source],
    seed: int,
    results: Sequence[JobResult],
    start: int,
    end: int,
) -> list[Job]:
    before = [result for result in results if result.job.resample < start]
    lost = dropped(before, settings) if start else {}
    kept = [
        source.model_copy(update={"arms": arms})
        for source in sources
        if (arms := tuple(arm for arm in source.arms if arm.name not in lost))
    ]
    return [
        Job(resample=resample, source=source, seed=seed)
        for resample in range(start, end)
        for source in kept
    ]


def _losers(results: Sequence[JobResult], settings: DecideSettings, end: int) -> list[str]:
    """At the look after ``end`` resamples. None before all of these are there: what is dropped
    must not depend on which job happens to finish first."""
    so_far = [result for result in results if result.job.resample < end]
    board = Comparison(so_far, settings)
    if {result.job.resample for result in so_far} != set(range(end)):
        return []
    found = {arm: board.pairs(arm, "nothing") for arm in board.candidates}
    return [
        arm
        for arm, pairs in found.items()
        if clear_loser(
            pairs.differences,
            settings.resamples,
            board.test_ratio,
            settings.minimum_effect,
            step=pairs.step,
        )
    ]
