"""One job: one source of rows on one resample, with all arms that live on it. Plain data in, plain
data out; any executor can run it.

A generator is fitted once, on the inner training rows. Each learner is trained on these with the
synthetic rows of each recipe (ratio, filter, weight) and scored on the inner rows, which chooses
its recipe; then it is trained on all but the test rows with freshly drawn rows of that recipe and
scored on the test rows, which nothing before has seen (see :mod:`synthgen.benchmark.resamples` for
the parts). Filters, like the generator, know the inner training rows only.

So in the outer round the generator knows (1 - inner share) of the rows that the learner knows,
while the final one will be fitted on all of them: the measured gain is on the careful side. A
generator fitted on all but the test rows would make copies of inner rows look good where the recipe
is chosen, or would have to be fitted twice. All synthetic arms, the cheap ones too, are treated
alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from synthgen.benchmark.arms import ROWS, Generator
from synthgen.benchmark.attempts import describe
from synthgen.benchmark.records import Failure, Job, JobResult
from synthgen.benchmark.resamples import seed_of, split
from synthgen.benchmark.settings import DecideSettings
from synthgen.benchmark.subgroups import cuts, masks
from synthgen.benchmark.threads import single_thread
from synthgen.benchmark.trials import Bench
from synthgen.benchmark.trying import fitted
from synthgen.data.overrides import ColumnOverride
from synthgen.data.table import Table
from synthgen.errors import SynthgenError
from synthgen.generators.base import Chosen
from synthgen.training.context import Context

NO_OVERRIDES: Mapping[str, ColumnOverride] = {}


def run_job(
    job: Job,
    train: Table,
    settings: DecideSettings,
    generator: Generator | None,
    *,
    group: str | None = None,
    time: str | None = None,
    subgroups: Sequence[str] = (),
    overrides: Mapping[str, ColumnOverride] = NO_OVERRIDES,
    checkpoints: Path | None = None,
    device: str = "cpu",
) -> JobResult:
    """Measure one source on one resample of the run's training rows, in one thread.

    ``generator`` is the source's, None for the training rows themselves; ``overrides`` are what
    the user said about columns; ``checkpoints`` is a directory of this job alone. A failing
    generator, filter or learner is a finding and recorded. Raises ConfigError for a misconfigured
    generator and whatever is wrong with the machine (MachineError, OSError, MemoryError): that is
    no property of the arm, and the job is to be done again.
    """
    if (generator is None) != (job.source.name == ROWS):
        raise ValueError(f"source {job.source.name}: all but {ROWS!r} need a generator")
    failures: list[Failure] = []
    with single_thread():
        try:
            resample = split(
                train,
                settings,
                seed=job.seed,
                number=job.resample,
                group=group,
                time=time,
                overrides=overrides,
            )
        except SynthgenError as error:
            failures.append(Failure(stage="split", message=describe(error)))
            return JobResult(job=job, sizes=None, arms=[], failures=failures)
        sampler = None
        if generator is not None:
            context = Context(
                seed_of(job.seed, job.resample, "fit"), device=device, checkpoints=checkpoints
            )
            sampler = fitted(lambda: generator.fit(resample.inner_train, context), failures)
            if sampler is None:
                return JobResult(job=job, sizes=resample.sizes, arms=[], failures=failures)
        groups = masks(cuts(train, subgroups), resample.test.frame)
        bench = Bench(job, settings, resample, sampler, groups, failures)
        return JobResult(
            job=job,
            sizes=resample.sizes,
            arms=bench.arms(),
            failures=failures,
            classes=bench.classes,
            subgroups=[(name, int(mask.sum())) for name, mask in groups.items()],
            diagnosis=bench.diagnose() if job.source.candidate else None,
            curve=bench.curve() if job.source.name == ROWS else [],
            choice=sampler.choice if isinstance(sampler, Chosen) else None,
        )
