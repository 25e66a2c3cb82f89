"""A finished run to its destination: after its gates, and if wanted after a person's approval."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_link_artifact
from prefect.cache_policies import NO_CACHE
from prefect.flow_runs import suspend_flow_run
from prefect.input import RunInput
from pydantic import Field

from flows.artifacts import key, publish_artifacts
from flows.job import store
from synthgen.errors import ConfigError
from synthgen.pipeline import gates, publishing
from synthgen.pipeline.assess import finished
from synthgen.remote import Place, below, called, name_of, place, reading
from synthgen.report import load


class Approval(RunInput):
    """What a person decides."""

    decision: Literal["publish", "refuse"] = Field(title="Decision")
    name: str = Field(title="Your name", min_length=1, description="Stands in the log.")
    reason: str = Field("", title="Reason")


@task(cache_policy=NO_CACHE)
def check(run: Path, given: Place) -> str:
    """Finished, and its gates hold; returns the verdict."""
    with called(given, run):
        found = finished(run)
    gates.check(found)
    publish_artifacts(run, given)
    return load(run / "report.json").verdict.sentence


@task(cache_policy=NO_CACHE, retries=3, retry_delay_seconds=[5, 30, 120])
def copy(run: Path, destination: str) -> str:
    """Copy what is not there yet, the manifest last; a lost connection is tried again."""
    return publishing.publish(run, destination)


@flow(name="publish", flow_run_name="{run}")
def publish(run: str, destination: str, approval: bool = False, wait_s: int = 86_400) -> str:
    """Copy the finished run to ``destination`` (a folder or an fsspec URL). ``run`` is a folder, a
    URL, or the name of a run in the store.

    With ``approval`` the flow run waits, at most ``wait_s`` seconds, until a person resumes it in
    the UI; no worker is held meanwhile. Returns the address of the report there.
    """
    logger = get_run_logger()
    given = place(run)
    if isinstance(given, Path) and not given.exists() and given.name == run:
        given = below(store(), run)
    source = reading(given)
    verdict = check(source, given)
    if approval:
        answer = suspend_flow_run(
            wait_for_input=Approval.with_initial_data(
                description=f"Publish {name_of(given)} at {destination}?\n\n{verdict}"
            ),
            timeout=wait_s,
            key=f"approval-{key(given)}",
        )
        logger.info("%s decided: %s. %s", answer.name, answer.decision, answer.reason)
        if answer.decision == "refuse":
            raise ConfigError(f"{answer.name} refused to publish {run}", answer.reason or "ask why")
    report = copy(source, destination)
    link = report if "://" in report else Path(report).resolve().as_uri()
    create_link_artifact(link, "The published report", key=f"published-{key(given)}")
    logger.info("published at %s", destination)
    return report
