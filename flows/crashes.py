"""Flow runs that crash go on by themselves, three times at most.

A worker that sees its flow run's process die reports a crash. If the worker died too, nobody does:
then the heartbeats of the flow run stop, and an automation of the server says so for it. A second
automation schedules crashed runs again that carry the tag ``auto-resume``; what they had finished
is in the run directory, so they go on where they were.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from prefect.automations import AutomationCore, ChangeFlowRunState, EventTrigger, Posture
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterId,
    TaskRunFilter,
    TaskRunFilterState,
    TaskRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.context import FlowRunContext
from prefect.events.schemas.events import ResourceSpecification
from prefect.states import Crashed

from synthgen.errors import MachineError

TAG = "auto-resume"
MOST = 3
"""Crashes of one flow run after which it is left alone."""
BEAT = 30
"""Seconds between two heartbeats, the fewest that Prefect allows; prefect.toml sets it."""
SILENCE = timedelta(seconds=3 * BEAT)
"""Without a heartbeat: the process is gone. Shorter would take a late heartbeat for a death."""
PAUSE = timedelta(seconds=10)
"""Before a crashed run is scheduled again: a worker that still holds it (3.8.8) would die of it."""
ENDED = ("Completed", "Failed", "Crashed", "Cancelled", "Cancelling", "Suspended", "Paused")


def automations() -> list[AutomationCore]:
    """Those of this module, by their names."""
    runs = ResourceSpecification({"prefect.resource.id": "prefect.flow-run.*"})
    tagged = ResourceSpecification(
        {"prefect.resource.id": f"prefect.tag.{TAG}", "prefect.resource.role": "tag"}
    )
    beat = "prefect.flow-run.heartbeat"
    return [
        AutomationCore(
            name="synthgen: silent runs have crashed",
            description="No heartbeat for three beats, and no word of an end.",
            trigger=EventTrigger(
                posture=Posture.Proactive,
                match=runs,
                match_related=tagged,
                after={beat, "prefect.flow-run.Running"},
                expect={beat, *(f"prefect.flow-run.{state}" for state in ENDED)},
                for_each={"prefect.resource.id"},
                threshold=1,
                within=SILENCE,
            ),
            actions=[
                ChangeFlowRunState(
                    state=StateType.CRASHED, message="No heartbeat: its process is gone."
                )
            ],
        ),
        AutomationCore(
            name="synthgen: crashed runs go on",
            description=f"Of runs with the tag {TAG}, which give up after {MOST} crashes.",
            trigger=EventTrigger(
                posture=Posture.Proactive,
                match=runs,
                match_related=tagged,
                after={"prefect.flow-run.Crashed"},
                expect={f"prefect.flow-run.{state}" for state in ("AwaitingRetry", "Pending")},
                for_each={"prefect.resource.id"},
                threshold=1,
                within=PAUSE,
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
    ]


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


def check_attempt() -> None:
    """At the start of a flow: close what an attempt that crashed left open. Raises MachineError
    when the flow run has crashed too often."""
    context = FlowRunContext.get()
    if context is None or context.flow_run is None or context.flow_run.run_count <= 1:
        return
    with get_client(sync_client=True) as client:
        _close_orphans(client, context.flow_run)
        crashes = [
            state
            for state in client.read_flow_run_states(context.flow_run.id)
            if state.type == StateType.CRASHED
        ]
    if len(crashes) > MOST:
        raise MachineError(
            f"the flow run crashed {len(crashes)} times", "find the cause in its log; run it anew"
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
    ensure()
