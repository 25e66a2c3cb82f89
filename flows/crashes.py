"""Flow runs that crash go on by themselves, three times at most.

    python -m flows.crashes [--once]

A worker that sees its flow run's process die reports a crash. If the worker died too, nobody does:
then the heartbeats of the flow run stop, or never begin, and an automation of the server says so
for it. A further automation schedules crashed runs again that carry the tag ``auto-resume``; what
they had finished is in the run directory, so they go on where they were.

A server that starts again hears nothing in its first seconds. So the command gives the server these
automations, and then looks itself, again and again, for runs that they missed; ``make stack``
starts it. ``--once`` only gives the automations and looks once.
"""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from prefect.automations import AutomationCore, ChangeFlowRunState, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    FlowRunFilterState,
    FlowRunFilterStateType,
    FlowRunFilterTags,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.context import FlowRunContext
from prefect.events.schemas.events import ResourceSpecification
from prefect.states import AwaitingRetry, Crashed, Failed

from flows import server
from synthgen.errors import MachineError

log = logging.getLogger(__name__)
TAG = "auto-resume"
MOST = 3
"""Crashes of one flow run after which it is left alone."""
BEAT = 30
"""Seconds between two heartbeats, the fewest that Prefect allows; prefect.toml sets it."""
SILENCE = timedelta(seconds=3 * BEAT)
"""Without a heartbeat: the process is gone. Shorter would take a late heartbeat for a death."""
BEGINNING = timedelta(seconds=120)
"""From a worker's taking a run to the run's first word. A cluster that fetches an image first needs
more: the automation can be changed in the UI."""
PAUSE = timedelta(seconds=10)
"""Before a crashed run is scheduled again: a worker that still holds it (3.8.8) would die of it."""
LOST = "It never began: its worker is gone."
EVERY = 20.0
"""Seconds between two looks for what the automations missed."""
ENDED = ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling", "Suspended", "Paused")
BEGUN = ("Running", "Scheduled", "Late", "AwaitingRetry", *ENDED)
RUNS = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
TAGGED = ResourceSpecification(
    {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
)


def automations() -> list[AutomationCore]:
    """Those of this module, by their names."""
    beat = "prefect.flow-run.heartbeat"
    return [
        AutomationCore(
            name="synthgen: silent runs have crashed",
            description="No heartbeat for three beats, and no word of an end.",
            trigger=_silence({beat, *_events("Running")}, {beat, *_events(*ENDED)}, SILENCE),
            actions=[
                ChangeFlowRunState(
                    state=StateType.CRASHED, message="No heartbeat: its process is gone."
                )
            ],
        ),
        AutomationCore(
            name="synthgen: runs that never began have crashed",
            description="A worker took it, and died before the run was a process.",
            trigger=_silence(_events("Pending", "Submitting"), {beat, *_events(*BEGUN)}, BEGINNING),
            actions=[ChangeFlowRunState(state=StateType.CRASHED, message=LOST)],
        ),
        AutomationCore(
            name="synthgen: crashed runs go on",
            description=f"Of runs with the tag {TAG}, which give up after {MOST} crashes.",
            trigger=_silence(
                _events("Crashed"), _events("AwaitingRetry", "Pending", "Failed"), PAUSE
            ),
            actions=[
                ChangeFlowRunState(
                    state=StateType.SCHEDULED,
                    name="AwaitingRetry",
                    message="Goes on after a crash.",
                    force=True,
                )
            ],
        ),
        AutomationCore(
            name="synthgen: what crashes again and again has failed",
            description="Also what dies before its first line, where check_attempt() is.",
            trigger=EventTrigger(
                posture=Posture.Reactive,
                match=RUNS,
                match_related=TAGGED,
                expect=_events("Crashed"),
                for_each={"prefect.resource.id"},
                threshold=MOST + 1,
                within=timedelta(days=1),
            ),
            actions=[
                ChangeFlowRunState(state=StateType.FAILED, message=f"More than {MOST} crashes.")
            ],
        ),
    ]


def _events(*states: str) -> set[str]:
    """A flow run's entering one of these states."""
    return {f"prefect.flow-run.{state}" for state in states}


def _silence(after: set[str], expect: set[str], within: timedelta) -> EventTrigger:
    """Of a run with the tag: nothing that is expected comes in this time after the others."""
    return EventTrigger(
        posture=Posture.Proactive,
        match=RUNS,
        match_related=TAGGED,
        after=after,
        expect=expect,
        for_each={"prefect.resource.id"},
        threshold=1,
        within=within,
    )


def ensure() -> None:
    """The server has these automations as they are here, once each. One that is as it should be is
    left alone: an update would forget for whose heartbeat the server waits."""
    with get_client(sync_client=True) as client:
        for wanted in automations():
            known = client.read_automations_by_name(wanted.name)
            if not known:
                client.create_automation(wanted)
            elif _content(known[0]) != _content(wanted):
                client.update_automation(known[0].id, wanted)


def _content(automation: AutomationCore) -> dict[str, Any]:
    """What can be compared: without the number that each trigger gets, and lists of sets sorted."""
    dumped = automation.model_dump(mode="json", include={"description", "trigger", "actions"})
    trigger = {
        name: sorted(value) if isinstance(value, list) else value
        for name, value in dumped["trigger"].items()
        if name != "id"
    }
    return dumped | {"trigger": trigger}


def sweep() -> None:
    """Take up the runs whose crash, or whose silence before they began, no automation heard of.

    A crash that was reported just now is left to the automation.
    """
    with get_client(sync_client=True) as client:
        for run in _tagged(client, StateType.PENDING):
            if _age(run) > BEGINNING + PAUSE:
                client.set_flow_run_state(run.id, Crashed(message=LOST), force=True)
        for run in _tagged(client, StateType.CRASHED):
            if _age(run) > 2 * PAUSE:
                client.set_flow_run_state(run.id, _after_crash(client, run), force=True)


def watch() -> NoReturn:
    """Sweep for ever. A server that does not answer is waited for."""
    while True:
        try:
            sweep()
        except Exception as error:
            log.info("not looked: %s", error)
        time.sleep(EVERY)


def _after_crash(client: SyncPrefectClient, run: FlowRun) -> State[Any]:
    if _crashes(client, run) > MOST:
        return Failed(message=f"More than {MOST} crashes.")
    return AwaitingRetry(message="Goes on after a crash that went unheard.")


def _crashes(client: SyncPrefectClient, run: FlowRun) -> int:
    return sum(state.type == StateType.CRASHED for state in client.read_flow_run_states(run.id))


def _tagged(client: SyncPrefectClient, state: StateType) -> list[FlowRun]:
    return client.read_flow_runs(
        flow_run_filter=FlowRunFilter(
            tags=FlowRunFilterTags(all_=[TAG]),
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[state])),
        )
    )


def _age(run: FlowRun) -> timedelta:
    assert run.state is not None
    return datetime.now(UTC) - run.state.timestamp


def check_attempt() -> None:
    """At the start of a flow: close what an attempt that crashed left open. Raises MachineError
    when the flow run has crashed too often."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.run_count <= 1:
        return
    with get_client(sync_client=True) as client:
        _close_orphans(client, context.flow_run)
        crashes = _crashes(client, context.flow_run)
    if crashes > MOST:
        raise MachineError(
            f"the flow run crashed {crashes} times", "find the cause in its log; run it anew"
        )


def _close_orphans(client: SyncPrefectClient, run: FlowRun) -> None:
    """Task runs that a dead process left RUNNING would look alive for ever."""
    running = TaskRunFilterState(type=TaskRunFilterStateType(any_=[StateType.RUNNING]))
    orphans = client.read_task_runs(
        flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[run.id])),
        task_run_filter=TaskRunFilter(state=running),
    )
    for orphan in orphans:
        client.set_task_run_state(orphan.id, Crashed(message="Its process died."), force=True)


if __name__ == "__main__":
    server.wait()
    ensure()
    sweep() if sys.argv[1:] == ["--once"] else watch()
