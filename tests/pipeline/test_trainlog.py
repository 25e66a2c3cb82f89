"""The training log: one record per step, however often a fit was killed and resumed."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from synthgen.pipeline.events import Event, unheard
from synthgen.pipeline.trainlog import TrainLog, read


def committed(log: TrainLog, folder: Path) -> list[dict[str, Any]]:
    """The records of the finished log, by a JSON parser that refuses NaN."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    target = folder / "train.jsonl"
    log.commit(target)
    return [json.loads(line, parse_constant=refuse) for line in target.read_text().splitlines()]


def test_records_come_in_the_order_of_their_steps(tmp_path: Path) -> None:
    log = TrainLog(tmp_path / "draft.jsonl", unheard)
    for step in (10, 20, 100, 30):
        log({"step": step, "loss": float(step)})
    steps = [record["step"] for record in committed(log, tmp_path)]
    assert steps == [10, 20, 30, 100]  # As numbers: as text 100 would come before 20.


def test_a_resumed_fit_logs_steps_again_and_the_last_record_counts(tmp_path: Path) -> None:
    draft = tmp_path / "draft.jsonl"
    killed = TrainLog(draft, unheard)
    for step in (1, 2, 3, 4):
        killed({"step": step, "loss": 1.0})
    resumed = TrainLog(draft, unheard)
    for step in (3, 4, 5):
        resumed({"step": step, "loss": 2.0})
    assert committed(resumed, tmp_path) == [
        {"step": step, "loss": 1.0 if step < 3 else 2.0} for step in (1, 2, 3, 4, 5)
    ]


def test_records_of_one_step_are_merged(tmp_path: Path) -> None:
    log = TrainLog(tmp_path / "draft.jsonl", unheard)
    log({"step": 5, "steps": 10, "loss": 0.5, "penalty": 0.1})
    log({"step": 5, "steps": 10, "fidelity": 0.9})
    log({"step": 6, "steps": 10, "loss": 0.4, "penalty": 0.2})
    # Killed here; steps 5 and 6 come again, and the kill took the later score with it.
    log({"step": 5, "steps": 10, "loss": 0.25, "penalty": 0.1})
    assert committed(log, tmp_path) == [
        {"step": 5, "steps": 10, "loss": 0.25, "penalty": 0.1, "fidelity": 0.9},
        {"step": 6, "steps": 10, "loss": 0.4, "penalty": 0.2},
    ]


def test_a_line_that_a_kill_cut_short_is_left_out(tmp_path: Path) -> None:
    draft = tmp_path / "draft.jsonl"
    log = TrainLog(draft, unheard)
    log({"step": 1, "loss": 1.0})
    log({"step": 2, "loss": 2.0})
    draft.write_text(draft.read_text()[:-8])
    assert [record["step"] for record in read(draft)] == [1]
    assert committed(log, tmp_path) == [{"step": 1, "loss": 1.0}]


def test_records_after_a_cut_line_are_whole(tmp_path: Path) -> None:
    draft = tmp_path / "draft.jsonl"
    log = TrainLog(draft, unheard)
    log({"step": 1, "loss": 1.0})
    log({"step": 2, "loss": 2.0})
    draft.write_text(draft.read_text()[:-8])
    resumed = TrainLog(draft, unheard)
    for step in (2, 3):
        resumed({"step": step, "loss": 3.0})
    assert committed(resumed, tmp_path) == [
        {"step": 1, "loss": 1.0},
        {"step": 2, "loss": 3.0},
        {"step": 3, "loss": 3.0},
    ]


def test_what_is_not_finite_is_null(tmp_path: Path) -> None:
    log = TrainLog(tmp_path / "draft.jsonl", unheard)
    log({"step": 1, "a": math.nan, "b": math.inf, "c": -math.inf, "d": 0.0})
    assert committed(log, tmp_path) == [{"step": 1, "a": None, "b": None, "c": None, "d": 0.0}]


def test_the_listener_hears_every_step(tmp_path: Path) -> None:
    heard: list[Event] = []
    log = TrainLog(tmp_path / "draft.jsonl", heard.append)
    log({"step": 3, "steps": 9, "loss": 1.0})
    log({"step": 4, "loss": 1.0})
    assert [(event.stage, event.done, event.total) for event in heard] == [
        ("fit", 3, 9),
        ("fit", 4, 0),
    ]


def test_a_fit_that_logged_nothing_leaves_an_empty_log(tmp_path: Path) -> None:
    log = TrainLog(tmp_path / "draft.jsonl", unheard)
    assert committed(log, tmp_path) == []
