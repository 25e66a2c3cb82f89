"""``synthgen doctor``: what is installed, what the machine has, and under which licences."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import shutil
from pathlib import Path

from synthgen.cli import options
from synthgen.cli.console import set_verbosity
from synthgen.errors import MachineError

_NEEDED = (
    "torch",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "imbalanced-learn",
    "pydantic",
    "safetensors",
)
_OPTIONAL = {
    "sdv": "Business Source License: not for a commercial synthetic-data service",
    "ctgan": "Business Source License: not for a commercial synthetic-data service",
    "opacus": "Apache License 2.0",
    "prefect": "Apache License 2.0",
    "distributed": "BSD 3-Clause License",
    "ray": "Apache License 2.0",
    "s3fs": "BSD 3-Clause License",
    "xgboost": "Apache License 2.0",
    "lightgbm": "MIT License",
    "catboost": "Apache License 2.0",
}
_LEAST_DISK = 1e9


def doctor(json_: options.Json = False, verbose: options.Verbose = 0) -> None:
    """Check versions, device, disk and licences."""
    set_verbosity(verbose)
    import psutil
    import torch

    versions = {"python": platform.python_version()}
    versions |= {name: importlib.metadata.version(name) for name in ("synthgen", *_NEEDED)}
    optional = {name: _version(name) for name in _OPTIONAL}
    optional["xgboost"] = optional["xgboost"] or _version("xgboost-cpu")
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    free = shutil.disk_usage(Path.cwd()).free
    memory = psutil.virtual_memory().available
    if json_:
        record = {
            "versions": versions,
            "optional": optional,
            "licences": _OPTIONAL,
            "gpus": gpus,
            "cores": os.cpu_count(),
            "memory_bytes": memory,
            "disk_bytes": free,
        }
        print(json.dumps(record, indent=1))
    else:
        for name, version in versions.items():
            print(f"{name:<18} {version}")
        for name, found in optional.items():
            print(f"{name:<18} {found or 'not installed'}  ({_OPTIONAL[name]})")
        print(f"{'device':<18} {', '.join(gpus) or 'cpu (no GPU found)'}, {os.cpu_count()} cores")
        print(f"{'free memory':<18} {memory / 1e9:.1f} GB")
        print(f"{'free disk':<18} {free / 1e9:.1f} GB at {Path.cwd()}")
        print()
        print("synthgen and its own generators are under the Apache License 2.0 and import none of")
        print("sdv, ctgan, rdt or copulas; only the generators named sdv-* do.")
    if free < _LEAST_DISK:
        raise MachineError(
            f"only {free / 1e9:.2f} GB of disk are free at {Path.cwd()}", "free some space"
        )
    if not os.access(Path.cwd(), os.W_OK):
        raise MachineError(f"{Path.cwd()} is not writable", "work in a folder of your own")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
