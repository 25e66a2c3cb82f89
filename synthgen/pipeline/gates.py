"""Quality and privacy gates: bounds of scores that a run has to keep."""

from __future__ import annotations

import difflib

from synthgen.config import Config
from synthgen.errors import ConfigError, GateError
from synthgen.pipeline import stages
from synthgen.pipeline.kinds import kind_of
from synthgen.report import load
from synthgen.runs import Run


def check_names(config: Config) -> None:
    """Raise ConfigError for a gate on a score that no run has; costs nothing, so it comes first."""
    known = kind_of(config).scores(config)
    for name in config.gates:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise ConfigError(
                f"gates.{name}: there is no such score",
                f"did you mean {near[0]}?" if near else f"scores are: {', '.join(known)}",
            )


def check(run: Run) -> None:
    """Raise GateError if a gate fails; the run is complete all the same."""
    scores: dict[str, float] = {}
    for score in load(run / "report.json").scores:
        # Of a metric of images in several spaces of features the first is the run's own classifier.
        scores.setdefault(score.metric, score.value)
    for name, gate in stages.settings(run).gates.items():
        value = scores.get(name)
        if value is None:
            raise GateError(
                f"gate {name}: the data do not allow this score",
                f"the notices of {run / 'report.html'} say why; remove the gate or change the data",
            )
        if gate.max is not None and value > gate.max:
            bound = f"at most {gate.max:g}"
        elif gate.min is not None and value < gate.min:
            bound = f"at least {gate.min:g}"
        else:
            continue
        raise GateError(
            f"gate {name}: {value:.6g}, but {bound} was demanded",
            f"see {run / 'report.html'}; train longer, choose another generator or move the gate",
        )
