"""Where a configuration runs: device, processes, packages."""

from __future__ import annotations

import importlib.util
import os
import re

from synthgen.benchmark import learners
from synthgen.config import Config
from synthgen.data.schema import Task
from synthgen.errors import ConfigError, MachineError
from synthgen.privacy.accounting import check_opacus


def workers(config: Config) -> int:
    """Parallel decide jobs: one per core, or one if they share a GPU."""
    if config.workers is not None:
        return config.workers
    return 1 if device(config).startswith("cuda") else (os.cpu_count() or 1)


def device(config: Config) -> str:
    """The device that trains: what was asked for, or a GPU where there is one.

    Raises ConfigError for what is no device, MachineError for one that is not there.
    """
    import torch

    if config.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if re.fullmatch(r"cpu|cuda(:\d+)?", config.device) is None:
        raise ConfigError(
            f"device: there is no device {config.device!r}", "choose auto, cpu, cuda or cuda:N"
        )
    number = int(config.device.partition(":")[2] or 0)
    if config.device != "cpu" and number >= torch.cuda.device_count():
        raise MachineError(
            f"the device {config.device} is not on this machine, or torch cannot use it",
            "use --device cpu, or look at: synthgen doctor",
        )
    return config.device


def check_packages(config: Config) -> None:
    """Raise MachineError if the generator needs a package that is not installed."""
    if config.generator.name.startswith("sdv-") and importlib.util.find_spec("sdv") is None:
        raise MachineError(
            f"the generator {config.generator.name} needs SDV, which is not installed",
            "install it with: pip install -c constraints.txt -e '.[sdv]'",
        )
    if config.generator.name == "dp-ctgan":
        check_opacus()


def check_learners(config: Config, task: Task) -> None:
    """Raise ConfigError for a learner that is none or does not fit the task, MachineError for one
    whose package is not installed."""
    for learner in config.decide.for_task(task).learners:
        learners.check(learner, task)
