"""What a run would cost, measured on a small part of the data on this machine."""

from __future__ import annotations

from synthgen.config import Config
from synthgen.pipeline import gates, stages
from synthgen.pipeline.estimate import Forecast
from synthgen.pipeline.kinds import kind_of


def forecast(config: Config) -> Forecast:
    """Read the data, look at them, and time one small fit and one small job."""
    kind = kind_of(config)
    gates.check_names(config)
    config = kind.check(config)
    stages.device(config)
    return kind.forecast(config)
