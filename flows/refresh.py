"""A model that follows its data: trained anew when they change, and kept if it is no worse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from filelock import FileLock
from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.artifacts import key
from flows.augment import work
from flows.crashes import check_attempt
from flows.job import AugmentJob, store
from flows.refusals import plainly
from synthgen.pipeline import named_folder
from synthgen.pipeline.identity import identity
from synthgen.pipeline.series import Comparison, Series, compare, score_of
from synthgen.remote import Place, lease, name_of, reading
from synthgen.runs import Run


@task(cache_policy=NO_CACHE)
def look(job: AugmentJob) -> str:
    """What tells this job, with the data as they are now, from others."""
    return identity(job.config())


@task(cache_policy=NO_CACHE)
def judge(new: Place, old: Place, score: str) -> Comparison:
    """Both models' data on the new run's sealed rows."""
    return compare(Run(reading(new)), Run(reading(old)), score)


@flow(name="refresh", flow_run_name="{name}")
def refresh(
    job: AugmentJob,
    name: str = "",
    retrain: Literal["changed", "always"] = "changed",
    score: str = "",
) -> Place:
    """Train anew if the data, the settings or the program changed (or ``always``, with another
    seed each time), and keep the better of the new and the last model.

    ``name`` is what the series of runs is called, by default as its data; ``score`` what the models
    are compared by. Returns the run directory, or the URL, of the model that is kept, which a file
    of the store, NAME.current.json, names too.
    """
    check_attempt()
    logger = get_run_logger()
    called = name or named_folder(job.source)
    with plainly(), _turn(called):
        series = Series(store(), called)
        seen, current = look(job), series.current
        if retrain == "changed" and seen == series.identity and current is not None:
            logger.info("nothing changed: %s stays", current)
            return current
        if retrain == "always":
            job = job.model_copy(update={"seed": job.seed + series.count})
        made = work(job)
        if current is None or name_of(current) == name_of(made):
            series.done(seen, made)
            return made
        found = judge(made, current, score or score_of(job.config()))
        logger.info(found.sentence())
        create_markdown_artifact(
            f"# {found.sentence()}\n\n| run | {found.title} |\n| --- | ---: |\n"
            f"| {name_of(made)} | {found.new:.4g} |\n| {name_of(current)} | {found.old:.4g} |\n",
            key=f"refresh-{key(Path(called))}",
            description="The new model beside the last one",
        )
        kept = made if found.keep_new else current
        series.done(seen, kept)
        return kept


@contextmanager
def _turn(called: str) -> Iterator[None]:
    """One at a time at a series; others wait."""
    place, name = store(), f".{called}.refresh"
    if isinstance(place, Path):
        place.mkdir(parents=True, exist_ok=True)
        with FileLock(place / name).acquire(poll_interval=1.0):
            yield
        return
    with lease.turn(f"{place}/{name}"):
        yield
