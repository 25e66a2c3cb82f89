"""Where a configuration runs: device, processes, packages."""

from __future__ import annotations

import importlib.util
import os
import re

from synthgen.benchmark import learners
from synthgen.benchmark.executor import Place
from synthgen.config import Config
from synthgen.data.schema import Task
from synthgen.errors import ConfigError, MachineError
from synthgen.privacy.accounting import check_opacus


def workers(config: Config) -> int:
    """Parallel decide jobs: one per core, or one if they share a GPU."""
    if config.workers is not None:
        return config.workers
    return 1 if device(config).startswith("cuda") else (os.cpu_count() or 1)


def place(config: Config) -> Place:
    """Where the jobs are done."""
    gpu = device(config).startswith("cuda")
    return Place(config.runner, config.cluster, workers(config), gpu)


def device(config: Config) -> str:
    """The device that trains: what was asked for, or a GPU where there is one.

    Raises ConfigError for what is no device, MachineError for one that is not there.
    """
    return named_device(config.device)


def named_device(name: str) -> str:
    """The device of this name; see :func:`device`."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if re.fullmatch(r"cpu|cuda(:\d+)?", name) is None:
        raise ConfigError(
            f"device: there is no device {name!r}", "choose auto, cpu, cuda or cuda:N"
        )
    number = int(name.partition(":")[2] or 0)
    if name != "cpu" and number >= torch.cuda.device_count():
        raise MachineError(
            f"the device {name} is not on this machine, or torch cannot use it",
            "use --device cpu, or look at: synthgen doctor",
        )
    return name


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
